interface Waiter {
  readonly sequence: number;
  readonly resolve: (reached: boolean) => void;
}

/** Those who wait until a position is reached. */
export class Waiting {
  #waiters: Waiter[] = [];

  /** Resolves to true once `wake` names that sequence or a later one, to false at the time-out. */
  until(sequence: number, timeoutMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const waiter: Waiter = {
        sequence,
        resolve: (reached) => {
          clearTimeout(timer);
          resolve(reached);
        },
      };
      const timer = setTimeout(() => {
        this.#waiters = this.#waiters.filter((one) => one !== waiter);
        resolve(false);
      }, timeoutMs);
      this.#waiters.push(waiter);
    });
  }

  wake(position: number): void {
    if (this.#waiters.length === 0) return;
    const due = this.#waiters.filter(({ sequence }) => sequence <= position);
    if (due.length === 0) return;
    this.#waiters = this.#waiters.filter(({ sequence }) => sequence > position);
    for (const { resolve } of due) resolve(true);
  }

  /** Tells all who still wait that it will not be reached. */
  giveUp(): void {
    for (const { resolve } of this.#waiters.splice(0)) resolve(false);
  }
}
