import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { checkHeader, parseRow, type Call } from './call.ts';
import { midnightOf } from './date.ts';
import { DayFault } from './fault.ts';

/** The longest line read, in characters; a longer one is no call log. */
export const longestLineCharacters = 4096;
/** The most rows read from one file. */
export const mostRows = 10_000_000;

/** The calls of a log, or of one day of it. */
export interface CallLog {
  /** As in 1999-08-02; null when the whole file was asked for. */
  readonly date: string | null;
  /** In the order of the file. */
  readonly calls: readonly Call[];
  /** Rows of the day, or of the file: calls and phantoms. */
  readonly rows: number;
  /** Rows whose outcome is PHANTOM: no caller, ignored everywhere. */
  readonly phantoms: number;
  /** Rows with an offset below zero (clock skew), which became 0. */
  readonly clampedRows: number;
  /** Served calls without a service start: taken as the end of the IVR plus the wait. */
  readonly inferredStarts: number;
}

async function isGzip(path: string): Promise<boolean> {
  const file = await open(path, 'r');
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(2), 0, 2, 0);
    return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b;
  } finally {
    await file.close();
  }
}

async function openText(path: string): Promise<Readable> {
  try {
    const compressed = await isGzip(path);
    const file = createReadStream(path);
    // pipeline hands a failure of either stream to whoever reads the last one.
    const source = compressed ? pipeline(file, createGunzip(), () => {}) : file;
    source.setEncoding('utf8');
    return source;
  } catch (cause) {
    throw new DayFault(
      `The call log ${path} cannot be opened: ${(cause as Error).message}.`,
      'Name an existing CSV file, plain or gzip.',
      { cause },
    );
  }
}

function checkLength(text: string, line: number): void {
  if (text.length <= longestLineCharacters) return;
  throw new DayFault(
    `Line ${line} is longer than ${longestLineCharacters} characters.`,
    'Give a CSV file with one call a line.',
    { line },
  );
}

/** Yields the lines with their number from 1, without line ends; memory stays at one chunk. */
async function* linesOf(path: string): AsyncGenerator<readonly [string, number]> {
  let rest = '';
  let line = 0;
  const source = await openText(path);
  try {
    for await (const chunk of source) {
      const lines = (rest + String(chunk)).split('\n');
      rest = lines.pop() ?? '';
      for (const text of lines) {
        line += 1;
        checkLength(text, line);
        yield [text.endsWith('\r') ? text.slice(0, -1) : text, line];
      }
      checkLength(rest, line + 1);
    }
  } catch (cause) {
    if (cause instanceof DayFault) throw cause;
    throw new DayFault(
      `The call log ${path} cannot be read beyond line ${line}: ${(cause as Error).message}.`,
      'The file is cut short or damaged: copy it again.',
      { line, cause },
    );
  } finally {
    source.destroy();
  }
  if (rest !== '') yield [rest, line + 1];
}

function noCalls(path: string, day: string | undefined, days: ReadonlySet<string>): DayFault {
  const all = [...days].sort();
  const first = all[0];
  if (first === undefined) {
    return new DayFault(`The call log ${path} has no rows.`, 'Give a file with calls.');
  }
  return new DayFault(
    `The call log ${path} has no call on ${day ?? 'any day'}.`,
    `Choose a day from ${first} to ${all.at(-1) ?? first}.`,
  );
}

/**
 * Reads a call log, plain or gzip, row by row. Every row of the file is checked, also those of
 * other days. The log's local times are treated as UTC.
 * @param path a CSV file with the columns of `callColumns`
 * @param day as in 1999-08-02; the whole file without it
 * @throws DayFault for a file, header or row that is not as it should be, or a day without calls
 */
export async function readCallLog(path: string, day?: string): Promise<CallLog> {
  if (day !== undefined) midnightOf(day);
  const calls: Call[] = [];
  const days = new Set<string>();
  const count = { rows: 0, phantoms: 0, clampedRows: 0, inferredStarts: 0 };
  for await (const [text, line] of linesOf(path)) {
    if (line === 1) {
      checkHeader(text.replace(/^\uFEFF/, ''));
      continue;
    }
    if (line > mostRows + 1) {
      throw new DayFault(`The call log ${path} has more than ${mostRows} rows.`, 'Split it.');
    }
    const row = parseRow(text, line);
    days.add(row.date);
    if (day !== undefined && row.date !== day) continue;
    count.rows += 1;
    if (row.call === null) count.phantoms += 1;
    else calls.push(row.call);
    if (row.clampedOffsets > 0) count.clampedRows += 1;
    if (row.inferredStart) count.inferredStarts += 1;
  }
  if (calls.length === 0) throw noCalls(path, day, days);
  return { date: day ?? null, calls, ...count };
}
