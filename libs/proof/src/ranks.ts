/** The messages of a stream after one sequence, up to another and that one among them. */
export interface OrderRange {
  readonly stream: string;
  readonly after: number;
  readonly upTo: number;
}

/** Where a message is. */
export interface StreamPlace {
  readonly stream: string;
  readonly sequence: number;
}

/** Messages of one stream that follow each other, and the rank of the first. */
export interface Run {
  readonly rank: number;
  readonly stream: string;
  /** The first and the last sequence. */
  readonly from: number;
  readonly to: number;
}

/** What is known of one stream: its ranges, by their numbers, and where the last one ends. */
interface Known {
  readonly name: string;
  readonly ranges: number[];
  end: number;
}

/**
 * The one order as a list of ranges: which message has a rank, and which rank a message has, by
 * binary search. Three numbers a range; what goes on where the range before ended is one with it.
 */
export class Ranks {
  readonly #streams: Known[] = [];
  readonly #numbers = new Map<string, number>();
  /** By range: the rank of its first message, its stream's number, the sequence that it is after. */
  readonly #starts: number[] = [];
  readonly #streamOf: number[] = [];
  readonly #afters: number[] = [];
  #size = 0;

  /** How many messages are ordered: ranks 0 to `size` - 1. */
  get size(): number {
    return this.#size;
  }

  /** How many ranges are kept. */
  get ranges(): number {
    return this.#starts.length;
  }

  /** The streams of which something is ordered. */
  get streams(): readonly string[] {
    return this.#streams.map(({ name }) => name);
  }

  /** The last sequence of a stream that is ordered; 0 when none is. */
  end(stream: string): number {
    return this.#known(stream)?.end ?? 0;
  }

  /**
   * Adds what comes next.
   * @throws RangeError when the range is empty, or does not go on where its stream was left
   */
  append({ stream, after, upTo }: OrderRange): void {
    const left = this.end(stream);
    if (after !== left || !Number.isSafeInteger(upTo) || upTo <= after) {
      throw new RangeError(
        `The range of ${stream} after ${after} up to ${upTo} does not go on after ${left}.`,
      );
    }
    let number = this.#numbers.get(stream);
    if (number === undefined) {
      number = this.#streams.length;
      this.#numbers.set(stream, number);
      this.#streams.push({ name: stream, ranges: [], end: 0 });
    }
    const known = this.#streams[number] as Known;
    if (this.#streamOf.at(-1) !== number) {
      known.ranges.push(this.#starts.length);
      this.#starts.push(this.#size);
      this.#streamOf.push(number);
      this.#afters.push(after);
    }
    known.end = upTo;
    this.#size += upTo - after;
  }

  /** The message of a rank; undefined when there is none. */
  placeOf(rank: number): StreamPlace | undefined {
    if (!Number.isSafeInteger(rank) || rank < 0 || rank >= this.#size) return undefined;
    const range = this.#rangeAt(rank);
    return {
      stream: this.#nameOf(range),
      sequence: this.#after(range) + 1 + rank - this.#start(range),
    };
  }

  /** The rank of a message; undefined when it has none. */
  rankOf(stream: string, sequence: number): number | undefined {
    const known = this.#known(stream);
    if (known === undefined || !Number.isSafeInteger(sequence)) return undefined;
    if (sequence < 1 || sequence > known.end) return undefined;
    const range = known.ranges[
      lastBelow(known.ranges.length, (at) => this.#after(known.ranges[at] as number) < sequence)
    ] as number;
    return this.#start(range) + sequence - this.#after(range) - 1;
  }

  /** The messages of the ranks from `from` to before `to`, as far as there are any, in runs. */
  *runs(from: number, to: number): Generator<Run> {
    const end = Math.min(to, this.#size);
    for (let rank = Math.max(0, from), range = this.#rangeAt(rank); rank < end; range += 1) {
      const next = range + 1 < this.#starts.length ? this.#start(range + 1) : this.#size;
      const count = Math.min(next, end) - rank;
      const first = this.#after(range) + 1 + rank - this.#start(range);
      yield { rank, stream: this.#nameOf(range), from: first, to: first + count - 1 };
      rank += count;
    }
  }

  #known(stream: string): Known | undefined {
    const number = this.#numbers.get(stream);
    return number === undefined ? undefined : this.#streams[number];
  }

  #rangeAt(rank: number): number {
    return lastBelow(this.#starts.length, (at) => this.#start(at) <= rank);
  }

  #start(range: number): number {
    return this.#starts[range] as number;
  }

  #after(range: number): number {
    return this.#afters[range] as number;
  }

  #nameOf(range: number): string {
    return (this.#streams[this.#streamOf[range] as number] as Known).name;
  }
}

/** The last index below `length` for which something holds that holds for all before it; 0 without one. */
function lastBelow(length: number, holds: (index: number) => boolean): number {
  let [low, high] = [0, length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (holds(middle)) low = middle;
    else high = middle - 1;
  }
  return low;
}
