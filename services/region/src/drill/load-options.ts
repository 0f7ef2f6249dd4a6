import type { Exercise } from './exercises/exercise.ts';
import type { DrillOptions } from './options.ts';

export interface LoadOptions {
  /** Unique: ids begin with it. */
  readonly id: string;
  readonly seed: string;
  readonly ratePerSecond: number;
  readonly seconds: number;
  readonly contactsPerSecond: number;
  readonly agentsPerRegion: number;
  readonly batchSize: number;
  readonly leaseMs: number;
}

/** How many publishers a region has of each durability, and which part of the rate is theirs. */
export const publishers = {
  region: { count: 3, sharePercent: 55 },
  mirrored: { count: 2, sharePercent: 40 },
  all: { count: 1, sharePercent: 5 },
} as const;

/** One agent serves a contact in about 0.6 s: this many contacts a second keep them half busy. */
const agentsPerContact = 1.2;
/** Requests in a batch: a fortieth of a second's, in these bounds. */
const batch = { shareOfRate: 1 / 40, least: 5, most: 50 } as const;
/** The default of the services, which a drill does not change. */
const leaseMs = 5_000;

/** The load of one run. @param startedAt epoch ms, for the id */
export function loadOptions(
  { name }: Exercise,
  run: number,
  { rate, seconds, contacts, seed, runs }: DrillOptions,
  startedAt: number,
): LoadOptions {
  const time = new Date(startedAt).toISOString().replaceAll(/[-:]|\..*$/g, '');
  return {
    id: `drill-${time}-${name}`.slice(0, 48),
    seed: runs === 1 ? seed : `${seed}-${run}`,
    ratePerSecond: rate,
    seconds,
    contactsPerSecond: contacts,
    agentsPerRegion: Math.max(3, Math.ceil(contacts * agentsPerContact)),
    batchSize: Math.min(batch.most, Math.max(batch.least, Math.round(rate * batch.shareOfRate))),
    leaseMs,
  };
}
