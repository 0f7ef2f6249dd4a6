import { z } from 'zod';

/** The subject on which recovery of a region says once a second how things are. */
export function recoveryStatusSubject(region: string): string {
  return `beat.${region}.recovery.status`;
}

const regionName = z.string().regex(/^[a-z0-9]{1,16}$/);
const count = z.number().int().nonnegative();
const milliseconds = z.number().nonnegative();

const recoveryStatus = z.object({
  region: regionName,
  owners: z.record(regionName, regionName),
  epochs: z.record(regionName, count),
  leases: z.record(regionName, z.object({ ageMs: milliseconds })),
  links: z.record(regionName, z.object({ events: count, ms: milliseconds })),
  isolated: z.boolean(),
  riskMs: milliseconds,
  control: z.enum(['ok', 'away']),
  failovers: z
    .array(
      z.object({
        home: regionName,
        to: regionName,
        kind: z.enum(['PLANNED', 'UNPLANNED']),
        step: z.string().max(200),
      }),
    )
    .default([]),
});

/**
 * What recovery of one region says on `recoveryStatusSubject`, as JSON, once a second and whenever
 * an owner changes. Everything is as that region sees it; ages are by its own monotonic clock.
 *
 * - `region`: who says so.
 * - `owners`, `epochs`: home to the region that decides for it, and to the epoch in force.
 * - `leases`: region to the age of the last renewal seen, in ms. A region never seen is not listed.
 * - `links`: for each peer, what of this region's `IN_` and `EV_` together it does not hold yet:
 *   `events` messages, the oldest of them stored `ms` ago (0 when it holds everything). A peer that
 *   has never reported is not listed.
 * - `isolated`: this region sees no other region.
 * - `riskMs`: the age of its oldest message that no other region holds, in ms; 0 when there is none.
 * - `control`: whether the control cluster answers.
 * - `failovers`: those under way, with the step in words; may be left out when there is none.
 */
export type RecoveryStatus = z.output<typeof recoveryStatus>;

/** Reads a status; undefined when the text is none. Fields that are not known are dropped. */
export function parseRecoveryStatus(text: string): RecoveryStatus | undefined {
  try {
    return recoveryStatus.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
