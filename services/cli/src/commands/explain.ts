import { exitCodes } from '../fault.ts';
import { explain, explanationsOf } from '../render/explain.ts';
import { printJson, type CommandSpec } from './command.ts';
import { readContact } from './contact.ts';

export const explainCommand: CommandSpec = {
  usage: 'explain <id>',
  summary: 'Why a contact went to whom: every routing decision, and what came of it',
  examples: ['meridian explain c1', 'meridian explain c1 --json'],
  async run(context, [id = '']) {
    const contact = await readContact(context, id);
    const explanations = explanationsOf(contact.timeline.map(({ event }) => event));
    if (context.json) printJson(context, { id, state: contact.state, decisions: explanations });
    else {
      const none = `${id} is ${contact.state}; nothing was decided about it yet.`;
      context.io.out(`${explanations.map(explain).join('\n\n') || none}\n`);
    }
    return exitCodes.ok;
  },
};
