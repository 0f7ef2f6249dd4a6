import { hash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { LogMessage } from '@meridian/journal';
import { Frontier, HeadMap, messageLeaf, type AggregateHead } from '@meridian/proof';
import { lastHash } from '@meridian/wire';
import type { OrderedLog } from '../order/ordered-log.ts';

export interface FoldOptions {
  readonly ordered: OrderedLog;
  /** The key of a message's segment. */
  readonly keyOf: (stream: string, sequence: number) => Uint8Array | undefined;
  /** The share of the time that folding may take, such as 0.1; the rest is the process's. */
  readonly share: number;
}

/** How many messages are read at once, and how many are folded before others have their turn. */
const readLength = 512;
const sliceLength = 32;
/** Of what is kept, in bytes: SHA-256. */
const checksumLength = 32;
/** The share of the time that reading may take: the longer the log takes to answer, the more is left to others. */
const readShare = 0.25;
const revisionPattern = /"revision":(\d+)/;

/** Where an aggregate ends after a message of an `EV_` stream. */
export function headIn(message: LogMessage): AggregateHead {
  const text = message.text();
  const last = text.slice(text.lastIndexOf(',\n') + 1);
  const revision = revisionPattern.exec(last)?.[1];
  return {
    subject: message.subject,
    revision: revision === undefined ? -1 : Number(revision),
    hash: lastHash(text),
  };
}

/** Whether a message is an entry of the order or of its checkpoints. */
export const isOfAudit = (subject: string): boolean =>
  /^ev\.[^.]+\.[^.]+\.meridian\.(?:order|chain)\./.test(subject);

/** What a checkpoint commits to, of the first `size` ranks. */
export interface Folded {
  readonly size: number;
  readonly root: Uint8Array;
  readonly headsRoot: Uint8Array;
  readonly aggregates: number;
}

/**
 * The tree's frontier and the map of heads over the first ranks, in the background: a few messages
 * at a time, with pauses between. Memory: some hashes, and 64 bytes an aggregate.
 */
export class Fold {
  readonly #options: FoldOptions;
  #frontier = new Frontier();
  #heads = new HeadMap();
  /** One more than the rank of the last message that was no entry of the audit's own. */
  #lastForeign = 0;
  #isClosed = false;

  constructor(options: FoldOptions) {
    this.#options = options;
  }

  /** How many ranks are folded. */
  get size(): number {
    return this.#frontier.size;
  }

  /** One more than the rank of the last message folded that the audit did not write itself. */
  get lastForeign(): number {
    return this.#lastForeign;
  }

  /**
   * Folds up to a size that can be read.
   * @returns false when it was closed meanwhile, or the ranks were taken back
   * @throws LogFault when the log does not answer; the next call goes on where this one stopped
   */
  async advance(to: number): Promise<boolean> {
    const { ordered, keyOf } = this.#options;
    while (this.size < to) {
      const limit = Math.min(readLength, to - this.size);
      const readMs = performance.now();
      const read = await ordered.read({ from: this.size, direction: 'forwards', limit });
      if (read.length === 0 || this.#isClosed) return false;
      await this.#rest(readMs, readShare);
      for (let at = 0; at < read.length; at += sliceLength) {
        const startMs = performance.now();
        for (const { rank, message } of read.slice(at, at + sliceLength)) {
          const key = keyOf(message.stream, message.sequence);
          if (rank !== this.size || key === undefined) return false;
          this.#take(message, key);
        }
        await this.#rest(startMs);
        if (this.#isClosed) return false;
      }
    }
    return true;
  }

  /** What the ranks folded so far come to. */
  async result(): Promise<Folded> {
    let startMs = performance.now();
    for (const _ of this.#heads.settle()) {
      await this.#rest(startMs);
      startMs = performance.now();
    }
    return {
      size: this.size,
      root: this.#frontier.root(),
      headsRoot: this.#heads.root(),
      aggregates: this.#heads.count,
    };
  }

  /** Begins anew from the first rank. */
  restart(): void {
    this.#frontier = new Frontier();
    this.#heads = new HeadMap();
    this.#lastForeign = 0;
  }

  /** All there is, to be kept, with its checksum: a wrong fold would dispute what is right. */
  serialise(): Buffer {
    const frontier = this.#frontier.serialise();
    const lengths = Buffer.alloc(16);
    lengths.writeBigUInt64BE(BigInt(frontier.length));
    lengths.writeBigUInt64BE(BigInt(this.#lastForeign), 8);
    const bytes = Buffer.concat([lengths, frontier, this.#heads.serialise()]);
    return Buffer.concat([hash('sha256', bytes, 'buffer'), bytes]);
  }

  /** Goes on from what was kept. @throws RangeError when it is nothing that `serialise` made */
  restore(kept: Buffer): void {
    const bytes = kept.subarray(checksumLength);
    if (!hash('sha256', bytes, 'buffer').equals(kept.subarray(0, checksumLength))) {
      throw new RangeError(`${kept.length} bytes are no fold: they do not have their checksum.`);
    }
    if (bytes.length < 16) throw new RangeError(`${bytes.length} bytes are no fold.`);
    const end = 16 + Number(bytes.readBigUInt64BE());
    if (end > bytes.length) throw new RangeError(`${bytes.length} bytes are no fold.`);
    const frontier = Frontier.parse(bytes.subarray(16, end));
    this.#heads = HeadMap.parse(bytes.subarray(end));
    this.#frontier = frontier;
    this.#lastForeign = Number(bytes.readBigUInt64BE(8));
  }

  close(): void {
    this.#isClosed = true;
  }

  #take(message: LogMessage, key: Uint8Array): void {
    this.#frontier.append(messageLeaf(key, message));
    if (message.stream.startsWith('EV_')) this.#heads.set(headIn(message));
    if (!isOfAudit(message.subject)) this.#lastForeign = this.size;
  }

  /** Leaves the rest of the time to others. */
  async #rest(startMs: number, share = this.#options.share): Promise<void> {
    const tookMs = performance.now() - startMs;
    await delay(tookMs * (1 / share - 1), undefined, { ref: false });
  }
}
