import { once } from 'node:events';
import { fork, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connectNats, ensureStreams } from '@meridian/journal';
import { startNatsServer, temporaryFolder } from '@meridian/testing';
import type { NatsConnection } from '@nats-io/transport-node';
import { Child } from '../src/development/child.ts';
import { freePort, until } from '../src/development/ports.ts';
import type { Ask, Done } from './http-client.ts';

/** A nats-server and an edge without read models, a process each. */
export interface EdgeAlone {
  readonly region: string;
  readonly url: string;
  readonly key: string;
  readonly nats: NatsConnection;
  stop(): Promise<void>;
}

/** Set MERIDIAN_BENCH_PROFILE to a folder for a CPU profile of the edge. */
const profileDir = process.env['MERIDIAN_BENCH_PROFILE'];

/** Starts the intake alone: nats-server and edge, nobody who reads what is stored. */
export async function startEdgeAlone(region = 'eu'): Promise<EdgeAlone> {
  const folder = temporaryFolder();
  const server = await startNatsServer();
  const nats = await connectNats({ servers: server.url });
  await ensureStreams(nats, region, { development: true });
  const [port, keyFile] = [await freePort(), join(folder.path, 'key')];
  const url = `http://127.0.0.1:${port}`;
  const edge = new Child({
    name: 'edge',
    command: process.execPath,
    args: [
      ...(profileDir === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileDir}`]),
      fileURLToPath(new URL('../../edge/dist/main.js', import.meta.url)),
    ],
    env: {
      MERIDIAN_REGION: region,
      MERIDIAN_NATS_URL: server.url,
      MERIDIAN_HTTP_PORT: String(port),
      MERIDIAN_DEV: '1',
      MERIDIAN_KEY_FILE: keyFile,
      MERIDIAN_READ_MODELS: 'off',
      LOG_LEVEL: 'warn',
    },
    logFile: join(folder.path, 'edge.log'),
    whenReady: () =>
      until('the edge being ready', async () => (await fetch(`${url}/health/ready`)).ok),
  });
  const kill = (): void => edge.kill('SIGKILL');
  process.once('exit', kill);
  const stop = async (): Promise<void> => {
    process.off('exit', kill);
    await edge.stop();
    await nats.close();
    await server.stop();
    folder.remove();
  };
  try {
    await edge.start();
    return { region, url, key: readFileSync(keyFile, 'utf8').trim(), nats, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The process that publishes over HTTP. */
export class HttpClient {
  readonly #process: ChildProcess;
  #runs = 0;

  constructor(url: string, key: string) {
    this.#process = fork(fileURLToPath(new URL('./http-client.ts', import.meta.url)), [url, key]);
  }

  /** Writes the bodies of `events` requests with ids never used before. */
  async prepare(events: number): Promise<void> {
    this.#runs += 1;
    await this.#ask({ kind: 'prepare', run: `h${this.#runs}`, events });
  }

  /** Sends what was prepared; resolves once all of it is accepted. @throws Error when it is not */
  async send(): Promise<void> {
    await this.#ask({ kind: 'send' });
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null) return;
    const gone = once(this.#process, 'exit');
    this.#process.disconnect();
    await gone;
  }

  async #ask(ask: Ask): Promise<void> {
    const ended = new AbortController();
    const gone = once(this.#process, 'exit', { signal: ended.signal }).then(() => {
      throw new Error('The HTTP client ended before it had answered.');
    });
    gone.catch(() => {});
    this.#process.send(ask);
    const [done] = (await Promise.race([
      once(this.#process, 'message', { signal: ended.signal }),
      gone,
    ])) as [Done];
    ended.abort();
    if (done.kind === 'failed') throw new Error(done.why);
  }
}
