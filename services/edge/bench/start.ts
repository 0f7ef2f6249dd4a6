import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { NatsConnection } from '@nats-io/nats-core';
import { connectNats, ensureStreams } from '@meridian/journal';
import { eventually, startNatsServer, temporaryFolder } from '@meridian/testing';

/** A nats-server and an edge, each a process of its own, and a connection. */
export interface Bench {
  readonly url: string;
  readonly key: string;
  readonly nats: NatsConnection;
  stop(): Promise<void>;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/**
 * Starts both, from what was built.
 * Set EDGE_PROFILE to a folder for a CPU profile of the edge.
 */
export async function startBench(
  environment: Readonly<Record<string, string>> = {},
): Promise<Bench> {
  const folder = temporaryFolder();
  const server = await startNatsServer();
  const nats = await connectNats({ servers: server.url });
  await ensureStreams(nats, 'eu', { development: true });
  const keyFile = join(folder.path, 'key');
  const port = await freePort();
  const profileDir = process.env['EDGE_PROFILE'];
  const profile = profileDir === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileDir}`];
  const child = spawn(
    process.execPath,
    [...profile, fileURLToPath(new URL('../dist/main.js', import.meta.url))],
    {
      stdio: ['ignore', 'inherit', 'inherit'],
      env: {
        ...process.env,
        MERIDIAN_NATS_URL: server.url,
        MERIDIAN_HTTP_PORT: String(port),
        MERIDIAN_DEV: '1',
        MERIDIAN_KEY_FILE: keyFile,
        MERIDIAN_READ_MODELS: 'off',
        LOG_LEVEL: 'warn',
        ...environment,
      },
    },
  );
  const url = `http://127.0.0.1:${port}`;
  await eventually('the edge serves', async () => {
    if (child.exitCode !== null) throw new Error(`The edge ended with ${child.exitCode}.`);
    return (await fetch(`${url}/health/ready`)).ok;
  });
  return {
    url,
    nats,
    key: readFileSync(keyFile, 'utf8').trim(),
    async stop() {
      child.kill('SIGTERM');
      await once(child, 'exit');
      await nats.close();
      await server.stop();
      folder.remove();
    },
  };
}
