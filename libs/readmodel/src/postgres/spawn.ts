import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Launch } from './account.ts';

/** Starts a program that says what it has to say line by line on its standard error. */
export function spawnQuietly(
  launch: Launch,
  cwd: string,
  onLine: (line: string) => void,
): ChildProcess {
  const { command, arguments: args, uid, gid } = launch;
  const child = spawn(command, args, {
    cwd,
    // A session of its own: Ctrl-C reaches this process, which then stops it in order.
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' },
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid }),
  });
  child.on('error', (error) => onLine(String(error)));
  createInterface({ input: child.stderr }).on('line', onLine);
  return child;
}

/** Resolves to the exit code; null when a signal ended it. */
export function ended(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => child.once('close', (code) => resolve(code)));
}
