import type { LogMessage } from '@meridian/journal';

/** A message and its place among those of all regions' streams. */
export interface OrderedMessage {
  /** From 0 on, without a gap; never given to another message once it could be read. */
  readonly rank: number;
  readonly message: LogMessage;
}

/**
 * All messages of all regions' `IN_` and `EV_` in the one order that the log itself fixes, orphans
 * and the order's own entries too (docs/decisions/0005-audit.md).
 */
export interface OrderedLog {
  /** How many messages can be read: ranks 0 to `size` - 1. */
  readonly size: number;
  /**
   * Up to `limit` messages from a rank on, that one among them, from the copies held here; fewer at
   * the end. Forwards from `size` on, or backwards from below 0, there are none.
   */
  read(options: {
    readonly from: number;
    readonly direction: 'forwards' | 'backwards';
    readonly limit: number;
  }): Promise<readonly OrderedMessage[]>;
  /** The rank of a stream's message; undefined while it has none that can be read. */
  rankOf(stream: string, sequence: number): number | undefined;
  /** Calls back each time there is more to read. @returns what ends that */
  onGrown(listener: () => void): () => void;
}
