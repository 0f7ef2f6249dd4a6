/**
 * When the next batch is to be written: so many ms after the one before, or at once while somebody
 * waits for it. Under load a row that changes ten times is then written once.
 */
export class Collecting {
  readonly #periodMs: number;
  #dueMs = 0;
  #hurried = 0;
  #end: (() => void) | undefined;

  /** @param periodMs from one batch to the next, in ms; 0 for no pause */
  constructor(periodMs: number) {
    this.#periodMs = periodMs;
  }

  /** Resolves when the next batch is to be written. */
  async collected(): Promise<void> {
    const waitMs = this.#dueMs - performance.now();
    if (waitMs > 0 && this.#hurried === 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, waitMs);
        this.#end = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#end = undefined;
    }
    this.#dueMs = performance.now() + this.#periodMs;
  }

  /** Ends the pause there is. */
  end(): void {
    this.#end?.();
  }

  /** No pauses while `wait` waits for what is to be written. */
  async hurry<T>(wait: () => Promise<T>): Promise<T> {
    this.#hurried += 1;
    this.end();
    try {
      return await wait();
    } finally {
      this.#hurried -= 1;
    }
  }
}
