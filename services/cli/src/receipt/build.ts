import type { LogCheckResult } from '../check/index.ts';
import {
  durabilities,
  receiptFormat,
  type ByDurability,
  type Durability,
  type Facts,
  type Lost,
  type LostRange,
  type Observation,
  type Receipt,
  type Verdict,
} from './receipt.ts';

/** The most ranges of lost sequences that a receipt lists: it must fit into an event. */
const rangesLimit = 100;

/** What is promised, in the units of the verdicts. */
const limits = {
  rpoMs: 1_000,
  firstOfferMs: 15_000,
  plannedPauseMs: 2_000,
  /** Of the rate that was asked for: a drill with less load proves less. */
  rateShare: 0.9,
} as const;

export const sumOf = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((sum, count) => sum + count, 0);

/** What the check of the log says, as a receipt has it. */
export function checkFigures(
  {
    entries,
    events,
    contacts,
    reservations,
    counts,
  }: Pick<LogCheckResult, 'entries' | 'events' | 'contacts' | 'reservations' | 'counts'>,
  differing: readonly string[],
): Facts['check'] {
  return {
    entries,
    events,
    contacts,
    reservations,
    violations: counts,
    copiesThatDiffer: differing,
  };
}

/** Totals, verdicts and whether all promises were kept follow from the facts alone. */
export function buildReceipt(facts: Facts): Receipt {
  const totals = totalsOf(facts);
  const verdicts = verdictsOf(facts, totals);
  return {
    format: receiptFormat,
    ...facts,
    totals,
    verdicts,
    passed: verdicts.every(({ kept }) => kept),
  };
}

export function totalsOf(facts: Facts): Receipt['totals'] {
  const { publishing, missing, lost, check, orphans } = facts;
  const acknowledged = sumOf(publishing.acknowledged);
  const { acknowledgedInTime, longestPauseMs } = publishing;
  const { seconds } = facts.parameters;
  return {
    acknowledged,
    missing: sumOf(missing.count),
    lost: sumOf(lost.count),
    violations: sumOf(check.violations),
    orphansUnaccounted: orphans.found - orphans.adopted - orphans.setAside,
    perSecond: Math.round((acknowledgedInTime * 10) / seconds) / 10,
    longestPauseMs: Math.max(0, ...Object.values(longestPauseMs)),
  };
}

/** One verdict for each promise, in a fixed order. */
export function verdictsOf(facts: Facts, totals: Receipt['totals']): Verdict[] {
  const ofKind = {
    UNPLANNED: () => [...loadOf(facts, totals), ...unplanned(facts)],
    PLANNED: () => [...loadOf(facts, totals), ...planned(facts, totals)],
    NONE: () => [],
  }[facts.parameters.kind];
  return [...always(facts, totals), ...ofKind(), ...facts.observations].map(judge);
}

/** What every drill promises: that none of these ever happens. */
function always(facts: Facts, totals: Receipt['totals']): Observation[] {
  const { missing, lost, publishing, check } = facts;
  const elsewhere = ({ count }: Lost): number => count.mirrored + count.all;
  const never = (code: string, promise: string, unit: string, measured: number): Observation =>
    atMost(code, promise, unit, 0)(measured);
  return [
    never(
      'MIRRORED_KEPT',
      'Nothing acknowledged at mirrored or all is lost',
      'requests',
      elsewhere(missing) + elsewhere(lost),
    ),
    never(
      'NOTHING_LOST',
      'In the end every region holds all that was acknowledged',
      'requests',
      totals.lost,
    ),
    never('ONE_AGENT_ONE_CONTACT', 'No double assignment', 'assignments', facts.doubleAssignments),
    never(
      'ORPHANS_ACCOUNTED',
      'Every orphan is adopted or set aside',
      'orphans',
      Math.abs(totals.orphansUnaccounted),
    ),
    never(
      'INVARIANTS',
      'The independent check of the log finds no violation',
      'violations',
      totals.violations,
    ),
    never(
      'COPIES_ALIKE',
      'All copies are byte for byte alike',
      'copies',
      check.copiesThatDiffer.length,
    ),
    never(
      'RETRIES_CURE',
      'No publisher sees an error that a retry does not cure',
      'requests',
      publishing.uncured,
    ),
  ];
}

/**
 * Where regions are cut off for long, not all that is asked for can be acknowledged: not there, and
 * not where no rate was asked for.
 */
function loadOf({ parameters }: Facts, { perSecond }: Receipt['totals']): Observation[] {
  if (parameters.ratePerSecond === null) return [];
  const least = parameters.ratePerSecond * limits.rateShare;
  return [atLeast('LOAD', 'The load was put on', 'requests/s', least)(perSecond)];
}

function unplanned({ rpoMs, times }: Facts): Observation[] {
  const offered = 'First contact offered elsewhere within 15 s';
  return [
    atMost('RPO', 'What may be lost spans 1 s at most', 'ms', limits.rpoMs)(rpoMs),
    atMost('RTO', offered, 'ms', limits.firstOfferMs)(times.firstOfferMs),
  ];
}

function planned(facts: Facts, totals: Receipt['totals']): Observation[] {
  const { orphans, times } = facts;
  const lost = totals.missing + orphans.found;
  const moved = 'The ownership moved within 15 s';
  return [
    atMost('RPO', 'A planned failover loses nothing', 'requests', 0)(lost),
    atMost(
      'PAUSE',
      'No publisher pauses for 2 s',
      'ms',
      limits.plannedPauseMs,
    )(totals.longestPauseMs),
    atMost('MOVED', moved, 'ms', limits.firstOfferMs)(times.takeoverMs),
  ];
}

type Judge = (measured: number | null) => Observation;

const atMost =
  (code: string, promise: string, unit: string, limit: number): Judge =>
  (measured) => ({ code, promise, measured, bound: 'at most', limit, unit });

const atLeast =
  (code: string, promise: string, unit: string, limit: number): Judge =>
  (measured) => ({ code, promise, measured, bound: 'at least', limit, unit });

function judge(observation: Observation): Verdict {
  const { measured, bound, limit } = observation;
  const holds = (figure: number): boolean =>
    bound === 'at most' ? figure <= limit : figure >= limit;
  return { ...observation, kept: measured !== null && holds(measured) };
}

/** An acknowledged message that was not found. */
export interface LostMessage {
  readonly durability: Durability;
  readonly stream: string;
  readonly sequence: number;
}

/** Counts what was lost, and joins neighbouring sequences into ranges. */
export function lostOf(messages: readonly LostMessage[]): Lost {
  const count: Record<Durability, number> = { region: 0, mirrored: 0, all: 0 };
  const ranges: { durability: Durability; stream: string; from: number; to: number }[] = [];
  const sorted = messages.toSorted(
    (a, b) =>
      durabilities.indexOf(a.durability) - durabilities.indexOf(b.durability) ||
      (a.stream < b.stream ? -1 : a.stream > b.stream ? 1 : a.sequence - b.sequence),
  );
  for (const { durability, stream, sequence } of sorted) {
    count[durability] += 1;
    const last = ranges.at(-1);
    const isNext =
      last?.durability === durability && last.stream === stream && last.to === sequence - 1;
    if (isNext) last.to = sequence;
    else ranges.push({ durability, stream, from: sequence, to: sequence });
  }
  return {
    count,
    ranges: ranges.slice(0, rangesLimit),
    rangesLeftOut: Math.max(0, ranges.length - rangesLimit),
  };
}

/** How many messages of each durability the ranges hold. */
export function countRanges(ranges: readonly LostRange[]): ByDurability {
  const count: Record<Durability, number> = { region: 0, mirrored: 0, all: 0 };
  for (const { durability, from, to } of ranges) count[durability] += to - from + 1;
  return count;
}
