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
    else if (explanations.length === 0) context.io.out(`${id} is ${contact.state}; nothing was decided about it yet.\n`);
    else context.io.out(`${explanations.map(explain).join('\n\n')}\n`);
    return exitCodes.ok;
  },
};
