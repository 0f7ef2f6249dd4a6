import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import {
  csvHeader,
  csvRecord,
  recordColumns,
  vconOf,
  type ContactRecord,
} from '../export/index.ts';
import { exitCodes, usageFault } from '../fault.ts';
import { edgeContacts, ParquetFile, parsePlace } from '../replay/index.ts';
import {
  countOption,
  printJson,
  textOption,
  type CommandSpec,
  type Context,
  type Options,
} from './command.ts';
import { readContact, readOpenContact } from './contact.ts';
import { Progress } from './log-lines.ts';
import { eventStreamOf, listPages } from './pages.ts';

/** Where text goes: a file, or the standard output. */
interface Out {
  write(text: string): Promise<void>;
  close(): Promise<void>;
}

async function outOf({ io }: Context, path: string): Promise<Out> {
  if (path === '-') {
    return {
      write: (text) => Promise.resolve(io.out(text)),
      close: () => Promise.resolve(),
    };
  }
  const file: WriteStream = createWriteStream(path);
  await once(file, 'open').catch((error: Error) => {
    throw usageFault(`--out ${path} cannot be written (${error.message}).`);
  });
  return {
    async write(text) {
      if (!file.write(text)) await once(file, 'drain');
    },
    async close() {
      file.end();
      await once(file, 'close');
    },
  };
}

/** The raw entries of a stream. */
async function exportStream(context: Context, options: Options, out: string): Promise<void> {
  const { client, io } = context;
  const stream = textOption(options, 'stream') ?? (await eventStreamOf(client));
  const from = countOption(options, 'from');
  const to = countOption(options, 'to');
  const range = { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
  const file = await outOf(context, out);
  const progress = new Progress(context, 'entries exported');
  let entries = 0;
  for await (const lines of client.log(stream, range)) {
    const whole = lines.filter((line) => line !== '');
    entries += whole.length;
    await file.write(whole.map((line) => `${line}\n`).join(''));
    progress.show(entries);
  }
  progress.clear();
  await file.close();
  if (out === '-') return;
  if (context.json) printJson(context, { stream, entries, file: out });
  else io.out(`${entries.toLocaleString('en')} entries of ${stream} are in ${out}.\n`);
}

/** One contact as a vCon, its customer in the clear where that is asked for and the key may see it. */
async function exportVcon(
  context: Context,
  id: string,
  out: string,
  personal: boolean,
): Promise<void> {
  const contact = await (personal ? readOpenContact : readContact)(context, id);
  const vcon = vconOf(contact, new Date(context.io.now()).toISOString());
  const file = await outOf(context, out);
  await file.write(`${JSON.stringify(vcon, undefined, context.json ? undefined : 2)}\n`);
  await file.close();
  if (out === '-') return;
  if (context.json) printJson(context, { contact: id, uuid: vcon.uuid, file: out });
  else context.io.out(`The contact ${id} is in ${out} as vCon ${vcon.uuid}.\n`);
}

/** All contacts, the newest first, as they are or as they were at `--as-of`. */
async function* contactRecords(
  { client }: Context,
  options: Options,
): AsyncGenerator<readonly ContactRecord[]> {
  const asOf = textOption(options, 'asOf');
  if (asOf !== undefined) {
    yield* edgeContacts(client, parsePlace('as-of', asOf));
    return;
  }
  for await (const { rows } of listPages<ContactRecord>(client, 'contacts')) yield rows;
}

/** Contact records as CSV, or as Parquet where the file's name ends so. */
async function exportContacts(context: Context, options: Options, out: string): Promise<void> {
  const progress = new Progress(context, 'contacts exported');
  const isParquet = out.endsWith('.parquet');
  const parquet = isParquet ? new ParquetFile(out, recordColumns) : undefined;
  const file = isParquet ? undefined : await outOf(context, out);
  await file?.write(csvHeader());
  let contacts = 0;
  for await (const rows of contactRecords(context, options)) {
    for (const row of rows) parquet?.write(row);
    await file?.write(rows.map(csvRecord).join(''));
    contacts += rows.length;
    progress.show(contacts);
  }
  progress.clear();
  await parquet?.close();
  await file?.close();
  if (out === '-') return;
  if (context.json) printJson(context, { contacts, file: out });
  else context.io.out(`${contacts.toLocaleString('en')} contacts are in ${out}.\n`);
}

export const exportCommand: CommandSpec = {
  usage: 'export',
  looks: true,
  summary: 'Into a file: the raw entries of a stream, one contact as a vCon, or contact records',
  options: [
    { flags: '--stream <name>', text: 'such as EV_eu (the default in the region eu) or IN_eu' },
    { flags: '--vcon <contact>', text: 'this contact as a vCon (draft-ietf-vcon-vcon-core)' },
    {
      flags: '--personal',
      text: 'with --vcon: the customer in the clear; the key needs the scope personal',
    },
    { flags: '--contacts', text: 'a record of each contact: CSV, or Parquet by the name of --out' },
    { flags: '--as-of <place>', text: 'with --contacts: as they were at a time or places' },
    { flags: '--out <file>', text: 'where to; - for the standard output' },
    { flags: '--from <sequence>', text: 'the first entry' },
    { flags: '--to <sequence>', text: 'the last entry; by default the last one now' },
  ],
  examples: [
    'meridian export --stream EV_eu --out eu.ndjson',
    'meridian export --stream IN_eu --out - | wc -l',
    'meridian export --vcon c1 --out c1.vcon',
    'meridian export --vcon c1 --personal --out c1.vcon',
    'meridian export --contacts --out contacts.csv',
    'meridian export --contacts --as-of 2026-03-02T09:00:00Z --out contacts.parquet',
  ],
  async run(context, _args, options) {
    const contact = textOption(options, 'vcon');
    const out = textOption(options, 'out') ?? (contact === undefined ? undefined : '-');
    if (out === undefined) {
      throw usageFault('Where to?\nGive --out FILE, or --out - for the standard output.');
    }
    if (contact !== undefined) {
      await exportVcon(context, contact, out, options['personal'] === true);
    } else if (options['contacts'] === true) await exportContacts(context, options, out);
    else await exportStream(context, options, out);
    return exitCodes.ok;
  },
};
