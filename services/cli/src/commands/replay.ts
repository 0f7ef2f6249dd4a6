import { setTimeout as wait } from 'node:timers/promises';
import { exitCodes, usageFault } from '../fault.ts';
import {
  isFrom,
  isTo,
  ndjsonSink,
  natsSink,
  parquetSink,
  parsePlace,
  placed,
  readMesh,
  type Place,
  type PlacedEvent,
  type Sink,
} from '../replay/index.ts';
import { dayOf } from '../render/duration.ts';
import { eventLine } from '../render/event-line.ts';
import { printDiff, printMoment } from './as-of.ts';
import {
  listOption,
  numberOption,
  printJson,
  textOption,
  type CommandSpec,
  type Context,
  type Options,
} from './command.ts';
import { Progress } from './log-lines.ts';
import { logSources } from './mesh-sources.ts';

const defaultRatePerSecond = 1_000;

const entityOf = (type: string): string => type.split('.')[1] ?? '';

/** Shows events as lines for people, or as JSON. */
function screen(context: Context, several: boolean): Sink {
  const { io, paint } = context;
  let day = '';
  return {
    shows: true,
    write({ stream, sequence, index, event }) {
      if (context.json) {
        printJson(context, { stream, sequence, index, event: event.attributes });
        return;
      }
      if (dayOf(event.time) !== day) {
        day = dayOf(event.time);
        io.out(`${paint('bold', day)}\n`);
      }
      const place = `${several ? `${stream.slice('EV_'.length)}:` : ''}${sequence}`;
      io.out(`${place.padStart(several ? 10 : 7)}.${index}  ${eventLine(event, paint)}\n`);
    },
    close: () => Promise.resolve(''),
  };
}

async function sinkOf(context: Context, options: Options, several: boolean): Promise<Sink> {
  const { io } = context;
  const out = textOption(options, 'out');
  const url = textOption(options, 'nats');
  const subject = textOption(options, 'subjectOut');
  if (url !== undefined || subject !== undefined) {
    if (url === undefined || subject === undefined || out !== undefined) {
      throw usageFault('--nats URL and --subject-out SUBJECT go together, and not with --out.');
    }
    return natsSink({
      url,
      subject,
      replayId: textOption(options, 'replayId') ?? `replay-${new Date(io.now()).toISOString()}`,
      ratePerSecond: numberOption(options, 'rate', 0.001) ?? defaultRatePerSecond,
      signal: io.signal,
    });
  }
  if (out === undefined) return screen(context, several);
  return out.endsWith('.parquet') ? parquetSink(out) : ndjsonSink(context, out);
}

/** Whether an event is among those that were asked for. */
function chosenBy(options: Options): (event: PlacedEvent) => boolean {
  const from = placeOption(options, 'from');
  const to = placeOption(options, 'to');
  const entities = listOption(options, 'entity');
  const subjects = listOption(options, 'subject');
  return (one) =>
    isFrom(one, from) &&
    isTo(one, to) &&
    entities?.includes(entityOf(one.event.type)) !== false &&
    subjects?.includes(one.event.subject) !== false;
}

function placeOption(options: Options, name: string): Place | undefined {
  const text = textOption(options, name);
  return text === undefined ? undefined : parsePlace(name, text);
}

async function play(context: Context, options: Options): Promise<void> {
  const { io } = context;
  const isChosen = chosenBy(options);
  const speed = numberOption(options, 'speed', 0.001);
  const sources = await logSources(context, options);
  const several = sources.length > 1;
  if (several && [options['from'], options['to']].some((one) => /^\d{1,12}$/.test(String(one)))) {
    throw usageFault(
      'A sequence is of one stream; several are read.\nGive a time, places such as EV_eu:12, or --stream EV_eu.',
    );
  }
  const sink = await sinkOf(context, options, several);
  const log = readMesh(sources);
  const progress = new Progress(context, 'events replayed');
  let [lastMs, events] = [Number.NaN, 0];
  try {
    for await (const entry of log.entries) {
      for (const one of placed(entry)) {
        if (!isChosen(one)) continue;
        const { timeMs } = one.event;
        if (speed !== undefined && timeMs > lastMs) {
          await wait((timeMs - lastMs) / speed, undefined, { signal: io.signal });
        }
        if (!(timeMs <= lastMs)) lastMs = timeMs;
        events += 1;
        await sink.write(one);
        if (sink.shows !== true) progress.show(events);
      }
    }
  } catch (error) {
    // What was written so far is whole in itself, also when it was interrupted.
    progress.clear();
    await sink.close(events).catch(() => {});
    throw error;
  }
  progress.clear();
  const said = await sink.close(events);
  if (said === '') return;
  const left = log.orphans();
  if (context.json) printJson(context, { events, orphansLeftOut: left, said });
  else io.out(`${said}${left === 0 ? '' : ` ${left} orphans were left out.`}\n`);
}

export const replayCommand: CommandSpec = {
  usage: 'replay',
  looks: true,
  summary:
    'The log of all regions again, in order: to look at, into a file, to NATS; or how everything stood at a moment',
  options: [
    { flags: '--from <place>', text: 'a time, or places such as EV_eu:12,EV_us:7' },
    { flags: '--to <place>', text: 'the same' },
    { flags: '--as-of <place>', text: 'queues, agents and living contacts at that moment' },
    {
      flags: '--diff <place...>',
      text: 'two moments: what changed of contacts, agents and queues between them',
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
    { flags: '--out <file>', text: 'into a file: NDJSON, or Parquet when it ends in .parquet' },
    { flags: '--nats <url>', text: 'publish to NATS, every event marked as a replay' },
    { flags: '--subject-out <subject>', text: 'where to; never one of the mesh itself' },
    {
      flags: '--rate <number>',
      text: `at most so many events a second to NATS (${defaultRatePerSecond})`,
    },
    { flags: '--replay-id <name>', text: 'what the mark says; by default the time now' },
    { flags: '--stream <name>', text: 'one stream alone, orphans included, such as EV_eu' },
    {
      flags: '--file <files>',
      text: 'exports instead of the edge, several with commas; - for the standard input',
    },
  ],
  examples: [
    'meridian replay --from 2026-03-02T08:00:00Z --to 2026-03-02T08:05:00Z',
    'meridian replay --as-of 2026-03-02T08:30:00Z',
    'meridian replay --diff 2026-03-02T08:30:00Z 2026-03-02T08:45:00Z',
    'meridian replay --out monday.parquet',
    'meridian replay --nats nats://127.0.0.1:4222 --subject-out replay.monday --speed 10 --rate 500',
    'meridian replay --file eu.ndjson --subject c1 --speed 60',
  ],
  streams: true,
  async run(context, _args, options) {
    const asOf = placeOption(options, 'asOf');
    const diff = options['diff'] as readonly string[] | undefined;
    if (diff !== undefined) {
      const [from, to, ...more] = diff.map((text) => parsePlace('diff', text));
      if (from === undefined || to === undefined || more.length > 0) {
        throw usageFault(`--diff takes two moments; ${diff.length} are given.`);
      }
      await printDiff(context, options, from, to);
    } else if (asOf !== undefined) await printMoment(context, options, asOf);
    else await play(context, options);
    return exitCodes.ok;
  },
};
