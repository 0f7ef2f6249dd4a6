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
  const { parameters, missing, lost, publishing, check, times } = facts;
  const elsewhere = ({ count }: Lost): number => count.mirrored + count.all;
  const observations = [
    atMost(
      'MIRRORED_KEPT',
      'Nothing acknowledged at mirrored or all is lost',
      'requests',
      0,
    )(elsewhere(missing) + elsewhere(lost)),
    atMost(
      'NOTHING_LOST',
      'In the end every region holds all that was acknowledged',
      'requests',
      0,
    )(totals.lost),
    atMost(
      'ONE_AGENT_ONE_CONTACT',
      'No double assignment',
      'assignments',
      0,
    )(facts.doubleAssignments),
    atMost(
      'ORPHANS_ACCOUNTED',
      'Every orphan is adopted or set aside',
      'orphans',
      0,
    )(Math.abs(totals.orphansUnaccounted)),
    atMost(
      'INVARIANTS',
      'The independent check of the log finds no violation',
      'violations',
      0,
    )(totals.violations),
    atMost(
      'COPIES_ALIKE',
      'All copies are byte for byte alike',
      'copies',
      0,
    )(check.copiesThatDiffer.length),
    atMost(
      'RETRIES_CURE',
      'No publisher sees an error that a retry does not cure',
      'requests',
      0,
    )(publishing.uncured),
  ];
  // Where regions are cut off or lost for long, not all that is asked for can be acknowledged.
  if (parameters.kind !== 'NONE') {
    observations.push(
      atLeast(
        'LOAD',
        'The load was put on',
        'requests/s',
        parameters.ratePerSecond * limits.rateShare,
      )(totals.perSecond),
    );
  }
  if (parameters.kind === 'UNPLANNED') {
    observations.push(
      atMost('RPO', 'What may be lost spans 1 s at most', 'ms', limits.rpoMs)(facts.rpoMs),
      atMost(
        'RTO',
        'First contact offered elsewhere within 15 s',
        'ms',
        limits.firstOfferMs,
      )(times.firstOfferMs),
    );
  } else if (parameters.kind === 'PLANNED') {
    observations.push(
      atMost(
        'RPO',
        'A planned failover loses nothing',
        'requests',
        0,
      )(totals.missing + facts.orphans.found),
      atMost(
        'PAUSE',
        'No publisher pauses for 2 s',
        'ms',
        limits.plannedPauseMs,
      )(totals.longestPauseMs),
      atMost(
        'MOVED',
        'The ownership moved within 15 s',
        'ms',
        limits.firstOfferMs,
      )(times.takeoverMs),
    );
  }
  return [...observations, ...facts.observations].map(judge);
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
