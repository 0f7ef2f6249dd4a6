import {
  chunkOf,
  chunkLength,
  firstOf,
  hashOfChunk,
  lastOf,
  RollingHashes,
} from './rolling-hashes.ts';
import type { LogMessage } from '@meridian/journal';
import { copiedFrom, copyInfo, readRange, type CopyInfo, type CopyPlace } from './read-copy.ts';

/** A message that is not there is looked for again after this before it counts as missing. */
const missingAfterMs = 2_000;
/** How much is read at a stretch; other copies have their turn after it. */
const stretchLength = 4 * chunkLength;

/** How many messages that have arrived are kept until they are hashed; then they are read again. */
const arrivedMost = 4_096;

/** What a look at the own copy has shown. */
export interface Noticed {
  readonly chunk: number;
  readonly what: 'missing' | 'changed';
}

/**
 * The hashes of one stream that this region holds: new messages are followed, old ones are read again
 * and again, so that what is on the disk is what is hashed.
 */
export class LocalCopy {
  readonly stream: string;
  readonly origin: string;
  info: CopyInfo | undefined;
  hashes = new RollingHashes();
  /** Whether the server was asked at all. */
  isKnown = false;
  readonly #place: CopyPlace;
  readonly #now: () => number;
  /** Since when the next message to be followed was not found. */
  #missing: { readonly sequence: number; readonly sinceMs: number } | undefined;
  /** What follows the last message hashed, without a gap, as far as it was seen arriving. */
  #arrived: LogMessage[] = [];
  /** The chunk that is read again next. */
  #cursor = 0;

  constructor(stream: string, origin: string, place: CopyPlace, now: () => number) {
    this.stream = stream;
    this.origin = origin;
    this.#place = place;
    this.#now = now;
  }

  /** The last sequence stored here; -1 while there is no stream. */
  get last(): number {
    return this.info?.last ?? -1;
  }

  /** Asks the server how far the stream goes; forgets the hashes of what is no longer there. */
  async look(): Promise<void> {
    const info = await copyInfo(this.#place, this.stream);
    this.isKnown = true;
    if (info === undefined || (this.info !== undefined && this.info.born !== info.born)) {
      this.forget();
    } else if (info.last < this.hashes.upTo) {
      this.hashes.cut(info.last);
      this.#arrived = [];
    }
    this.info = info;
  }

  /** Begins anew: the stream was made again. */
  forget(): void {
    this.hashes = new RollingHashes();
    this.#missing = undefined;
    this.#arrived = [];
    this.#cursor = 0;
  }

  /** A message has come that somebody here reads anyway. */
  arrived(message: LogMessage): void {
    const before = this.#arrived.at(-1)?.sequence ?? this.hashes.upTo;
    if (message.sequence === before + 1 && this.#arrived.length < arrivedMost) {
      this.#arrived.push(message);
    } else this.#arrived = [];
  }

  /**
   * Hashes what has come since, at most so many messages.
   * @returns how many were hashed; chunks in which messages are missing go to `onNotice`
   */
  async follow(most: number, onNotice: (noticed: Noticed) => void): Promise<number> {
    const { hashes } = this;
    const from = hashes.upTo + 1;
    const to = Math.min(this.last, from - 1 + Math.min(most, stretchLength));
    if (to < from) return 0;
    const arrived = this.#hashArrived(from, to);
    if (arrived > 0) return arrived;
    const messages = await readRange(this.#place, this.stream, from, to);
    // Made anew, or cut, while it was read: the next look begins again.
    if (hashes !== this.hashes || hashes.upTo !== from - 1) return 0;
    const lastFound = Math.max(0, ...messages.keys());
    for (let sequence = from; sequence <= to; sequence += 1) {
      const message = messages.get(sequence);
      if (message !== undefined) {
        hashes.extend(message);
        this.#missing = undefined;
      } else if (sequence < lastFound || this.#isMissing(sequence)) {
        hashes.extend({ missing: sequence });
        onNotice({ chunk: chunkOf(sequence), what: 'missing' });
      } else return sequence - from;
    }
    return to - from + 1;
  }

  /** Hashes what is known of a range without reading it. @returns how many messages that were */
  #hashArrived(from: number, to: number): number {
    const arrived = this.#arrived;
    if (arrived[0]?.sequence !== from) {
      this.#arrived = [];
      return 0;
    }
    const count = Math.min(arrived.length, to - from + 1);
    for (let index = 0; index < count; index += 1) {
      const message = copiedFrom(arrived[index] as LogMessage);
      if (message === undefined) {
        this.#arrived = [];
        return index;
      }
      this.hashes.extend(message);
    }
    this.#missing = undefined;
    this.#arrived = arrived.slice(count);
    return count;
  }

  /** A replica may be a moment behind at the end: what is not there yet is looked for again. */
  #isMissing(sequence: number): boolean {
    const now = this.#now();
    this.#missing ??= { sequence, sinceMs: now };
    return now - this.#missing.sinceMs >= missingAfterMs;
  }

  /** How many complete chunks there are still to be read again in this round. */
  get toScrub(): number {
    return Math.max(0, this.hashes.chunks - this.#cursor);
  }

  /** Begins another round. */
  rewind(): void {
    this.#cursor = 0;
  }

  /** Reads the next complete chunk again; undefined when it is as it was. */
  async scrub(): Promise<Noticed | undefined> {
    const chunk = this.#cursor;
    if (chunk >= this.hashes.chunks) return undefined;
    this.#cursor += 1;
    return this.refresh(chunk);
  }

  /** Reads the messages that are not in a complete chunk yet again. */
  async scrubOpen(): Promise<Noticed | undefined> {
    const { hashes } = this;
    const from = hashes.chunks * chunkLength + 1;
    const to = Math.min(hashes.upTo, this.last);
    if (to < from) return undefined;
    const messages = await readRange(this.#place, this.stream, from, to);
    if (hashes !== this.hashes || hashes.chunks * chunkLength + 1 !== from) return undefined;
    return messages.size < to - from + 1 ? { chunk: chunkOf(from), what: 'missing' } : undefined;
  }

  /** Takes the hash that a complete chunk has now. */
  async refresh(chunk: number): Promise<Noticed | undefined> {
    const { hashes } = this;
    const messages = await readRange(this.#place, this.stream, firstOf(chunk), lastOf(chunk));
    if (hashes !== this.hashes) return undefined;
    const isWhole = messages.size === chunkLength;
    if (!hashes.replace(chunk, hashOfChunk(chunk, messages))) return undefined;
    return { chunk, what: isWhole ? 'changed' : 'missing' };
  }
}
