import type { MemoryLog } from '@meridian/journal';
import type { OrderedLog, OrderedMessage } from '../../src/order/ordered-log.ts';

/** The one order over a log in memory, extended when it is told to be. */
export class MemoryOrder implements OrderedLog {
  readonly #log: MemoryLog;
  readonly #streams: readonly string[];
  readonly #messages: OrderedMessage[] = [];
  readonly #ranks = new Map<string, number>();
  readonly #listeners = new Set<() => void>();

  constructor(log: MemoryLog, streams: readonly string[]) {
    this.#log = log;
    this.#streams = streams;
  }

  get size(): number {
    return this.#messages.length;
  }

  /** Gives ranks to everything that has none, stream by stream. */
  extend(streams: readonly string[] = this.#streams): void {
    const before = this.size;
    for (const stream of streams) {
      for (const message of this.#log.messages(stream)) {
        const key = `${stream}:${message.sequence}`;
        if (this.#ranks.has(key)) continue;
        this.#ranks.set(key, this.size);
        this.#messages.push({ rank: this.size, message });
      }
    }
    if (this.size > before) for (const listener of this.#listeners) listener();
  }

  read({ from, direction, limit }: Parameters<OrderedLog['read']>[0]) {
    const read =
      direction === 'forwards'
        ? this.#messages.slice(from, from + limit)
        : this.#messages.slice(Math.max(0, from - limit + 1), from + 1).toReversed();
    return Promise.resolve(read);
  }

  rankOf(stream: string, sequence: number): number | undefined {
    return this.#ranks.get(`${stream}:${sequence}`);
  }

  onGrown(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
