import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CommandFault, exitCodes, usageFault } from '../fault.ts';
import { readLines } from '../http/lines.ts';
import type { Io } from '../io.ts';
import type { Run, Simulator } from './job.ts';

/** How much of what a simulator said in despair is repeated, in characters. */
const saidLimit = 2_000;

/** The simulator of the nearest checkout, from the folder upwards. */
function simulatorScript(from: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const script = join(folder, 'scripts', 'what-if');
    if (existsSync(script)) return script;
    if (folder === dirname(folder)) return undefined;
  }
}

/**
 * The simulator with the mesh's own deciders, as a process of its own: this command has none.
 * @throws CommandFault (usage) where there is no checkout of Meridian
 */
export function checkoutSimulator(io: Io): Simulator {
  const script = simulatorScript(io.folder) ?? simulatorScript(import.meta.dirname);
  if (script === undefined) {
    throw usageFault(
      'A what-if runs the deciders of a checkout of Meridian, and there is none here.\n' +
        'Run it where scripts/what-if is.',
    );
  }
  return spawnedSimulator(script, [], io);
}

/**
 * A simulator that is a program: it reads a job as JSON and writes a line of JSON for each run.
 * @throws CommandFault when it ends without having run everything
 */
export function spawnedSimulator(program: string, args: readonly string[], io: Io): Simulator {
  return async (job, onRun) => {
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    const stop = (): void => {
      child.kill('SIGINT');
    };
    io.signal.addEventListener('abort', stop);
    let said = '';
    let runs = 0;
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-saidLimit);
    });
    // What keeps it from reading is told by how it ends.
    child.stdin.on('error', () => {});
    child.stdin.end(JSON.stringify(job));
    const closed = once(child, 'close') as Promise<[number | null]>;
    closed.catch(() => {});
    for await (const lines of readLines(child.stdout)) {
      for (const line of lines) {
        if (line === '') continue;
        onRun(JSON.parse(line) as Run);
        runs += 1;
      }
    }
    const [code] = await closed.catch((error: Error): [string] => [error.message]);
    io.signal.removeEventListener('abort', stop);
    const expected = job.days.length * job.seeds.length;
    if (code === 0 && runs === expected) return;
    throw new CommandFault(
      exitCodes.no,
      `The simulator ended (${code}) after ${runs} of ${expected} runs.\n${said.trim()}`,
    );
  };
}
