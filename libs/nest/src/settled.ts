import type { ProgressReport, Read } from './progress-report.ts';

export type Settled =
  | { readonly settled: true; readonly nextDueMs: number | null }
  /** What is waited for, in words that name the service. */
  | { readonly settled: false; readonly waitingFor: readonly string[] };

export interface SettledInput {
  /** The time that every service must have come to, in epoch ms; undefined: only reading counts. */
  readonly at?: number;
  /** The services that must have reported. */
  readonly required: readonly string[];
  /** Each service's latest report. */
  readonly reports: ReadonlyMap<string, ProgressReport>;
  /**
   * The last sequence of a stream under a filter, read **after** the last of `reports` came in;
   * undefined when it is not known.
   */
  readonly lastSequence: (stream: string, filter: string) => number | undefined;
}

/**
 * Whether everything that came of the log up to now has been decided, and everything due at `at`
 * has been fired: nothing more will be stored until somebody outside asks for something, or the
 * clock moves.
 *
 * Why this holds. A report is one instant of its service. It says position p of a filter only when
 * the effects of all messages up to p are stored, and `clock` = at only when nothing due at `at`
 * is left or being fired, `nextDueMs` being of that same instant. Suppose some service stored
 * something more after its report, and take the first such append, X's. It came of a timer of X
 * or of a message. A timer of X that is due at `at` was set by a message that X had not read when
 * it reported. So in both cases there is a message m beyond X's position. If m was stored before
 * the last sequences were read, they show m, and X's position is below: contradiction. If it was
 * stored later, then by a service after its report (all reports came before the sequences were
 * read), which would be an earlier such append: contradiction.
 */
export function settled({ at, required, reports, lastSequence }: SettledInput): Settled {
  const waitingFor: string[] = [];
  let nextDueMs: number | null = null;
  for (const service of required) {
    const report = reports.get(service);
    if (report === undefined) {
      waitingFor.push(`${service} has not reported yet`);
      continue;
    }
    if (at !== undefined && report.clock !== at) {
      waitingFor.push(`${service} has not fired everything due at ${at} yet`);
    }
    for (const read of report.reads) {
      const behind = behindOf(service, read, lastSequence(read.stream, read.filter));
      if (behind !== undefined) waitingFor.push(behind);
    }
    if (report.nextDueMs !== null) nextDueMs = Math.min(nextDueMs ?? Infinity, report.nextDueMs);
  }
  return waitingFor.length === 0 ? { settled: true, nextDueMs } : { settled: false, waitingFor };
}

function behindOf(
  service: string,
  { stream, filter, position }: Read,
  last: number | undefined,
): string | undefined {
  if (last === undefined) return `the end of ${stream} under ${filter} is not known`;
  return position >= last
    ? undefined
    : `${service} has read ${stream} under ${filter} to ${position} of ${last}`;
}
