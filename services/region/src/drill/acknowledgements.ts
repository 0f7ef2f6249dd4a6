import type { Durability } from '@meridian/cli';
import type { StoredAt } from './post.ts';

/** A request that was acknowledged, and where it was said to be. */
export interface Acknowledged extends StoredAt {
  readonly durability: Durability;
  /** Epoch ms. */
  readonly atMs: number;
}

/** What those outside were told, all together. */
export class Acknowledgements {
  readonly all: Acknowledged[] = [];
  /** The longest wait for an acknowledgement that ended after the blow, by region (by level for `all`), in ms. */
  longestPauseMs: Record<string, number> = {};
  /** Answers that said try again, or no answer. */
  retried = 0;
  /** Why requests were refused for good, the first few of them. */
  readonly refusals: string[] = [];
  uncured = 0;
  /** Epoch ms of the last one. */
  lastAtMs = 0;

  add(durability: Durability, places: readonly StoredAt[]): void {
    const atMs = Date.now();
    for (const { id, stream, sequence } of places) {
      this.all.push({ id, stream, sequence, durability, atMs });
    }
    this.lastAtMs = atMs;
  }

  waited(whose: string, ms: number): void {
    this.longestPauseMs[whose] = Math.max(this.longestPauseMs[whose] ?? 0, Math.round(ms));
  }

  /** The blow falls: waits that end from now on count. */
  beginPauses(): void {
    this.longestPauseMs = {};
  }

  /** Requests that nobody will repeat any more. */
  failed(count: number, why: string): void {
    this.uncured += count;
    if (this.refusals.length < 10) this.refusals.push(why);
  }

  /** How many there were until then, epoch ms. */
  until(atMs: number): number {
    return this.all.filter((one) => one.atMs <= atMs).length;
  }

  byDurability(): Record<Durability, number> {
    const counts = { region: 0, mirrored: 0, all: 0 };
    for (const { durability } of this.all) counts[durability] += 1;
    return counts;
  }
}
