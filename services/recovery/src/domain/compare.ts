/** One entry of a stream, as far as it must be the same in every copy. */
export interface EntryMark {
  readonly sequence: number;
  /** Of the subject and the data. */
  readonly hash: string;
}

/** What a peer holds of one of the own streams. */
export interface PeerCopy {
  readonly peer: string;
  readonly lastSequence: number;
  /** The entry at the end of the shorter of the two copies; undefined where both are empty. */
  readonly shared?: { readonly own: EntryMark; readonly peer: EntryMark };
}

/** What is to be done about one of the own streams. */
export type Verdict =
  | { readonly kind: 'whole' }
  /** The tail after `after` is to be taken from the peer, which holds most. */
  | { readonly kind: 'short'; readonly from: string; readonly after: number; readonly to: number }
  | { readonly kind: 'differs'; readonly peer: string; readonly sequence: number }
  | { readonly kind: 'unreachable' };

/**
 * Compares one of the own streams with the copies of the peers that answered. A server that came
 * back short would use its sequences again, and the copies would differ in silence.
 * @param expected whether a peer must have answered
 */
export function verdictOf(
  ownLast: number,
  copies: readonly PeerCopy[],
  expected: boolean,
): Verdict {
  for (const { peer, shared } of copies) {
    if (shared !== undefined && shared.own.hash !== shared.peer.hash) {
      return { kind: 'differs', peer, sequence: shared.own.sequence };
    }
  }
  const [most] = copies.toSorted(
    (a, b) => b.lastSequence - a.lastSequence || (a.peer < b.peer ? -1 : 1),
  );
  if (most === undefined) return { kind: expected ? 'unreachable' : 'whole' };
  return most.lastSequence > ownLast
    ? { kind: 'short', from: most.peer, after: ownLast, to: most.lastSequence }
    : { kind: 'whole' };
}
