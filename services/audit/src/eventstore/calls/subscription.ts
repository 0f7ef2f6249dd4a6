import { randomUUID } from 'node:crypto';
import type { ReadResp } from '../protocol/messages.ts';
import { Pace, type OrderReader, type Scope } from '../reading/order-reader.ts';
import type { SegmentReader } from '../reading/segments.ts';
import type { Tail } from '../reading/tail.ts';
import { positionOf, rankAt, type Recorded } from '../recorded.ts';
import type { EventFilter } from '../filters.ts';
import type { NamedStream } from '../names.ts';
import { patiently } from './patience.ts';
import { send, type Presentation, type Sink } from './sink.ts';

/** Somebody who follows and is further behind than this has fallen behind. */
const behindRanks = 4_096;

export interface SubscriptionParts {
  readonly order: OrderReader;
  readonly segments: SegmentReader;
  readonly tail: Tail;
  readonly now: () => number;
}

interface Subscription {
  readonly sink: Sink<ReadResp>;
  readonly signal: AbortSignal;
  readonly presentation: Presentation;
}

const timestampOf = (ms: number): { seconds: number; nanos: number } => ({
  seconds: Math.floor(ms / 1_000),
  nanos: Math.floor(ms % 1_000) * 1_000_000,
});

const positionPair = (position: number) => ({
  commitPosition: position,
  preparePosition: position,
});

export const confirm = (sink: Sink<ReadResp>): Promise<void> =>
  sink.write({ confirmation: { subscriptionId: randomUUID() } });

/** What a subscription to `$all` or a category wants, and how often it is told how far it is. */
export interface Wanted {
  readonly scope: Scope;
  readonly filter?: EventFilter;
  /** After how many events looked at a checkpoint is sent; only with a filter. */
  readonly checkpointEvery?: number;
}

/**
 * Sends every event after a position that is wanted, then those that come, until the client goes.
 * With a filter, checkpoints say how far it is where nothing is wanted.
 * @param from the position to begin with, that one among them
 */
export async function followOrder(
  { order, tail, now }: SubscriptionParts,
  { sink, signal, presentation }: Subscription,
  { scope, filter, checkpointEvery = Infinity }: Wanted,
  from: number,
): Promise<void> {
  let next = from;
  let isLive = false;
  /** Looked at since the client was last told of a position. */
  let passed = 0;
  let last: number | undefined;
  const pace = new Pace();
  const tellCheckpoint = async (position: number): Promise<void> => {
    passed = 0;
    const timestamp = timestampOf(now());
    await sink.write({ checkpoint: { ...positionPair(position), timestamp } });
  };
  while (!signal.aborted) {
    const { version } = tail;
    const page = await patiently(signal, () => order.forwards(next, scope, pace.limit));
    if (page === undefined) return;
    pace.took(page);
    if (isLive && tail.size - rankAt(page.next) > behindRanks) {
      isLive = false;
      const at = positionPair(Math.max(0, next - 1));
      await sink.write({ fellBehind: { timestamp: timestampOf(now()), position: at } });
    }
    for (const event of page.events) {
      if (signal.aborted) return;
      last = event.position;
      passed += 1;
      if (filter?.(event) !== false) await send(sink, event, presentation);
      if (passed >= checkpointEvery) await tellCheckpoint(event.position);
    }
    next = page.next;
    last = page.last ?? last;
    passed += page.looked - Math.min(page.looked, page.events.length);
    const isEnd = rankAt(next) >= tail.size || page.looked === 0;
    if (passed >= checkpointEvery && last !== undefined) await tellCheckpoint(last);
    if (!isEnd) continue;
    if (!isLive) {
      isLive = true;
      if (filter !== undefined && passed > 0 && last !== undefined) await tellCheckpoint(last);
      const at = last ?? Math.max(0, next - 1);
      await sink.write({ caughtUp: { timestamp: timestampOf(now()), position: positionPair(at) } });
    }
    await tail.moved(version, signal);
  }
}

/**
 * Sends the events of one stream from a revision on, then those that come. What is new in the one
 * order is sent where it goes on; where it does not, because a failover let a later epoch's entries
 * be ordered first, the stream itself is read: it has them in the order of their revisions.
 */
export async function followStream(
  { order, segments, tail, now }: SubscriptionParts,
  { sink, signal, presentation }: Subscription,
  stream: Exclude<NamedStream, { kind: 'category' }>,
  fromRevision: number,
): Promise<void> {
  const { viewer } = presentation;
  let next = fromRevision;
  /** The highest revision that the one order has shown. */
  let seen = -1;
  const sendNext = async (event: Recorded): Promise<void> => {
    if (signal.aborted) return;
    next = event.revision + 1;
    await send(sink, event, presentation);
  };
  const catchUp = async (): Promise<void> => {
    const found = await segments.of(stream);
    if (found === undefined) return;
    for await (const events of segments.forwards(found, next, viewer)) {
      for (const event of events) await sendNext(event);
      if (signal.aborted) return;
    }
  };
  let from = positionOf(tail.size, 0);
  await patiently(signal, catchUp);
  const timestamp = timestampOf(now());
  await sink.write({ caughtUp: { timestamp, streamRevision: Math.max(0, next - 1) } });
  const pace = new Pace();
  while (!signal.aborted) {
    const { version } = tail;
    const scope = { viewer, stream };
    const page = await patiently(signal, () => order.forwards(from, scope, pace.limit));
    if (page === undefined) return;
    pace.took(page);
    from = page.next;
    for (const event of page.events) {
      seen = Math.max(seen, event.revision);
      // Revisions of requests have gaps: those of other tenants are between them.
      const goesOn = stream.kind === 'intake' ? event.revision >= next : event.revision === next;
      if (goesOn) await sendNext(event);
    }
    if (seen >= next) await patiently(signal, catchUp);
    if (page.looked === 0) await tail.moved(version, signal);
  }
}
