import { hashText, parseAggregate, parseRawEntry, type RawEntry } from './raw.ts';
import { rules, type Violation } from './violation.ts';

/** One region's copy of a stream: as NDJSON, or read already. */
export interface Copy {
  readonly region: string;
  read(): AsyncIterable<readonly (string | RawEntry)[]>;
}

export interface CopiesResult {
  readonly stream: string;
  /** How many entries were compared in all copies. */
  readonly compared: number;
  /** By region, how many entries of the longest copy it does not hold yet. */
  readonly behind: Readonly<Record<string, number>>;
  readonly violations: readonly Violation[];
}

/**
 * Compares the copies of a stream sequence by sequence: subject and data must be the same. A copy
 * that ends early is behind, which is no violation; the stream of the region that writes it must
 * not be, for it would give a sequence away twice.
 * @param limit how many violations are kept
 */
export async function compareCopies(
  stream: string,
  copies: readonly Copy[],
  limit = 1000,
): Promise<CopiesResult> {
  const cursors = copies.map((copy) => new Cursor(copy));
  for (const cursor of cursors) await cursor.next();
  const behind = Object.fromEntries(copies.map(({ region }) => [region, 0]));
  const violations: Violation[] = [];
  let compared = 0;
  for (;;) {
    const heads = cursors.flatMap(({ head }) => (head === undefined ? [] : [head]));
    const [some] = heads;
    if (some === undefined) break;
    const lowest = heads.reduce((a, b) => (b.sequence < a.sequence ? b : a));
    const found = cursors.map(({ region, head }) => {
      if (head === undefined) behind[region] = (behind[region] ?? 0) + 1;
      return { region, what: describe(head, lowest.sequence), isOver: head === undefined };
    });
    const origin = found.find(
      ({ region }) => stream === `EV_${region}` || stream === `IN_${region}`,
    );
    const held = found.filter(({ isOver }) => !isOver);
    const reference = origin?.isOver === false ? origin : held[0];
    const others = held.filter(({ what }) => what !== reference?.what);
    const differing = origin?.isOver === true ? [origin, ...others] : others;
    for (const { region, what, isOver } of differing) {
      if (violations.length === limit) break;
      violations.push({
        invariant: rules.copies[0],
        rule: 'copies',
        sequence: lowest.sequence,
        index: 0,
        aggregate: parseAggregate(lowest.subject)?.subject ?? lowest.subject,
        expected: `${stream} of ${reference?.region ?? ''}: ${reference?.what ?? ''}`,
        found: `in ${region}: ${isOver ? 'the end of its own stream' : what}`,
      });
    }
    if (found.every(({ isOver }) => !isOver)) compared += 1;
    for (const cursor of cursors) {
      if (cursor.head?.sequence === lowest.sequence) await cursor.next();
    }
  }
  return { stream, compared, behind, violations };
}

function describe(entry: RawEntry | undefined, sequence: number): string {
  if (entry?.sequence !== sequence) return 'no such sequence';
  return `${entry.subject} ${hashText(entry.data).slice(0, 12)}`;
}

class Cursor {
  readonly region: string;
  readonly #lines: AsyncIterator<readonly (string | RawEntry)[]>;
  #batch: readonly (string | RawEntry)[] = [];
  #index = 0;
  head: RawEntry | undefined;

  constructor(copy: Copy) {
    this.region = copy.region;
    this.#lines = copy.read()[Symbol.asyncIterator]();
  }

  async next(): Promise<void> {
    this.head = undefined;
    for (;;) {
      if (this.#index === this.#batch.length) {
        const { done, value } = await this.#lines.next();
        if (done === true) return;
        [this.#batch, this.#index] = [value, 0];
        continue;
      }
      const line = this.#batch[this.#index] ?? '';
      this.#index += 1;
      const entry = typeof line === 'string' && line.trim() !== '' ? parseRawEntry(line) : line;
      if (typeof entry === 'string') continue;
      this.head = entry;
      return;
    }
  }
}
