import type { Log } from '@meridian/journal';
import { settled, type ProgressReport, type ProgressWatch, type Settled } from '@meridian/nest';
import { eventStream, intakeStream } from '@meridian/wire';
import { StreamEnds } from './stream-ends.ts';

export interface RestOptions {
  readonly log: Log;
  readonly region: string;
  /** All regions of the mesh, this one among them; this one alone by default. */
  readonly regions?: readonly string[];
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
      /** Where the region's streams end, and how far its copies of other regions' streams are read. */
      readonly lastSequence: Readonly<Record<string, number>>;
    }
  | { readonly settled: false; readonly waitingFor: readonly string[] };

/**
 * Waits until every service has read everything and has fired what was due, as `settled` defines
 * it. A player pays for this at each of its steps: the log is asked only when what is known in
 * memory does not say already that it is too early.
 */
export class RestWatch {
  /** The streams of every region, as they are held here. */
  readonly streams: readonly string[];
  readonly #options: RestOptions;
  readonly #ends = new Map<string, StreamEnds>();

  constructor(options: RestOptions) {
    this.#options = options;
    const { region, regions = [region] } = options;
    this.streams = regions.flatMap((one) => [intakeStream(one), eventStream(one)]);
    for (const stream of this.streams) this.#endsOf(stream);
  }

  /**
   * @param at the last setting of the clock, in epoch ms
   * @param timeoutMs how long to wait in all, in real ms
   * @param upTo what must be held here before: the last sequence of some of `streams`
   * @returns the last state seen: not settled when the time is over
   * @throws LogFault when the log does not say where it ends
   */
  async wait(
    at: number,
    timeoutMs: number,
    upTo: Readonly<Record<string, number>> = {},
  ): Promise<Rest> {
    const { watch } = this.#options;
    const deadlineMs = performance.now() + timeoutMs;
    const missing = await this.#untilHeld(upTo, deadlineMs);
    if (missing.length > 0) return { settled: false, waitingFor: missing };
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

  /** Waits until the streams have come so far here. @returns what has not, in words */
  async #untilHeld(upTo: Readonly<Record<string, number>>, deadlineMs: number): Promise<string[]> {
    const each = await Promise.all(
      Object.entries(upTo).map(async ([stream, sequence]) => {
        const ends = this.#endsOf(stream);
        const isHeld = await ends.reaches(sequence, deadlineMs - performance.now());
        return isHeld ? [] : [`${stream} is held here up to ${ends.last} of ${sequence}`];
      }),
    );
    return each.flat();
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
    // What else the copies of other regions' streams hold is asked for by `upTo`.
    const isOwn = ({ stream }: StreamEnds): boolean => stream.endsWith(`_${this.#options.region}`);
    await Promise.all(
      [...filters].map(([ends, read]) => (isOwn(ends) ? ends.refresh(read) : ends.learn(read))),
    );
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
    return Object.fromEntries(this.streams.map((stream) => [stream, this.#endsOf(stream).last]));
  }
}
