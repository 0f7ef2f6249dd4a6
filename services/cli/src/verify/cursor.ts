import { parseRawEntry, type RawEntry } from '../check/raw.ts';
import type { Fault } from './learn.ts';
import type { LogCopy } from './source.ts';

/** Reads one stream from its start, in the steps in which the order asks for it. */
export class Cursor {
  readonly #batches: AsyncIterator<readonly string[]>;
  readonly #report: (fault: Fault) => void;
  readonly #stream: string;
  #lines: readonly string[] = [];
  #index = 0;
  /** How many lines were read before those of `#lines`. */
  #before = 0;
  #held: RawEntry | undefined;
  #last = 0;
  #isAtEnd = false;

  constructor(copy: LogCopy, stream: string, report: (fault: Fault) => void) {
    this.#stream = stream;
    this.#report = report;
    this.#batches = copy.read(stream)[Symbol.asyncIterator]();
  }

  /** The sequence of what is there next, after one that was not; infinite where nothing is. */
  get next(): number {
    return this.#isAtEnd ? Infinity : (this.#held?.sequence ?? 0);
  }

  /**
   * The message of a sequence, later than any asked for before; undefined when it is not there, or
   * not read yet: then `isShort`, and it is to be asked for again after `fill`.
   */
  at(sequence: number): RawEntry | undefined {
    for (;;) {
      const entry = this.#held ?? this.#parsed();
      this.#held = undefined;
      if (entry === undefined) return undefined;
      if (entry.sequence > sequence) {
        this.#held = entry;
        return undefined;
      }
      if (entry.sequence <= this.#last || entry.stream !== this.#stream) {
        const what = `${entry.stream} ${entry.sequence} stands after ${this.#last}.`;
        this.#report({ stream: this.#stream, sequence: entry.sequence, what });
        continue;
      }
      this.#last = entry.sequence;
      if (entry.sequence === sequence) return entry;
    }
  }

  /** Whether more must be read before it is known what comes next. */
  get isShort(): boolean {
    return this.#held === undefined && !this.#isAtEnd && this.#index >= this.#lines.length;
  }

  /** Reads further. */
  async fill(): Promise<void> {
    this.#before += this.#lines.length;
    [this.#lines, this.#index] = [[], 0];
    const { done, value } = await this.#batches.next();
    if (done === true) this.#isAtEnd = true;
    else this.#lines = value;
  }

  /** What was not asked for, up to the end. */
  async *rest(): AsyncGenerator<RawEntry> {
    if (this.#held !== undefined) yield this.#held;
    this.#held = undefined;
    while (!this.#isAtEnd) {
      for (let entry = this.#parsed(); entry !== undefined; entry = this.#parsed()) yield entry;
      await this.fill();
    }
  }

  /** The next entry of what was read; undefined at the end of it. */
  #parsed(): RawEntry | undefined {
    while (this.#index < this.#lines.length) {
      const line = this.#lines[this.#index] as string;
      this.#index += 1;
      if (line.trim() === '') continue;
      const entry = parseRawEntry(line);
      if (typeof entry !== 'string') return entry;
      const what = `Line ${this.#before + this.#index} of the export: ${entry}.`;
      this.#report({ stream: this.#stream, sequence: this.#last + 1, what });
    }
    return undefined;
  }
}
