import type { ServerResponse } from 'node:http';
import type { Sink } from './reader.ts';

/** The text of an HTTP answer, written as fast as the client takes it. */
export class HttpSink implements Sink {
  readonly #response: ServerResponse;
  #wake: (() => void) | undefined;
  #closed = false;

  /** @param onClose told once the client is gone or the answer has ended */
  constructor(response: ServerResponse, onClose: () => void) {
    this.#response = response;
    response.on('drain', () => this.#resume());
    response.once('close', () => {
      this.#closed = true;
      this.#resume();
      onClose();
    });
    // The client is gone; `close` follows.
    response.on('error', () => {});
  }

  get closed(): boolean {
    return this.#closed || this.#response.writableEnded || this.#response.destroyed;
  }

  /** How many bytes wait for the client to read them. */
  get waitingBytes(): number {
    return this.#response.writableLength;
  }

  write(text: string): boolean {
    if (this.closed) return true;
    return this.#response.write(text);
  }

  ready(): Promise<void> {
    if (this.closed || !this.#response.writableNeedDrain) return Promise.resolve();
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  /** Says that the connection lives, unless the client has enough to read. */
  beat(text: string): void {
    if (!this.closed && !this.#response.writableNeedDrain) this.#response.write(text);
  }

  end(): void {
    if (!this.closed) this.#response.end();
  }

  #resume(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}
