import { hashLength, nodeHash } from './hashes.ts';
import { splitOf } from './tree.ts';

const isSame = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;
const areHashes = (hashes: readonly Uint8Array[]): boolean =>
  hashes.every(({ length }) => length === hashLength);
const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;

/** What an inclusion proof says: the leaf of this hash is the `index`-th of the tree. */
export interface Inclusion {
  readonly index: number;
  /** How many leaves the tree has. */
  readonly size: number;
  /** The leaf's hash. */
  readonly leaf: Uint8Array;
  readonly proof: readonly Uint8Array[];
}

/**
 * The root that follows from an inclusion proof; undefined when it has too many or too few hashes
 * for its place, or what is none. (RFC 9162, 2.1.3.2, says the same of RFC 6962's tree.)
 */
export function rootOfInclusion({ index, size, leaf, proof }: Inclusion): Uint8Array | undefined {
  if (!isCount(index) || !isCount(size) || index >= size) return undefined;
  if (!areHashes([leaf, ...proof])) return undefined;
  // From the root down: on which side of each node the leaf is.
  const sides: ('left' | 'right')[] = [];
  for (let [at, width] = [index, size]; width > 1;) {
    const half = splitOf(width);
    const isLeft = at < half;
    sides.push(isLeft ? 'left' : 'right');
    [at, width] = isLeft ? [at, half] : [at - half, width - half];
  }
  if (sides.length !== proof.length) return undefined;
  return proof.reduce<Uint8Array>(
    (hash, beside) => (sides.pop() === 'left' ? nodeHash(hash, beside) : nodeHash(beside, hash)),
    leaf,
  );
}

/** Whether an inclusion proof leads to a root. */
export function verifyInclusion(inclusion: Inclusion, root: Uint8Array): boolean {
  const found = rootOfInclusion(inclusion);
  return found !== undefined && isSame(found, root);
}

/** What a consistency proof says: the later tree begins with the leaves of the earlier one. */
export interface Consistency {
  readonly earlierSize: number;
  readonly earlierRoot: Uint8Array;
  readonly size: number;
  readonly root: Uint8Array;
  readonly proof: readonly Uint8Array[];
}

/** Whether a consistency proof holds. An empty tree is the beginning of every tree. */
export function verifyConsistency(consistency: Consistency): boolean {
  const { earlierSize, earlierRoot, size, root, proof } = consistency;
  if (!isCount(earlierSize) || !isCount(size) || earlierSize > size) return false;
  if (!areHashes(proof)) return false;
  if (earlierSize === 0) return proof.length === 0;
  if (earlierSize === size) return proof.length === 0 && isSame(earlierRoot, root);
  // From the root down to the last complete subtree that both have: on which side it goes on.
  const sides: ('left' | 'right')[] = [];
  for (let [at, width] = [earlierSize, size]; at !== width;) {
    const half = splitOf(width);
    const isLeft = at <= half;
    sides.push(isLeft ? 'left' : 'right');
    [at, width] = isLeft ? [at, half] : [at - half, width - half];
  }
  const isWhole = !sides.includes('right');
  const rest = [...proof];
  const first = isWhole ? earlierRoot : rest.shift();
  if (first === undefined || rest.length !== sides.length) return false;
  let [before, after] = [first, first];
  for (const beside of rest) {
    if (sides.pop() === 'left') after = nodeHash(after, beside);
    else [before, after] = [nodeHash(beside, before), nodeHash(beside, after)];
  }
  return isSame(before, earlierRoot) && isSame(after, root);
}
