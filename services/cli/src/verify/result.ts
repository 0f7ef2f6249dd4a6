import type { HeadMap } from '@meridian/proof';
import type { RawEntry } from '../check/raw.ts';
import type { Fault, LoggedCheckpoint } from './learn.ts';
import type { KeyUse, PublicKeys } from './signatures.ts';

export interface VerifyOptions {
  /** The keys that the regions must have; then nothing holds that none of these signed. */
  readonly keys?: PublicKeys;
  /** The leaves that the log had when it was verified before: 32 bytes each, by rank. */
  readonly leaves?: Buffer;
  /** A checkpoint's note that somebody kept: this copy must be what it was then, and what came since. */
  readonly since?: string;
  /** Takes each leaf, by rank, as it is found. */
  readonly onLeaf?: (leaf: Uint8Array) => void;
  readonly onRead?: (count: number) => void;
  /** Sees every message, in order, with its leaf. */
  readonly onMessage?: (rank: number, entry: RawEntry, leaf: Uint8Array) => void;
  /** Called when the first `size` messages were taken, `size` being that of a checkpoint. */
  readonly onCheckpoint?: (checkpoint: LoggedCheckpoint, heads: HeadMap) => void;
}

export interface VerifyResult {
  readonly ok: boolean;
  /** How many messages are ordered, and how many of these the last checkpoint that holds covers. */
  readonly ordered: number;
  readonly covered: number;
  /** How many messages follow what is ordered: nothing but their hash chains speaks for them. */
  readonly unordered: number;
  readonly checkpoints: number;
  /** How many aggregates there are, orphans' among them. */
  readonly aggregates: number;
  /** Which regions cosigned the last checkpoint that holds. */
  readonly cosignedBy: readonly string[];
  readonly keys: PublicKeys;
  /** Which key signed what. */
  readonly uses: readonly KeyUse[];
  /** The last checkpoint that holds, with all signatures: what `since` takes later. */
  readonly note?: string;
  /** The checkpoint that was kept, where one was given, and who signed it. */
  readonly since?: { readonly size: number; readonly signers: readonly string[] };
  /** What does not hold, in the order of the log. */
  readonly faults: readonly Fault[];
}
