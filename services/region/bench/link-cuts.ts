/**
 * Cuts all three links between three regions again and again under load, and measures for each link how
 * long after the heal both copies that it feeds are less than a second behind:
 * scripts/bench links [--rounds N] [--seconds S] [--help]
 */
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import {
  copiedStreams,
  ensureStreams,
  keepMirrors,
  mirrorState,
  type KeptMirrors,
} from '@meridian/journal';
import { startMesh, type Cut, type Mesh } from '@meridian/testing';
import { jetstream } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';

const help = `Usage: scripts/bench links [options]

  --rounds N      rounds of each kind; all three links are cut in each (default 2)
  --seconds S     how long a cut lasts (default 30)
  --by KINDS      reset, black-hole, or both with a comma between them (default both)
  --rate N        messages a second over all regions, 500 bytes each (default 600)
  --busy N        threads that keep cores busy in the second half of the rounds, for 10 s after the cut
                  and from 10 s before the heal until all is back (default 0)
  --limit S       a copy that is not back so long after the heal counts as lost (default 240)
  --help          this text
`;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '2' },
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

/** A link and the two regions that it joins. */
const links = [
  ['eu', 'us'],
  ['us', 'ap'],
  ['ap', 'eu'],
] as const;
type Link = (typeof links)[number];
const isEnd = (link: Link, region: string): boolean => (link as readonly string[]).includes(region);

/** How old the oldest message is that the copies fed by each link lack, in ms. */
async function lags(
  connections: ReadonlyMap<Region, NatsConnection>,
  sent: Sent,
): Promise<ReadonlyMap<Link, number>> {
  const result = new Map<Link, number>(links.map((link) => [link, 0]));
  for (const region of regions) {
    const states = await mirrorState(connections.get(region) as NatsConnection, region, regions);
    for (const { stream, origin, lastSequence = 0 } of states) {
      if (!stream.startsWith('EV_')) continue;
      const times = sent.get(origin as Region) as number[];
      let next = lastSequence + 1;
      while (next < times.length && times[next] === undefined) next++;
      const at = times[next];
      const link = links.find((ends) => isEnd(ends, region) && isEnd(ends, origin));
      if (link === undefined || at === undefined) continue;
      result.set(link, Math.max(result.get(link) as number, performance.now() - at));
    }
  }
  return result;
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
  readonly link: string;
  readonly by: Cut['by'];
  readonly busy: number;
  /** From the heal until both copies were less than a second behind, in s; null when they were not. */
  readonly backS: number | null;
}

const busyAroundMs = 10_000;

/** Cuts all links, heals them, and waits for each. */
async function round(
  mesh: Mesh,
  connections: ReadonlyMap<Region, NatsConnection>,
  sent: Sent,
  { by, busy }: Pick<Result, 'by' | 'busy'>,
): Promise<readonly Result[]> {
  const cutMs = Number(values.seconds) * 1_000;
  const aroundMs = Math.min(busyAroundMs, cutMs / 2);
  const relaxAfterCut = keepBusy(busy);
  for (const [one, other] of links) mesh.links.cut([one], [other], { by });
  await delay(aroundMs);
  await relaxAfterCut();
  await delay(cutMs - 2 * aroundMs);
  const relax = keepBusy(busy);
  await delay(aroundMs);
  mesh.links.heal();
  const healedMs = performance.now();
  const backS = new Map<Link, number>();
  let elapsedS = 0;
  while (backS.size < links.length && elapsedS < Number(values.limit)) {
    await delay(pollMs);
    const behind = await lags(connections, sent);
    elapsedS = (performance.now() - healedMs) / 1_000;
    for (const [link, ms] of behind) {
      if (ms < 1_000 && !backS.has(link)) backS.set(link, elapsedS);
    }
  }
  await relax();
  return links.map((link) => ({
    link: link.join('-'),
    by,
    busy,
    backS: backS.get(link) ?? null,
  }));
}

async function run(): Promise<readonly Result[]> {
  const mesh = await startMesh({ regions, tls: true });
  const connections = new Map<Region, NatsConnection>();
  for (const region of regions) {
    const connection = await mesh.region(region).connect();
    connections.set(region, connection);
    await ensureStreams(connection, region, { development: true });
  }
  const kept: KeptMirrors[] = [];
  for (const [region, connection] of connections) {
    const onChange = (): void => say(`${region} sees to its mirrors`);
    kept.push(await keepMirrors(connection, region, regions, { development: true, onChange }));
  }
  const load = publish(connections, Number(values.rate));
  const results: Result[] = [];
  const kinds = values.by.split(',').map((kind) => kind.replace('-', ' ') as Cut['by']);
  const count = Number(values.rounds);
  say(
    `${copiedStreams(regions).length} streams, ${values.rate} messages/s, cuts of ${values.seconds} s`,
  );
  for (let index = 0; index < count; index++) {
    const busy = index >= count / 2 ? Number(values.busy) : 0;
    for (const by of kinds) {
      const cuts = await round(mesh, connections, load.sent, { by, busy });
      results.push(...cuts);
      const back = cuts.map(
        ({ link, backS }) => `${link} ${backS === null ? 'NOT BACK' : `${backS.toFixed(1)} s`}`,
      );
      say(`${index + 1} ${by}${busy === 0 ? '' : ', cores busy'}: back after ${back.join(', ')}`);
      await delay(2_000);
    }
  }
  for (const one of kept) one.stop();
  load.stop();
  await Promise.all([...connections.values()].map((connection) => connection.close()));
  await mesh.stop();
  return results;
}

function summaryOf(results: readonly Result[]) {
  const back = results
    .flatMap(({ backS }) => (backS === null ? [] : [backS]))
    .toSorted((a, b) => a - b);
  return {
    cuts: results.length,
    notBack: results.length - back.length,
    medianS: back[Math.floor(back.length / 2)] ?? null,
    worstS: back.at(-1) ?? null,
  };
}

if (values.help) process.stdout.write(help);
else {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => process.exit(1));
  }
  const results = await run();
  const groups = Object.entries(
    Object.groupBy(results, ({ by, busy }) => `${by}${busy === 0 ? '' : ', cores busy'}`),
  ).map(([what, cuts = []]) => [what, summaryOf(cuts)] as const);
  const summary = summaryOf(results);
  for (const [what, one] of groups) say(`${what}: ${JSON.stringify(one)}`);
  process.stdout.write(
    `${JSON.stringify({ seconds: Number(values.seconds), summary, groups, results })}\n`,
  );
  process.exitCode = summary.notBack === 0 ? 0 : 1;
}
