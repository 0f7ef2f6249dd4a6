import { earliest } from '@meridian/core';
import type { Desks } from '@meridian/nest';
import type { Routing } from './routing.ts';

/** The shortest time from one look for contacts to lend to the next, in ms of the log's clock. */
const lookEveryMs = 100;

/**
 * Looks for waiting contacts that another home's agents could serve: soon after something has
 * changed on any floor, as long as somebody waits here.
 */
export class Lender {
  readonly #now: () => number;
  #desks: Desks<Routing> | undefined;
  #onDue: () => void = () => {};
  #dueMs: number | undefined;
  #lastMs = Number.NEGATIVE_INFINITY;

  /** @param now the log's clock, in epoch ms */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** The desks of all homes; to be told before the first look. */
  keeps(desks: Desks<Routing>): void {
    this.#desks = desks;
  }

  /** Calls back when it has become due. */
  onDue(callback: () => void): void {
    this.#onDue = callback;
  }

  /** A floor has changed. */
  moved(): void {
    const desks = this.#desks;
    if (this.#dueMs !== undefined || desks === undefined || desks.all().length < 2) return;
    if (!desks.allOpen().some(([, desk]) => desk.hasWaiting)) return;
    this.#dueMs = Math.max(this.#now(), this.#lastMs + lookEveryMs);
    this.#onDue();
  }

  /** When it looks next, in epoch ms: a floor has changed, or a contact may be lent again. */
  nextDueMs(): number | undefined {
    const desks = this.#desks;
    if (desks === undefined || desks.all().length < 2) return undefined;
    return earliest([this.#dueMs, ...desks.allOpen().map(([, desk]) => desk.lendingDueMs())]);
  }

  /** Lends what can be lent; resolves when that is stored. */
  async fire(): Promise<void> {
    this.#dueMs = undefined;
    this.#lastMs = this.#now();
    const all = this.#desks?.all() ?? [];
    for (const [home, desk] of this.#desks?.allOpen() ?? []) {
      await desk.lend(new Map(all.filter(([other]) => other !== home)));
    }
  }
}
