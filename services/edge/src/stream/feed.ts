import { PatientFollower, StreamMissing, type Follower, type Log } from '@meridian/journal';
import { Ring } from '../domain/ring.ts';
import { ParsedEntry } from './parsed-entry.ts';

export interface FeedLimits {
  /** How many entries are kept for those who follow, at most. */
  readonly entries: number;
  /** How many bytes of them, at most. */
  readonly bytes: number;
}

/** The limits of the feeds of all regions together. */
const allFeeds: FeedLimits = { entries: 4_096, bytes: 16 * 1_048_576 };

/** The limits of each feed where there is one for each of these regions. */
export function feedLimits({ length }: readonly string[]): FeedLimits {
  return {
    entries: Math.ceil(allFeeds.entries / length),
    bytes: Math.ceil(allFeeds.bytes / length),
  };
}

/**
 * The one follower of a stream in this process: its last entries, for everyone who reads the
 * stream live. It follows only while somebody reads.
 */
export class Feed {
  readonly log: Log;
  readonly stream: string;
  readonly #limits: FeedLimits;
  readonly #onFailure: (error: unknown) => void;
  #ring: Ring<ParsedEntry> | undefined;
  #follower: Follower | undefined;
  #opening: Promise<void> | undefined;
  #readers = 0;
  #waiting = new Set<() => void>();
  #failed = false;
  #generation = 0;

  /** @param onFailure told when the follower stops by itself; all readers are then let go */
  constructor(
    log: Log,
    stream: string,
    onFailure: (error: unknown) => void,
    limits: FeedLimits = allFeeds,
  ) {
    this.log = log;
    this.stream = stream;
    this.#limits = limits;
    this.#onFailure = onFailure;
  }

  get readers(): number {
    return this.#readers;
  }

  /** Takes part. Resolves, once the feed follows, with the sequence after the last one stored before. */
  async join(): Promise<number> {
    this.#readers += 1;
    try {
      this.#opening ??= this.#open();
      await this.#opening;
      return (await this.#last()) + 1;
    } catch (error) {
      this.leave();
      throw error;
    }
  }

  leave(): void {
    this.#readers -= 1;
    if (this.#readers > 0) return;
    void this.#follower?.close();
    this.#follower = undefined;
    this.#opening = undefined;
    this.#ring = undefined;
    this.#failed = false;
  }

  /** The entries kept; undefined while nobody has joined, and once the feed has failed. */
  get ring(): Ring<ParsedEntry> | undefined {
    return this.#failed ? undefined : this.#ring;
  }

  /** Calls back once, at the next entry, unless it is forgotten before. */
  onNext(callback: () => void): void {
    this.#waiting.add(callback);
  }

  forget(callback: () => void): void {
    this.#waiting.delete(callback);
  }

  /** Where the stream ends. The copy of another region's may not be there yet: then nothing is in it. */
  async #last(): Promise<number> {
    try {
      return await this.log.lastSequence(this.stream);
    } catch (error) {
      if (error instanceof StreamMissing) return 0;
      throw error;
    }
  }

  #wakeAll(): void {
    const waiting = this.#waiting;
    this.#waiting = new Set();
    for (const callback of waiting) callback();
  }

  async #open(): Promise<void> {
    this.#generation += 1;
    const generation = this.#generation;
    const last = await this.#last();
    // Everybody has left meanwhile, and perhaps somebody begun anew.
    if (this.#readers === 0 || generation !== this.#generation) return;
    const ring = new Ring<ParsedEntry>(last + 1, this.#limits);
    this.#ring = ring;
    let scheduled = false;
    const onFailure = (error: unknown): void => {
      this.#failed = true;
      this.#onFailure(error);
      this.#wakeAll();
    };
    this.#follower = new PatientFollower(
      this.log,
      this.stream,
      { after: last, shared: true, onFailure },
      (message) => {
        ring.push(new ParsedEntry(message));
        if (scheduled) return;
        scheduled = true;
        // Readers are woken once for all the entries that came in one go.
        setImmediate(() => {
          scheduled = false;
          this.#wakeAll();
        });
      },
    );
  }
}
