import {
  IntakeIndex,
  LogCheck,
  parseRawEntry,
  rules,
  type LogCheckResult,
  type RuleName,
  type Snapshot,
} from '../check/index.ts';
import { EdgeRefusal, exitCodes, usageFault } from '../fault.ts';
import type { Paint } from '../render/colour.ts';
import { table } from '../render/table.ts';
import {
  countOption,
  printJson,
  textOption,
  type CommandSpec,
  type Context,
  type Options,
} from './command.ts';
import { fileLines, Progress } from './log-lines.ts';
import { eventStreamOf, listPages, type ListPage } from './pages.ts';

/** Adds every entry of an intake to the index. */
async function indexIntake(lines: AsyncIterable<string[]>): Promise<IntakeIndex> {
  const intake = new IntakeIndex();
  for await (const batch of lines) {
    for (const line of batch) {
      const entry = line.trim() === '' ? 'blank' : parseRawEntry(line);
      if (typeof entry !== 'string') intake.add(entry);
    }
  }
  return intake;
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

/** The result for people: what was read, each rule that was broken, and where. */
export function renderCheck(result: LogCheckResult, paint: Paint): string {
  const { entries, events, contacts, reservations, living, violations, violationCount } = result;
  const count = (value: number): string => value.toLocaleString('en');
  const read =
    `${count(entries)} entries (${result.firstSequence} to ${result.lastSequence}), ${count(events)} events, ` +
    `${count(contacts)} contacts, ${count(reservations)} reservations; ` +
    `still open: ${count(living.contacts)} contacts, ${count(living.reservations)} reservations.\n` +
    (result.intakeChecked
      ? ''
      : 'The intake was not read: causes from outside were not looked for.\n');
  if (result.ok) return `${read}${paint('green', 'Every invariant holds.')}\n`;
  const counts = Object.entries(result.counts).map(([rule, number]) => [
    String(rules[rule as RuleName][0]),
    rule,
    count(number),
    rules[rule as RuleName][1],
  ]);
  const more = violationCount - violations.length;
  return [
    read,
    `${paint('red', `${count(violationCount)} violations.`)}\n\n`,
    table(
      [
        { heading: 'invariant' },
        { heading: 'rule' },
        { heading: 'count', isNumber: true },
        { heading: '' },
      ],
      counts,
    ),
    '\n',
    table(
      [
        { heading: 'place', isNumber: true },
        { heading: 'rule' },
        { heading: 'aggregate' },
        { heading: 'expected' },
        { heading: 'found' },
      ],
      violations.map(({ sequence, index, rule, aggregate, expected, found }) => [
        `${sequence}.${index}`,
        rule,
        aggregate,
        expected,
        found,
      ]),
    ),
    more > 0 ? `and ${count(more)} more\n` : '',
  ].join('');
}

export const checkCommand: CommandSpec = {
  usage: 'check',
  summary: 'Verify the invariants on the log itself, with none of the code that wrote it',
  options: [
    {
      flags: '--file <file>',
      text: 'an export of an EV stream instead of the edge; - for the standard input',
    },
    { flags: '--intake <file>', text: 'an export of the IN stream, to look up causes in' },
    { flags: '--compare', text: 'compare the read models with the fold of the log, too' },
    { flags: '--whole', text: 'the log holds one tenant: a missing sequence is a lost entry' },
    {
      flags: '--limit <count>',
      text: 'how many violations to show; 50 by default, all are counted',
    },
  ],
  examples: [
    'meridian check --compare',
    'meridian export --stream EV_eu --out eu.ndjson && meridian check --file eu.ndjson --whole',
    'meridian check --json | jq .counts',
  ],
  async run(context, _args, options) {
    const file = textOption(options, 'file');
    const compare = options['compare'] === true;
    if (compare && file !== undefined) {
      throw usageFault('--compare needs the edge; it does not go with --file.');
    }
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
      limit: countOption(options, 'limit') ?? 50,
      ...(intake === undefined ? {} : { intake }),
    });
    const progress = new Progress(context, 'entries checked');
    for await (const batch of lines) {
      for (const line of batch) check.readLine(line);
      progress.show(check.entries);
    }
    progress.clear();
    const result = check.finish();
    if (context.json) printJson(context, result);
    else context.io.out(renderCheck(result, context.paint));
    return result.ok ? exitCodes.ok : exitCodes.no;
  },
};
