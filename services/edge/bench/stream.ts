/**
 * Events sent over `GET /v1/stream`: a reader that starts at the beginning, and many that read live.
 * The edge is a process of its own; server, writer and readers are on this machine too.
 * Run after a build: node services/edge/bench/stream.ts [entries] [readers] [rounds]
 */
import { Agent, request, type IncomingMessage } from 'node:http';
import { jetstreamLog } from '@meridian/journal';
import { encodeEntry, emptyHead } from '@meridian/wire';
import { startBench } from './start.ts';

const entries = Number(process.argv[2] ?? 50_000);
const readers = Number(process.argv[3] ?? 20);
const rounds = Number(process.argv[4] ?? 3);
const liveEntries = Math.floor(entries / 5);
const eventsInEntry = 2;

const bench = await startBench(
  process.env['REGIONS'] === undefined ? {} : { MERIDIAN_REGIONS: process.env['REGIONS'] },
);
const log = await jetstreamLog({ connection: bench.nats });
const agent = new Agent({ keepAlive: false });
let stored = 0;

function append(): Promise<unknown> {
  stored += 1;
  const id = `c${stored}`;
  const event = (type: string) => ({
    type,
    subject: id,
    timeMs: 1_769_847_300_000,
    cause: { causationId: '/bench#1' },
    data: { method: 'INBOUND', channel: 'VOICE', attributes: { language: 'en' } },
  });
  const { text } = encodeEntry(
    { region: 'eu', home: 'eu', service: 'sessions', epoch: 1 },
    { tenant: 'demo', entity: 'contact', id },
    emptyHead,
    [event('meridian.contact.initiated.v1'), event('meridian.contact.connected_to_system.v1')],
  );
  return log.append('EV_eu', { subject: `ev.eu.eu.demo.contact.${id}`, data: text });
}

async function appendMany(count: number): Promise<void> {
  let left = count;
  await Promise.all(
    Array.from({ length: 256 }, async () => {
      while (left > 0) {
        left -= 1;
        await append();
      }
    }),
  );
}

function open(query: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const sent = request(
      `${bench.url}/v1/stream${query}`,
      { agent, headers: { authorization: `Bearer ${bench.key}` } },
      resolve,
    );
    sent.once('error', reject);
    sent.end();
  });
}

/** Resolves once so many events have come; counts the lines that hold one. */
function received(response: IncomingMessage, events: number): Promise<void> {
  return new Promise((resolve) => {
    let count = 0;
    response.on('data', (chunk: Buffer) => {
      for (let at = chunk.indexOf('\nda'); at !== -1; at = chunk.indexOf('\nda', at + 3)) {
        count += 1;
      }
      if (count >= events) {
        response.destroy();
        resolve();
      }
    });
  });
}

/** A line break and its two letters may be cut in two; then a few events are not counted. */
const mostly = (events: number): number => Math.floor(events * 0.995);

await appendMany(entries);
for (let round = 1; round <= rounds; round += 1) {
  let start = performance.now();
  await received(await open('?from=start'), mostly(entries * eventsInEntry));
  const replay = (entries * eventsInEntry) / (performance.now() - start);
  const opened = await Promise.all(Array.from({ length: readers }, () => open('')));
  const all = opened.map((response) => received(response, mostly(liveEntries * eventsInEntry)));
  start = performance.now();
  await appendMany(liveEntries);
  await Promise.all(all);
  const live = (liveEntries * eventsInEntry) / (performance.now() - start);
  console.log(
    `round ${round}: from the start ${Math.round(replay * 1_000)} events/s; ` +
      `live ${Math.round(live * 1_000)} events/s to each of ${readers} readers`,
  );
}
agent.destroy();
await log.close();
await bench.stop();
