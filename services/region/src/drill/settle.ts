import { setTimeout as wait } from 'node:timers/promises';
import type { Acknowledged } from './acknowledgements.ts';
import { compareAll, RegionCopies, streamsOf, type Comparison } from './copies.ts';
import { findIn, type Findings } from './findings.ts';
import { untilTrue, type Stage } from './stage.ts';

export interface Settled {
  /** When all copies first ended at the same sequences, epoch ms; undefined: not in time. */
  readonly alikeAt: number | undefined;
  readonly comparison: Comparison;
  readonly findings: Findings;
}

/** How long things may take to come to rest, in ms. */
const restLimitMs = 150_000;
/** How long orphans may take to be accounted for, in ms. */
const orphansLimitMs = 30_000;
/** What has not grown for so long stands still, in ms. */
const stillMs = 2_000;
const pollMs = 200;

/** Waits until all regions hold the same and nothing moves any more; then everything is checked. */
export async function settle(
  stage: Stage,
  acknowledged: readonly Acknowledged[],
): Promise<Settled> {
  const { mesh, regions } = stage;
  const copies = await Promise.all(regions.map((region) => RegionCopies.open(mesh.region(region))));
  const { log } = copies[0] as RegionCopies;
  try {
    const alikeAt = await untilStill(copies);
    stage.note(
      alikeAt === undefined ? 'the copies are NOT alike' : 'all copies stand still, alike',
    );
    let findings = await findIn(log, regions);
    await untilTrue(
      orphansLimitMs,
      async () => {
        if (findings.check.orphans.every(({ outcome }) => outcome !== undefined)) return true;
        findings = await findIn(log, regions);
        return false;
      },
      1_000,
    );
    return { alikeAt, comparison: await compareAll(copies, acknowledged), findings };
  } finally {
    await Promise.all(copies.map((copy) => copy.close()));
  }
}

async function untilStill(copies: readonly RegionCopies[]): Promise<number | undefined> {
  const end = performance.now() + restLimitMs;
  let alikeAt: number | undefined;
  let [before, since] = ['', performance.now()];
  while (performance.now() < end) {
    const ends = await endsOf(copies).catch(() => [String(Math.random())]);
    const areAlike = new Set(ends).size === 1;
    if (areAlike) alikeAt ??= Date.now();
    if (!areAlike || ends[0] !== before) {
      before = ends[0] ?? '';
      since = performance.now();
    } else if (performance.now() - since >= stillMs) return alikeAt;
    await wait(pollMs);
  }
  return undefined;
}

/** Where all streams end in each copy, as a text. */
function endsOf(copies: readonly RegionCopies[]): Promise<string[]> {
  const streams = streamsOf(copies.map(({ region }) => region));
  return Promise.all(
    copies.map(async ({ log }) =>
      String(await Promise.all(streams.map((stream) => log.lastSequence(stream)))),
    ),
  );
}
