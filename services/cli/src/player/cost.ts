import type { LogCheckResult } from '../check/index.ts';
import type { DisasterReport } from './disaster.ts';
import type { Takeover } from './takeovers.ts';

type Lost = DisasterReport & { readonly takeovers: readonly Takeover[] };

interface Found {
  readonly check: Pick<LogCheckResult, 'counts' | 'orphans'>;
  readonly requestsStored: number;
  readonly steps: { readonly requests: number };
}

/** Rules whose breach means that an agent or a contact was booked twice. */
const doubleRules = ['one-offer', 'capacity', 'partition'] as const;

/** What the loss of a region cost, of one home that it owned. Real ms from the kill. */
export interface HomeCost {
  readonly home: string;
  readonly epoch: number;
  readonly to: string;
  readonly rpoMs: number | null;
  readonly detectionMs: number | null;
  readonly takeoverMs: number;
  readonly firstOfferMs: number | null;
}

/** What the loss of a region cost, from the logs of all regions. */
export interface Cost {
  readonly region: string;
  readonly homes: readonly HomeCost[];
  readonly recoveredMs: number;
  readonly returnedMs: number | null;
  /** Decisions beyond the seals: they do not count. */
  readonly orphans: { readonly found: number; readonly adopted: number; readonly setAside: number };
  /** Requests that no region's log holds. */
  readonly lostRequests: number;
  readonly sentAgain: number;
  /** Requests that it had acknowledged and no other region held at the kill. */
  readonly missing: number;
  readonly doubleAssignments: number;
}

export function costOf(lost: Lost, { check, requestsStored, steps }: Found): Cost {
  const { region, killedAt, takeovers, recoveredMs, returnedMs, sentAgain, missing } = lost;
  const since = (at: number | null): number | null => (at === null ? null : at - killedAt);
  const ended = (outcome: string): number =>
    check.orphans.filter((orphan) => orphan.outcome === outcome).length;
  return {
    region,
    homes: takeovers
      .filter(({ from, completedAt }) => from === region && completedAt >= killedAt)
      .map(({ home, epoch, to, rpoMs, detectedAt, completedAt, firstOfferAt }) => ({
        home,
        epoch,
        to,
        rpoMs,
        detectionMs: since(detectedAt),
        takeoverMs: completedAt - killedAt,
        firstOfferMs: since(firstOfferAt),
      })),
    recoveredMs: Math.round(recoveredMs),
    returnedMs: returnedMs === null ? null : Math.round(returnedMs),
    orphans: {
      found: check.orphans.length,
      adopted: ended('adopted'),
      setAside: ended('set_aside'),
    },
    lostRequests: Math.max(0, steps.requests - requestsStored),
    sentAgain,
    missing,
    doubleAssignments: doubleRules.reduce((sum, rule) => sum + (check.counts[rule] ?? 0), 0),
  };
}

/** The receipt for people, line by line. */
export function costLines(lost: Lost, found: Found): string[] {
  const cost = costOf(lost, found);
  const at = new Date(lost.at).toISOString().slice(11, 19);
  const seconds = (ms: number | null): string =>
    ms === null ? 'never' : `${(ms / 1000).toFixed(1)} s`;
  const { orphans } = cost;
  return [
    `The region ${cost.region} was killed at ${at} of the day. What that cost:`,
    ...cost.homes.map(
      ({ home, epoch, to, rpoMs, detectionMs, takeoverMs, firstOfferMs }) =>
        `  home ${home}: ${to} decides since epoch ${epoch}; detected after ${seconds(detectionMs)}, ` +
        `taken over after ${seconds(takeoverMs)}, first offer ` +
        `${firstOfferMs === null ? 'never' : `after ${seconds(firstOfferMs)}`}; ` +
        `RPO ${rpoMs === null ? 'unknown' : `${rpoMs} ms`}`,
    ),
    `  everything rested again after ${seconds(cost.recoveredMs)}; ${cost.sentAgain} requests sent again, ` +
      `${cost.missing} of which were acknowledged and held nowhere else`,
    `  ${orphans.found} decisions beyond the seal: ${orphans.adopted} adopted, ${orphans.setAside} set aside`,
    `  ${cost.lostRequests} requests lost, ${cost.doubleAssignments} double assignments`,
    cost.returnedMs === null
      ? '  the region stays away'
      : `  started again after the day, it rested with the others after ${seconds(cost.returnedMs)}`,
  ];
}
