import {
  meshTenant,
  PatientFollower,
  type Follower,
  type Ledger,
  type Log,
} from '@meridian/journal';
import { Ranks, segmentOf } from '@meridian/proof';
import { eventStream, eventSubject } from '@meridian/wire';
import { orderAggregate, readOrderEntry, type OrderEntry } from './order-event.ts';

export interface FollowedOrderOptions {
  readonly log: Log;
  readonly ledger: Ledger;
  readonly region: string;
  readonly regions: readonly string[];
  /** The home that the order belongs to. */
  readonly home: string;
  /**
   * Whether another region holds the own `EV_` up to a sequence. Nobody is shown a rank that a
   * failover could give to another message.
   */
  readonly isHeldElsewhere: (sequence: number) => boolean;
  readonly onFailure: (error: unknown) => void;
  /** Ranks that had been shown were lost with the region that gave them, and will be given anew. */
  readonly onRevoked: (entry: OrderEntry) => void;
}

/**
 * The order as its entries that count say it, followed in all regions' streams as they are held
 * here. It needs nothing of the messages that are ordered.
 */
export class FollowedOrder {
  readonly #options: FollowedOrderOptions;
  readonly #listeners = new Set<() => void>();
  #ranks = new Ranks();
  #keys = new Map<string, Uint8Array>();
  /** Entries read and not taken yet, by region, in the order of the stream. */
  #waiting = new Map<string, OrderEntry[]>();
  /** The last entry taken of each epoch. */
  #taken = new Map<number, OrderEntry>();
  #last: OrderEntry | undefined;
  #followers: Follower[] = [];
  #unlisten: () => void = () => {};

  constructor(options: FollowedOrderOptions) {
    this.#options = options;
  }

  /** What is ordered. */
  get ranks(): Ranks {
    return this.#ranks;
  }

  /** The last entry that was taken; undefined before the first. */
  get last(): OrderEntry | undefined {
    return this.#last;
  }

  /** Whether an own entry waits to be held elsewhere. */
  get isWaiting(): boolean {
    return (this.#waiting.get(this.#options.region)?.length ?? 0) > 0;
  }

  /** The key of a message's segment; undefined while the message is not ordered. */
  keyOf(stream: string, sequence: number): Uint8Array | undefined {
    return this.#keys.get(`${stream} ${segmentOf(sequence)}`);
  }

  /** Begins; resolves once what is held here was read. */
  async open(): Promise<void> {
    this.#unlisten = this.#options.ledger.onChange((home) => {
      if (home === this.#options.home) this.#onLedger();
    });
    this.#follow();
    await this.caughtUp();
  }

  /** Resolves when every entry that was held here at the time of the call was read. */
  async caughtUp(): Promise<void> {
    await Promise.all(this.#followers.map((follower) => follower.caughtUp()));
  }

  async close(): Promise<void> {
    this.#unlisten();
    await Promise.all(this.#followers.map((follower) => follower.close()));
  }

  /** Calls back each time something was ordered, and when all was taken back. @returns what ends that */
  onMoved(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Something that entries wait for may have come: takes what can be taken. */
  look(): void {
    const before = this.#ranks;
    const size = before.size;
    while (this.#takeOne());
    if (this.#ranks.size !== size) this.#tell();
  }

  #follow(): void {
    const { log, regions, home, onFailure } = this.#options;
    // Not shared: a process of its own then reads these few entries only.
    this.#followers = regions.map(
      (region) =>
        new PatientFollower(
          log,
          eventStream(region),
          {
            after: 0,
            filters: [eventSubject(region, home, { tenant: meshTenant, ...orderAggregate })],
            onFailure,
          },
          (message) => {
            const entry = readOrderEntry(message);
            if (entry === undefined) return;
            const waiting = this.#waiting.get(region);
            if (waiting === undefined) this.#waiting.set(region, [entry]);
            else waiting.push(entry);
            this.look();
          },
        ),
    );
  }

  /** Takes the entry that comes next, if it is there and counts. */
  #takeOne(): boolean {
    const { ledger, home, region, isHeldElsewhere } = this.#options;
    for (const waiting of this.#waiting.values()) {
      for (let next = waiting[0]; next !== undefined; next = waiting[0]) {
        const verdict = ledger.verdict(home, next.epoch, next.region, next.sequence);
        // What does not count, or was taken already, is passed over.
        if (verdict === 'orphan' || next.afterRank < this.#ranks.size) {
          waiting.shift();
          continue;
        }
        if (verdict === 'unknown' || next.afterRank > this.#ranks.size) break;
        const isSealed = ledger.epoch(home, next.epoch)?.upTo !== undefined;
        if (next.region === region && !isSealed && !isHeldElsewhere(next.sequence)) break;
        waiting.shift();
        this.#take(next);
        return true;
      }
    }
    return false;
  }

  #take(entry: OrderEntry): void {
    for (const { stream, segment, key } of entry.keys) {
      const name = `${stream} ${segment}`;
      if (!this.#keys.has(name)) this.#keys.set(name, key);
    }
    for (const range of entry.ranges) this.#ranks.append(range);
    this.#taken.set(entry.epoch, entry);
    this.#last = entry;
  }

  /** An epoch may have been sealed before an entry of it that was taken. */
  #onLedger(): void {
    const { ledger, home, onRevoked } = this.#options;
    const revoked = [...this.#taken.values()].find(
      ({ epoch, region, sequence }) => ledger.verdict(home, epoch, region, sequence) === 'orphan',
    );
    if (revoked === undefined) {
      this.look();
      return;
    }
    const followers = this.#followers;
    this.#ranks = new Ranks();
    this.#keys = new Map();
    this.#waiting = new Map();
    this.#taken = new Map();
    this.#last = undefined;
    this.#follow();
    for (const follower of followers) void follower.close();
    onRevoked(revoked);
    this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
