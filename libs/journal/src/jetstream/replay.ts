import type { LogMessage, ReplayOptions } from '../log.ts';
import type { Exchange } from './exchange.ts';
import { lastUnder } from './fetch.ts';
import { Reader, type Sink } from './reader.ts';

const BATCH_LENGTH = 4_096;
/** How long nothing may come after the server has said that nothing is left, in ms. */
const DOUBT_MS = 2_000;

/** Reads a range of a stream in arrays; a lost connection delays it and loses nothing. */
export async function* replayBatches(
  exchange: Exchange,
  stream: string,
  options: ReplayOptions,
): AsyncGenerator<readonly LogMessage[]> {
  const from = Math.max(1, options.from ?? 1);
  const { filters } = options;
  const last = await lastUnder(exchange, stream, filters);
  const to = Math.min(options.to ?? last, last);
  if (from > to) return;
  const range = new Range(to, () => exchange.link.online);
  const reader = new Reader({ exchange, stream, after: from - 1, filters, sink: range });
  try {
    for (;;) {
      const batch = await range.next();
      reader.resume();
      if (batch.length > 0) yield batch;
      else if (range.done) return;
    }
  } finally {
    range.close();
    await reader.close();
  }
}

/**
 * Collects messages up to a sequence, at which there is one, and hands them over in arrays. How many the
 * server says are left does not end it: nats-server 2.15.1 was seen to say none in the middle of a
 * stream. Only where nothing comes after that for a while, the rest cannot be read.
 */
class Range implements Sink {
  done = false;
  readonly #to: number;
  readonly #isOnline: () => boolean;
  #batch: LogMessage[] = [];
  #waiting: (() => void) | undefined;
  #failure: { readonly error: unknown } | undefined;
  #doubt: NodeJS.Timeout | undefined;

  constructor(to: number, isOnline: () => boolean) {
    this.#to = to;
    this.#isOnline = isOnline;
  }

  get hasRoom(): boolean {
    return this.#batch.length < BATCH_LENGTH;
  }

  deliver(message: LogMessage): void {
    if (message.sequence > this.#to || this.done) return;
    this.#batch.push(message);
    if (this.#waiting !== undefined) this.#wake();
  }

  onProgress(sequence: number, pending: number): void {
    clearTimeout(this.#doubt);
    if (this.done) return;
    if (sequence >= this.#to) this.#end();
    else if (pending === 0) this.#doubtTheRest();
  }

  close(): void {
    clearTimeout(this.#doubt);
  }

  onFailure(error: unknown): void {
    this.#failure = { error };
    this.#wake();
  }

  /** What has come since the last call; waits until there is something. Empty only at the end. */
  async next(): Promise<readonly LogMessage[]> {
    while (this.#batch.length === 0 && !this.done && this.#failure === undefined) {
      await new Promise<void>((resolve) => {
        this.#waiting = resolve;
      });
    }
    if (this.#failure !== undefined) throw this.#failure.error;
    const batch = this.#batch;
    this.#batch = [];
    return batch;
  }

  /** Ends later, unless more comes: while there is no connection, or what came is not taken, nothing can. */
  #doubtTheRest(): void {
    this.#doubt = setTimeout(() => {
      if (this.#waiting !== undefined && this.#isOnline()) this.#end();
      else this.#doubtTheRest();
    }, DOUBT_MS);
  }

  #end(): void {
    this.done = true;
    this.#wake();
  }

  #wake(): void {
    this.#waiting?.();
    this.#waiting = undefined;
  }
}
