import { hash } from 'node:crypto';
import { hashLength, leafHash, nodeHash } from './hashes.ts';
import { rootOfInclusion } from './verify.ts';

/** Where an aggregate's history in one stream ends. */
export interface AggregateHead {
  /** The subject that it is stored under. */
  readonly subject: string;
  /** Of its last event. */
  readonly revision: number;
  /** SHA-256 of its last event's stored text, in base64url. */
  readonly hash: string;
}

/** How many buckets there are, by the first two bytes of the subject's hash. */
const buckets = 65_536;
const levels = 16;
const recordLength = 2 * hashLength;
const emptyBucket = Buffer.alloc(0);
/** How many hashes a step of settling takes, about. */
const stepLength = 256;

/** The bytes of a head's leaf: subject, revision and hash, each with a line feed after it. */
const headLeaf = ({ subject, revision, hash }: AggregateHead): Buffer =>
  leafHash(Buffer.from(`${subject}\n${revision}\n${hash}\n`));

const keyOf = (subject: string): Buffer => hash('sha256', subject, 'buffer');

/** That a head is, or is not, in a map of a certain root. */
export interface HeadProof {
  /** Every entry of the subject's bucket, in order: the subject's hash and the leaf's. */
  readonly bucket: readonly { readonly key: Uint8Array; readonly leaf: Uint8Array }[];
  /** The hashes beside the bucket's way to the root, lowest first. */
  readonly proof: readonly Uint8Array[];
}

/**
 * The heads of all aggregates as one root: a tree of RFC 6962 over 65,536 buckets. The entry of a
 * bucket is its records, each the hash of a subject and that of its head's leaf, sorted by the
 * former. What an aggregate's head is, and that there is none, is proved by its bucket: the subjects'
 * hashes are part of what is signed, or one could be passed off as another's.
 * Memory: 4 MB, 64 bytes an aggregate, and some 300 for each that was set since `root` was asked for.
 */
export class HeadMap {
  readonly #buckets = new Map<number, Buffer>();
  /** Level by level, the lowest first: 65,536 hashes, 32,768, …, 1. */
  readonly #nodes: Buffer[] = emptyNodes();
  readonly #touched = new Set<number>();
  /** What was set since, by subject: of an aggregate that goes on and on only the last is hashed. */
  readonly #set = new Map<string, AggregateHead>();
  #count = 0;

  /** How many aggregates there are. */
  get count(): number {
    this.#placeAll();
    return this.#count;
  }

  /** Sets where an aggregate ends now. */
  set(head: AggregateHead): void {
    this.#set.set(head.subject, head);
  }

  #placeAll(): void {
    for (const head of this.#set.values()) this.#place(head);
    this.#set.clear();
  }

  #place(head: AggregateHead): void {
    const key = keyOf(head.subject);
    const leaf = headLeaf(head);
    const number = key.readUInt16BE();
    const bucket = this.#buckets.get(number) ?? emptyBucket;
    this.#touched.add(number);
    let at = 0;
    for (; at < bucket.length; at += recordLength) {
      const order = key.compare(bucket, at, at + hashLength);
      if (order === 0) {
        bucket.set(leaf, at + hashLength);
        return;
      }
      if (order < 0) break;
    }
    this.#count += 1;
    this.#buckets.set(
      number,
      Buffer.concat([bucket.subarray(0, at), key, leaf, bucket.subarray(at)]),
    );
  }

  /** The root now; what it costs depends on how many aggregates were set since it was last asked for. */
  root(): Uint8Array {
    for (const _ of this.settle());
    return Buffer.from(this.#node(levels, 0));
  }

  /**
   * Does what `root` has to do, in steps of about a millisecond: for who has something else to do
   * meanwhile. Nothing may be set before it is done.
   */
  *settle(): Generator<void> {
    let changed = new Set<number>();
    let steps = 0;
    for (const [subject, head] of this.#set) {
      this.#place(head);
      this.#set.delete(subject);
      if (++steps % (stepLength / 4) === 0) yield;
    }
    for (const number of this.#touched) {
      const bucket = this.#buckets.get(number) ?? emptyBucket;
      this.#level(0).set(leafHash(bucket), number * hashLength);
      changed.add(number >> 1);
      if (++steps % stepLength === 0) yield;
    }
    this.#touched.clear();
    for (let level = 1; level <= levels; level++) {
      const above = new Set<number>();
      for (const index of changed) {
        const left = this.#node(level - 1, 2 * index);
        const hash = nodeHash(left, this.#node(level - 1, 2 * index + 1));
        this.#level(level).set(hash, index * hashLength);
        above.add(index >> 1);
        if (++steps % stepLength === 0) yield;
      }
      changed = above;
    }
  }

  /** What proves the head of a subject, or that it has none, to the root that the map has now. */
  prove(subject: string): HeadProof {
    this.root();
    const number = keyOf(subject).readUInt16BE();
    const proof: Uint8Array[] = [];
    for (let [level, index] = [0, number]; level < levels; level++, index >>= 1) {
      proof.push(Buffer.from(this.#node(level, index ^ 1)));
    }
    return { bucket: recordsOf(this.#buckets.get(number) ?? emptyBucket), proof };
  }

  /** All there is, to be kept: what `parse` reads. */
  serialise(): Buffer {
    this.#placeAll();
    return Buffer.concat([...this.#buckets].sort(([a], [b]) => a - b).map(([, bytes]) => bytes));
  }

  /** @throws RangeError when the bytes are no map */
  static parse(bytes: Uint8Array): HeadMap {
    const map = new HeadMap();
    const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    if (all.length % recordLength !== 0) throw new RangeError(`${all.length} bytes are no heads.`);
    for (let from = 0; from < all.length;) {
      const number = all.readUInt16BE(from);
      let to = from;
      while (to < all.length && all.readUInt16BE(to) === number) to += recordLength;
      map.#buckets.set(number, Buffer.from(all.subarray(from, to)));
      map.#touched.add(number);
      from = to;
    }
    map.#count = all.length / recordLength;
    return map;
  }

  #level(level: number): Buffer {
    return this.#nodes[level] as Buffer;
  }

  #node(level: number, index: number): Uint8Array {
    return this.#level(level).subarray(index * hashLength, (index + 1) * hashLength);
  }
}

function emptyNodes(): Buffer[] {
  const nodes: Buffer[] = [];
  let empty: Uint8Array = leafHash(emptyBucket);
  for (let width = buckets; width >= 1; width /= 2) {
    nodes.push(Buffer.alloc(width * hashLength, empty));
    empty = nodeHash(empty, empty);
  }
  return nodes;
}

function recordsOf(bucket: Buffer): HeadProof['bucket'] {
  const records: { key: Uint8Array; leaf: Uint8Array }[] = [];
  for (let at = 0; at < bucket.length; at += recordLength) {
    records.push({
      key: Buffer.from(bucket.subarray(at, at + hashLength)),
      leaf: Buffer.from(bucket.subarray(at + hashLength, at + recordLength)),
    });
  }
  return records;
}

/**
 * What a proof says of a subject under a root: `is`: this is its head; `other`: it has one, which is
 * not this; `none`: it has none; undefined: the proof does not hold.
 */
export function verifyHead(
  head: AggregateHead,
  { bucket, proof }: HeadProof,
  root: Uint8Array,
): 'is' | 'other' | 'none' | undefined {
  const key = keyOf(head.subject);
  for (const [index, record] of bucket.entries()) {
    const before = bucket[index - 1];
    if (before !== undefined && Buffer.compare(before.key, record.key) >= 0) return undefined;
    if (record.key.length !== hashLength || record.leaf.length !== hashLength) return undefined;
  }
  const found = rootOfInclusion({
    index: key.readUInt16BE(),
    size: buckets,
    leaf: leafHash(Buffer.concat(bucket.flatMap((one) => [one.key, one.leaf]))),
    proof,
  });
  if (found === undefined || Buffer.compare(found, root) !== 0) return undefined;
  const record = bucket.find((one) => key.equals(one.key));
  if (record === undefined) return 'none';
  return headLeaf(head).equals(record.leaf) ? 'is' : 'other';
}
