import { setTimeout as wait } from 'node:timers/promises';
import type { Facts, Violation } from '@meridian/cli';
import { intakeStream } from '@meridian/wire';
import type { Acknowledged, Acknowledgements } from './acknowledgements.ts';
import { publishers, type LoadOptions } from './load-options.ts';
import { missingElsewhere, RegionCopies } from './copies.ts';
import { Door } from './doors.ts';
import type { Evidence, Exercise } from './exercises/exercise.ts';
import { factsOf, type Seen } from './facts.ts';
import { entriesIn, excuse } from './findings.ts';
import { judgeHistories } from './histories.ts';
import { People } from './people.ts';
import { Publisher } from './publisher.ts';
import { settle } from './settle.ts';
import { untilTrue, type Stage } from './stage.ts';

/** How long requests may wait for their acknowledgement after the load, in ms. */
const restLimitMs = 150_000;
/** Requests of a customer and an agent over one contact: they count in the rate, too. */
const requestsPerContact = 5;

/** Puts load on the regions, does what the exercise says, and looks at what it cost. */
export async function runDrill(
  stage: Stage,
  exercise: Exercise,
  options: LoadOptions,
): Promise<Facts> {
  const { acknowledgements } = stage;
  const people = stage.regions.map(
    (home) =>
      new People({
        home,
        edges: stage.edges(),
        run: options.id,
        seed: options.seed,
        agents: options.agentsPerRegion,
        contactsPerSecond: options.contactsPerSecond / stage.regions.length,
        acknowledgements,
      }),
  );
  await Promise.all(people.map((one) => one.open()));
  stage.note(`load: ${options.ratePerSecond} requests/s for ${options.seconds} s`);
  const loadStartedAt = Date.now();
  const patience = new AbortController();
  const { signal } = patience;
  const load = Promise.all([
    ...publishersOf(stage, options, acknowledgements).map((one) =>
      one.run(options.seconds, signal),
    ),
    ...people.map((one) => one.run(options.seconds, signal)),
  ]);
  const giveUp = async (why: unknown): Promise<never> => {
    // Those outside would try for ever.
    patience.abort();
    await Promise.all(people.map((one) => one.close(0)));
    throw why;
  };
  await wait((options.seconds * 1_000) / 3);
  acknowledgements.beginPauses();
  const blowAt = await exercise.act(stage).catch(giveUp);
  await wait(Math.max(0, loadStartedAt + options.seconds * 1_000 - Date.now()));
  const missing = await lookWhileAway(stage, exercise, acknowledgements).catch(giveUp);
  const mendedAt = Date.now();
  await exercise.mend(stage).catch(giveUp);
  setTimeout(() => patience.abort(), restLimitMs).unref();
  await load;
  const loadEndedAt = acknowledgements.lastAtMs;
  stage.note('the load has ended');
  await untilTrue(30_000, () => Promise.resolve(people.every(({ living }) => living.size === 0)));
  const living = people.flatMap((one) => [...one.living]);
  const names = living.length === 0 ? '' : `: ${living.slice(0, 5).join(', ')}`;
  stage.say(`${living.length} customers are not served to their end${names}`);
  await Promise.all(people.map((one) => one.close(10_000)));
  const settled = await settle(stage, acknowledgements.all);
  const judged = await judge(stage, exercise, options, { blowAt, mendedAt, settled });
  return factsOf(stage, exercise, options, {
    acknowledgements,
    loadStartedAt,
    loadEndedAt,
    blowAt,
    mendedAt,
    missing,
    ...judged,
  });
}

/** Takes out what the exercise foresaw, tells the rest, and measures what was promised besides. */
async function judge(
  stage: Stage,
  exercise: Exercise,
  { leaseMs, agentsPerRegion }: LoadOptions,
  { blowAt, mendedAt, settled: before }: Pick<Evidence, 'blowAt' | 'mendedAt' | 'settled'>,
): Promise<Pick<Seen, 'settled' | 'observations'>> {
  const isForeseen = (one: Violation): boolean => exercise.excuses?.(one) ?? false;
  const { findings, excused } = excuse(before.findings, isForeseen);
  for (const one of findings.check.violations.slice(0, 12)) {
    const { rule, aggregate, sequence, index, expected, found } = one;
    const place = `${aggregate} at ${sequence}.${index}`;
    stage.say(`violation of ${rule}: ${place}: expected ${expected}, found ${found}`);
  }
  for (const why of stage.acknowledgements.refusals) stage.say(`refused: ${why}`);
  const settled = { ...before, findings };
  const evidence: Evidence = {
    stage,
    blowAt,
    mendedAt,
    leaseMs,
    agentsPerRegion,
    excused,
    settled,
    entries: reader(stage),
  };
  const own = (await exercise.judge?.(evidence)) ?? [];
  return { settled, observations: [await judgeHistories(evidence), ...own] };
}

/** Reads a region's own copy of a stream, whole. */
function reader(stage: Stage): Evidence['entries'] {
  return async function* entries(region, stream) {
    const copies = await RegionCopies.open(stage.mesh.region(region));
    try {
      yield* entriesIn(copies.log, stream);
    } finally {
      await copies.close();
    }
  };
}

function publishersOf(
  stage: Stage,
  { id, ratePerSecond, contactsPerSecond, batchSize }: LoadOptions,
  acknowledgements: Acknowledgements,
): Publisher[] {
  const edges = stage.edges();
  const rate = Math.max(0, ratePerSecond - contactsPerSecond * requestsPerContact);
  return stage.regions.flatMap((home) =>
    (['region', 'mirrored', 'all'] as const).flatMap((durability) => {
      const { count, sharePercent } = publishers[durability];
      const perSecond = (rate * sharePercent) / 100 / stage.regions.length / count;
      return Array.from(
        { length: count },
        (_, index) =>
          new Publisher({
            name: `${id}-${home}-${durability}${index}`,
            home,
            durability,
            batchSize,
            batchesPerSecond: perSecond / batchSize,
            door: new Door(edges, home),
            acknowledgements,
          }),
      );
    }),
  );
}

/** While regions are gone: waits for the takeover, and looks for what nobody else holds. */
async function lookWhileAway(
  stage: Stage,
  { home, kind, lost }: Exercise,
  acknowledgements: Acknowledgements,
): Promise<Acknowledged[]> {
  const survivors = stage.living();
  if (home !== null && kind === 'UNPLANNED' && lost.length > 0) {
    const [looking = ''] = survivors;
    const taken = await stage.untilOwner(looking, home, (owner) => !lost.includes(owner));
    if (!taken) stage.say(`nobody decides for ${home} a minute after the load`);
  }
  if (lost.length === 0 || survivors.length === 0) return [];
  const copies = await Promise.all(
    survivors.map((region) => RegionCopies.open(stage.mesh.region(region))),
  );
  try {
    const missing: Acknowledged[] = [];
    for (const region of stage.regions.filter((one) => !survivors.includes(one))) {
      const stream = intakeStream(region);
      const held = await Promise.all(copies.map((copy) => copy.read(stream)));
      missing.push(...missingElsewhere(acknowledgements.all, stream, held).messages);
    }
    return missing;
  } finally {
    await Promise.all(copies.map((copy) => copy.close()));
  }
}
