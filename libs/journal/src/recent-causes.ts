/**
 * The requests and firings of the clock that led to events lately, the oldest forgotten first. A
 * request's place in the intake gives away that it is delivered again; what a publisher sends once
 * more after the stream's deduplication window has a second place, and the clock has none: only
 * the cause gives these away.
 */
export class RecentCauses {
  readonly #known = new Set<string>();
  readonly #limit: number;

  /** @param limit how many are remembered, about 120 bytes each */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#known.size;
  }

  has(causationId: string): boolean {
    return this.#known.has(causationId);
  }

  /**
   * Remembers `<source>#<id>`, `clock.…` and `loan.…`; a decision that causes another has one place
   * only. Two processes may mean the same loan; the contact may be back before the second one's turn.
   */
  add(causationId: string): void {
    if (!causationId.includes('#') && !/^(?:clock|loan)\./.test(causationId)) return;
    this.#known.add(causationId);
    if (this.#known.size <= this.#limit) return;
    for (const oldest of this.#known) {
      this.#known.delete(oldest);
      return;
    }
  }

  clear(): void {
    this.#known.clear();
  }
}
