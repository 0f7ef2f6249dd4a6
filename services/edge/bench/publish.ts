/**
 * Events accepted over HTTP in batches of 100, against the NATS library's windowed publish, in one
 * run: the same number of events of the same size, server and clients on this machine.
 * Run after a build: node services/edge/bench/publish.ts [events] [rounds]
 */
import { Agent, request } from 'node:http';
import { jetstream, type JetStreamClient } from '@nats-io/jetstream';
import { startBench } from './start.ts';

const events = Number(process.argv[2] ?? 40_000);
const rounds = Number(process.argv[3] ?? 3);
const batchSize = 100;
const connections = 4;
const window = 64;

const event = (run: string, index: number): object => ({
  specversion: '1.0',
  id: `${run}-${index}`,
  source: '/bench',
  type: 'meridian.contact.initiate.v1',
  subject: `c${run}-${index}`,
  data: {
    method: 'INBOUND',
    channel: 'VOICE',
    customer: '+441632960000',
    attributes: { language: 'en' },
  },
});

/** The library's publish with an acknowledgement each, 64 under way. */
async function library(js: JetStreamClient, run: string): Promise<number> {
  const stored = JSON.stringify({
    ...event(run, 0),
    time: new Date().toISOString(),
    tenant: 'demo',
    datacontenttype: 'application/json',
    actor: 'development',
  });
  let next = 0;
  const start = performance.now();
  await Promise.all(
    Array.from({ length: window }, async () => {
      while (next < events) {
        const index = next;
        next += 1;
        await js.publish(`in.eu.demo.eu.contact.c${run}-${index}`, stored, {
          msgID: `demo#/bench#${run}-${index}`,
        });
      }
    }),
  );
  return (events / (performance.now() - start)) * 1_000;
}

function send(agent: Agent, url: string, key: string, body: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = request(
      `${url}/v1/events`,
      {
        agent,
        method: 'POST',
        headers: {
          authorization: `Bearer ${key}`,
          'content-type': 'application/cloudevents-batch+json',
          'content-length': body.length,
        },
      },
      (response) => {
        response.resume();
        response.once('end', () =>
          response.statusCode === 202
            ? resolve()
            : reject(new Error(`Status ${response.statusCode}`)),
        );
      },
    );
    sent.once('error', reject);
    sent.end(body);
  });
}

/** Batches of 100 over a few connections. What is sent is written before the clock starts. */
async function overHttp(url: string, key: string, run: string): Promise<number> {
  const bodies: Buffer[] = [];
  for (let first = 0; first < events; first += batchSize) {
    bodies.push(
      Buffer.from(
        JSON.stringify(Array.from({ length: batchSize }, (_, index) => event(run, first + index))),
      ),
    );
  }
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  let next = 0;
  const start = performance.now();
  await Promise.all(
    Array.from({ length: connections }, async () => {
      while (next < bodies.length) {
        const body = bodies[next] as Buffer;
        next += 1;
        await send(agent, url, key, body);
      }
    }),
  );
  const rate = (events / (performance.now() - start)) * 1_000;
  agent.destroy();
  return rate;
}

const bench = await startBench();
const js = jetstream(bench.nats);
for (let round = 1; round <= rounds; round += 1) {
  const raw = await library(js, `l${round}`);
  const http = await overHttp(bench.url, bench.key, `h${round}`);
  console.log(
    `round ${round}: library ${Math.round(raw)}/s, HTTP ${Math.round(http)}/s, ratio ${(http / raw).toFixed(2)}`,
  );
}
await bench.stop();
