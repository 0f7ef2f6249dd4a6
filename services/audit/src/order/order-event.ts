import { epochOf, readEntry, type LogMessage } from '@meridian/journal';
import type { OrderRange } from '@meridian/proof';
import type { EventEnvelope, OrderEvent } from '@meridian/wire';
import { lastHash } from '@meridian/wire';

/** The aggregate that the order is: of the order home, under the mesh's own tenant. */
export const orderAggregate = { entity: 'order', id: 'all' } as const;

/** The key of a stream's segment of 65,536 sequences. */
export interface SegmentKey {
  readonly stream: string;
  readonly segment: number;
  /** 32 bytes. */
  readonly key: Uint8Array;
}

/** One entry of the order, as a copy of an `EV_` stream holds it. */
export interface OrderEntry {
  readonly region: string;
  readonly stream: string;
  readonly sequence: number;
  readonly epoch: number;
  /** Of its last event, and that one's hash. */
  readonly revision: number;
  readonly hash: string;
  /** How many messages were ordered before. */
  readonly afterRank: number;
  readonly ranges: readonly OrderRange[];
  readonly keys: readonly SegmentKey[];
}

/** Reads an entry of the order. @throws CorruptEntry when it is not what Meridian writes */
export function readOrderEntry(message: LogMessage): OrderEntry | undefined {
  const events = readEntry(message).events as readonly (EventEnvelope & OrderEvent)[];
  const [first] = events;
  const last = events.at(-1);
  if (first?.type !== 'meridian.order.extended.v1' || last === undefined) return undefined;
  return {
    region: message.stream.slice('EV_'.length),
    stream: message.stream,
    sequence: message.sequence,
    epoch: epochOf(message),
    revision: last.revision,
    hash: lastHash(message.text()),
    afterRank: first.data.afterRank,
    ranges: events.flatMap(({ data }) => data.ranges),
    keys: events.flatMap(({ data }) =>
      (data.keys ?? []).map(({ stream, segment, key }) => ({
        stream,
        segment,
        key: Buffer.from(key, 'base64url'),
      })),
    ),
  };
}
