import { join, dirname, basename } from 'node:path';
import {
  openStore,
  parseTime,
  readArchives,
  restoredLines,
  streamsOf,
  type ArchiveStore,
  type Manifest,
  type Restored,
  type Wanted,
} from '../archive/index.ts';
import { CommandFault, exitCodes, usageFault } from '../fault.ts';
import { natsSink, placed, readMesh } from '../replay/index.ts';
import {
  numberOption,
  printJson,
  textOption,
  type CommandSpec,
  type Context,
  type Options,
} from './command.ts';
import { Progress } from './log-lines.ts';

const defaultRatePerSecond = 1_000;
const number = (value: number): string => value.toLocaleString('en');

interface Source {
  readonly store: ArchiveStore;
  readonly manifests: readonly Manifest[];
  readonly streams: readonly string[];
  readonly wanted: Wanted;
}

function wantedOf(options: Options): Wanted {
  const since = textOption(options, 'since');
  const until = textOption(options, 'until');
  const contact = textOption(options, 'contact');
  return {
    ...(since === undefined ? {} : { sinceMs: parseTime('since', since) }),
    ...(until === undefined ? {} : { untilMs: parseTime('until', until) }),
    ...(contact === undefined ? {} : { contact }),
  };
}

async function sourceOf(context: Context, options: Options): Promise<Source> {
  const from = textOption(options, 'from');
  if (from === undefined) throw usageFault('Out of which archives?\nGive --from PLACE.');
  const store = openStore(from, context.io);
  const { manifests } = await readArchives(store);
  if (manifests.length === 0) {
    throw new CommandFault(exitCodes.notFound, `There is no archive in ${from}.`);
  }
  const all = streamsOf(manifests);
  const stream = textOption(options, 'stream');
  if (stream !== undefined && !all.includes(stream)) {
    throw new CommandFault(
      exitCodes.notFound,
      `There is nothing of ${stream} in ${from}; there is of ${all.join(', ')}.`,
    );
  }
  const streams = stream === undefined ? all : [stream];
  return { store, manifests, streams, wanted: wantedOf(options) };
}

/** One stream into a file, as an export has it: it has its name when it is whole. */
async function intoFile(
  context: Context,
  source: Source,
  stream: string,
  file: string,
): Promise<Restored> {
  const { store, manifests, wanted } = source;
  const restored: Restored = { messages: 0, deleted: 0 };
  const writer = await openStore(dirname(file), context.io).writer(basename(file));
  const progress = new Progress(context, `messages of ${stream} restored`);
  let isWhole = false;
  try {
    for await (const lines of restoredLines(store, manifests, stream, wanted, restored)) {
      await writer.write(Buffer.from(lines.map((line) => `${line}\n`).join('')));
      progress.show(restored.messages);
    }
    await writer.commit();
    isWhole = true;
  } finally {
    progress.clear();
    if (!isWhole) await writer.abort();
  }
  return restored;
}

async function intoFiles(context: Context, source: Source, to: string): Promise<void> {
  const isOne = to.endsWith('.ndjson');
  if (isOne && source.streams.length > 1) {
    throw usageFault(
      `${to} is one file, and there are several streams.\nGive a folder, or --stream EV_eu.`,
    );
  }
  const files: { stream: string; file: string; messages: number; deleted: number }[] = [];
  for (const stream of source.streams) {
    const file = isOne ? to : join(to, `${stream}.ndjson`);
    files.push({ stream, file, ...(await intoFile(context, source, stream, file)) });
  }
  if (context.json) {
    printJson(context, { files });
    return;
  }
  for (const { stream, file, messages, deleted } of files) {
    const gone = deleted === 0 ? '' : ` ${number(deleted)} were deleted from the archives.`;
    context.io.out(`${number(messages)} messages of ${stream} are in ${file}.${gone}\n`);
  }
}

/** The decisions in order to NATS, each marked as a replay. */
async function intoNats(
  context: Context,
  source: Source,
  url: string,
  options: Options,
): Promise<void> {
  const { io } = context;
  const { store, manifests, wanted } = source;
  const subject = textOption(options, 'subjectOut');
  if (subject === undefined) throw usageFault('--subject-out SUBJECT goes with nats://.');
  const streams = source.streams.filter((stream) => stream.startsWith('EV_'));
  const sink = await natsSink({
    url,
    subject,
    replayId: textOption(options, 'replayId') ?? `restore-${new Date(io.now()).toISOString()}`,
    ratePerSecond: numberOption(options, 'rate', 0.001) ?? defaultRatePerSecond,
    signal: io.signal,
  });
  const log = readMesh(
    streams.map((stream) => ({
      stream,
      grows: false,
      read: () => restoredLines(store, manifests, stream, wanted),
    })),
  );
  let events = 0;
  try {
    for await (const entry of log.entries) {
      for (const one of placed(entry)) {
        await sink.write(one);
        events += 1;
      }
    }
  } finally {
    const said = await sink.close(events);
    if (context.json) printJson(context, { events, orphansLeftOut: log.orphans(), said });
    else io.out(`${said}\n`);
  }
}

export const restoreCommand: CommandSpec = {
  usage: 'restore',
  summary: 'Exports out of archives, for verify, replay and check; or their events to NATS',
  options: [
    { flags: '--from <place>', text: 'where the archives are' },
    { flags: '--to <place>', text: 'a folder, FILE.ndjson with --stream, or nats://host:port' },
    { flags: '--stream <name>', text: 'one stream alone, such as EV_eu' },
    { flags: '--since <time>', text: 'what was stored from then on' },
    { flags: '--until <time>', text: 'what was stored before then' },
    { flags: '--contact <id>', text: 'messages under this contact, and those that name it' },
    {
      flags: '--subject-out <subject>',
      text: 'with nats://: where to; never one of the mesh itself',
    },
    { flags: '--rate <number>', text: `at most so many events a second (${defaultRatePerSecond})` },
    { flags: '--replay-id <name>', text: 'what the mark says; by default the time now' },
  ],
  examples: [
    'meridian archive restore --from backup/meridian --to restored',
    'meridian verify --offline restored',
    'meridian archive restore --from s3://audit/meridian --stream EV_eu --contact c1 --to c1.ndjson',
    'meridian archive restore --from backup/meridian --to nats://127.0.0.1:4222 --subject-out replay.monday',
  ],
  async run(context, _args, options) {
    const to = textOption(options, 'to');
    if (to === undefined) throw usageFault('Where to?\nGive --to FOLDER, FILE.ndjson or nats://….');
    const source = await sourceOf(context, options);
    if (to.startsWith('nats://')) await intoNats(context, source, to, options);
    else await intoFiles(context, source, to);
    return exitCodes.ok;
  },
};
