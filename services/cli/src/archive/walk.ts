import { segmentOf } from '@meridian/proof';
import { parseLine, type ArchivedLine } from './lines.ts';
import type { Manifest, Segment } from './manifest.ts';
import { compressedLines, hashedBytes, hashesIn } from './segment.ts';
import type { ArchiveStore } from './store.ts';

/** A message of an archive with what was kept of it, by its rank. */
export interface Walked {
  readonly rank: number;
  readonly stream: string;
  readonly sequence: number;
  /** Its line; undefined when it is not there. */
  readonly found: ArchivedLine | undefined;
  /** Undefined when the file of the leaves ended before. */
  readonly leaf: Buffer | undefined;
}

/** What was wrong with a file on the way. */
export interface WalkFault {
  readonly stream: string;
  readonly sequence: number;
  readonly what: string;
}

/**
 * Goes through an archive by rank: each message with its leaf. Reads every file once, and tells what
 * is not as the manifest has it.
 * Memory: a batch of lines a stream.
 */
export async function* walk(
  store: ArchiveStore,
  manifest: Manifest,
  onFault: (fault: WalkFault) => void,
): AsyncGenerator<Walked> {
  const segments = new Map(manifest.segments.map((one) => [one.stream, one]));
  const cursors = new Map<string, SegmentCursor>();
  const leaves = hashesIn(checked(store, manifest.leaves, 'leaves', onFault));
  let rank = manifest.ranks.from;
  try {
    for await (const [stream, from, to] of rangesOf(store, manifest, onFault)) {
      const cursor = cursors.get(stream) ?? cursorOf(store, segments.get(stream), onFault);
      if (cursor !== undefined) cursors.set(stream, cursor);
      // A range may claim any length.
      const last = Math.min(to, from + manifest.ranks.to - rank - 1);
      for (let sequence = from; sequence <= last; sequence += 1) {
        const leaf = (await leaves.next()).value as Buffer | undefined;
        yield { rank, stream, sequence, found: await cursor?.at(sequence), leaf };
        rank += 1;
      }
    }
    for (const cursor of cursors.values()) await cursor.end();
    if ((await leaves.next()).done !== true) {
      onFault({ stream: 'leaves', sequence: rank, what: 'There are more leaves than messages.' });
    }
  } finally {
    for (const cursor of cursors.values()) await cursor.close();
    await leaves.return(undefined);
  }
}

const cursorOf = (
  store: ArchiveStore,
  segment: Segment | undefined,
  onFault: (fault: WalkFault) => void,
): SegmentCursor | undefined =>
  segment === undefined ? undefined : new SegmentCursor(store, segment, onFault);

/** The key of a message's salt, as a manifest has it; undefined when it has none. */
export function saltKeyOf(
  { saltKeys }: Manifest,
  stream: string,
  sequence: number,
): Uint8Array | undefined {
  const name = `${stream} ${segmentOf(sequence)}`;
  const text = Object.hasOwn(saltKeys, name) ? saltKeys[name] : undefined;
  return text === undefined ? undefined : Buffer.from(text, 'base64url');
}

const differs = (file: string): string => `${file} is not the file that the manifest names.`;

/** The bytes of a file; a fault when they are not those that the manifest names. */
async function* checked(
  store: ArchiveStore,
  { file, sha256 }: { readonly file: string; readonly sha256: string },
  what: string,
  onFault: (fault: WalkFault) => void,
): AsyncGenerator<Uint8Array> {
  yield* hashedBytes(store, file, (found) => {
    if (found !== sha256) onFault({ stream: what, sequence: 0, what: differs(file) });
  });
}

type Range = readonly [stream: string, from: number, to: number];

const isRange = (value: unknown): value is Range =>
  Array.isArray(value) &&
  typeof value[0] === 'string' &&
  Number.isSafeInteger(value[1]) &&
  Number.isSafeInteger(value[2]) &&
  (value[1] as number) <= (value[2] as number);

/** Which messages the ranks of an archive are. */
async function* rangesOf(
  store: ArchiveStore,
  { ranges, ranks }: Manifest,
  onFault: (fault: WalkFault) => void,
): AsyncGenerator<Range> {
  const wrong = (what: string): void => onFault({ stream: 'ranges', sequence: 0, what });
  let count = 0;
  try {
    const lines = compressedLines(store, ranges.file, (found) => {
      if (found !== ranges.sha256) wrong(differs(ranges.file));
    });
    for await (const batch of lines) {
      for (const line of batch) {
        const value: unknown = JSON.parse(line);
        if (!isRange(value)) throw new SyntaxError(`${line.slice(0, 80)} is no range`);
        count += value[2] - value[1] + 1;
        yield value;
      }
    }
  } catch (error) {
    wrong(`${ranges.file} cannot be read: ${(error as Error).message}.`);
    return;
  }
  if (count !== ranks.to - ranks.from) {
    wrong(`The ranges are ${count} messages, the manifest says ${ranks.to - ranks.from}.`);
  }
}

/** Reads a segment in the steps in which the ranges ask for it. */
class SegmentCursor {
  readonly #segment: Segment;
  readonly #onFault: (fault: WalkFault) => void;
  readonly #lines: AsyncGenerator<string[]>;
  #batch: readonly string[] = [];
  #index = 0;
  #held: ArchivedLine | undefined;
  #last = 0;
  #isAtEnd = false;

  constructor(store: ArchiveStore, segment: Segment, onFault: (fault: WalkFault) => void) {
    this.#segment = segment;
    this.#onFault = onFault;
    this.#lines = compressedLines(store, segment.file, (found) => {
      if (found !== segment.sha256) this.#wrong(segment.from, differs(segment.file));
    });
  }

  /** The line of a sequence, later than any asked for before; undefined when it is not there. */
  async at(sequence: number): Promise<ArchivedLine | undefined> {
    for (;;) {
      const found = this.#held ?? (await this.#next());
      this.#held = undefined;
      if (found === undefined) return undefined;
      if (found.kind === 'wrong') {
        this.#wrong(this.#last + 1, `Its line is none: ${found.why}.`);
        continue;
      }
      const place = found.kind === 'message' ? found.entry : found.marker;
      if (place.sequence > sequence) {
        this.#held = found;
        return undefined;
      }
      if (place.sequence <= this.#last || place.stream !== this.#segment.stream) {
        this.#wrong(
          place.sequence,
          `${place.stream} ${place.sequence} stands after ${this.#last}.`,
        );
        continue;
      }
      this.#last = place.sequence;
      if (place.sequence === sequence) return found;
    }
  }

  /** Reads to the end: nothing more may come. */
  async end(): Promise<void> {
    const more = this.#held ?? (await this.#next());
    if (more === undefined) return;
    this.#wrong(this.#last + 1, `${this.#segment.file} goes on after its last message.`);
  }

  async close(): Promise<void> {
    await this.#lines.return(undefined).catch(() => {});
  }

  async #next(): Promise<ArchivedLine | undefined> {
    while (!this.#isAtEnd) {
      const line = this.#batch[this.#index];
      this.#index += 1;
      if (line !== undefined) return parseLine(line);
      try {
        const { done, value } = await this.#lines.next();
        this.#isAtEnd = done === true;
        [this.#batch, this.#index] = [done === true ? [] : value, 0];
      } catch (error) {
        this.#isAtEnd = true;
        const { file, from } = this.#segment;
        const why = `${file} cannot be read on: ${(error as Error).message}.`;
        this.#wrong(this.#last === 0 ? from : this.#last + 1, why);
      }
    }
    return undefined;
  }

  #wrong(sequence: number, what: string): void {
    this.#onFault({ stream: this.#segment.stream, sequence, what });
  }
}
