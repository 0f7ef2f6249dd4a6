import type { Clock } from './clock.ts';
import { retryDelayMs } from './failure.ts';
import type { Timer } from './service.ts';

export interface DueTimerOptions {
  readonly timer: Timer;
  readonly clock: Clock;
  /** Told after every firing, once what it stored is stored. */
  readonly onFired: () => void;
  /** Told when firing failed, or left its timer due; it is tried again after `delayMs`. */
  readonly onFailure: (error: unknown, attempt: number, delayMs: number) => void;
}

/** The longest wait before the clock is looked at again: clocks are set, and timers overflow. */
const longestWaitMs = 3_600_000;

/**
 * Fires a timer when it is due under the clock. Under a driven clock the firing begins within the
 * change of the clock, before anything that came of the new time is handled.
 */
export class DueTimer {
  readonly #options: DueTimerOptions;
  #open = false;
  #firing: Promise<void> | undefined;
  #handle: NodeJS.Timeout | undefined;
  #failures = 0;
  #stopListening: () => void = () => {};

  constructor(options: DueTimerOptions) {
    this.#options = options;
  }

  /** Whether something is due now or is being fired. */
  get busy(): boolean {
    if (this.#firing !== undefined) return true;
    const { timer, clock } = this.#options;
    const next = timer.next();
    return next !== undefined && clock.started && next <= clock.now();
  }

  /** The earliest due time, in epoch ms. */
  get nextDueMs(): number | undefined {
    return this.#options.timer.next();
  }

  /** How often firing has failed in a row. */
  get failures(): number {
    return this.#failures;
  }

  open(): void {
    this.#open = true;
    this.#stopListening = this.#options.clock.onChange(() => this.touch());
    this.touch();
  }

  /** Looks again at what is due next; begins to fire within the call when it is due. */
  touch(): void {
    if (!this.#open || this.#firing !== undefined || !this.#options.clock.started) return;
    // While firing fails, only the wait for the next attempt counts.
    if (this.#failures > 0 && this.#handle !== undefined) return;
    this.#look();
  }

  /** Ends firing; resolves when the firing under way has ended. */
  async close(): Promise<void> {
    this.#open = false;
    this.#stopListening();
    clearTimeout(this.#handle);
    await this.#firing;
  }

  #look(): void {
    clearTimeout(this.#handle);
    this.#handle = undefined;
    const { timer, clock } = this.#options;
    const next = timer.next();
    if (next === undefined) return;
    const waitMs = clock.realMsUntil(next);
    if (waitMs > 0) {
      if (waitMs !== Infinity) this.#wait(Math.min(waitMs, longestWaitMs));
      return;
    }
    this.#firing = this.#fire(next).finally(() => {
      this.#firing = undefined;
      this.touch();
      this.#options.onFired();
    });
  }

  async #fire(next: number): Promise<void> {
    const { timer, clock, onFailure } = this.#options;
    const now = clock.now();
    let failure: unknown;
    try {
      await timer.fire(now);
      const after = timer.next();
      if (after === next) {
        failure = new Error(`The timer ${timer.name}, fired at ${now}, is still due at ${after}.`);
      }
    } catch (error) {
      failure = error;
    }
    if (failure === undefined) {
      this.#failures = 0;
      return;
    }
    this.#failures += 1;
    const delayMs = retryDelayMs(this.#failures);
    onFailure(failure, this.#failures, delayMs);
    if (this.#open) this.#wait(delayMs);
  }

  #wait(delayMs: number): void {
    this.#handle = setTimeout(() => {
      this.#handle = undefined;
      if (this.#open && this.#firing === undefined) this.#look();
    }, delayMs);
  }
}
