import { earliest } from '@meridian/core';
import type { Desks } from '@meridian/nest';
import type { Routing } from './routing.ts';

/** The shortest time from one look for contacts to lend to the next, in ms of the log's clock. */
const lookEveryMs = 100;

type LendingDesks = Pick<Desks<Routing>, 'all' | 'allOpen'>;

/**
 * Looks for waiting contacts that another home's agents could serve: soon after something has
 * changed on any floor, as long as somebody waits here.
 *
 * No two homes of the mesh look within the same millisecond of the log's clock: each has every n-th
 * one, n being how many homes there are. Two that lent to one free agent at once would be heard in
 * an order that depends on the links; so one is heard before the other looks wherever the clock
 * waits for that, and a day played twice gives the same.
 */
export class Lender {
  readonly #now: () => number;
  #desks: LendingDesks | undefined;
  #onDue: () => void = () => {};
  /** When each home looks next, and when it looked last, in epoch ms. */
  readonly #due = new Map<string, number>();
  readonly #last = new Map<string, number>();

  /** @param now the log's clock, in epoch ms */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** The desks of all homes; to be told before the first look. */
  keeps(desks: LendingDesks): void {
    this.#desks = desks;
  }

  /** Calls back when it has become due. */
  onDue(callback: () => void): void {
    this.#onDue = callback;
  }

  /** A floor has changed. */
  moved(): void {
    if (this.#desks === undefined || this.#desks.all().length < 2) return;
    let isSooner = false;
    for (const [home, desk] of this.#desks.allOpen()) {
      if (!desk.hasWaiting) continue;
      const lastMs = this.#last.get(home) ?? Number.NEGATIVE_INFINITY;
      const soonMs = Math.max(this.#now() + 1, lastMs + lookEveryMs);
      isSooner = this.#lookBy(home, soonMs) || isSooner;
    }
    if (isSooner) this.#onDue();
  }

  /** When it looks next, in epoch ms: a floor has changed, or a contact may be lent again. */
  nextDueMs(): number | undefined {
    const open = this.#desks?.allOpen() ?? [];
    return earliest(open.map(([home]) => this.#due.get(home)));
  }

  /** Lends what can be lent of the homes that are due; resolves when that is stored. */
  async fire(): Promise<void> {
    const all = this.#desks?.all() ?? [];
    for (const [home, desk] of this.#desks?.allOpen() ?? []) {
      const now = this.#now();
      const dueMs = this.#due.get(home);
      if (dueMs === undefined || dueMs > now) continue;
      this.#due.delete(home);
      this.#last.set(home, now);
      try {
        await desk.lend(new Map(all.filter(([other]) => other !== home)));
      } catch (error) {
        this.#lookBy(home, dueMs);
        throw error;
      }
      const againMs = desk.lendingDueMs();
      if (againMs !== undefined) this.#lookBy(home, againMs);
    }
  }

  /** Looks in the home's first millisecond from a time on. @returns whether that is sooner */
  #lookBy(home: string, fromMs: number): boolean {
    const homes = (this.#desks?.all() ?? []).map(([one]) => one).toSorted();
    const count = homes.length;
    const firstMs = Math.ceil(fromMs);
    const dueMs = firstMs + ((homes.indexOf(home) - (firstMs % count) + count) % count);
    if (dueMs >= (this.#due.get(home) ?? Infinity)) return false;
    this.#due.set(home, dueMs);
    return true;
  }
}
