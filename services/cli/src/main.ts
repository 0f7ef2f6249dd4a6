#!/usr/bin/env node
import { exitCodes } from './fault.ts';
import { runMeridian } from './program.ts';

const interrupted = new AbortController();
process.once('SIGINT', () => interrupted.abort());
process.once('SIGTERM', () => interrupted.abort());
// Whoever read the output has enough of it, as `head` does.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(exitCodes.ok);
  throw error;
});

process.exitCode = await runMeridian(process.argv.slice(2), {
  out: (text) => {
    process.stdout.write(text);
  },
  err: (text) => {
    process.stderr.write(text);
  },
  isTty: process.stdout.isTTY,
  env: process.env,
  folder: process.cwd(),
  stdin: process.stdin,
  signal: interrupted.signal,
  now: Date.now,
});
