import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';

/** A TCP port on loopback that is free: the wanted one if it is, else any. */
export async function freePort(wanted = 0): Promise<number> {
  try {
    return await listenOnce(wanted);
  } catch (error) {
    if (wanted === 0) throw error;
    return listenOnce(0);
  }
}

function listenOnce(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      const { port: bound } = server.address() as AddressInfo;
      server.close(() => resolve(bound));
    });
  });
}

/** Asks again until `check` answers true. @throws Error with `what` when it takes too long */
export async function until(
  what: string,
  check: () => Promise<boolean>,
  limitMs = 60_000,
): Promise<void> {
  const end = Date.now() + limitMs;
  while (Date.now() < end) {
    if (await check().catch(() => false)) return;
    await new Promise((resolve) => {
      setTimeout(resolve, 50);
    });
  }
  throw new Error(`${what} did not happen within ${limitMs / 1_000} s`);
}
