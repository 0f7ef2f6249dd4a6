import { checkFigures, lostOf, type Facts } from '@meridian/cli';
import type { Acknowledged, Acknowledgements } from './acknowledgements.ts';
import type { Exercise } from './exercises/exercise.ts';
import { doubleRules, orphanFigures, type Findings } from './findings.ts';
import { publishers, type LoadOptions } from './load-options.ts';
import type { Settled } from './settle.ts';
import type { Stage } from './stage.ts';
import { versions } from './versions.ts';

/** What was seen of a drill. Times are epoch ms. */
export interface Seen {
  readonly acknowledgements: Acknowledgements;
  readonly loadStartedAt: number;
  readonly loadEndedAt: number;
  /** The kill, the cut, or the request of a planned failover. */
  readonly blowAt: number;
  /** When what was killed was started again. */
  readonly mendedAt: number;
  /** Acknowledged, and not held elsewhere as it must be while a region was away. */
  readonly missing: readonly Acknowledged[];
  readonly settled: Settled;
  /** What this drill promised beyond what all do. */
  readonly observations: Facts['observations'];
}

/** Puts together what a receipt is made of. */
export function factsOf(stage: Stage, exercise: Exercise, options: LoadOptions, seen: Seen): Facts {
  const { acknowledgements, loadStartedAt, loadEndedAt, missing, settled } = seen;
  const { findings, comparison } = settled;
  const endedAt = Date.now();
  return {
    id: options.id,
    exercise: exercise.what,
    seed: options.seed,
    startedAt: new Date(stage.startedAt).toISOString(),
    endedAt: new Date(endedAt).toISOString(),
    versions: versions(),
    parameters: parametersOf(stage, exercise, options),
    actions: stage.actions,
    publishing: {
      acknowledged: acknowledgements.byDurability(),
      acknowledgedInTime: acknowledgements.until(loadStartedAt + options.seconds * 1_000),
      tookMs: loadEndedAt - loadStartedAt,
      retried: acknowledgements.retried,
      uncured: acknowledgements.uncured,
      longestPauseMs: acknowledgements.longestPauseMs,
    },
    missing: lostOf(missing),
    rpoMs: exercise.kind === 'UNPLANNED' ? rpoMs(seen) : null,
    lost: comparison.lost,
    times: timesOf(exercise, seen),
    ownership: findings.ownership,
    takeovers: findings.takeovers.map(({ detectedAt, completedAt, ...takeover }) => ({
      ...takeover,
      detectedAtMs: detectedAt === null ? null : detectedAt - stage.startedAt,
      completedAtMs: completedAt - stage.startedAt,
    })),
    orphans: orphanFigures(findings.check),
    doubleAssignments: doubleRules.reduce(
      (sum, rule) => sum + (findings.check.counts[rule] ?? 0),
      0,
    ),
    observations: seen.observations,
    check: checkFigures(findings.check, comparison.differing),
  };
}

function parametersOf(
  { regions }: Stage,
  { home, kind }: Exercise,
  options: LoadOptions,
): Facts['parameters'] {
  const { ratePerSecond, seconds, batchSize, contactsPerSecond, agentsPerRegion } = options;
  return {
    regions,
    home,
    kind,
    ratePerSecond,
    seconds,
    batchSize,
    publishersPerRegion: publishers.region.count + publishers.mirrored.count + publishers.all.count,
    sharesPercent: {
      region: publishers.region.sharePercent,
      mirrored: publishers.mirrored.sharePercent,
      all: publishers.all.sharePercent,
    },
    contactsPerSecond,
    agentsPerRegion,
    leaseMs: options.leaseMs,
  };
}

/** From the first message that no survivor held, or the first orphan, to the kill. */
function rpoMs({ missing, blowAt, settled }: Seen): number {
  const { firstOrphanAt } = settled.findings;
  const first = Math.min(blowAt, firstOrphanAt ?? Infinity, ...missing.map(({ atMs }) => atMs));
  return Math.round(blowAt - first);
}

function timesOf(
  { home, kind, lost }: Exercise,
  { blowAt, mendedAt, settled: { findings, alikeAt } }: Seen,
): Facts['times'] {
  const taken = kind === 'NONE' ? undefined : takeoverAfter(findings, home, blowAt);
  const since = (at: number | null | undefined, from = blowAt): number | null =>
    at === undefined || at === null ? null : Math.max(0, Math.round(at - from));
  return {
    detectionMs: since(taken?.detectedAt),
    takeoverMs: since(taken?.completedAt),
    firstOfferMs: since(taken && findings.firstOffers.get(`${taken.home}/${taken.epoch}`)),
    returnMs: lost.length === 0 ? null : since(alikeAt, mendedAt),
  };
}

/** The first takeover of a home that was complete after a moment, epoch ms. */
export function takeoverAfter({ takeovers }: Findings, home: string | null, at: number) {
  return takeovers.find((one) => one.home === home && one.completedAt >= at);
}
