import { parseRawEntry, type RawEntry } from '../check/raw.ts';
import type { LogCopy } from '../verify/source.ts';

/** A copy of the log of which parts can be read. */
export interface RangedCopy extends LogCopy {
  /** @param range the first and the last sequence wanted; lines before it may come too */
  read(stream: string, range?: { from?: number; to?: number }): AsyncIterable<readonly string[]>;
}

/** The lines of a stream from a sequence on, one at a time. */
export class LineCursor {
  readonly #lines: AsyncIterator<readonly string[]>;
  readonly #stream: string;
  #batch: readonly string[] = [];
  #index = 0;

  constructor(copy: RangedCopy, stream: string, from: number, to?: number) {
    const range = to === undefined ? { from } : { from, to };
    this.#lines = copy.read(stream, range)[Symbol.asyncIterator]();
    this.#stream = stream;
  }

  /** The message of a sequence; undefined when another one, or nothing, is in its place. */
  async at(sequence: number): Promise<{ entry: RawEntry; line: string } | undefined> {
    for (;;) {
      const line = this.#batch[this.#index];
      if (line === undefined) {
        const { done, value } = await this.#lines.next();
        if (done === true) return undefined;
        [this.#batch, this.#index] = [value, 0];
        continue;
      }
      this.#index += 1;
      if (line.trim() === '') continue;
      const entry = parseRawEntry(line);
      if (typeof entry === 'string' || entry.stream !== this.#stream) return undefined;
      if (entry.sequence === sequence) return { entry, line };
      if (entry.sequence > sequence) return undefined;
    }
  }

  async close(): Promise<void> {
    await this.#lines.return?.();
  }
}
