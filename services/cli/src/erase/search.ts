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
const chunkBytes = 4 * 1_024 * 1_024;

/** Looks through all files of folders, links not followed, for bytes. */
export async function searchFolders(
  folders: readonly string[],
  needles: readonly Needle[],
): Promise<Searched> {
  const findings: Finding[] = [];
  const unread: string[] = [];
  let files = 0;
  let bytes = 0;
  for (const folder of folders) {
    for await (const file of filesIn(folder, unread)) {
      files += 1;
      try {
        bytes += await searchFile(file, needles, findings);
      } catch (error) {
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
  findings: Finding[],
): Promise<number> {
  const read = (): AsyncIterable<Buffer> => createReadStream(file, { highWaterMark: chunkBytes });
  const found =
    (isWithinGzip: boolean) =>
    (offset: number, { form, text }: Needle) => {
      if (findings.length >= findingsLimit) return;
      findings.push({ file, offset, form, text, isWithinGzip });
    };
  const bytes = await searchStream(read(), needles, found(false));
  if (!(await isGzip(file))) return bytes;
  const unzipped = createReadStream(file).pipe(createGunzip());
  return bytes + (await searchStream(unzipped as AsyncIterable<Buffer>, needles, found(true)));
}

async function isGzip(file: string): Promise<boolean> {
  const handle = await open(file);
  try {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(2), 0, 2, 0);
    return bytesRead === 2 && buffer.readUInt16BE() === 0x1f8b;
  } finally {
    await handle.close();
  }
}

async function searchStream(
  chunks: AsyncIterable<Buffer>,
  needles: readonly Needle[],
  found: (offset: number, needle: Needle) => void,
): Promise<number> {
  const overlap = Math.max(0, ...needles.map(({ bytes }) => bytes.length - 1));
  let kept = Buffer.alloc(0);
  let read = 0;
  for await (const chunk of chunks) {
    const window = Buffer.concat([kept, chunk]);
    const base = read - kept.length;
    for (const needle of needles) {
      // What lies whole in what was kept was found before.
      const from = Math.max(0, kept.length - needle.bytes.length + 1);
      for (let at = window.indexOf(needle.bytes, from); at !== -1;) {
        found(base + at, needle);
        at = window.indexOf(needle.bytes, at + 1);
      }
    }
    read += chunk.length;
    kept = window.subarray(Math.max(0, window.length - overlap));
  }
  return read;
}
