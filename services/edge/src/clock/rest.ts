import type { Log } from '@meridian/journal';
import { settled, type ProgressReport, type ProgressWatch, type Settled } from '@meridian/nest';
import { eventStream, intakeStream } from '@meridian/wire';

export interface RestOptions {
  readonly log: Log;
  readonly region: string;
  /** What every service reports. */
  readonly watch: ProgressWatch;
  /** The services that must have come to rest. */
  readonly required: readonly string[];
}

export type Rest =
  | {
      readonly settled: true;
      /** When the next timer of any service is due, in epoch ms. */
      readonly nextDueMs: number | null;
      /** Where the region's streams end. */
      readonly lastSequence: Readonly<Record<string, number>>;
    }
  | { readonly settled: false; readonly waitingFor: readonly string[] };

type Ends = ReadonlyMap<string, number>;

const keyOf = (stream: string, filter: string): string => `${stream} ${filter}`;

/**
 * Waits until every service has read everything and has fired what was due, as `settled` defines
 * it. A player pays for this at each of its steps: the log is asked only when the reports alone
 * do not say that it is too early, and then for everything at once.
 */
export class RestWatch {
  readonly #options: RestOptions;
  /** The streams' names and the filters that stand for all of them. */
  readonly #streams: readonly (readonly [stream: string, filter: string])[];
  /** Where filters were seen to end; they never end before that again. */
  readonly #seen = new Map<string, number>();

  constructor(options: RestOptions) {
    this.#options = options;
    const { region } = options;
    this.#streams = [
      [intakeStream(region), `in.${region}.>`],
      [eventStream(region), `ev.${region}.>`],
    ];
  }

  /**
   * @param at the last setting of the clock, in epoch ms
   * @param timeoutMs how long to wait in all, in real ms
   * @returns the last state seen: not settled when the time is over
   * @throws LogFault when the log does not say where it ends
   */
  async wait(at: number, timeoutMs: number): Promise<Rest> {
    const { watch } = this.#options;
    const deadlineMs = performance.now() + timeoutMs;
    for (;;) {
      const { count } = watch;
      const reports = watch.reports();
      let state = this.#judge(at, reports, this.#seen);
      if (state.settled) {
        const ends = await this.#ends(reports);
        state = this.#judge(at, reports, ends);
        if (state.settled) return { ...state, lastSequence: this.#lastSequences(ends) };
      }
      const leftMs = deadlineMs - performance.now();
      if (leftMs <= 0) return state;
      await watch.moreThan(count, leftMs);
    }
  }

  #judge(at: number, reports: ReadonlyMap<string, ProgressReport>, ends: Ends): Settled {
    const lastSequence = (stream: string, filter: string): number =>
      ends.get(keyOf(stream, filter)) ?? 0;
    return settled({ at, required: this.#options.required, reports, lastSequence });
  }

  async #ends(reports: ReadonlyMap<string, ProgressReport>): Promise<Ends> {
    const { log, required } = this.#options;
    const wanted = new Map(
      this.#streams.map(([stream, filter]) => [keyOf(stream, filter), { stream, filter }]),
    );
    for (const service of required) {
      for (const read of reports.get(service)?.reads ?? []) {
        wanted.set(keyOf(read.stream, read.filter), read);
      }
    }
    const ends = await Promise.all(
      [...wanted].map(async ([key, { stream, filter }]) => {
        const last = await log.lastSequence(stream, filter);
        this.#seen.set(key, last);
        return [key, last] as const;
      }),
    );
    return new Map(ends);
  }

  #lastSequences(ends: Ends): Record<string, number> {
    return Object.fromEntries(
      this.#streams.map(([stream, filter]) => [stream, ends.get(keyOf(stream, filter)) ?? 0]),
    );
  }
}
