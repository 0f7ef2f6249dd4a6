import { json } from 'node:stream/consumers';
import type { Job } from '@meridian/cli';
import { runJob } from './rerun.ts';

// Reads a job from the standard input and writes each run as a line of JSON: `meridian what-if`
// starts it, as the command itself has no decider.
const job = (await json(process.stdin)) as Job;
runJob(job, (run) => process.stdout.write(`${JSON.stringify(run)}\n`));
