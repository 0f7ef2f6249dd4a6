import { segmentLength, segmentOf, type OrderRange, type Ranks } from '@meridian/proof';

/** Where a stream ends, as far as it may be ordered. */
export interface StreamEnd {
  readonly stream: string;
  readonly sequence: number;
}

/** What `meridian.order.extended.v1` says. */
export interface Extension {
  readonly afterRank: number;
  readonly ranges: readonly OrderRange[];
  readonly keys?: readonly { readonly stream: string; readonly segment: number; key: string }[];
}

/** How many messages of one stream go into one entry at most: its keys are then 16. */
export const rangeLimit = 16 * segmentLength;

/**
 * What comes next in the order. Requests go before decisions: where the ends of the `EV_` streams
 * were read first, a request is then ordered before what was decided on it in its region.
 * @param isOwn whether a message is an entry of the audit's own, of which alone nothing is written
 * @param newKey draws the key of a segment, 32 bytes in base64url
 * @returns undefined when there is nothing to be ordered but what the audit itself wrote
 */
export function extensionOf(
  ranks: Ranks,
  ends: readonly StreamEnd[],
  isOwn: (stream: string, sequence: number) => boolean,
  newKey: () => string,
): Extension | undefined {
  const rankOf = ({ stream }: StreamEnd): number => (stream.startsWith('IN_') ? 0 : 1);
  const ranges = ends
    .toSorted((a, b) => rankOf(a) - rankOf(b) || (a.stream < b.stream ? -1 : 1))
    .map(({ stream, sequence }) => {
      const after = ranks.end(stream);
      return { stream, after, upTo: Math.min(sequence, after + rangeLimit) };
    })
    .filter(({ after, upTo }) => upTo > after);
  if (ranges.every((range) => isAllOwn(range, isOwn))) return undefined;
  const keys = ranges.flatMap(({ stream, after, upTo }) => {
    const segments: number[] = [];
    // The segment that `after` is in has its key already, unless the stream begins here.
    const first = after === 0 ? 0 : segmentOf(after) + 1;
    for (let segment = first; segment <= segmentOf(upTo); segment += 1) segments.push(segment);
    return segments.map((segment) => ({ stream, segment, key: newKey() }));
  });
  return { afterRank: ranks.size, ranges, ...(keys.length === 0 ? {} : { keys }) };
}

function isAllOwn(
  { stream, after, upTo }: OrderRange,
  isOwn: (stream: string, sequence: number) => boolean,
): boolean {
  for (let sequence = after + 1; sequence <= upTo; sequence += 1) {
    if (!isOwn(stream, sequence)) return false;
  }
  return true;
}
