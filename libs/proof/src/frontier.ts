import { emptyRoot, hashLength, nodeHash } from './hashes.ts';

/**
 * The root of a growing tree of RFC 6962, and nothing else of it: the hashes of its largest complete
 * subtrees, one for each bit of its size that is set, the largest first.
 */
export class Frontier {
  #size: number;
  readonly #hashes: Uint8Array[];

  /**
   * @param hashes of the complete subtrees that `size` leaves consist of, the largest first
   * @throws RangeError when there are not as many as `size` has bits
   */
  constructor(size = 0, hashes: readonly Uint8Array[] = []) {
    const bits = size.toString(2).replaceAll('0', '').length;
    if (!Number.isSafeInteger(size) || size < 0 || hashes.length !== bits) {
      throw new RangeError(
        `${hashes.length} hashes are no frontier of ${size} leaves; ${bits} are expected.`,
      );
    }
    this.#size = size;
    this.#hashes = [...hashes];
  }

  /** How many leaves there are. */
  get size(): number {
    return this.#size;
  }

  /** Adds a leaf by its hash; on average one inner node is hashed. */
  append(leaf: Uint8Array): void {
    let hash = leaf;
    for (let rest = this.#size; rest % 2 === 1; rest = Math.floor(rest / 2)) {
      hash = nodeHash(this.#hashes.pop() as Uint8Array, hash);
    }
    this.#hashes.push(hash);
    this.#size += 1;
  }

  root(): Uint8Array {
    const [last, ...larger] = this.#hashes.toReversed();
    if (last === undefined) return emptyRoot;
    return larger.reduce((right, left) => nodeHash(left, right), last);
  }

  /** The size in 8 bytes, the highest first, and the hashes: what `parse` reads. */
  serialise(): Buffer {
    const size = Buffer.alloc(8);
    size.writeBigUInt64BE(BigInt(this.#size));
    return Buffer.concat([size, ...this.#hashes]);
  }

  /** @throws RangeError when the bytes are no frontier */
  static parse(bytes: Uint8Array): Frontier {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    if (buffer.length < 8) throw new RangeError(`${buffer.length} bytes are no frontier.`);
    const hashes: Buffer[] = [];
    for (let from = 8; from < buffer.length; from += hashLength) {
      hashes.push(Buffer.from(buffer.subarray(from, from + hashLength)));
    }
    if (hashes.some(({ length }) => length !== hashLength)) {
      throw new RangeError(`${buffer.length} bytes are no frontier: its last hash is cut off.`);
    }
    return new Frontier(Number(buffer.readBigUInt64BE()), hashes);
  }
}
