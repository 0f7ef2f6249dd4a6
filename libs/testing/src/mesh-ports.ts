import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/** Below what the system gives to outgoing connections, so that a port stays free over a restart. */
const lowest = 20_000;
const highest = 32_000;
const attempts = 200;
const given = new Set<number>();

/** A TCP port on loopback that nobody listens on, and that was not given to this process before. */
export async function freeLoopbackPort(): Promise<number> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const port = randomInt(lowest, highest);
    if (given.has(port)) continue;
    if (await isFree(port)) {
      given.add(port);
      return port;
    }
  }
  throw new Error(`No port from ${lowest} to ${highest} was free in ${attempts} attempts.`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
