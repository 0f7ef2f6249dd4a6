import type { LogMessage } from '@meridian/journal';
import { subjectsFor, type EventFilter } from './event-filter.ts';
import type { Position } from '../domain/position.ts';
import type { Feed } from './feed.ts';
import { ParsedEntry } from './parsed-entry.ts';

/** Where a stream's text goes. Nothing is kept for a sink that is not ready. */
export interface Sink {
  /** Takes a text. @returns false when no more should be written before `ready` */
  write(text: string): boolean;
  /** Resolves when more can be written, or the sink is closed. */
  ready(): Promise<void>;
  readonly closed: boolean;
}

export interface Reading {
  readonly filter: EventFilter;
  readonly region: string;
  /** The first event to send, unless the filter leaves it out. */
  readonly from: Position;
  /** The last entry to send; for ever without it. */
  readonly to: number;
}

/** How much text is put together before it is written, in characters. */
const chunkLength = 65_536;

/**
 * One reader of a feed: reads from the log until it meets the ring, then from the ring. One that
 * cannot take what comes is not written to, keeps only its position, and reads from the log again
 * when the ring has moved past it: it costs no memory and misses nothing.
 */
export class FeedReader {
  readonly #feed: Feed;
  readonly #sink: Sink;
  readonly #reading: Reading;
  #next: Position;
  #wake: (() => void) | undefined;

  constructor(feed: Feed, sink: Sink, reading: Reading) {
    this.#feed = feed;
    this.#sink = sink;
    this.#reading = reading;
    this.#next = reading.from;
  }

  /** Sends until the last entry asked for is sent or the sink is closed. @throws LogFault */
  async run(): Promise<void> {
    while (!this.#ended()) {
      const { ring } = this.#feed;
      if (ring === undefined) return;
      if (this.#next.sequence < ring.first) {
        await this.#readLog(Math.min(ring.next - 1, this.#reading.to));
      } else {
        const wrote = this.#readRing();
        if (this.#ended()) return;
        if (!wrote) await this.#sink.ready();
        else if (this.#next.sequence >= ring.next) await this.#somethingNew();
      }
    }
  }

  #ended(): boolean {
    return this.#sink.closed || this.#next.sequence > this.#reading.to;
  }

  async #readLog(to: number): Promise<void> {
    const { filter, region } = this.#reading;
    const options = { from: this.#next.sequence, to, filters: subjectsFor(filter, region) };
    for await (const batch of this.#feed.log.replayBatches(this.#feed.stream, options)) {
      await this.#sendBatch(batch);
      if (this.#sink.closed) return;
    }
    this.#next = { sequence: to + 1, index: 0 };
  }

  async #sendBatch(batch: readonly LogMessage[]): Promise<void> {
    let text = '';
    for (const message of batch) {
      text += this.#take(new ParsedEntry(message));
      if (text.length < chunkLength) continue;
      if (!this.#sink.write(text)) await this.#sink.ready();
      if (this.#sink.closed) return;
      text = '';
    }
    if (text !== '' && !this.#sink.write(text)) await this.#sink.ready();
  }

  /** @returns false when the sink is full */
  #readRing(): boolean {
    const { ring } = this.#feed;
    let text = '';
    for (;;) {
      const entry = ring?.at(this.#next.sequence);
      if (entry === undefined || entry.sequence > this.#reading.to) {
        // Everything up to here was seen; what the range holds no more was never there.
        const seen = Math.min((ring?.next ?? 1) - 1, this.#reading.to);
        if (seen >= this.#next.sequence) this.#next = { sequence: seen + 1, index: 0 };
        break;
      }
      text += this.#take(entry);
      if (text.length >= chunkLength) break;
    }
    return text === '' || this.#sink.write(text);
  }

  #take(entry: ParsedEntry): string {
    const fromIndex = entry.sequence === this.#next.sequence ? this.#next.index : 0;
    this.#next = { sequence: entry.sequence + 1, index: 0 };
    return entry.framesFor(this.#reading.filter, fromIndex);
  }

  async #somethingNew(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      this.#feed.onNext(resolve);
    });
    this.#wake = undefined;
  }

  /** Lets a reader that waits look again: its sink was closed. */
  wake(): void {
    if (this.#wake === undefined) return;
    this.#feed.forget(this.#wake);
    this.#wake();
  }
}
