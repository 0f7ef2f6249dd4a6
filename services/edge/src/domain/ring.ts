/** What a ring keeps: something with a place in a stream and a size. */
export interface Ringed {
  readonly sequence: number;
  /** About how many bytes it takes in memory. */
  readonly size: number;
}

/**
 * The last entries of a stream, as many as fit. Sequences rise; they may have gaps, which hold
 * nothing.
 */
export class Ring<T extends Ringed> {
  readonly #slots: (T | undefined)[];
  readonly #sizeLimit: number;
  #head = 0;
  #count = 0;
  #size = 0;
  #next: number;
  #first: number;

  /**
   * @param first the sequence from which on everything that is in the stream will be pushed
   * @param limits how many entries, and how many bytes of them, are kept
   */
  constructor(first: number, limits: { readonly entries: number; readonly bytes: number }) {
    this.#slots = Array.from({ length: limits.entries });
    this.#sizeLimit = limits.bytes;
    this.#first = first;
    this.#next = first;
  }

  /** Everything from here up to `next` (exclusive) that the stream holds is here. */
  get first(): number {
    return this.#first;
  }

  /** The sequence that the next entry has at least. */
  get next(): number {
    return this.#next;
  }

  get count(): number {
    return this.#count;
  }

  push(entry: T): void {
    if (entry.sequence < this.#next) {
      throw new RangeError(
        `Entry ${entry.sequence} was pushed, but ${this.#next} is the next one at least.`,
      );
    }
    while (
      this.#count > 0 &&
      (this.#count === this.#slots.length || this.#size + entry.size > this.#sizeLimit)
    ) {
      this.#drop();
    }
    this.#slots[(this.#head + this.#count) % this.#slots.length] = entry;
    this.#count += 1;
    this.#size += entry.size;
    this.#next = entry.sequence + 1;
  }

  /** The first entry at or after a sequence that is not before `first`; undefined when there is none yet. */
  at(sequence: number): T | undefined {
    let low = 0;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#entry(middle).sequence < sequence) low = middle + 1;
      else high = middle;
    }
    return low < this.#count ? this.#entry(low) : undefined;
  }

  #entry(index: number): T {
    return this.#slots[(this.#head + index) % this.#slots.length] as T;
  }

  #drop(): void {
    const dropped = this.#entry(0);
    this.#slots[this.#head] = undefined;
    this.#head = (this.#head + 1) % this.#slots.length;
    this.#count -= 1;
    this.#size -= dropped.size;
    this.#first = dropped.sequence + 1;
  }
}
