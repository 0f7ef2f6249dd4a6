import { writeFileSync } from 'node:fs';
import { CommandFault, exitCodes, usageFault } from '../fault.ts';
import { prove, type NoProof } from '../verify/prove.ts';
import { edgeCopy, folderCopy } from '../verify/source.ts';
import { printJson, textOption, type CommandSpec } from './command.ts';
import { Progress } from './log-lines.ts';

export const proveCommand: CommandSpec = {
  usage: 'prove <event-id>',
  looks: true,
  summary: 'Prove that an event is on the log, in a file that docs/verify-proof.mjs checks alone',
  options: [
    { flags: '--offline <folder>', text: 'exports of all streams, instead of the edge' },
    { flags: '--out <file>', text: 'where to; the standard output by default' },
  ],
  examples: [
    'meridian prove demo.contact.c1.3 --out proof.json',
    'node docs/verify-proof.mjs proof.json receipt-keys.json',
  ],
  async run(context, [id = ''], options) {
    const folder = textOption(options, 'offline');
    const out = textOption(options, 'out');
    const copy = folder === undefined ? await edgeCopy(context) : folderCopy(context, folder);
    const progress = new Progress(context, 'messages read');
    const proof = await prove(copy, id, (count) => progress.show(count));
    progress.clear();
    if ('reason' in proof) throw fault(id, proof);
    const text = `${JSON.stringify(proof, null, 1)}\n`;
    if (out === undefined || out === '-') {
      context.io.out(text);
      return exitCodes.ok;
    }
    try {
      writeFileSync(out, text);
    } catch (error) {
      throw usageFault(`--out ${out} cannot be written (${(error as Error).message}).`);
    }
    const { rank, message } = proof;
    if (context.json) printJson(context, { file: out, rank });
    else {
      context.io.out(
        `${id} is ${message.stream} ${message.sequence}, rank ${rank}; its proof is in ${out}.\n` +
          `Check it with: node docs/verify-proof.mjs ${out}\n`,
      );
    }
    return exitCodes.ok;
  },
};

function fault(id: string, { reason, result }: NoProof): CommandFault {
  if (reason === 'no-event') {
    return new CommandFault(
      exitCodes.notFound,
      `There is no event ${id} in the order.\n` +
        'Its id is <tenant>.<entity>.<id>.<revision>, such as demo.contact.c1.3.',
    );
  }
  if (reason === 'not-covered') {
    return new CommandFault(
      exitCodes.no,
      `No checkpoint covers ${id} yet; the last one covers ${result.covered} messages.\n` +
        'Try again in some seconds.',
    );
  }
  const [first] = result.faults;
  return new CommandFault(
    exitCodes.no,
    `This copy of the log does not hold: ${first?.stream} ${first?.sequence}: ${first?.what}\n` +
      'See meridian verify.',
  );
}
