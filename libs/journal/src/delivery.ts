import { LogClosed } from './errors.ts';
import type { FollowOptions, LogMessage } from './log.ts';

const DEFAULT_MAX_PENDING = 1_024;

interface Waiter {
  readonly sequence: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/**
 * What a follower knows of its handlers: who is under way, how far everything is settled, and
 * whether there is room for more. Both adapters deliver through it.
 */
export class Delivery {
  delivered: number;
  readonly #maxPending: number;
  readonly #onMessage: (message: LogMessage) => void | Promise<void>;
  readonly #onFailure: ((error: unknown) => void) | undefined;
  readonly #onRoom: () => void;
  readonly #onStop: () => void;
  readonly #unsettled = new Set<number>();
  readonly #idle: (() => void)[] = [];
  #waiters: Waiter[] = [];
  #failedHandlers = 0;
  #stopped = false;
  #failure: { readonly error: unknown } | undefined;

  /**
   * @param hooks.onRoom called when handlers have settled after there was no room
   * @param hooks.onStop called once, when delivery ends for good
   */
  constructor(
    options: FollowOptions,
    onMessage: (message: LogMessage) => void | Promise<void>,
    hooks: { readonly onRoom: () => void; readonly onStop: () => void },
  ) {
    this.delivered = options.after;
    this.#maxPending = Math.max(1, options.maxPending ?? DEFAULT_MAX_PENDING);
    this.#onMessage = onMessage;
    this.#onFailure = options.onFailure;
    this.#onRoom = hooks.onRoom;
    this.#onStop = hooks.onStop;
  }

  get position(): number {
    if (this.#unsettled.size === 0) return this.delivered;
    const [oldest = 0] = this.#unsettled;
    return oldest - 1;
  }

  get hasRoom(): boolean {
    return !this.#stopped && this.#unsettled.size < this.#maxPending;
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  deliver(message: LogMessage): void {
    const { sequence } = message;
    this.delivered = sequence;
    try {
      const settled = this.#onMessage(message);
      if (settled === undefined) {
        if (this.#waiters.length > 0) this.#wake();
        return;
      }
      this.#unsettled.add(sequence);
      settled.then(
        () => this.#settle(sequence),
        (error: unknown) => this.#failAt(sequence, error),
      );
    } catch (error) {
      this.#failAt(sequence, error);
    }
  }

  /** Resolves when everything handed over up to `sequence` is settled. */
  reached(sequence: number): Promise<void> {
    if (this.position >= sequence) return Promise.resolve();
    if (this.#stopped) return Promise.reject(this.#stoppedBefore(sequence));
    return new Promise((resolve, reject) => this.#waiters.push({ sequence, resolve, reject }));
  }

  /** Ends delivery; resolves when the handlers under way are settled. */
  close(): Promise<void> {
    this.#stop();
    if (this.#pendingHandlers() === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  /** Ends delivery because of an error, and tells it once. */
  fail(error: unknown): void {
    if (this.#failure === undefined) {
      this.#failure = { error };
      if (this.#onFailure !== undefined) this.#onFailure(error);
      else {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
    this.#stop();
  }

  #settle(sequence: number): void {
    const wasFull = this.#unsettled.size >= this.#maxPending;
    this.#unsettled.delete(sequence);
    if (this.#waiters.length > 0) this.#wake();
    if (this.#stopped) this.#checkIdle();
    else if (wasFull) this.#onRoom();
  }

  #failAt(sequence: number, error: unknown): void {
    // The failed one stays unsettled for ever, so the position never passes it.
    this.#unsettled.add(sequence);
    this.#failedHandlers++;
    this.fail(error);
    this.#checkIdle();
  }

  #pendingHandlers(): number {
    return this.#unsettled.size - this.#failedHandlers;
  }

  #checkIdle(): void {
    if (this.#pendingHandlers() > 0) return;
    for (const resolve of this.#idle.splice(0)) resolve();
    // Nobody will reach what these wait for any more.
    for (const waiter of this.#waiters.splice(0)) {
      waiter.reject(this.#stoppedBefore(waiter.sequence));
    }
  }

  #wake(): void {
    const { position } = this;
    const due = this.#waiters.filter((waiter) => waiter.sequence <= position);
    if (due.length === 0) return;
    this.#waiters = this.#waiters.filter((waiter) => waiter.sequence > position);
    for (const waiter of due) waiter.resolve();
  }

  #stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#onStop();
    this.#checkIdle();
  }

  #stoppedBefore(sequence: number): LogClosed {
    return new LogClosed(
      `The follower stopped at ${this.position}, before sequence ${sequence} was settled.`,
      this.#failure === undefined ? undefined : { cause: this.#failure.error },
    );
  }
}
