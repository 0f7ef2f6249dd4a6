import { emptyRoot, hashLength, nodeHash } from './hashes.ts';

/** Where a tree keeps the hashes of its complete subtrees, in the order in which they are made. */
export interface NodeStore {
  /** How many hashes there are. */
  readonly count: number;
  /** Adds one hash of 32 bytes. */
  push(hash: Uint8Array): void;
  /** The hash at a position from 0 on. */
  at(position: number): Uint8Array;
}

/** Nodes in memory: 64 bytes a leaf. */
export class MemoryNodes implements NodeStore {
  #bytes = Buffer.alloc(1_024 * hashLength);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  push(hash: Uint8Array): void {
    const from = this.#count * hashLength;
    if (from === this.#bytes.length) {
      const larger = Buffer.allocUnsafe(this.#bytes.length * 2);
      this.#bytes.copy(larger);
      this.#bytes = larger;
    }
    this.#bytes.set(hash, from);
    this.#count += 1;
  }

  at(position: number): Uint8Array {
    return this.#bytes.subarray(position * hashLength, (position + 1) * hashLength);
  }
}

/** How many bits of a whole number below 2^53 are set. */
function bitsSet(value: number): number {
  let count = 0;
  for (let rest = value; rest > 0; rest = Math.floor(rest / 4_294_967_296)) {
    for (let word = (rest % 4_294_967_296) | 0; word !== 0; word &= word - 1) count += 1;
  }
  return count;
}

/** How many hashes the complete subtrees of so many leaves are. */
export const nodeCount = (leaves: number): number => 2 * leaves - bitsSet(leaves);

/** The largest power of two below a number of at least 2. */
export function splitOf(size: number): number {
  let half = 1;
  while (half * 2 < size) half *= 2;
  return half;
}

/**
 * A tree of RFC 6962 that keeps the hash of every complete subtree, so that it has the root of any
 * size it ever had and proves anything about any of them. They are stored in post-order, a leaf and
 * then each subtree that it completes: a store only grows, and a position follows by arithmetic.
 */
export class Tree {
  readonly #nodes: NodeStore;
  #size: number;

  /** @param nodes what was kept of a tree before; what its end lacks of a leaf's nodes is added */
  constructor(nodes: NodeStore = new MemoryNodes()) {
    this.#nodes = nodes;
    this.#size = leavesIn(nodes.count);
    this.#complete();
  }

  /** How many leaves there are. */
  get size(): number {
    return this.#size;
  }

  /** Adds a leaf by its hash; on average one inner node is hashed. @returns its index, from 0 */
  append(leaf: Uint8Array): number {
    this.#nodes.push(leaf);
    this.#size += 1;
    this.#complete();
    return this.#size - 1;
  }

  /** The hash of a leaf. @throws RangeError when there is none of that index */
  leaf(index: number): Uint8Array {
    this.#within('index', index, this.#size - 1);
    return this.#node(0, index);
  }

  /** The root of the first `size` leaves (RFC 6962, 2.1). @throws RangeError beyond the tree */
  root(size = this.#size): Uint8Array {
    this.#within('size', size, this.#size);
    return size === 0 ? emptyRoot : this.#range(0, size);
  }

  /**
   * That a leaf is in the tree of `size` leaves: the hashes beside its way to the root, lowest
   * first (RFC 6962, 2.1.1). @throws RangeError when it is not
   */
  inclusionProof(index: number, size = this.#size): Uint8Array[] {
    this.#within('size', size, this.#size);
    this.#within('index', index, size - 1);
    const path: Uint8Array[] = [];
    let [from, to] = [0, size];
    while (to - from > 1) {
      const middle = from + splitOf(to - from);
      if (index < middle) {
        path.push(this.#range(middle, to));
        to = middle;
      } else {
        path.push(this.#range(from, middle));
        from = middle;
      }
    }
    return path.reverse();
  }

  /**
   * That the tree of `size` leaves continues that of `earlier` (RFC 6962, 2.1.2); empty when they
   * are the same or the earlier one is empty. @throws RangeError when they are not of this tree
   */
  consistencyProof(earlier: number, size = this.#size): Uint8Array[] {
    this.#within('size', size, this.#size);
    this.#within('earlier size', earlier, size);
    if (earlier === 0 || earlier === size) return [];
    const path: Uint8Array[] = [];
    let [from, to] = [0, size];
    // Whether the subtree in hand is a whole one of the earlier tree, whose root is known.
    let isWhole = true;
    while (earlier !== to) {
      const middle = from + splitOf(to - from);
      if (earlier <= middle) {
        path.push(this.#range(middle, to));
        to = middle;
      } else {
        path.push(this.#range(from, middle));
        from = middle;
        isWhole = false;
      }
    }
    if (!isWhole) path.push(this.#range(from, to));
    return path.reverse();
  }

  #within(what: string, value: number, most: number): void {
    if (Number.isSafeInteger(value) && value >= 0 && value <= most) return;
    throw new RangeError(
      `The ${what} is ${value}; expected a whole number from 0 to ${most}, ` +
        `as the tree has ${this.#size} leaves.`,
    );
  }

  /** Adds the subtrees that the last leaf completes, as far as they are not there. */
  #complete(): void {
    const last = this.#size - 1;
    let level = this.#nodes.count - nodeCount(Math.max(0, last)) - 1;
    for (let width = 2 ** level; (this.#size / width) % 2 === 0 && this.#size > 0; width *= 2) {
      const index = this.#size / width - 1;
      this.#nodes.push(nodeHash(this.#node(level, index - 1), this.#node(level, index)));
      level += 1;
    }
  }

  /** The complete subtree of 2^level leaves, the `index`-th of these. */
  #node(level: number, index: number): Uint8Array {
    const last = (index + 1) * 2 ** level - 1;
    return this.#nodes.at(nodeCount(last) + level);
  }

  /** The hash of the leaves from `from` to before `to`, a left or right part of the tree. */
  #range(from: number, to: number): Uint8Array {
    const width = to - from;
    const level = Math.log2(width);
    if (Number.isInteger(level)) return this.#node(level, from / width);
    const middle = from + splitOf(width);
    return nodeHash(this.#range(from, middle), this.#range(middle, to));
  }
}

/** The number of leaves in a store of so many hashes, the last one's subtrees perhaps not all there. */
function leavesIn(count: number): number {
  if (count === 0) return 0;
  let [low, high] = [1, count];
  // The largest number of leaves whose last one is stored.
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (nodeCount(middle - 1) < count) low = middle;
    else high = middle - 1;
  }
  return low;
}
