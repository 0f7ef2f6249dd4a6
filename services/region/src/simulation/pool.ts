import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { runCase, type Case, type Summary } from './cases.ts';

interface Task {
  readonly seed: number;
  readonly shape: Case;
}

/** Answers with the summary of each world that the parent asks for. */
export function serveParent(): void {
  process.on('message', ({ seed, shape }: Task) => {
    void runCase(seed, shape).then((summary) => process.send?.(summary));
  });
}

/**
 * Runs the worlds of many seeds in processes of their own.
 * @param main the program that calls `serveParent` when it is started with `--worker`
 * @param take told of each world, in the order in which they end
 */
export async function runSeeds(
  main: string,
  seeds: Iterable<number>,
  shape: Case,
  workers: number,
  take: (summary: Summary) => void,
): Promise<void> {
  const waiting = seeds[Symbol.iterator]();
  const children: ChildProcess[] = [];
  const work = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const child = fork(fileURLToPath(main), ['--worker']);
      children.push(child);
      const next = (): void => {
        const { done, value } = waiting.next();
        if (done === true) {
          child.disconnect();
          resolve();
        } else child.send({ seed: value, shape } satisfies Task);
      };
      child.on('message', (summary: Summary) => {
        take(summary);
        next();
      });
      child.on('error', reject);
      child.on('exit', (code) => {
        if (code !== 0) reject(new Error(`A worker ended with ${code}.`));
      });
      next();
    });
  try {
    await Promise.all(Array.from({ length: workers }, work));
  } finally {
    for (const child of children) if (child.connected) child.kill();
  }
}
