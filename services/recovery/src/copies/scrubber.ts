import type { CopiesMetrics } from './copies-metrics.ts';
import { chunkLength } from './rolling-hashes.ts';
import type { CopiesSettings } from './settings.ts';
import type { StreamWatch } from './stream-watch.ts';

/** What of its share of time was not used is kept for so long, in ms. */
const savedMs = 1_000;

/** Reads what was hashed again and again, at a bounded pace, over all streams in turn. */
export class Scrubber {
  readonly #settings: CopiesSettings;
  readonly #metrics: CopiesMetrics;
  #roundMs: number | undefined;
  #isRead = false;
  #allowance = 0;
  #turnMs: number | undefined;
  /** Until then enough time was spent on it. */
  #restUntilMs = -Infinity;

  constructor(settings: CopiesSettings, metrics: CopiesMetrics) {
    this.#settings = settings;
    this.#metrics = metrics;
  }

  /** Reads as much as is due; what is no longer as it was is suspected. */
  async turn(watches: readonly StreamWatch[], nowMs: number): Promise<void> {
    const { scrubPerSecond, scrubRoundMs, scrubShare } = this.#settings;
    const sinceMs = nowMs - (this.#turnMs ?? nowMs);
    this.#turnMs = nowMs;
    // At most what five seconds allow, however long a turn took; one chunk must always fit.
    const most = Math.max(5 * scrubPerSecond, chunkLength);
    this.#allowance = Math.min(most, this.#allowance + (sinceMs / 1_000) * scrubPerSecond);
    this.#roundMs ??= nowMs;
    if (this.#isRead) {
      if (nowMs - this.#roundMs < scrubRoundMs) return;
      this.#roundMs = nowMs;
      this.#isRead = false;
      for (const { copy } of watches) copy.rewind();
    }
    for (const watch of watches) {
      while (watch.copy.toScrub > 0) {
        const begunMs = performance.now();
        if (this.#allowance < chunkLength || begunMs < this.#restUntilMs) return;
        this.#allowance -= chunkLength;
        const noticed = await watch.copy.scrub();
        const endedMs = performance.now();
        this.#restUntilMs =
          Math.max(this.#restUntilMs, endedMs - savedMs) + (endedMs - begunMs) / scrubShare;
        if (noticed !== undefined) watch.suspect(noticed.chunk, performance.now());
      }
    }
    for (const watch of watches) {
      const noticed = await watch.copy.scrubOpen();
      if (noticed !== undefined) watch.suspect(noticed.chunk, performance.now());
    }
    this.#isRead = true;
    this.#metrics.scrubRound.set((performance.now() - this.#roundMs) / 1_000);
  }
}
