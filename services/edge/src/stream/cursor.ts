import type { Ledger, LogMessage } from '@meridian/journal';
import { subjectsFor, type EventFilter } from './event-filter.ts';
import { formatBefore, type Position } from '../domain/position.ts';
import type { Feed } from './feed.ts';
import { ParsedEntry, type Others } from './parsed-entry.ts';

/** One stream of a reading. */
export interface Track {
  /** The first event to send, unless the filter leaves it out. */
  readonly from: Position;
  /** The last entry to send; for ever without it. */
  readonly to: number;
}

/** Where a reader is in one stream. */
export class Cursor {
  readonly feed: Feed;
  readonly to: number;
  readonly #filter: EventFilter;
  readonly #ledger: Ledger | undefined;
  #sequence: number;
  #index: number;
  #place = '';

  constructor(feed: Feed, { from, to }: Track, filter: EventFilter, ledger: Ledger | undefined) {
    this.feed = feed;
    this.to = to;
    this.#filter = filter;
    this.#ledger = ledger;
    this.#sequence = from.sequence;
    this.#index = from.index;
  }

  /** Everything that was asked for was sent. */
  get ended(): boolean {
    return this.#sequence > this.to;
  }

  /** What comes next is not in memory any more, or was never: it is read from the log. */
  get behind(): boolean {
    return !this.ended && this.#sequence < (this.feed.ring?.first ?? 0);
  }

  /** Nothing is there to be sent at the moment. */
  get waits(): boolean {
    return this.ended || this.#sequence >= (this.feed.ring?.next ?? 0);
  }

  /** How far it has come, as ids of other streams' events say it. */
  get place(): string {
    this.#place ||= formatBefore(this.feed.stream, {
      sequence: this.#sequence,
      index: this.#index,
    });
    return this.#place;
  }

  /** Takes one entry of the stream, which is the next one that is read. */
  take(entry: ParsedEntry, others: Others): string {
    const fromIndex = entry.sequence === this.#sequence ? this.#index : 0;
    this.#moveTo(entry.sequence + 1);
    return entry.framesFor(this.#filter, fromIndex, others, this.#ledger);
  }

  /** Takes what is in memory, up to about so many characters. */
  takeRing(others: Others, length: number): string {
    const { ring } = this.feed;
    let text = '';
    while (text.length < length) {
      const entry = ring?.at(this.#sequence);
      if (entry === undefined || entry.sequence > this.to) {
        // Everything up to here was seen; what the range holds no more was never there.
        this.passOver(Math.min((ring?.next ?? 1) - 1, this.to));
        break;
      }
      text += this.take(entry, others);
    }
    return text;
  }

  /** Nothing up to a sequence is to be sent any more. */
  passOver(sequence: number): void {
    if (sequence >= this.#sequence) this.#moveTo(sequence + 1);
  }

  /** What the log holds from here to where memory begins, and up to where that is. */
  fromLog(): { readonly to: number; readonly batches: AsyncIterator<readonly LogMessage[]> } {
    const { log, stream, ring } = this.feed;
    const to = Math.min((ring?.next ?? 1) - 1, this.to);
    const filters = subjectsFor(this.#filter, stream.slice('EV_'.length));
    const batches = log.replayBatches(stream, { from: this.#sequence, to, filters });
    return { to, batches: batches[Symbol.asyncIterator]() };
  }

  #moveTo(sequence: number): void {
    this.#sequence = sequence;
    this.#index = 0;
    this.#place = '';
  }
}
