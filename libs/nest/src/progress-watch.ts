import type { Log } from '@meridian/journal';
import type { Beat } from './beat.ts';
import type { ProgressReport } from './progress-report.ts';
import { progressSubject } from './progress.ts';
import { settled, type Settled } from './settled.ts';

/** The latest report of each service of a region. */
export class ProgressWatch {
  readonly #reports = new Map<string, ProgressReport>();
  readonly #waiting = new Set<() => void>();
  readonly #unsubscribe: () => void;
  #count = 0;

  constructor(beat: Beat, region: string) {
    this.#unsubscribe = beat.subscribe(progressSubject(region, '*'), (text) => {
      const report = parseReport(text);
      if (report === undefined) return;
      this.#reports.set(report.service, report);
      this.#count += 1;
      for (const end of this.#waiting) end();
    });
  }

  /** The reports as they are now: a copy that does not change. */
  reports(): ReadonlyMap<string, ProgressReport> {
    return new Map(this.#reports);
  }

  /** How many reports have come in. */
  get count(): number {
    return this.#count;
  }

  /** Resolves when more than `count` reports have come in, or after `limitMs`. */
  moreThan(count: number, limitMs: number): Promise<void> {
    if (this.#count > count) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(limit);
        this.#waiting.delete(end);
        resolve();
      };
      const limit = setTimeout(end, limitMs);
      this.#waiting.add(end);
    });
  }

  close(): void {
    this.#unsubscribe();
  }
}

/** Reads a report; undefined when it is none. */
export function parseReport(text: string): ProgressReport | undefined {
  try {
    const report = JSON.parse(text) as ProgressReport | null;
    return typeof report?.service === 'string' && Array.isArray(report.reads) ? report : undefined;
  } catch {
    return undefined;
  }
}

export interface SettlingOptions {
  readonly log: Log;
  readonly watch: ProgressWatch;
  /** The services that must have come there. */
  readonly required: readonly string[];
  /** The time of a driven clock that they must have come to; undefined: only reading counts. */
  readonly at?: number;
  /** How long to wait in all, in real ms. */
  readonly timeoutMs: number;
}

/**
 * Waits until everything has been read and everything due at `at` has been fired. The reports are
 * copied before the ends of the streams are asked for: `settled` says why that order matters.
 * @returns the last answer: not settled when `timeoutMs` have passed
 * @throws LogFault when the log does not say where its streams end
 */
export async function waitUntilSettled({
  log,
  watch,
  required,
  at,
  timeoutMs,
}: SettlingOptions): Promise<Settled> {
  const deadlineMs = performance.now() + timeoutMs;
  for (;;) {
    const { count } = watch;
    const reports = watch.reports();
    const question = { required, reports, ...(at === undefined ? {} : { at }) };
    // Without looking at the log first: most reports already say that it is too early.
    let answer = settled({ ...question, lastSequence: () => 0 });
    if (answer.settled) {
      answer = settled({ ...question, lastSequence: await readEnds(log, reports, required) });
    }
    const leftMs = deadlineMs - performance.now();
    if (answer.settled || leftMs <= 0) return answer;
    await watch.moreThan(count, leftMs);
  }
}

/** Asks for the end of every stream and filter that is read. */
async function readEnds(
  log: Log,
  reports: ReadonlyMap<string, ProgressReport>,
  required: readonly string[],
): Promise<(stream: string, filter: string) => number | undefined> {
  const reads = required.flatMap((service) => reports.get(service)?.reads ?? []);
  const ends = new Map(
    reads.map(({ stream, filter }) => [`${stream} ${filter}`, { stream, filter, last: 0 }]),
  );
  await Promise.all(
    [...ends.values()].map(async (end) => {
      end.last = await log.lastSequence(end.stream, end.filter);
    }),
  );
  return (stream, filter) => ends.get(`${stream} ${filter}`)?.last;
}
