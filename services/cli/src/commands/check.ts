import {
  IntakeIndex,
  LogCheck,
  parseRawEntry,
  type LogCheckResult,
  type Snapshot,
} from '../check/index.ts';
import { EdgeRefusal, exitCodes, usageFault } from '../fault.ts';
import { renderCheck, renderCopies } from '../render/check-report.ts';
import {
  addIntakes,
  checkSources,
  compareEdges,
  edgeSources,
  fileSources,
  regionsOf,
} from './check-mesh.ts';
import {
  countOption,
  listOption,
  printJson,
  textOption,
  type CommandSpec,
  type Context,
  type Options,
} from './command.ts';
import { fileLines, Progress } from './log-lines.ts';
import { eventStreamOf, listPages, type ListPage } from './pages.ts';

/** Adds every entry of an intake to the index. */
async function indexIntake(
  lines: AsyncIterable<string[]>,
  intake = new IntakeIndex(),
): Promise<IntakeIndex> {
  for await (const batch of lines) {
    for (const line of batch) {
      const entry = line.trim() === '' ? 'blank' : parseRawEntry(line);
      if (typeof entry !== 'string') intake.add(entry);
    }
  }
  return intake;
}

/** The intakes of all regions: from files, or where they can be read at the edge. */
async function readIntakes(
  context: Context,
  options: Options,
  regions: readonly string[],
): Promise<IntakeIndex | undefined> {
  const intake = new IntakeIndex();
  const files = listOption(options, 'intake');
  if (files !== undefined) {
    for (const file of files) await indexIntake(fileLines(context, file), intake);
    return intake;
  }
  if (regions.length === 0) return undefined;
  const isRead = await addIntakes(context.client, regions, async (lines) => {
    await indexIntake(lines, intake);
  });
  return isRead ? intake : undefined;
}

/** Reads the intake where it can be read: an admin key is needed, and a file holds one stream. */
async function readIntake(
  context: Context,
  options: Options,
  stream: string,
): Promise<IntakeIndex | undefined> {
  const file = textOption(options, 'intake');
  if (file !== undefined) return indexIntake(fileLines(context, file));
  if (textOption(options, 'file') !== undefined) return undefined;
  try {
    return await indexIntake(context.client.log(stream.replace(/^EV_/, 'IN_')));
  } catch (error) {
    if (error instanceof EdgeRefusal && (error.status === 403 || error.status === 404)) {
      return undefined;
    }
    throw error;
  }
}

/** The read models as they are now, each answer at its own position. */
async function readSnapshots({ client }: Context): Promise<Snapshot[]> {
  const snapshots: Snapshot[] = [];
  for (const model of ['queues', 'agents', 'contacts'] as const) {
    const pages: ListPage<Record<string, unknown>>[] = [];
    for await (const page of listPages<Record<string, unknown>>(client, model)) pages.push(page);
    const positions = new Set(pages.map(({ position }) => position.sequence));
    if (positions.size === 1) {
      const [position = 0] = positions;
      snapshots.push({ model, position, rows: pages.flatMap(({ rows }) => rows), complete: true });
    } else {
      // The log went on between the pages: each is compared where it was read.
      for (const { rows, position } of pages) {
        snapshots.push({ model, position: position.sequence, rows, complete: false });
      }
    }
  }
  return snapshots;
}

/** The sequence of the last entry: only what the read models do not embody yet is read for it. */
async function lastSequence({ client }: Context, stream: string): Promise<number | undefined> {
  const { position } = await client.get<{ position: { sequence: number } }>('/v1/queues?limit=1');
  let last = position.sequence;
  for await (const batch of client.log(stream, { from: last + 1 })) {
    for (const line of batch) {
      const entry = line.trim() === '' ? 'blank' : parseRawEntry(line);
      if (typeof entry !== 'string') last = Math.max(last, entry.sequence);
    }
  }
  return last === 0 ? undefined : last;
}

export const checkCommand: CommandSpec = {
  usage: 'check',
  summary: 'Verify the invariants on the log itself, with none of the code that wrote it',
  options: [
    {
      flags: '--file <file>',
      text: 'an export of an EV stream (- for the standard input), or of all, instead of the edge',
    },
    {
      flags: '--intake <file>',
      text: 'an export of the IN stream (of all, comma separated), to look up causes in',
    },
    { flags: '--compare', text: 'compare the read models with the fold of the log, too' },
    {
      flags: '--copies',
      text: "compare every region's copy of every stream, each at that region's edge",
    },
    {
      flags: '--edges <urls>',
      text: 'the edges of the regions for --copies; those of the checkout by default',
    },
    { flags: '--whole', text: 'the log holds one tenant: a missing sequence is a lost entry' },
    {
      flags: '--limit <count>',
      text: 'how many violations to show; 50 by default, all are counted',
    },
  ],
  examples: [
    'meridian check --compare',
    'meridian export --stream EV_eu --out eu.ndjson && meridian check --file eu.ndjson --whole',
    'meridian check --copies',
    'meridian check --file eu.ndjson,us.ndjson,ap.ndjson',
    'meridian check --json | jq .counts',
  ],
  async run(context, _args, options) {
    const limit = countOption(options, 'limit') ?? 50;
    const files = listOption(options, 'file');
    const compare = options['compare'] === true;
    if (compare && files !== undefined) {
      throw usageFault('--compare needs the edge; it does not go with --file.');
    }
    const regions = files === undefined ? await regionsOf(context.client) : [];
    const result =
      regions.length > 1 || (files?.length ?? 0) > 1
        ? await checkRegions(context, options, regions, limit)
        : await checkRegion(context, options, limit);
    const copies = options['copies'] === true ? await compareEdges(context, options, limit) : [];
    const ok = result.ok && copies.every(({ violations }) => violations.length === 0);
    if (context.json) {
      printJson(context, options['copies'] === true ? { ...result, ok, copies } : result);
    } else {
      context.io.out(renderCheck(result, context.paint));
      if (copies.length > 0) context.io.out(renderCopies(copies, context.paint));
    }
    return ok ? exitCodes.ok : exitCodes.no;
  },
};

/** The streams of several regions together. */
async function checkRegions(
  context: Context,
  options: Options,
  regions: readonly string[],
  limit: number,
): Promise<LogCheckResult> {
  if (options['compare'] === true) {
    throw usageFault('--compare needs a region that is alone; this one belongs to a mesh.');
  }
  const files = listOption(options, 'file');
  const sources =
    files === undefined ? edgeSources(context.client, regions) : fileSources(context, files);
  return checkSources(context, sources, {
    gapless: options['whole'] === true,
    limit,
    readIntake: () => readIntakes(context, options, regions),
  });
}

/** One stream, and its region's read models if asked for. */
async function checkRegion(
  context: Context,
  options: Options,
  limit: number,
): Promise<LogCheckResult> {
  const file = textOption(options, 'file');
  const compare = options['compare'] === true;
  const stream = file === undefined ? await eventStreamOf(context.client) : '';
  const snapshots = compare ? await readSnapshots(context) : [];
  // Where the log ends is settled first, then the intake is read: it then holds every cause up to there.
  const to = file === undefined ? await lastSequence(context, stream) : undefined;
  const intake = await readIntake(context, options, stream);
  const lines =
    file === undefined
      ? context.client.log(stream, to === undefined ? {} : { to })
      : fileLines(context, file);
  const check = new LogCheck({
    keepEnded: compare,
    snapshots,
    gapless: options['whole'] === true,
    limit,
    ...(intake === undefined ? {} : { intake }),
  });
  const progress = new Progress(context, 'entries checked');
  for await (const batch of lines) {
    for (const line of batch) check.readLine(line);
    progress.show(check.entries);
  }
  progress.clear();
  return check.finish();
}
