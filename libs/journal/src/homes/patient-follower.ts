import { LogFault, StreamMissing } from '../errors.ts';
import type { Follower, FollowOptions, Log, LogMessage } from '../log.ts';

/** How often it looks whether a stream is there, in ms. */
const lookAgainMs = 500;

export interface PatientFollowOptions extends FollowOptions {
  /** Waits; given by the simulator, real time otherwise. */
  readonly wait?: ((delayMs: number) => Promise<void>) | undefined;
}

/**
 * Follows a stream as `Log.follow` does, also while the stream is not there: the copy of another
 * region's stream is made once that region can be reached, and made anew when it was lost.
 */
export class PatientFollower implements Follower {
  readonly #log: Log;
  readonly #stream: string;
  readonly #options: PatientFollowOptions;
  readonly #onMessage: (message: LogMessage) => void | Promise<void>;
  #inner: Follower;
  #isMissing = false;
  #isClosed = false;

  constructor(
    log: Log,
    stream: string,
    options: PatientFollowOptions,
    onMessage: (message: LogMessage) => void | Promise<void>,
  ) {
    this.#log = log;
    this.#stream = stream;
    this.#options = options;
    this.#onMessage = onMessage;
    this.#inner = this.#follow(options.after);
  }

  get delivered(): number {
    return this.#inner.delivered;
  }

  get position(): number {
    return this.#inner.position;
  }

  /** Resolves also when the stream is not there: then nothing is held here. */
  async caughtUp(): Promise<void> {
    if (this.#isMissing || this.#isClosed) return;
    try {
      await this.#inner.caughtUp();
    } catch (error) {
      if (this.#isClosed || this.#isMissing || error instanceof StreamMissing) return;
      if (error instanceof LogFault && error.name === 'LogClosed') return;
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#inner.close();
  }

  #follow(after: number): Follower {
    return this.#log.follow(
      this.#stream,
      { ...this.#options, after, onFailure: (error) => this.#failed(error) },
      this.#onMessage,
    );
  }

  #failed(error: unknown): void {
    if (this.#isClosed) return;
    if (error instanceof StreamMissing) {
      this.#isMissing = true;
      void this.#lookAgain();
    } else this.#options.onFailure?.(error);
  }

  async #lookAgain(): Promise<void> {
    await (this.#options.wait?.(lookAgainMs) ??
      new Promise((resolve) => {
        setTimeout(resolve, lookAgainMs).unref();
      }));
    if (this.#isClosed) return;
    this.#isMissing = false;
    this.#inner = this.#follow(this.#inner.position);
  }
}
