import { parseArgs } from 'node:util';
import { simulate, type SimulationResult } from './simulate.ts';

const usage = `Simulates contact centres on a bad network: scripts/sim [--seeds A..B | --seed N] [--contacts N]

  --seeds A..B   one world for each seed; 1..200 when absent
  --seed N       one world, with its faults and its digest
  --contacts N   how many contacts each world has; 40 when absent

Exit code 0 when everything held, 1 when something did not, 2 when the arguments make no sense.
`;

/** How many problems of one world are printed. */
const shownLimit = 5;

interface Run {
  readonly first: number;
  readonly last: number;
  readonly contacts: number;
}

function readArguments(): Run | undefined {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string' },
      seed: { type: 'string' },
      contacts: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  if (values.help === true) return undefined;
  const range =
    values.seed === undefined ? (values.seeds ?? '1..200') : `${values.seed}..${values.seed}`;
  const [, first, last] = /^(\d+)\.\.(\d+)$/.exec(range) ?? [];
  const contacts = Number(values.contacts ?? 40);
  if (first === undefined || last === undefined || Number(last) < Number(first)) {
    throw new Error(`The seeds are ${range}; they must be whole numbers such as 1..200.`);
  }
  if (!Number.isInteger(contacts) || contacts < 1) {
    throw new Error(`--contacts is ${values.contacts}; it must be a whole number of at least 1.`);
  }
  return { first: Number(first), last: Number(last), contacts };
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

const command = (seed: number, contacts: number): string =>
  `scripts/sim --seed ${seed}${contacts === 40 ? '' : ` --contacts ${contacts}`}`;

/** @returns how many things were wrong with the world of this seed; prints some of them */
async function runOne(
  seed: number,
  contacts: number,
  take: (result: SimulationResult) => void,
): Promise<number> {
  let result: SimulationResult;
  try {
    result = await simulate({ seed, contacts });
  } catch (error) {
    say(
      `seed ${seed}: the world broke; again with: ${command(seed, contacts)}\n` +
        ((error as Error).stack ?? String(error)),
    );
    return 1;
  }
  take(result);
  const { problems } = result;
  if (problems.length > 0) {
    say(`seed ${seed}: ${problems.length} violations; again with: ${command(seed, contacts)}`);
    for (const { rule, detail } of problems.slice(0, shownLimit)) say(`  ${rule}: ${detail}`);
    say(`  faults: ${JSON.stringify(result.plan)}`);
  }
  return problems.length;
}

async function main(): Promise<number> {
  const run = readArguments();
  if (run === undefined) {
    say(usage);
    return 0;
  }
  const { first, last, contacts } = run;
  const startedMs = performance.now();
  const faults = new Map<string, number>();
  let [violations, failures, simulated, events] = [0, 0, 0, 0];
  for (let seed = first; seed <= last; seed += 1) {
    const found = await runOne(seed, contacts, (result) => {
      for (const [what, count] of Object.entries(result.counts)) {
        faults.set(what, (faults.get(what) ?? 0) + count);
      }
      simulated += result.contacts;
      events += result.events;
      if (first === last) {
        say(`seed ${seed}: digest ${result.digest}, faults ${JSON.stringify(result.plan)}`);
      }
    });
    violations += found;
    failures += found > 0 ? 1 : 0;
  }
  const seconds = (performance.now() - startedMs) / 1_000;
  const listed = [...faults]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([what, count]) => `${count} ${what}`);
  say(
    `${last - first + 1} seeds, ${simulated} contacts, ${events} events; ${listed.join(', ')}; ` +
      `${failures} seeds with ${violations} violations; ` +
      `${seconds.toFixed(1)} s (${Math.round(simulated / seconds)} contacts/s)`,
  );
  return violations === 0 ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n\n${usage}`);
  process.exitCode = 2;
}
