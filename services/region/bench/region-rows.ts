import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { natsServerBinary, temporaryFolder } from '@meridian/testing';
import { intakeStream } from '@meridian/wire';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { startDevelopmentRegion, type DevelopmentRegion } from '../src/development/region.ts';
import { HttpClient, startEdgeAlone, type EdgeAlone } from './edge-alone.ts';
import { childNamed, treeMib } from './memory.ts';
import { measuredPrefix, type LoadOptions, type LoadReport } from './offer-load.ts';
import { readOffers } from './offers.ts';
import { atMostRow, median, race, ratioRow, type Rate, type Row } from './rates.ts';

type Say = (line: string) => void;

const rounds = 5;
const eventsPerRound = 20_000;
/** Messages of the library's windowed publish that are on their way at once. */
const windowSize = 256;

/** Publishes as the edge stores: the same bytes, subjects and message ids, by the library. */
function libraryPublisher(
  { nats, region }: EdgeAlone,
  stored: Uint8Array,
): (count: number) => Promise<void> {
  const client = jetstream(nats);
  let runs = 0;
  return async (count) => {
    runs += 1;
    let next = 0;
    const lane = async (): Promise<void> => {
      while (next < count) {
        const id = `l${runs}-${next}`;
        next += 1;
        await client.publish(`in.${region}.demo.${region}.contact.${id}`, stored, {
          msgID: `demo#/bench#${id}`,
        });
      }
    };
    await Promise.all(Array.from({ length: windowSize }, lane));
  };
}

async function lastStored({ nats, region }: EdgeAlone): Promise<Uint8Array> {
  const manager = await jetstreamManager(nats);
  const { state } = await manager.streams.info(intakeStream(region));
  const message = await manager.streams.getMessage(intakeStream(region), { seq: state.last_seq });
  if (message === null) throw new Error('The intake is empty: nothing to compare with.');
  return message.data;
}

/** Row 4: events accepted over HTTP, the intake alone; and what it is while the whole region works. */
export async function httpRows(say: Say): Promise<Row[]> {
  say('http ...');
  const edge = await startEdgeAlone();
  let row: Row;
  const client = new HttpClient(edge.url, edge.key);
  try {
    await client.prepare(1_000);
    await client.send();
    const publish = libraryPublisher(edge, await lastStored(edge));
    const [ours, library] = (await race(
      [
        { name: 'HTTP', prepare: (count) => client.prepare(count), run: () => client.send() },
        { name: 'library publish, windowed, same bytes and message id', run: publish },
      ],
      eventsPerRound,
      rounds,
    )) as [Rate, Rate];
    const what = 'events accepted over HTTP, batches of 100 (nats-server and edge alone)';
    row = ratioRow(what, 'events/s', ours, library, 1);
  } finally {
    await client.stop();
    await edge.stop();
  }
  const whole = await wholeRegionRate(say);
  say(
    `  with sessions, routing and read models at work in the edge's process: ${Math.round(whole)} events/s`,
  );
  return [{ ...row, details: { wholeRegionEventsPerSecond: Math.round(whole) } }];
}

/** Events accepted over HTTP per second by a region whose services, in one process, work on them. */
async function wholeRegionRate(say: Say): Promise<number> {
  return withRegion(say, 'together', async (region) => {
    const client = new HttpClient(region.url, region.key);
    try {
      const contender = {
        name: 'HTTP',
        prepare: (count: number) => client.prepare(count),
        run: () => client.send(),
      };
      const [rate] = await race([contender], eventsPerRound / 4, 3);
      return median(rate?.rounds ?? []);
    } finally {
      await client.stop();
    }
  });
}

type Processes = 'together' | 'each';

async function withRegion<T>(
  say: Say,
  processes: Processes,
  work: (region: DevelopmentRegion) => Promise<T>,
): Promise<T> {
  const folder = temporaryFolder();
  const region = await startDevelopmentRegion({
    dataDir: folder.path,
    natsServer: natsServerBinary(),
    processes,
    say: (line) => say(`  ${line}`),
  }).catch((error: unknown) => {
    folder.remove();
    throw error;
  });
  try {
    return await work(region);
  } finally {
    await region.stop();
    folder.remove();
  }
}

/** PSS in MiB of each part of the region, process trees. */
function memoryOf({ children }: DevelopmentRegion): Record<string, number> {
  const parts: Record<string, number> = {};
  for (const { name, pid } of children.values()) {
    if (pid !== undefined) parts[name] = treeMib(pid);
  }
  const postgres = childNamed('postgres');
  if (postgres === undefined) {
    throw new Error('There is no Postgres among the processes of the region.');
  }
  parts['postgres'] = treeMib(postgres);
  return Object.fromEntries(
    Object.entries(parts).map(([name, mib]) => [name, Math.round(mib * 10) / 10]),
  );
}

function memoryRow(what: string, parts: Readonly<Record<string, number>>): Row {
  return atMostRow(
    what,
    'MiB',
    Object.values(parts).reduce((sum, mib) => sum + mib, 0),
    400,
    parts,
  );
}

export async function runLoad(options: LoadOptions): Promise<LoadReport> {
  const program = fileURLToPath(new URL('./offer-load.ts', import.meta.url));
  const load = spawn(process.execPath, [program, JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  load.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const [code] = (await once(load, 'close')) as [number | null];
  if (code !== 0) throw new Error(`The load ended with ${code}.`);
  return JSON.parse(output.trimEnd().split('\n').at(-1) ?? '') as LoadReport;
}

const load = { contactsPerSecond: 200, agents: 100, warmUpSeconds: 8, seconds: 20 } as const;

/**
 * Contact queued -> offered in a whole region under load, a process a service as in production and
 * all in one as in development; and the memory of the latter.
 */
export async function offerRows(say: Say): Promise<Row[]> {
  const each = await offersUnderLoad(say, 'each');
  const together = await offersUnderLoad(say, 'together');
  return [
    each.row,
    together.row,
    memoryRow('memory of one region in development, idle', together.idle),
    memoryRow('memory of one region in development, after the load', together.loaded),
  ];
}

function offersUnderLoad(say: Say, processes: Processes) {
  const how = processes === 'each' ? 'a process a service' : 'one process';
  say(`offer, ${how} ...`);
  return withRegion(say, processes, async (region) => {
    const idle = memoryOf(region);
    const report = await runLoad({ url: region.url, key: region.key, ...load });
    const loaded = memoryOf(region);
    const offers = await readOffers(region, (contactId) => contactId.startsWith(measuredPrefix));
    const queued = offers.get('CONTACT_QUEUED');
    if (queued === undefined) {
      throw new Error('No contact was offered at once: nothing can be said of the latency.');
    }
    const { count, p50, p99, longest } = queued;
    const { completed, sent, answers, slowestAnswerMs } = report;
    const contactsPerSecond = Math.round((report.contacts / report.seconds) * 10) / 10;
    say(
      `  ${contactsPerSecond} contacts/s; ${completed} of ${sent} completed; ` +
        `batches by status ${JSON.stringify(answers)}, the slowest ${Math.round(slowestAnswerMs)} ms`,
    );
    for (const [trigger, offer] of offers) {
      say(
        `  ${trigger}: ${offer.count} offers, p50 ${offer.p50} ms, p99 ${offer.p99} ms, ` +
          `longest ${offer.longest} ms`,
      );
    }
    say(`  memory idle ${JSON.stringify(idle)}, after the load ${JSON.stringify(loaded)} MiB`);
    const row = atMostRow(
      `contact queued -> offered, p99, at ${load.contactsPerSecond}/s (${how})`,
      'ms',
      p99,
      20,
      { p50, longest, offers: count, contactsPerSecond, completed, sent },
    );
    return { row, idle, loaded };
  });
}
