import { saltOf, Tree, type HeadProof } from '@meridian/proof';
import { splitEntry, storedAtMs, type RawEntry } from '../check/raw.ts';
import { headOfEntry, type LoggedCheckpoint } from './learn.ts';
import type { LogCopy } from './source.ts';
import { verifyCopy, type VerifyResult } from './verify.ts';

export const proofFormat = 'meridian.proof.v1';

/** What `meridian prove` writes, and `docs/verify-proof.mjs` checks. Bytes are in base64. */
export interface ProofFile {
  readonly format: typeof proofFormat;
  /** The event, and which of its entry's it is. */
  readonly event: { readonly id: string; readonly index: number };
  /** The entry as it is stored. */
  readonly message: {
    readonly stream: string;
    readonly sequence: number;
    readonly subject: string;
    readonly storedAtMs: number;
    readonly headers: Readonly<Record<string, unknown>>;
    readonly data: string;
  };
  readonly salt: string;
  readonly rank: number;
  /** The hashes beside the leaf's way to the root of `checkpoint`, lowest first. */
  readonly inclusion: readonly string[];
  /** The last checkpoint: a signed note. */
  readonly checkpoint: string;
  /** The first checkpoint that covers the event, and that the last one continues it. */
  readonly earlier: { readonly checkpoint: string; readonly consistency: readonly string[] };
  /** Where the aggregate ended at the last checkpoint: nothing of it was left out up to there. */
  readonly head: {
    readonly revision: number;
    readonly hash: string;
    readonly bucket: readonly (readonly [key: string, leaf: string])[];
    readonly proof: readonly string[];
  };
  /** Region to public key, as the log has them; compare them with a list that you trust. */
  readonly keys: Readonly<Record<string, string>>;
}

/** Why there is no proof. */
export interface NoProof {
  readonly reason: 'no-event' | 'not-covered' | 'not-whole';
  readonly result: VerifyResult;
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

/** The place of an event among those of an entry; undefined when it is not there. */
function indexIn(entry: RawEntry, id: string): number | undefined {
  if (!entry.data.includes(`"id":${JSON.stringify(id)}`)) return undefined;
  const index = splitEntry(entry.data).findIndex((text) => {
    try {
      return (JSON.parse(text) as { id?: unknown }).id === id;
    } catch {
      return false;
    }
  });
  return index === -1 ? undefined : index;
}

/**
 * Proves one event to the last checkpoint of a copy of the log, which is verified by that. Memory:
 * 64 bytes a message.
 */
export async function prove(
  copy: LogCopy,
  id: string,
  onRead: (count: number) => void = () => {},
): Promise<ProofFile | NoProof> {
  const tree = new Tree();
  let found:
    | { readonly entry: RawEntry; readonly index: number; readonly rank: number }
    | undefined;
  let head: { readonly revision: number; readonly hash: string } | undefined;
  let committed: { head: typeof head; proof: HeadProof; at: LoggedCheckpoint } | undefined;
  let first: LoggedCheckpoint | undefined;
  const { learned, ...result } = await verifyCopy(copy, {
    onRead,
    onMessage: (rank, entry, leaf) => {
      tree.append(leaf);
      const index = found === undefined ? indexIn(entry, id) : undefined;
      if (index !== undefined && entry.stream.startsWith('EV_')) found = { entry, index, rank };
      if (entry.subject === found?.entry.subject) head = headOfEntry(entry);
    },
    onCheckpoint: (at, heads) => {
      if (found === undefined || found.rank >= at.size) return;
      first ??= at;
      committed = { head, proof: heads.prove(found.entry.subject), at };
    },
  });
  if (found === undefined) return { reason: 'no-event', result };
  if (!result.ok) return { reason: 'not-whole', result };
  if (committed?.head === undefined || first === undefined) {
    return { reason: 'not-covered', result };
  }
  const { entry, index, rank } = found;
  const { at, proof } = committed;
  const { stream, sequence, subject, headers = {}, data } = entry;
  const key = learned.keyOf(stream, sequence) as Uint8Array;
  const withCosignatures = (one: LoggedCheckpoint): string =>
    one.note +
    learned.cosignatures
      .filter(({ size }) => size === one.size)
      .map(({ signature }) => signature)
      .join('');
  return {
    format: proofFormat,
    event: { id, index },
    message: { stream, sequence, subject, storedAtMs: storedAtMs(entry), headers, data },
    salt: base64(saltOf(key, sequence)),
    rank,
    inclusion: tree.inclusionProof(rank, at.size).map(base64),
    checkpoint: withCosignatures(at),
    earlier: {
      checkpoint: withCosignatures(first),
      consistency: tree.consistencyProof(first.size, at.size).map(base64),
    },
    head: {
      ...committed.head,
      bucket: proof.bucket.map((record) => [base64(record.key), base64(record.leaf)] as const),
      proof: proof.proof.map(base64),
    },
    keys: result.keys,
  };
}
