import { createHash, type Hash } from 'node:crypto';
import { once } from 'node:events';
import { pipeline, Readable } from 'node:stream';
import { createGunzip, createGzip, type Gzip } from 'node:zlib';
import { hashLength } from '@meridian/proof';
import { readLines } from '../http/lines.ts';
import type { ArchiveStore, FileWriter } from './store.ts';

/** What a file is, once it is written. */
export interface WrittenFile {
  readonly file: string;
  /** As it is stored. */
  readonly bytes: number;
  /** Of what is stored, in hexadecimal. */
  readonly sha256: string;
}

/** How much text is put together before it is compressed, in characters. */
const batchLength = 65_536;

/** Writes lines into a compressed file, or bytes into a plain one; nothing has its name before `close`. */
export class HashedFile {
  readonly #name: string;
  readonly #file: FileWriter;
  readonly #hash: Hash = createHash('sha256');
  readonly #gzip: Gzip | undefined;
  readonly #pumped: Promise<void>;
  #batch = '';
  #bytes = 0;

  private constructor(name: string, file: FileWriter) {
    this.#name = name;
    this.#file = file;
    this.#gzip = name.endsWith('.gz') ? createGzip() : undefined;
    this.#pumped = this.#gzip === undefined ? Promise.resolve() : this.#pump(this.#gzip);
    // Told by `writeLine` or `close`.
    this.#pumped.catch(() => {});
  }

  static async open(store: ArchiveStore, name: string): Promise<HashedFile> {
    return new HashedFile(name, await store.writer(name));
  }

  /** Adds a line; its line feed is added too. */
  async writeLine(line: string): Promise<void> {
    this.#batch += `${line}\n`;
    if (this.#batch.length >= batchLength) await this.#flush();
  }

  /** Adds bytes as they are to a file that is not compressed. */
  async writeBytes(bytes: Uint8Array): Promise<void> {
    this.#hash.update(bytes);
    this.#bytes += bytes.length;
    await this.#file.write(bytes);
  }

  /** Ends the file: it has its name now. */
  async close(): Promise<WrittenFile> {
    await this.#flush();
    this.#gzip?.end();
    await this.#pumped;
    await this.#file.commit();
    return { file: this.#name, bytes: this.#bytes, sha256: this.#hash.digest('hex') };
  }

  async abort(): Promise<void> {
    this.#gzip?.destroy();
    await this.#pumped.catch(() => {});
    await this.#file.abort();
  }

  async #flush(): Promise<void> {
    const gzip = this.#gzip;
    if (this.#batch === '' || gzip === undefined) return;
    const taken = gzip.write(this.#batch);
    this.#batch = '';
    if (!taken) await Promise.race([once(gzip, 'drain'), this.#pumped]);
  }

  async #pump(gzip: Gzip): Promise<void> {
    for await (const chunk of gzip as AsyncIterable<Buffer>) await this.writeBytes(chunk);
  }
}

/** Reads the bytes of a file, and tells its hash (SHA-256, hexadecimal) when all was read. */
export async function* hashedBytes(
  store: ArchiveStore,
  name: string,
  onEnd: (sha256: string) => void,
): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  for await (const chunk of store.read(name)) {
    hash.update(chunk);
    yield chunk;
  }
  onEnd(hash.digest('hex'));
}

/**
 * Reads the lines of a compressed file, many at a time, and tells its hash when all was read.
 * @throws Error of zlib where it is not what was compressed
 */
export async function* compressedLines(
  store: ArchiveStore,
  name: string,
  onEnd: (sha256: string) => void,
): AsyncGenerator<string[]> {
  const gunzip = createGunzip();
  // Its errors come out of the iteration.
  pipeline(Readable.from(hashedBytes(store, name, onEnd)), gunzip, () => {});
  yield* readLines(gunzip as AsyncIterable<Buffer>);
}

/** Cuts bytes into hashes. */
export async function* hashesIn(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let rest = Buffer.alloc(0);
  for await (const chunk of bytes) {
    rest = Buffer.concat([rest, chunk]);
    const whole = rest.length - (rest.length % hashLength);
    for (let from = 0; from < whole; from += hashLength) {
      yield rest.subarray(from, from + hashLength);
    }
    rest = rest.subarray(whole);
  }
  if (rest.length > 0) yield rest;
}
