import type { LogCheckResult } from '../check/index.ts';
import { compareFigures, type ComparedFigure, type DayFigures } from '../day/index.ts';
import type { Audit } from './audit.ts';
import type { CopiesFound } from './copies.ts';
import type { DisasterReport } from './disaster.ts';
import type { OfferLatency } from './offerLatency.ts';
import type { Acknowledgements } from './outbox.ts';
import type { Receipt } from '../receipt/index.ts';

/** Everything that is known of a play once it is over. */
export interface PlayReport {
  readonly run: string;
  /** As in 1999-08-02. */
  readonly date: string;
  readonly seed: string;
  readonly speed: 'max' | number;
  /** Whole days, or ms with the system's clock, by which the plan was moved; 0 when it was not. */
  readonly movedByMs: number;
  readonly assumptions: readonly string[];
  /** From the log. */
  readonly figures: DayFigures;
  /** The real centre's; null for a day that was made. */
  readonly real: DayFigures | null;
  readonly eventsStored: number;
  readonly requestsStored: number;
  /** Requests published, and times at which everything was waited to settle. */
  readonly steps: { readonly requests: number; readonly settlings: number };
  /** When it began and when all was known, real epoch ms. */
  readonly startedAt: number;
  readonly endedAt: number;
  readonly wallSeconds: number;
  readonly offerLatency: OfferLatency;
  readonly check: Pick<
    LogCheckResult,
    | 'entries'
    | 'events'
    | 'contacts'
    | 'reservations'
    | 'violationCount'
    | 'counts'
    | 'violations'
    | 'orphans'
  >;
  /** Where the log and the player disagree, one sentence each. */
  readonly disagreements: readonly string[];
  /** Events that came too late for the player to act on in time; 0 in a repeatable play. */
  readonly lateEvents: number;
  /** Attempts that failed because the region was away. */
  readonly failures: number;
  /** The regions it was played across; null in a region alone. */
  readonly regions: readonly string[] | null;
  /** What the loss of a region cost; null when none was lost. */
  readonly disaster: Disastrous | null;
}

/** What is known of the loss of a region. */
export type Disastrous = DisasterReport &
  Pick<Audit, 'takeovers' | 'ownership' | 'orphansAt'> &
  CopiesFound & { readonly acknowledgements: Acknowledgements };

/** Whether the day was played out: every contact ended, the invariants hold, the totals agree. */
export function isGood({ figures, check, disagreements }: PlayReport): boolean {
  return figures.unfinished === 0 && check.violationCount === 0 && disagreements.length === 0;
}

/** The receipt of a day that lost a region, and the file in which it is signed. */
export interface KeptReceipt {
  readonly receipt: Receipt;
  readonly file: string;
}

/** What the loss of a region cost, of the receipt. */
function failoverOf({ receipt, file }: KeptReceipt): Readonly<Record<string, unknown>> {
  const { id, parameters, rpoMs, times, totals, orphans, doubleAssignments, passed } = receipt;
  return {
    region: parameters.home,
    rpoMs,
    ...times,
    acknowledged: totals.acknowledged,
    missing: totals.missing,
    lost: totals.lost,
    orphans,
    doubleAssignments,
    passed,
    id,
    receipt: file,
  };
}

/** Rounded to so many decimals; null stays null. */
function rounded(value: number | null, decimals: number): number | null {
  return value === null ? null : Number(value.toFixed(decimals));
}

function mainFigures(figures: DayFigures): Readonly<Record<string, number | null>> {
  return {
    contacts: figures.contacts,
    served: figures.served,
    abandoned: figures.abandoned,
    leftInIvr: figures.leftInIvr,
    unfinished: figures.unfinished,
    serviceLevel20s: rounded(figures.serviceLevelOfOffered, 4),
    asaSeconds: rounded(figures.averageSpeedOfAnswerSeconds, 2),
    ahtSeconds: rounded(figures.averageHandleSeconds, 2),
    occupancy: rounded(figures.occupancy, 4),
  };
}

/**
 * The result as one line of JSON. `serviceLevel20s` is of those served and those who hung up in
 * the queue; shares are 0 to 1, times as the names say; `real` is null for a day that was made.
 * @param kept the receipt, where a region was lost: then `ok` says too that its promises were kept
 */
export function summaryLine(report: PlayReport, kept?: KeptReceipt): string {
  const { offerLatency, check, steps } = report;
  return JSON.stringify({
    ok: isGood(report) && kept?.receipt.passed !== false,
    ...mainFigures(report.figures),
    eventsStored: report.eventsStored,
    requestsStored: report.requestsStored,
    eventsPerSecond: rounded(report.eventsStored / report.wallSeconds, 1),
    offerLatencyMs: { p50: offerLatency.p50, p99: offerLatency.p99 },
    invariantViolations: check.violationCount,
    disagreements: report.disagreements.length,
    lateEvents: report.lateEvents,
    failedAttempts: report.failures,
    steps: steps.requests,
    stepsPerSecond: rounded(steps.requests / report.wallSeconds, 1),
    day: report.date,
    seed: report.seed,
    speed: report.speed,
    run: report.run,
    wallSeconds: rounded(report.wallSeconds, 2),
    ...(report.regions === null ? {} : { regions: report.regions }),
    ...(kept === undefined ? {} : { failover: failoverOf(kept) }),
    real: report.real === null ? null : mainFigures(report.real),
  });
}

function shown(value: number | null, unit: ComparedFigure['unit']): string {
  if (value === null) return '-';
  switch (unit) {
    case 'share':
      return `${(100 * value).toFixed(1)} %`;
    case 's':
      return `${value.toFixed(1)} s`;
    case 'h':
      return `${value.toFixed(1)} h`;
    default:
      return String(value);
  }
}

function table(ours: DayFigures, real: DayFigures | null): string[] {
  const figures = compareFigures(real ?? ours, ours);
  const width = Math.max(...figures.map(({ label }) => label.length));
  const row = (label: string, one: string, two: string): string =>
    `  ${label.padEnd(width)}${one.padStart(12)}${real === null ? '' : two.padStart(14)}`;
  return [
    row('', 'this run', 'real centre'),
    ...figures.map(({ label, unit, ...each }) =>
      row(label, shown(each.ours, unit), shown(each.real, unit)),
    ),
  ];
}

/** What the totals depend on beyond the plan. */
function repeatability({ speed, disaster }: PlayReport): string {
  if (speed !== 'max') {
    return `Played by the clock at speed ${speed}: totals vary with the latency of the machine.`;
  }
  return disaster === null
    ? 'Played in lockstep with the log: the same plan gives the same totals on any machine.'
    : 'Played in lockstep with the log; who takes over may differ, and with it the totals.';
}

function machineLines(report: PlayReport): string[] {
  const { eventsStored, requestsStored, wallSeconds, offerLatency, steps, failures } = report;
  const perSecond = (count: number): string => (count / wallSeconds).toFixed(0);
  const latency =
    offerLatency.p50 === null
      ? 'none measured'
      : `${offerLatency.p50} ms median, ${offerLatency.p99} ms 99th percentile ` +
        `(${offerLatency.measured} of ${offerLatency.offers} offers)`;
  return [
    `${requestsStored} requests led to ${eventsStored} events in ${wallSeconds.toFixed(1)} s: ` +
      `${perSecond(eventsStored)} events/s, ${perSecond(steps.requests)} steps/s.`,
    `From the cause stored to the offer stored: ${latency}.`,
    repeatability(report),
    ...(failures === 0 ? [] : [`Attempts that failed, and were repeated: ${failures}.`]),
  ];
}

function problemLines(report: PlayReport): string[] {
  const { figures, check, disagreements, lateEvents, speed } = report;
  const lines = [...disagreements];
  if (figures.unfinished > 0) lines.push(`${figures.unfinished} contacts did not come to an end.`);
  if (check.violationCount > 0) {
    const counts = JSON.stringify(check.counts);
    lines.push(`${check.violationCount} violations of the invariants: ${counts}`);
    for (const { rule, sequence, aggregate, expected, found } of check.violations.slice(0, 5)) {
      lines.push(`  ${rule} at ${sequence}, ${aggregate}: expected ${expected}, found ${found}`);
    }
  }
  if ((check.counts['offer-end'] ?? 0) > 0 && speed !== 'max' && speed > 1) {
    const realMs = Number((1000 / speed).toPrecision(2));
    lines.push(
      `At speed ${speed} the second that an offer may end late is ${realMs} ms of real time: ` +
        'play slower, or with --speed max.',
    );
  }
  if (lateEvents > 0) {
    lines.push(`${lateEvents} events came late: another play may give slightly different totals.`);
  }
  return lines;
}

/** The result for people, line by line. */
export function reportLines(report: PlayReport): string[] {
  const { date, seed, run, figures, real, movedByMs, assumptions } = report;
  const problems = problemLines(report);
  return [
    `The day ${date}, seed ${seed}, run ${run}` +
      (movedByMs === 0 ? '' : ` (moved by ${(movedByMs / 86_400_000).toFixed(1)} days)`),
    '',
    ...table(figures, real),
    '',
    ...machineLines(report),
    ...(problems.length === 0
      ? ['No invariant is violated, and the totals of the log are those the player saw.']
      : problems),
    '',
    'Assumed, because it is not known:',
    ...assumptions.map((assumption) => `  - ${assumption}`),
    '',
  ];
}
