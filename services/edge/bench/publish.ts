/**
 * Events accepted over HTTP in batches of 100, against the NATS library's windowed publish, in one
 * run: the same number of events of the same size, server and clients on this machine.
 * Run: node --conditions=@meridian/source services/edge/bench/publish.ts [events] [rounds]
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { jetstream, type JetStreamClient } from '@nats-io/jetstream';
import { connectNats, ensureStreams } from '@meridian/journal';
import { startNatsServer, temporaryFolder } from '@meridian/testing';
import { Agent, request } from 'node:http';

const events = Number(process.argv[2] ?? 40_000);
const rounds = Number(process.argv[3] ?? 3);
const batchSize = 100;
const connections = 4;
const window = 64;

const event = (run: string, index: number): object => ({
  specversion: '1.0', id: `${run}-${index}`, source: '/bench', type: 'meridian.contact.initiate.v1',
  subject: `c${run}-${index}`,
  data: { method: 'INBOUND', channel: 'VOICE', customer: '+441632960000', attributes: { language: 'en' } },
});

/** The library's publish with an acknowledgement each, 64 under way. */
async function library(js: JetStreamClient, run: string): Promise<number> {
  const stored = JSON.stringify({ ...event(run, 0), time: new Date().toISOString(), tenant: 'demo', datacontenttype: 'application/json', actor: 'development' });
  let next = 0;
  const start = performance.now();
  await Promise.all(Array.from({ length: window }, async () => {
    while (next < events) {
      const index = next;
      next += 1;
      await js.publish(`in.eu.demo.eu.contact.c${run}-${index}`, stored, { msgID: `demo#/bench#${run}-${index}` });
    }
  }));
  return events / (performance.now() - start) * 1_000;
}

function send(agent: Agent, url: string, key: string, body: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = request(`${url}/v1/events`, {
      agent, method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/cloudevents-batch+json', 'content-length': body.length },
    }, (response) => {
      response.resume();
      response.once('end', () => (response.statusCode === 202 ? resolve() : reject(new Error(`Status ${response.statusCode}`))));
    });
    sent.once('error', reject);
    sent.end(body);
  });
}

/** Batches of 100 over a few connections. What is sent is written before the clock starts. */
async function overHttp(url: string, key: string, run: string): Promise<number> {
  const bodies: Buffer[] = [];
  for (let first = 0; first < events; first += batchSize) {
    bodies.push(Buffer.from(JSON.stringify(Array.from({ length: batchSize }, (_, index) => event(run, first + index)))));
  }
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  let next = 0;
  const start = performance.now();
  await Promise.all(Array.from({ length: connections }, async () => {
    while (next < bodies.length) {
      const body = bodies[next] as Buffer;
      next += 1;
      await send(agent, url, key, body);
    }
  }));
  const rate = events / (performance.now() - start) * 1_000;
  agent.destroy();
  return rate;
}

async function startEdge(natsUrl: string, keyFile: string): Promise<{ readonly child: ChildProcess; readonly url: string }> {
  const port = 20_000 + Math.floor(Math.random() * 20_000);
  const profile = process.env['EDGE_PROFILE'] === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${process.env['EDGE_PROFILE']}`];
  const child = spawn(process.execPath, [...profile, fileURLToPath(new URL('../dist/main.js', import.meta.url))], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: {
      ...process.env, MERIDIAN_NATS_URL: natsUrl, MERIDIAN_HTTP_PORT: String(port), MERIDIAN_DEV: '1',
      MERIDIAN_KEY_FILE: keyFile, MERIDIAN_READ_MODELS: 'off', LOG_LEVEL: 'warn',
    },
  });
  const url = `http://127.0.0.1:${port}`;
  const deadline = performance.now() + 20_000;
  for (;;) {
    const ready = await fetch(`${url}/health/ready`).then(({ ok }) => ok, () => false);
    if (ready) return { child, url };
    if (child.exitCode !== null || performance.now() > deadline) throw new Error('The edge did not start.');
    await new Promise((resolve) => { setTimeout(resolve, 50); });
  }
}

const folder = temporaryFolder();
const server = await startNatsServer();
const nats = await connectNats({ servers: server.url });
await ensureStreams(nats, 'eu', { development: true });
const keyFile = join(folder.path, 'key');
const { child, url } = await startEdge(server.url, keyFile);
const key = readFileSync(keyFile, 'utf8').trim();
const js = jetstream(nats);
for (let round = 1; round <= rounds; round += 1) {
  const raw = await library(js, `l${round}`);
  const http = await overHttp(url, key, `h${round}`);
  console.log(`round ${round}: library ${Math.round(raw)}/s, HTTP ${Math.round(http)}/s, ratio ${(http / raw).toFixed(2)}`);
}
child.kill('SIGTERM');
await once(child, 'exit');
await nats.close();
await server.stop();
folder.remove();
