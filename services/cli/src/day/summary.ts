import { unreachable } from '@meridian/core';
import { coveredMs, overlapMs, type Interval } from './intervals.ts';

/** What became of one contact. Times are epoch ms. */
export interface ContactSample {
  /**
   * SERVED by an agent; ABANDONED in the queue, while alerting included; LEFT_IN_IVR before any
   * queue; UNFINISHED: none of these when the day was over (a loss, or cut short).
   */
  readonly outcome: 'SERVED' | 'ABANDONED' | 'LEFT_IN_IVR' | 'UNFINISHED';
  /** When it first entered the queue; null if it never did (also when answered at once). */
  readonly queuedAt: number | null;
  /** When an agent first began to speak to it; null unless served. */
  readonly connectedAt: number | null;
  /** When the customer was gone; null while unfinished. */
  readonly endedAt: number | null;
  /** 0 unless served. */
  readonly talkSeconds: number;
  /** 0 unless served. */
  readonly wrapUpSeconds: number;
}

/** One agent's day: when signed in, and when talking or in wrap-up (ringing is not busy). */
export interface AgentSample {
  readonly signedIn: readonly Interval[];
  readonly busy: readonly Interval[];
}

export interface DaySamples {
  readonly contacts: readonly ContactSample[];
  readonly agents: readonly AgentSample[];
}

/** A day in figures. A share or mean of nothing is null. */
export interface DayFigures {
  readonly contacts: number;
  readonly served: number;
  readonly abandoned: number;
  readonly leftInIvr: number;
  readonly unfinished: number;
  /** Those that entered a queue, whatever became of them. */
  readonly queued: number;
  /** abandoned / (served + abandoned). */
  readonly abandonedShare: number | null;
  /** Served after at most 20 s of waiting / served. */
  readonly serviceLevelOfServed: number | null;
  /** Served after at most 20 s of waiting / (served + abandoned): who hung up counts as missed. */
  readonly serviceLevelOfOffered: number | null;
  /** ASA: mean wait of the served, those who never waited included. */
  readonly averageSpeedOfAnswerSeconds: number | null;
  /** Median and 99th percentile of the same waits. */
  readonly waitP50Seconds: number | null;
  readonly waitP99Seconds: number | null;
  /** Mean time in the queue of those who hung up there. */
  readonly averageAbandonSeconds: number | null;
  /** AHT: mean of talk plus wrap-up of the served. */
  readonly averageHandleSeconds: number | null;
  readonly handleP50Seconds: number | null;
  readonly agents: number;
  readonly signedInHours: number;
  /** Time signed in and busy / time signed in; work done after signing out counts in neither. */
  readonly occupancy: number | null;
}

/** The wait within which an answer counts for the service level, in seconds, itself included. */
export const serviceLevelSeconds = 20;

/**
 * The exact quantile by nearest rank: the smallest value that at least `share` of all values do
 * not exceed (type 1 in R. J. Hyndman and Y. Fan, "Sample Quantiles in Statistical Packages",
 * The American Statistician 50 (1996), 361-365).
 * @param share from 0 (the smallest) to 1 (the largest)
 * @returns null without values
 * @throws RangeError for a share outside [0, 1]
 */
export function quantile(values: readonly number[], share: number): number | null {
  if (!(share >= 0 && share <= 1)) {
    throw new RangeError(`The share is ${share}.\nGive a number from 0 to 1.`);
  }
  const sorted = Float64Array.from(values).sort();
  // 0.07 x 100 is a little more than 7: a rank within rounding of a whole number is that number.
  const rank = Math.ceil(share * sorted.length - 1e-9);
  return sorted[Math.max(1, rank) - 1] ?? null;
}

function mean(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function share(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}

function countOutcomes(contacts: readonly ContactSample[]): {
  served: number;
  abandoned: number;
  leftInIvr: number;
  unfinished: number;
} {
  const count = { served: 0, abandoned: 0, leftInIvr: 0, unfinished: 0 };
  for (const { outcome } of contacts) {
    switch (outcome) {
      case 'SERVED':
        count.served += 1;
        break;
      case 'ABANDONED':
        count.abandoned += 1;
        break;
      case 'LEFT_IN_IVR':
        count.leftInIvr += 1;
        break;
      case 'UNFINISHED':
        count.unfinished += 1;
        break;
      default:
        unreachable(outcome);
    }
  }
  return count;
}

/** Seconds from the queue to the moment; 0 for a contact that never queued. */
function waitSeconds(contact: ContactSample, untilAt: number | null): number {
  if (contact.queuedAt === null || untilAt === null) return 0;
  return (untilAt - contact.queuedAt) / 1000;
}

function occupancyOf(agents: readonly AgentSample[]): { hours: number; occupancy: number | null } {
  let signedInMs = 0;
  let busyMs = 0;
  for (const { signedIn, busy } of agents) {
    signedInMs += coveredMs(signedIn);
    busyMs += overlapMs(signedIn, busy);
  }
  return { hours: signedInMs / 3_600_000, occupancy: share(busyMs, signedInMs) };
}

/** The figures of a day, ours or the real centre's: the same definitions for both. */
export function summarise({ contacts, agents }: DaySamples): DayFigures {
  const count = countOutcomes(contacts);
  const served = contacts.filter((contact) => contact.outcome === 'SERVED');
  const abandoned = contacts.filter((contact) => contact.outcome === 'ABANDONED');
  const waits = served.map((contact) => waitSeconds(contact, contact.connectedAt));
  const handles = served.map((contact) => contact.talkSeconds + contact.wrapUpSeconds);
  const inTime = waits.filter((wait) => wait <= serviceLevelSeconds).length;
  const { hours, occupancy } = occupancyOf(agents);
  return {
    contacts: contacts.length,
    ...count,
    queued: contacts.filter((contact) => contact.queuedAt !== null).length,
    abandonedShare: share(count.abandoned, count.served + count.abandoned),
    serviceLevelOfServed: share(inTime, count.served),
    serviceLevelOfOffered: share(inTime, count.served + count.abandoned),
    averageSpeedOfAnswerSeconds: mean(waits),
    waitP50Seconds: quantile(waits, 0.5),
    waitP99Seconds: quantile(waits, 0.99),
    averageAbandonSeconds: mean(abandoned.map((one) => waitSeconds(one, one.endedAt))),
    averageHandleSeconds: mean(handles),
    handleP50Seconds: quantile(handles, 0.5),
    agents: agents.length,
    signedInHours: hours,
    occupancy,
  };
}
