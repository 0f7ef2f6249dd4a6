import { randomBytes } from 'node:crypto';
import { LogFault, meshTenant, WrongLastSequence, type Log } from '@meridian/journal';
import { emptyHead, eventStream, eventSubject, type Head } from '@meridian/wire';
import type { MeshDesk } from '../mesh-desk.ts';
import { extensionOf } from './extension.ts';
import type { FollowedOrder } from './followed-order.ts';
import { orderAggregate } from './order-event.ts';
import type { StreamEnds } from './stream-ends.ts';

export interface OrderDeskOptions {
  readonly log: Log;
  readonly desk: MeshDesk;
  readonly order: FollowedOrder;
  readonly ends: StreamEnds;
  readonly region: string;
  /** The home that the order belongs to. */
  readonly home: string;
  /** Epoch ms, by the clock of the log. */
  readonly now: () => number;
  /** Draws the key of a segment, 32 bytes in base64url; random bytes when absent. */
  readonly newKey?: () => string;
}

const randomKey = (): string => randomBytes(32).toString('base64url');

/** Where the order ends, with what an append must name. */
interface Place {
  readonly epoch: number;
  readonly sequence: number;
}

/** Extends the order, while this region decides for the order home. */
export class OrderDesk {
  readonly #options: OrderDeskOptions;
  /** The epoch under which everything that counted before is known to be read. */
  #readyFor: number | undefined;
  /** The own entry that must have been taken before the next one is written. */
  #awaited: Place | undefined;

  constructor(options: OrderDeskOptions) {
    this.#options = options;
  }

  /**
   * Orders what has come since, if there is anything and the home is decided here.
   * @returns how many messages were ordered
   * @throws LogFault when the log does not answer; the next call goes on
   */
  async extend(): Promise<number> {
    const { desk, order, ends, home, now, newKey = randomKey } = this.#options;
    const epoch = desk.epochOf(home);
    if (epoch === undefined) {
      this.#readyFor = undefined;
      this.#awaited = undefined;
      return 0;
    }
    await ends.hear();
    order.look();
    if (!(await this.#isReady(epoch))) return 0;
    const isOwn = (stream: string, sequence: number): boolean => desk.isOwn(stream, sequence);
    const data = extensionOf(order.ranks, await ends.toOrder(), isOwn, newKey);
    if (data === undefined) return 0;
    const event = {
      type: 'meridian.order.extended.v1',
      subject: 'all',
      data,
      timeMs: now(),
      cause: { causationId: `order.${data.afterRank}` },
    };
    try {
      const { sequence } = await desk.append(
        home,
        orderAggregate,
        [event],
        await this.#head(epoch),
      );
      this.#awaited = { epoch, sequence };
    } catch (error) {
      // It may be stored, or somebody else's was: the next call reads first.
      this.#readyFor = undefined;
      if (error instanceof WrongLastSequence) return 0;
      if (error instanceof LogFault && error.name === 'Fenced') return 0;
      throw error;
    }
    return data.ranges.reduce((sum, { after, upTo }) => sum + upTo - after, 0);
  }

  /** Whether everything that counts is taken, so that the order ends where `order` says. */
  async #isReady(epoch: number): Promise<boolean> {
    const { order } = this.#options;
    if (this.#readyFor !== epoch) {
      await order.caughtUp();
      this.#readyFor = epoch;
      this.#awaited = undefined;
    }
    if (this.#awaited !== undefined) {
      const { last } = order;
      const isTaken =
        last !== undefined &&
        last.epoch === this.#awaited.epoch &&
        last.sequence >= this.#awaited.sequence;
      if (!isTaken) return false;
      this.#awaited = undefined;
    }
    return !order.isWaiting;
  }

  async #head(epoch: number): Promise<Head> {
    const { log, order, region, home } = this.#options;
    const own = eventStream(region);
    const { last } = order;
    const isMine = last !== undefined && last.stream === own && last.epoch === epoch;
    const sequence = isMine
      ? last.sequence
      : await log.lastSequence(
          own,
          eventSubject(region, home, { tenant: meshTenant, ...orderAggregate }),
        );
    if (last === undefined) return { ...emptyHead, sequence };
    const { revision, hash, stream } = last;
    const head = { sequence, revision, hash };
    return stream === own ? head : { ...head, at: `${stream}:${last.sequence}` };
  }
}
