import { LogUnavailable } from '@meridian/journal';
import type { OrderedLog, OrderedMessage } from '../../order/ordered-log.ts';

const messagesLimit = 4_096;
const bytesLimit = 16 * 1_048_576;
const fillLength = 512;

/**
 * The end of the one order, read once for all who follow it. Who is further behind than what is held
 * reads the log; what is held is bounded in messages and in bytes.
 */
export class Tail {
  readonly #ordered: OrderedLog;
  /** What is held: consecutive ranks from `#start` on. */
  #held: OrderedMessage[] = [];
  #start = 0;
  #bytes = 0;
  #filling: Promise<void> | undefined;
  #version = 0;
  readonly #waiting = new Set<() => void>();
  readonly #unlisten: () => void;

  constructor(ordered: OrderedLog) {
    this.#ordered = ordered;
    this.#unlisten = ordered.onGrown(() => {
      // Ranks that were taken back are given anew, perhaps to other messages.
      if (ordered.size < this.#start + this.#held.length) this.#drop();
      this.wake();
    });
  }

  get size(): number {
    return this.#ordered.size;
  }

  /** Up to `limit` messages from a rank on; none at the end. */
  async read(from: number, limit: number): Promise<readonly OrderedMessage[]> {
    for (;;) {
      const { size } = this.#ordered;
      if (from >= size) return [];
      const end = this.#start + this.#held.length;
      if (from >= this.#start && from < end) {
        return this.#held.slice(from - this.#start, from - this.#start + limit);
      }
      if (from < end || from < size - messagesLimit) {
        return this.#ordered.read({ from, direction: 'forwards', limit });
      }
      this.#filling ??= this.#fill(from).finally(() => {
        this.#filling = undefined;
      });
      await this.#filling;
    }
  }

  /** Changes each time there may be more to read. */
  get version(): number {
    return this.#version;
  }

  /** Resolves when the version is another one, or at the abort. */
  async moved(version: number, signal: AbortSignal): Promise<void> {
    if (this.#version !== version || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const go = (): void => {
        this.#waiting.delete(go);
        signal.removeEventListener('abort', go);
        resolve();
      };
      this.#waiting.add(go);
      signal.addEventListener('abort', go);
    });
  }

  /** Lets everybody who waits look again. */
  wake(): void {
    this.#version += 1;
    for (const go of this.#waiting) go();
  }

  close(): void {
    this.#unlisten();
    this.wake();
  }

  #drop(): void {
    this.#held = [];
    this.#start = 0;
    this.#bytes = 0;
  }

  async #fill(from: number): Promise<void> {
    const end = this.#start + this.#held.length;
    if (from > end) {
      this.#held = [];
      this.#bytes = 0;
      this.#start = from;
    }
    const next = this.#start + this.#held.length;
    const read = await this.#ordered.read({
      from: next,
      direction: 'forwards',
      limit: fillLength,
    });
    if (read.length === 0) {
      throw new LogUnavailable(
        `The one order has ${this.#ordered.size} ranks, and ${next} cannot be read.`,
        'It is tried again.',
      );
    }
    for (const one of read) {
      this.#held.push(one);
      this.#bytes += one.message.data.length;
    }
    let dropped = 0;
    while (this.#held.length - dropped > 1) {
      if (this.#held.length - dropped <= messagesLimit && this.#bytes <= bytesLimit) break;
      this.#bytes -= this.#held[dropped]?.message.data.length ?? 0;
      dropped += 1;
    }
    this.#held.splice(0, dropped);
    this.#start += dropped;
  }
}
