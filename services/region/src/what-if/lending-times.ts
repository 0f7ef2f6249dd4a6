/** The shortest time from one look for contacts to lend to the next, in ms: the lender's own. */
const lookEveryMs = 100;

/**
 * When each home looks for contacts to lend: soon after a floor has moved while somebody waits, each
 * in milliseconds of its own, as `Lender` of the routing does with its desks.
 */
export class LendingTimes {
  readonly #homes: readonly string[];
  readonly #due = new Map<string, number>();
  readonly #last = new Map<string, number>();

  constructor(homes: readonly string[]) {
    this.#homes = homes.toSorted();
  }

  /** A floor has changed. */
  moved(nowMs: number, hasWaiting: (home: string) => boolean): void {
    if (this.#homes.length < 2) return;
    for (const home of this.#homes) {
      if (!hasWaiting(home)) continue;
      const lastMs = this.#last.get(home) ?? Number.NEGATIVE_INFINITY;
      this.lookBy(home, Math.max(nowMs + 1, lastMs + lookEveryMs));
    }
  }

  /** Looks in the home's first millisecond from a time on, unless it does so sooner. */
  lookBy(home: string, fromMs: number): void {
    const count = this.#homes.length;
    const firstMs = Math.ceil(fromMs);
    const dueMs = firstMs + ((this.#homes.indexOf(home) - (firstMs % count) + count) % count);
    if (dueMs < (this.#due.get(home) ?? Infinity)) this.#due.set(home, dueMs);
  }

  nextMs(): number {
    return Math.min(Infinity, ...this.#due.values());
  }

  /** The homes that look now; each is asked for once. */
  due(nowMs: number): string[] {
    const homes = this.#homes.filter((home) => (this.#due.get(home) ?? Infinity) <= nowMs);
    for (const home of homes) {
      this.#due.delete(home);
      this.#last.set(home, nowMs);
    }
    return homes;
  }
}
