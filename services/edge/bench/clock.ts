/**
 * How long `POST /v1/clock` takes when the services have nothing to do: what a player in lockstep
 * pays for each step at least. Two services are stood in for; they answer at once.
 * Run after a build: node services/edge/bench/clock.ts [steps]
 */
import { Agent, request } from 'node:http';
import { jetstreamLog } from '@meridian/journal';
import { natsBeat, parseClockSetting } from '@meridian/nest';
import { startBench } from './start.ts';

const steps = Number(process.argv[2] ?? 2_000);
const bench = await startBench({ MERIDIAN_CLOCK: 'driven' });
const log = await jetstreamLog({ connection: bench.nats });
const agent = new Agent({ keepAlive: true, maxSockets: 1 });

function call(path: string, type: string, body: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(
      `${bench.url}${path}`,
      {
        agent,
        method: 'POST',
        headers: {
          authorization: `Bearer ${bench.key}`,
          'content-type': type,
          'content-length': Buffer.byteLength(body),
        },
      },
      (response) => {
        response.resume();
        response.once('end', () => resolve(response.statusCode ?? 0));
      },
    );
    sent.once('error', reject);
    sent.end(body);
  });
}

// Many contacts, so that the ends of filters are not found for nothing.
for (let batch = 0; batch < 100; batch += 1) {
  await call(
    '/v1/events',
    'application/cloudevents-batch+json',
    JSON.stringify(
      Array.from({ length: 100 }, (_, index) => ({
        specversion: '1.0',
        id: `${batch}-${index}`,
        source: '/bench',
        type: 'meridian.contact.initiate.v1',
        subject: `c${batch}-${index}`,
        data: { method: 'INBOUND', channel: 'VOICE' },
      })),
    ),
  );
}
const beat = natsBeat(bench.nats, 'eu');
const filters = {
  sessions: ['in.eu.*.eu.contact.*', 'ev.eu.*.*.routing.*'],
  routing: [
    'ev.eu.*.*.contact.*',
    'in.eu.*.eu.reservation.*',
    'in.eu.*.eu.agent.*',
    'in.eu.*.eu.queue.*',
  ],
};
for (const [service, own] of Object.entries(filters)) {
  const reads = await Promise.all(
    own.map(async (filter) => {
      const stream = filter.startsWith('in.') ? 'IN_eu' : 'EV_eu';
      return { stream, filter, position: await log.lastSequence(stream, filter) };
    }),
  );
  beat.subscribe('beat.eu.clock', (text) => {
    const clock = parseClockSetting(text)?.at ?? null;
    beat.publish(
      `beat.eu.progress.${service}`,
      JSON.stringify({ service, instance: 'bench', clock, nextDueMs: null, reads }),
    );
  });
}
await call('/v1/clock', 'application/json', '{"at":1000}');
const tookMs: number[] = [];
for (let step = 1; step <= steps; step += 1) {
  const start = performance.now();
  const status = await call('/v1/clock', 'application/json', `{"at":${1_000 + step}}`);
  if (status !== 200) throw new Error(`Status ${status}`);
  tookMs.push(performance.now() - start);
}
tookMs.sort((a, b) => a - b);
const at = (share: number): string => (tookMs[Math.floor(tookMs.length * share)] ?? 0).toFixed(2);
console.log(
  `POST /v1/clock, ${steps} steps: p50 ${at(0.5)} ms, p90 ${at(0.9)} ms, p99 ${at(0.99)} ms`,
);
agent.destroy();
await log.close();
await bench.stop();
