import { parseArgs } from 'node:util';
import { availableParallelism } from 'node:os';
import { commandFor, runCase, usualContacts, type Case, type Summary } from './cases.ts';
import { tellStory } from './mesh/story.ts';
import { runSeeds, serveParent } from './pool.ts';

const usage = `Simulates contact centres that meet with every kind of fault:
scripts/sim [--seeds N | --seeds A..B | --seed N] [--regions 1|3] [--contacts N] [--workers N]

  --seeds N      one world for each seed from 1 to N; 2,000 when absent
  --seeds A..B   one world for each seed from A to B
  --seed N       one world, with its digest and what was exercised
  --regions R    3 regions that replicate each other (default), or 1 on a bad network
  --contacts N   how many contacts each world has; 12 with three regions, 40 with one
  --workers N    how many processes run worlds; one for each core when absent

Exit code 0 when everything held, 1 when something did not, 2 when the arguments make no sense.
`;

/** How many problems of one world are printed. */
const shownLimit = 5;
/** The stories of how many failing worlds are told: each is searched for in many more worlds. */
const storiesLimit = 2;

interface Run extends Case {
  readonly first: number;
  readonly last: number;
  readonly workers: number;
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new Error(`${name} is ${text}; it must be a whole number of at least 1.`);
  }
  return value;
}

function readArguments(): Run | undefined {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string' },
      seed: { type: 'string' },
      regions: { type: 'string' },
      contacts: { type: 'string' },
      workers: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  if (values.help === true) return undefined;
  const { seed, seeds = '2000' } = values;
  const range =
    seed === undefined ? (seeds.includes('..') ? seeds : `1..${seeds}`) : `${seed}..${seed}`;
  const [, first, last] = /^(\d+)\.\.(\d+)$/.exec(range) ?? [];
  if (first === undefined || last === undefined || Number(last) < Number(first)) {
    throw new Error(`The seeds are ${range}; they must be whole numbers such as 1..2000.`);
  }
  const regions = Number(values.regions ?? 3);
  if (regions !== 1 && regions !== 3) {
    throw new Error(`--regions is ${values.regions}; it must be 1 or 3.`);
  }
  return {
    first: Number(first),
    last: Number(last),
    regions,
    contacts: wholeNumber('--contacts', values.contacts ?? `${usualContacts[regions]}`),
    workers: wholeNumber('--workers', values.workers ?? `${availableParallelism()}`),
  };
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** All worlds so far. */
class Tally {
  readonly failed: Summary[] = [];
  readonly #counts = new Map<string, number>();
  #worlds = 0;
  #contacts = 0;
  #entries = 0;
  #logTimeMs = 0;

  take(summary: Summary, shape: Case): void {
    this.#worlds += 1;
    this.#contacts += summary.contacts;
    this.#entries += summary.entries;
    this.#logTimeMs += summary.logTimeMs;
    for (const [what, count] of Object.entries(summary.counts)) {
      this.#counts.set(what, (this.#counts.get(what) ?? 0) + count);
    }
    const { seed, problems } = summary;
    if (problems.length === 0) return;
    this.failed.push(summary);
    say(`seed ${seed}: ${problems.length} problems; again with: ${commandFor(seed, shape)}`);
    for (const problem of problems.slice(0, shownLimit)) say(`  ${problem.slice(0, 600)}`);
  }

  say(seconds: number): void {
    const listed = [...this.#counts]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([what, count]) => `  ${count} ${what}`);
    say(`exercised:\n${listed.join('\n')}`);
    const hours = (this.#logTimeMs / 3_600_000).toFixed(1);
    say(
      `${this.#worlds} seeds, ${this.#contacts} contacts, ${this.#entries} entries in ${hours} h ` +
        `of the worlds' time; ${this.failed.length} seeds with problems; ${seconds.toFixed(1)} s`,
    );
  }
}

async function main(): Promise<number> {
  const run = readArguments();
  if (run === undefined) {
    say(usage);
    return 0;
  }
  const { first, last, regions, contacts } = run;
  const shape: Case = { regions, contacts };
  const count = last - first + 1;
  const startedMs = performance.now();
  const tally = new Tally();
  if (count === 1) {
    const summary = await runCase(first, shape);
    tally.take(summary, shape);
    say(`seed ${first}: digest ${summary.digest}`);
  } else {
    const seeds = Array.from({ length: count }, (_, index) => first + index);
    const workers = Math.min(run.workers, count);
    await runSeeds(import.meta.url, seeds, shape, workers, (one) => tally.take(one, shape));
  }
  tally.say((performance.now() - startedMs) / 1_000);
  if (regions === 3) {
    for (const { seed } of tally.failed.slice(0, storiesLimit)) {
      say(`the story of seed ${seed}:`);
      for (const line of await tellStory({ seed, contacts })) say(`  ${line}`);
    }
  }
  return tally.failed.length === 0 ? 0 : 1;
}

if (process.argv.includes('--worker')) serveParent();
else {
  try {
    process.exitCode = await main();
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${usage}`);
    process.exitCode = 2;
  }
}
