import type { CopiesReport, ReportedCopy } from './report.ts';

/** A report and when it came, by the own monotonic clock. */
interface Heard {
  readonly report: CopiesReport;
  readonly atMs: number;
}

/** The last word of each peer about its copies. */
export class Peers {
  readonly #heard = new Map<string, Heard>();
  readonly #freshMs: number;

  constructor(freshMs: number) {
    this.#freshMs = freshMs;
  }

  /** Takes a report. @returns false for one that came late, after a newer one */
  take(report: CopiesReport, nowMs: number): boolean {
    const known = this.#heard.get(report.region);
    const isLate =
      known?.report.instance === report.instance && known.report.number >= report.number;
    if (!isLate) this.#heard.set(report.region, { report, atMs: nowMs });
    return !isLate;
  }

  /** The reports that count on now. */
  fresh(nowMs: number): CopiesReport[] {
    return [...this.#heard.values()]
      .filter(({ atMs }) => nowMs - atMs <= this.#freshMs)
      .map(({ report }) => report);
  }

  /** What a peer said last of a stream, however long ago. */
  lastWord(region: string, stream: string): ReportedCopy | undefined {
    return this.#heard.get(region)?.report.streams[stream];
  }

  numbers(): Record<string, number> {
    return Object.fromEntries(
      [...this.#heard].map(([region, { report }]) => [region, report.number]),
    );
  }
}

/** What a region has said about mending one of its copies. */
export interface Claim {
  readonly stream: string;
  /** The number of the own report in which it was first said. */
  readonly number: number;
}

/**
 * Whether a region may begin to mend its copy: every peer in reach has heard that it wants to, none
 * has begun to mend its own copy of the same stream, and none that wants to comes first. So there are
 * never two regions in reach of each other that take down a copy of a stream at the same time.
 */
export function mayBegin(
  region: string,
  origin: string,
  claim: Claim,
  reports: readonly CopiesReport[],
): boolean {
  return reports.every(({ region: peer, heard, streams }) => {
    if ((heard[region] ?? 0) < claim.number) return false;
    const mending = streams[claim.stream]?.mending;
    if (mending === undefined) return true;
    return mending === 'wanted' && comesFirst(region, peer, origin);
  });
}

/** The origin comes first, then the order of names. */
function comesFirst(one: string, other: string, origin: string): boolean {
  if (one === origin || other === origin) return one === origin;
  return one < other;
}
