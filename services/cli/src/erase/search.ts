import { createReadStream } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createGunzip } from 'node:zlib';
import type { Needle } from './needles.ts';

/** Where something was found that should not be there. */
export interface Finding {
  readonly file: string;
  /** In bytes from the start of the file; of what a gzip file holds, of that. */
  readonly offset: number;
  readonly form: Needle['form'];
  /** Which of the texts that were searched for. */
  readonly text: number;
  readonly isWithinGzip: boolean;
}

export interface Searched {
  readonly findings: readonly Finding[];
  readonly files: number;
  readonly bytes: number;
  /** What could not be read, a sentence each: of it nothing is known. */
  readonly unread: readonly string[];
}

/** How many places are named at most. */
const findingsLimit = 1_000;
const chunkBytes = 1_024 * 1_024;
const gzipMagic = Buffer.from([0x1f, 0x8b]);

/** Looks through all files of folders, links not followed, for bytes. */
export async function searchFolders(
  folders: readonly string[],
  needles: readonly Needle[],
): Promise<Searched> {
  const findings: Finding[] = [];
  const unread: string[] = [];
  const window = new Window(needles);
  let files = 0;
  let bytes = 0;
  for (const folder of folders) {
    for await (const file of filesIn(folder, unread)) {
      files += 1;
      try {
        bytes += await searchFile(file, needles, window, findings);
      } catch (error) {
        // A database removes files all the time: one that is gone holds nothing any more.
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') continue;
        unread.push(`${file}: ${(error as Error).message}`);
      }
    }
  }
  return { findings, files, bytes, unread };
}

async function* filesIn(path: string, unread: string[]): AsyncGenerator<string> {
  try {
    if ((await stat(path)).isFile()) {
      yield path;
      return;
    }
    const entries = await readdir(path, { withFileTypes: true });
    for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      const inner = join(path, entry.name);
      if (entry.isDirectory()) yield* filesIn(inner, unread);
      else if (entry.isFile()) yield inner;
    }
  } catch (error) {
    unread.push(`${path}: ${(error as Error).message}`);
  }
}

/** @returns how many bytes were looked at */
async function searchFile(
  file: string,
  needles: readonly Needle[],
  window: Window,
  findings: Finding[],
): Promise<number> {
  const found =
    (isWithinGzip: boolean) =>
    (offset: number, { form, text }: Needle) => {
      if (findings.length >= findingsLimit) return;
      findings.push({ file, offset, form, text, isWithinGzip });
    };
  const handle = await open(file);
  let isGzip = false;
  let read = 0;
  try {
    window.begin();
    for (;;) {
      const { bytesRead } = await handle.read(window.room(), 0, chunkBytes, read);
      if (bytesRead === 0) break;
      if (read === 0) isGzip = window.startsWith(gzipMagic);
      window.search(bytesRead, read, needles, found(false));
      read += bytesRead;
    }
  } finally {
    await handle.close();
  }
  if (!isGzip) return read;
  const unzipped = createReadStream(file).pipe(createGunzip()) as AsyncIterable<Buffer>;
  return read + (await searchStream(unzipped, needles, window, found(true)));
}

/** The bytes that are looked at: a piece of a file after the end of the piece before. */
class Window {
  readonly #bytes: Buffer;
  readonly #overlap: number;
  /** How much of the piece before is at the start. */
  #kept = 0;

  constructor(needles: readonly Needle[]) {
    this.#overlap = Math.max(0, ...needles.map(({ bytes }) => bytes.length - 1));
    this.#bytes = Buffer.alloc(this.#overlap + chunkBytes);
  }

  begin(): void {
    this.#kept = 0;
  }

  /** Where the next piece goes, `chunkBytes` at most. */
  room(): Buffer {
    return this.#bytes.subarray(this.#kept);
  }

  startsWith(magic: Buffer): boolean {
    return this.#bytes.subarray(0, magic.length).equals(magic);
  }

  /** @param length of the piece @param offset of the piece in the file */
  search(
    length: number,
    offset: number,
    needles: readonly Needle[],
    found: (offset: number, needle: Needle) => void,
  ): void {
    const kept = this.#kept;
    const view = this.#bytes.subarray(0, kept + length);
    for (const needle of needles) {
      // What lies whole in what was kept was found before.
      const from = Math.max(0, kept - needle.bytes.length + 1);
      for (let at = view.indexOf(needle.bytes, from); at !== -1;) {
        found(offset - kept + at, needle);
        at = view.indexOf(needle.bytes, at + 1);
      }
    }
    this.#kept = Math.min(this.#overlap, view.length);
    view.copyWithin(0, view.length - this.#kept);
  }
}

async function searchStream(
  chunks: AsyncIterable<Buffer>,
  needles: readonly Needle[],
  window: Window,
  found: (offset: number, needle: Needle) => void,
): Promise<number> {
  let read = 0;
  window.begin();
  for await (const chunk of chunks) {
    for (let from = 0; from < chunk.length; from += chunkBytes) {
      const length = chunk.copy(window.room(), 0, from, from + chunkBytes);
      window.search(length, read, needles, found);
      read += length;
    }
  }
  return read;
}
