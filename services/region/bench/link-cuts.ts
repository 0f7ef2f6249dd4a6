/**
 * Cuts the links of one region again and again under load, and measures how long after the heal every
 * copy is less than a second behind: scripts/bench links [--cuts N] [--seconds S] [--help]
 */
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { copiedStreams, ensureMirrors, ensureStreams, mirrorState } from '@meridian/journal';
import { startMesh, type Cut, type Mesh } from '@meridian/testing';
import { jetstream } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';

const help = `Usage: scripts/bench links [options]

  --cuts N        cuts of each kind (default 5)
  --seconds S     how long a cut lasts (default 30)
  --by KINDS      reset, black-hole, or both with a comma between them (default both)
  --rate N        messages a second over all regions, 500 bytes each (default 600)
  --busy N        so many threads that keep cores busy from the second half of the cuts on (default 0)
  --limit S       a copy that is not back so long after the heal counts as lost (default 240)
  --help          this text
`;

const { values } = parseArgs({
  options: {
    cuts: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '30' },
    by: { type: 'string', default: 'reset,black-hole' },
    rate: { type: 'string', default: '600' },
    busy: { type: 'string', default: '0' },
    limit: { type: 'string', default: '240' },
    help: { type: 'boolean', default: false },
  },
});

const regions = ['eu', 'us', 'ap'] as const;
type Region = (typeof regions)[number];
const pollMs = 50;
const tickMs = 20;
const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

/** When each message of a region's stream was sent: index is the sequence. */
type Sent = Map<Region, number[]>;

/** Sends at an even rate until it is stopped; what cannot be sent is not counted. */
function publish(
  connections: ReadonlyMap<Region, NatsConnection>,
  ratePerS: number,
): {
  readonly sent: Sent;
  stop(): void;
} {
  const sent: Sent = new Map(regions.map((region) => [region, []]));
  const body = new Uint8Array(500);
  let owed = 0;
  let count = 0;
  const timer = setInterval(() => {
    owed += (ratePerS / regions.length / 1_000) * tickMs;
    for (; owed >= 1; owed--) {
      count++;
      for (const region of regions) {
        const at = performance.now();
        jetstream(connections.get(region) as NatsConnection)
          .publish(`ev.${region}.${region}.demo.contact.c${count % 1_000}`, body)
          .then(({ seq }) => {
            (sent.get(region) as number[])[seq] = at;
          })
          .catch(() => {});
      }
    }
  }, tickMs);
  return { sent, stop: () => clearInterval(timer) };
}

/** How old the oldest message is that some copy lacks, in ms; and where that is. */
async function worstLag(
  connections: ReadonlyMap<Region, NatsConnection>,
  sent: Sent,
): Promise<{ readonly ms: number; readonly where: string }> {
  let worst = { ms: 0, where: '' };
  for (const region of regions) {
    const states = await mirrorState(connections.get(region) as NatsConnection, region, regions);
    for (const { stream, origin, lastSequence = 0 } of states) {
      if (!stream.startsWith('EV_')) continue;
      const times = sent.get(origin as Region) as number[];
      let next = lastSequence + 1;
      while (next < times.length && times[next] === undefined) next++;
      const at = times[next];
      const ms = at === undefined ? 0 : performance.now() - at;
      if (ms > worst.ms) worst = { ms, where: `${stream} in ${region}` };
    }
  }
  return worst;
}

function keepBusy(threads: number): () => Promise<void> {
  const workers = Array.from(
    { length: threads },
    () => new Worker('let i = 0; for (;;) i = (i + 1) % 1000003;', { eval: true }),
  );
  return async () => {
    await Promise.all(workers.map((worker) => worker.terminate()));
  };
}

interface Result {
  readonly by: Cut['by'];
  readonly busy: number;
  /** From the heal until every copy was less than a second behind, in s; null when it was not. */
  readonly backS: number | null;
  readonly last: string;
}

async function once(
  mesh: Mesh,
  connections: ReadonlyMap<Region, NatsConnection>,
  sent: Sent,
  cut: Cut,
): Promise<Pick<Result, 'backS' | 'last'>> {
  mesh.links.cut(['eu'], ['us', 'ap'], cut);
  await delay(Number(values.seconds) * 1_000);
  mesh.links.heal();
  const healedMs = performance.now();
  let last = '';
  for (;;) {
    const { ms, where } = await worstLag(connections, sent);
    const elapsedS = (performance.now() - healedMs) / 1_000;
    if (ms < 1_000) return { backS: elapsedS, last };
    last = where;
    if (elapsedS > Number(values.limit)) return { backS: null, last };
    await delay(pollMs);
  }
}

async function run(): Promise<readonly Result[]> {
  const mesh = await startMesh({ regions, tls: true });
  const connections = new Map<Region, NatsConnection>();
  for (const region of regions) {
    const connection = await mesh.region(region).connect();
    connections.set(region, connection);
    await ensureStreams(connection, region, { development: true });
  }
  for (const [region, connection] of connections) {
    await ensureMirrors(connection, region, regions, { development: true });
  }
  const load = publish(connections, Number(values.rate));
  const results: Result[] = [];
  const kinds = values.by.split(',').map((kind) => kind.replace('-', ' ') as Cut['by']);
  const count = Number(values.cuts);
  say(
    `${copiedStreams(regions).length} streams, ${values.rate} messages/s, cuts of ${values.seconds} s`,
  );
  for (let index = 0; index < count; index++) {
    const busy = index >= count / 2 ? Number(values.busy) : 0;
    for (const by of kinds) {
      const relax = keepBusy(busy);
      const { backS, last } = await once(mesh, connections, load.sent, { by });
      results.push({ by, busy, backS, last });
      say(
        `${index + 1} ${by}${busy === 0 ? '' : ', cores busy'}: ` +
          (backS === null
            ? `NOT BACK within ${values.limit} s (${last})`
            : `back after ${backS.toFixed(1)} s, the last one ${last}`),
      );
      await relax();
      await delay(2_000);
    }
  }
  load.stop();
  await Promise.all([...connections.values()].map((connection) => connection.close()));
  await mesh.stop();
  return results;
}

if (values.help) process.stdout.write(help);
else {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => process.exit(1));
  }
  const results = await run();
  const back = results
    .flatMap(({ backS }) => (backS === null ? [] : [backS]))
    .toSorted((a, b) => a - b);
  const summary = {
    cuts: results.length,
    notBack: results.length - back.length,
    medianS: back[Math.floor(back.length / 2)] ?? null,
    worstS: back.at(-1) ?? null,
  };
  process.stdout.write(`${JSON.stringify({ summary, results })}\n`);
  process.exitCode = summary.notBack === 0 ? 0 : 1;
}
