import { setTimeout as wait } from 'node:timers/promises';
import {
  expectedRows,
  parseRawEntry,
  readEvents,
  World,
  type LoggedEvent,
} from '../check/index.ts';
import { exitCodes, usageFault } from '../fault.ts';
import { dayOf } from '../render/duration.ts';
import { eventLine } from '../render/event-line.ts';
import { table } from '../render/table.ts';
import { renderAgents, type AgentRow } from './agents.ts';
import { parseMoment } from './clock.ts';
import type { ContactAnswer } from './contact.ts';
import {
  listOption,
  numberOption,
  printJson,
  textOption,
  type CommandSpec,
  type Context,
  type Options,
} from './command.ts';
import { fileLines } from './log-lines.ts';
import { eventStreamOf } from './pages.ts';
import { renderQueues, type QueueRow } from './queues.ts';

/** A place in the log: a sequence, or a time. */
export type LogBound = { readonly sequence: number } | { readonly timeMs: number };

/** Up to 12 digits are a sequence, anything else a time. @throws CommandFault (usage) */
export function parseBound(name: string, text: string | undefined): LogBound | undefined {
  if (text === undefined) return undefined;
  return /^\d{1,12}$/.test(text) ? { sequence: Number(text) } : { timeMs: parseMoment(name, text) };
}

interface Placed {
  readonly sequence: number;
  readonly index: number;
  readonly event: LoggedEvent;
}

/** Whether an event is at or after (`from`), at or before (`to`) a place. */
const isFrom = ({ sequence, event }: Placed, from: LogBound | undefined): boolean =>
  from === undefined ||
  ('sequence' in from ? sequence >= from.sequence : event.timeMs >= from.timeMs);
const isTo = ({ sequence, event }: Placed, to: LogBound | undefined): boolean =>
  to === undefined || ('sequence' in to ? sequence <= to.sequence : event.timeMs <= to.timeMs);

async function* placedEvents(
  context: Context,
  options: Options,
  bounds: { from?: LogBound; to?: LogBound },
): AsyncGenerator<Placed> {
  const file = textOption(options, 'file');
  const range = {
    ...(bounds.from !== undefined && 'sequence' in bounds.from
      ? { from: bounds.from.sequence }
      : {}),
    ...(bounds.to !== undefined && 'sequence' in bounds.to ? { to: bounds.to.sequence } : {}),
  };
  const lines =
    file === undefined
      ? context.client.log(await eventStreamOf(context.client), range)
      : fileLines(context, file);
  for await (const batch of lines) {
    for (const line of batch) {
      if (line.trim() === '') continue;
      const entry = parseRawEntry(line);
      if (typeof entry === 'string') {
        throw usageFault(`A line of the log cannot be read: ${entry}.`);
      }
      const { sequence } = entry;
      for (const [index, event] of readEvents(entry).entries()) yield { sequence, index, event };
    }
  }
}

const entityOf = (type: string): string => type.split('.')[1] ?? '';

async function play(context: Context, options: Options): Promise<void> {
  const { io, paint } = context;
  const bounds = boundsOf(options);
  const entities = listOption(options, 'entity');
  const subjects = listOption(options, 'subject');
  const speed = numberOption(options, 'speed', 0.001);
  let lastMs: number | undefined;
  let day = '';
  for await (const placed of placedEvents(context, options, bounds)) {
    const { event, sequence, index } = placed;
    if (!isFrom(placed, bounds.from) || !isTo(placed, bounds.to)) continue;
    if (
      entities?.includes(entityOf(event.type)) === false ||
      subjects?.includes(event.subject) === false
    ) {
      continue;
    }
    if (speed !== undefined && lastMs !== undefined && event.timeMs > lastMs) {
      await wait((event.timeMs - lastMs) / speed, undefined, { signal: io.signal });
    }
    lastMs = event.timeMs;
    if (context.json) {
      printJson(context, { sequence, index, event: event.attributes });
      continue;
    }
    if (dayOf(event.time) !== day) {
      day = dayOf(event.time);
      io.out(`${paint('bold', day)}\n`);
    }
    io.out(`${String(sequence).padStart(7)}.${index}  ${eventLine(event, paint)}\n`);
  }
}

function boundsOf(options: Options): { from?: LogBound; to?: LogBound } {
  const from = parseBound('from', textOption(options, 'from'));
  const to = parseBound('to', textOption(options, 'to'));
  return { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
}

/** Folds the log up to a place: everything of the moment itself is in. */
async function foldTo(context: Context, options: Options, to: LogBound): Promise<World> {
  const world = new World();
  for await (const placed of placedEvents(context, options, { to })) {
    if (isTo(placed, to)) world.apply(placed.event, placed.sequence);
  }
  return world;
}

/** The stream of the region behind the edge, or the export that is read in its place. */
const sourceOf = async (context: Context, options: Options): Promise<string> =>
  textOption(options, 'file') ?? eventStreamOf(context.client);

function printMoment(context: Context, world: World, asOf: LogBound, stream: string): void {
  const { io, paint } = context;
  const rows = (model: 'contacts' | 'agents' | 'queues'): unknown[] => [
    ...expectedRows(world, model, world.tenant).values(),
  ];
  const contacts = rows('contacts') as Pick<
    ContactAnswer,
    'id' | 'state' | 'queueId' | 'agentId' | 'initiatedAt'
  >[];
  const queues = rows('queues') as QueueRow[];
  const agents = rows('agents') as AgentRow[];
  const atMs = 'timeMs' in asOf ? asOf.timeMs : world.atMs;
  const at = Number.isFinite(atMs) ? new Date(atMs).toISOString() : null;
  if (context.json) {
    printJson(context, { at, stream, sequence: world.sequence, queues, agents, contacts });
    return;
  }
  const moment = paint('bold', at ?? 'before the first event');
  io.out(`${moment}, ${stream} after sequence ${world.sequence}\n\n`);
  io.out(`${renderQueues(queues, atMs)}\n${renderAgents(agents)}\n`);
  io.out(
    table(
      [
        { heading: 'contact' },
        { heading: 'state' },
        { heading: 'queue' },
        { heading: 'agent' },
        { heading: 'since' },
      ],
      contacts.map(({ id, state, queueId, agentId, initiatedAt }) => [
        id,
        state,
        queueId ?? '',
        agentId ?? '',
        initiatedAt,
      ]),
    ),
  );
}

export const replayCommand: CommandSpec = {
  usage: 'replay',
  summary:
    'Show what the log of a region holds, in order; with --as-of, how everything stood there',
  options: [
    { flags: '--from <place>', text: 'a sequence or a time' },
    { flags: '--to <place>', text: 'a sequence or a time' },
    {
      flags: '--as-of <place>',
      text: 'queues, agents and living contacts at that sequence or time',
    },
    {
      flags: '--entity <names>',
      text: 'contact, reservation, agent, queue, routing; several with commas',
    },
    { flags: '--subject <ids>', text: 'several with commas' },
    {
      flags: '--speed <factor>',
      text: 'keep the pace of the log, so many times faster; without it, all at once',
    },
    { flags: '--file <file>', text: 'an export instead of the edge; - for the standard input' },
  ],
  examples: [
    'meridian replay --from 2026-03-02T08:00:00Z --to 2026-03-02T08:05:00Z',
    'meridian replay --as-of 2026-03-02T08:30:00Z',
    'meridian replay --file eu.ndjson --subject c1 --speed 60',
  ],
  streams: true,
  async run(context, _args, options) {
    const asOf = parseBound('as-of', textOption(options, 'asOf'));
    if (asOf === undefined) await play(context, options);
    else {
      const stream = await sourceOf(context, options);
      printMoment(context, await foldTo(context, options, asOf), asOf, stream);
    }
    return exitCodes.ok;
  },
};
