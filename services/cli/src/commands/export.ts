import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { exitCodes, usageFault } from '../fault.ts';
import { countOption, printJson, textOption, type CommandSpec } from './command.ts';
import { Progress } from './log-lines.ts';
import { eventStreamOf } from './pages.ts';

export const exportCommand: CommandSpec = {
  usage: 'export',
  summary: 'Copy the raw entries of a stream into a file, one JSON document a line',
  options: [
    { flags: '--stream <name>', text: 'such as EV_eu (the default in the region eu) or IN_eu' },
    { flags: '--out <file>', text: 'where to; - for the standard output' },
    { flags: '--from <sequence>', text: 'the first entry' },
    { flags: '--to <sequence>', text: 'the last entry; by default the last one now' },
  ],
  examples: [
    'meridian export --stream EV_eu --out eu.ndjson',
    'meridian export --stream IN_eu --out - | wc -l',
  ],
  async run(context, _args, options) {
    const { client, io } = context;
    const out = textOption(options, 'out');
    if (out === undefined) {
      throw usageFault('Where to?\nGive --out FILE, or --out - for the standard output.');
    }
    const stream = textOption(options, 'stream') ?? (await eventStreamOf(client));
    const from = countOption(options, 'from');
    const to = countOption(options, 'to');
    const range = { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
    const file = out === '-' ? undefined : createWriteStream(out);
    const opened = file === undefined ? Promise.resolve() : once(file, 'open');
    await opened.catch((error: Error) => {
      throw usageFault(`--out ${out} cannot be written (${error.message}).`);
    });
    const progress = new Progress(context, 'entries exported');
    let entries = 0;
    for await (const lines of client.log(stream, range)) {
      const whole = lines.filter((line) => line !== '');
      entries += whole.length;
      const text = whole.map((line) => `${line}\n`).join('');
      if (file === undefined) io.out(text);
      else if (!file.write(text)) await once(file, 'drain');
      progress.show(entries);
    }
    progress.clear();
    if (file !== undefined) {
      file.end();
      await once(file, 'close');
      if (context.json) printJson(context, { stream, entries, file: out });
      else io.out(`${entries.toLocaleString('en')} entries of ${stream} are in ${out}.\n`);
    }
    return exitCodes.ok;
  },
};
