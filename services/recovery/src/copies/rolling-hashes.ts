import { createHash } from 'node:crypto';
import { hashAfter, hashAfterMissing, type CopiedMessage } from './copied-message.ts';

/** How many sequences a chunk has. Chunk 0 holds the sequences 1 to 1,024. */
export const chunkLength = 1_024;

export const chunkOf = (sequence: number): number => Math.floor((sequence - 1) / chunkLength);
export const firstOf = (chunk: number): number => chunk * chunkLength + 1;
export const lastOf = (chunk: number): number => (chunk + 1) * chunkLength;

/** Where the hashes of one copy have got to: what it tells others. */
export interface HashSummary {
  /** Everything up to this sequence is hashed. */
  readonly upTo: number;
  /** How many chunks are complete, and one hash over all of theirs. */
  readonly chunks: number;
  readonly chain: string;
  /** The hash of the chunk that `upTo` lies in, from its beginning up to there. */
  readonly run: string;
}

export type Agreement = 'same' | 'differs' | 'unknown';

/**
 * Hashes of a stream's messages by chunks of sequences: the list of complete chunks, one chain over
 * them, and for the last two chunks the hash at each sequence, so that copies which have got to
 * different places can still be compared where the shorter one ends.
 */
export class RollingHashes {
  readonly #chunks: string[] = [];
  /** The chain up to and with each chunk; shorter when a chunk was read anew. */
  readonly #chains: string[] = [];
  /** The hash at each sequence of the open chunk, and of the one before it. */
  #open: string[] = [];
  #closed: readonly string[] = [];

  get upTo(): number {
    return this.#chunks.length * chunkLength + this.#open.length;
  }

  get chunks(): number {
    return this.#chunks.length;
  }

  /** The next message, or that there is none that can be read. */
  extend(message: CopiedMessage | { readonly missing: number }): void {
    const expected = this.upTo + 1;
    const sequence = 'missing' in message ? message.missing : message.sequence;
    if (sequence !== expected) {
      throw new RangeError(`The hashes go on at sequence ${expected}, not at ${sequence}.`);
    }
    const before = this.#open.at(-1) ?? seedOf(this.#chunks.length);
    this.#open.push(
      'missing' in message ? hashAfterMissing(before, sequence) : hashAfter(before, message),
    );
    if (this.#open.length < chunkLength) return;
    this.#chunks.push(shortened(this.#open.at(-1) as string));
    this.#closed = this.#open;
    this.#open = [];
  }

  /** Forgets what lies beyond a sequence, back to the beginning of its chunk. */
  cut(last: number): void {
    if (last >= this.upTo) return;
    const chunks = Math.min(this.#chunks.length, Math.floor(last / chunkLength));
    this.#chunks.length = chunks;
    this.#chains.length = Math.min(this.#chains.length, chunks);
    this.#open = [];
    this.#closed = [];
  }

  /** The hash of a complete chunk; undefined for any other. */
  chunk(index: number): string | undefined {
    return this.#chunks[index];
  }

  /** Takes the hash that a complete chunk has now. @returns whether it is another one */
  replace(index: number, hash: string): boolean {
    if (this.#chunks[index] === hash || index >= this.#chunks.length) return false;
    this.#chunks[index] = hash;
    this.#chains.length = Math.min(this.#chains.length, index);
    return true;
  }

  /** One hash over the first so many chunks. */
  chain(chunks: number): string {
    for (let index = this.#chains.length; index < chunks; index += 1) {
      const before = this.#chains[index - 1] ?? '';
      const text = `${before}\n${this.#chunks[index]}`;
      this.#chains.push(shortened(createHash('sha256').update(text).digest('hex')));
    }
    return this.#chains[chunks - 1] ?? '';
  }

  summary(): HashSummary {
    return {
      upTo: this.upTo,
      chunks: this.chunks,
      chain: this.chain(this.chunks),
      run: shortened(this.#open.at(-1) ?? ''),
    };
  }

  /** What another copy's summary shows: as far as both have got, they are the same or not. */
  compare(other: HashSummary): Agreement {
    const chunks = Math.min(this.chunks, other.chunks);
    if (chunks < other.chunks) return 'unknown';
    if (this.chain(chunks) !== other.chain) return 'differs';
    if (other.upTo === other.chunks * chunkLength) return 'same';
    const runs = this.chunks === chunks ? this.#open : this.#closed;
    const isKept = this.chunks <= chunks + 1;
    const mine = isKept ? runs[other.upTo - chunks * chunkLength - 1] : undefined;
    if (mine === undefined) return 'unknown';
    return shortened(mine) === other.run ? 'same' : 'differs';
  }
}

/** The hash of a whole chunk read at once; sequences that are not among the messages are missing. */
export function hashOfChunk(index: number, messages: ReadonlyMap<number, CopiedMessage>): string {
  let hash = seedOf(index);
  for (let sequence = firstOf(index); sequence <= lastOf(index); sequence += 1) {
    const message = messages.get(sequence);
    hash = message === undefined ? hashAfterMissing(hash, sequence) : hashAfter(hash, message);
  }
  return shortened(hash);
}

const seedOf = (chunk: number): string => `chunk ${chunk}`;
/** 128 bits are enough to tell chance from damage, and half as long to send. */
const shortened = (hash: string): string => hash.slice(0, 32);
