import type { Log } from '@meridian/journal';
import { settled, type ProgressReport, type ProgressWatch, type Settled } from '@meridian/nest';
import { eventStream, intakeStream } from '@meridian/wire';
import { StreamEnds } from './stream-ends.ts';

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

/**
 * Waits until every service has read everything and has fired what was due, as `settled` defines
 * it. A player pays for this at each of its steps: the log is asked only when what is known in
 * memory does not say already that it is too early.
 */
export class RestWatch {
  readonly #options: RestOptions;
  readonly #ends = new Map<string, StreamEnds>();

  constructor(options: RestOptions) {
    this.#options = options;
    for (const stream of [intakeStream(options.region), eventStream(options.region)]) {
      this.#endsOf(stream);
    }
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
      let state = this.#judge(at, reports);
      if (state.settled) {
        // After the reports were copied: `settled` says why that order matters.
        await this.#refresh(reports);
        state = this.#judge(at, reports);
        if (state.settled) return { ...state, lastSequence: this.#lastSequences() };
      }
      const leftMs = deadlineMs - performance.now();
      if (leftMs <= 0) return state;
      await watch.moreThan(count, leftMs);
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#ends.values()].map((ends) => ends.close()));
  }

  /** Judges by the ends as they are known; those not known yet count as reached. */
  #judge(at: number, reports: ReadonlyMap<string, ProgressReport>): Settled {
    const lastSequence = (stream: string, filter: string): number =>
      this.#endsOf(stream).of(filter) ?? 0;
    return settled({ at, required: this.#options.required, reports, lastSequence });
  }

  async #refresh(reports: ReadonlyMap<string, ProgressReport>): Promise<void> {
    const filters = new Map<StreamEnds, string[]>();
    for (const ends of this.#ends.values()) filters.set(ends, []);
    for (const service of this.#options.required) {
      for (const { stream, filter } of reports.get(service)?.reads ?? []) {
        filters.get(this.#endsOf(stream))?.push(filter);
      }
    }
    await Promise.all([...filters].map(([ends, own]) => ends.refresh(own)));
  }

  #endsOf(stream: string): StreamEnds {
    let ends = this.#ends.get(stream);
    if (ends === undefined) {
      ends = new StreamEnds(this.#options.log, stream);
      this.#ends.set(stream, ends);
    }
    return ends;
  }

  #lastSequences(): Record<string, number> {
    const { region } = this.#options;
    const streams = [intakeStream(region), eventStream(region)];
    return Object.fromEntries(streams.map((stream) => [stream, this.#endsOf(stream).last]));
  }
}
