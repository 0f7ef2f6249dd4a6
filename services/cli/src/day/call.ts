import { DayFault } from './fault.ts';

/** The columns of a call log, in order. */
export const callColumns = [
  'arrival',
  'vru_line',
  'type',
  'priority',
  'customer',
  'vru_s',
  'queue_start_offset_s',
  'wait_s',
  'outcome',
  'service_start_offset_s',
  'service_s',
  'agent',
] as const;
export type CallColumn = (typeof callColumns)[number];

/** Regular, English, internet, stock exchange, prospect, call-back. */
export const contactTypes = ['PS', 'PE', 'IN', 'NE', 'NW', 'TT'] as const;
export type ContactType = (typeof contactTypes)[number];

/** 0 and 1 are regular, 2 is priority. */
export type Priority = 0 | 1 | 2;

/** One call that a person made. Times are epoch ms (local time read as UTC), the rest seconds. */
export interface Call {
  /** Line of the file it was read from; the header is line 1. */
  readonly line: number;
  readonly arrivalAt: number;
  readonly type: ContactType;
  readonly priority: Priority;
  readonly customer: string | null;
  /** From arrival to leaving the IVR: for the queue, for an agent, or for good. At least 0. */
  readonly ivrSeconds: number;
  /** Whether it waited in a queue; a call answered at once did not. */
  readonly queued: boolean;
  /** 0 when it never queued. */
  readonly waitSeconds: number;
  readonly outcome: 'SERVED' | 'ABANDONED' | 'LEFT_IN_IVR';
  /** When an agent began; only meaningful when served. */
  readonly serviceStartedAt: number;
  /** 0 unless served; can be 0 when served. */
  readonly serviceSeconds: number;
  /** null unless served, and for the services whose agent the log does not name. */
  readonly agent: string | null;
}

/** What a row holds beside its call: a phantom is no call at all. */
export interface ParsedRow {
  /** null for a PHANTOM row. */
  readonly call: Call | null;
  /** The day of the arrival, as in 1999-08-02. */
  readonly date: string;
  /** How many of its offsets were below zero and became 0. */
  readonly clampedOffsets: number;
  /** Whether it was served but its service start was missing, and therefore computed. */
  readonly inferredStart: boolean;
}

/** Offsets further below zero than this are not clock skew, in seconds. */
export const largestSkewSeconds = 600;
/** No offset or duration is longer than a day, in seconds. */
export const longestDurationSeconds = 86_400;

type Fields = Readonly<Record<CallColumn, string>>;

function refuse(line: number, column: CallColumn, value: string, expected: string): never {
  throw new DayFault(
    `Line ${line}, column ${column}: ${JSON.stringify(value)} is not ${expected}.`,
    `Correct ${column} on line ${line}, or remove the row.`,
    { line, column },
  );
}

/**
 * Checks the header.
 * @throws DayFault naming the first column that is missing, unknown or out of place
 */
export function checkHeader(text: string): void {
  const found = text.split(',');
  const size = Math.max(found.length, callColumns.length);
  for (let index = 0; index < size; index += 1) {
    const expected = callColumns[index];
    if (found[index] === expected) continue;
    const has = found[index] === undefined ? 'nothing' : JSON.stringify(found[index]);
    const at = expected === undefined ? { line: 1 } : { line: 1, column: expected };
    throw new DayFault(
      `Line 1: column ${index + 1} is ${has} where ${expected ?? 'the end'} is expected.`,
      `Use exactly this header: ${callColumns.join(',')}`,
      at,
    );
  }
}

function splitRow(text: string, line: number): Fields {
  const values = text.split(',');
  if (values.length !== callColumns.length) {
    throw new DayFault(
      `Line ${line}: ${values.length} columns where ${callColumns.length} are expected.`,
      'Give every column a value or leave it empty; a value holds no comma.',
      { line },
    );
  }
  const pairs = callColumns.map((column, index) => [column, values[index] ?? ''] as const);
  return Object.fromEntries(pairs) as Fields;
}

function parseArrival(text: string, line: number): number {
  const at = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}$/.test(text) ? Date.parse(`${text}Z`) : NaN;
  const real = !Number.isNaN(at) && new Date(at).toISOString().slice(0, 19) === text;
  return real ? at : refuse(line, 'arrival', text, 'a time such as 1999-08-02T07:00:00');
}

/** Whole seconds in [lowest, a day]; null when the column is empty. */
function parseSeconds(
  fields: Fields,
  line: number,
  column: CallColumn,
  lowest: number,
): number | null {
  const text = fields[column];
  if (text === '') return null;
  const value = /^-?\d{1,9}$/.test(text) ? Number(text) : NaN;
  if (value >= lowest && value <= longestDurationSeconds) return value;
  const range = `a whole number of seconds from ${lowest} to ${longestDurationSeconds}`;
  return refuse(line, column, text, range);
}

function parseOutcome(fields: Fields, line: number): Call['outcome'] | 'PHANTOM' {
  const text = fields.outcome;
  if (text === 'AGENT') return 'SERVED';
  if (text === 'HANG') return fields.queue_start_offset_s === '' ? 'LEFT_IN_IVR' : 'ABANDONED';
  if (text === 'PHANTOM') return 'PHANTOM';
  return refuse(line, 'outcome', text, 'AGENT, HANG or PHANTOM');
}

function parseType(text: string, line: number): ContactType {
  const type = contactTypes.find((candidate) => candidate === text);
  return type ?? refuse(line, 'type', text, `one of ${contactTypes.join(', ')}`);
}

function parsePriority(text: string, line: number): Priority {
  if (text === '0' || text === '1' || text === '2') return Number(text) as Priority;
  return refuse(line, 'priority', text, '0, 1 or 2');
}

function parseAgent(text: string, line: number): string | null {
  if (text === '') return null;
  return /^[A-Za-z0-9_-]{1,32}$/.test(text)
    ? text
    : refuse(line, 'agent', text, 'a name of 1 to 32 letters, digits, _ or -');
}

function required(fields: Fields, line: number, column: CallColumn, value: number | null): number {
  const expected = `a number, which outcome ${fields.outcome} needs`;
  return value ?? refuse(line, column, fields[column], expected);
}

/**
 * One row of a call log. Local times are read as if they were UTC. An offset a little below zero
 * (clock skew in the source) becomes 0; the wait stays as recorded. Who hung up has no service,
 * whatever its columns say.
 * @throws DayFault with the line, the column and what was expected
 */
export function parseRow(text: string, line: number): ParsedRow {
  const fields = splitRow(text, line);
  const arrivalAt = parseArrival(fields.arrival, line);
  const outcome = parseOutcome(fields, line);
  const ivr = parseSeconds(fields, line, 'vru_s', -largestSkewSeconds);
  const queueStart = parseSeconds(fields, line, 'queue_start_offset_s', -largestSkewSeconds);
  const wait = required(fields, line, 'wait_s', parseSeconds(fields, line, 'wait_s', 0));
  const start = parseSeconds(fields, line, 'service_start_offset_s', -largestSkewSeconds);
  const service = parseSeconds(fields, line, 'service_s', 0);
  const type = parseType(fields.type, line);
  const priority = parsePriority(fields.priority, line);
  const agent = parseAgent(fields.agent, line);
  const ivrEnd = Math.max(0, queueStart ?? required(fields, line, 'vru_s', ivr));
  const served = outcome === 'SERVED';
  const serviceSeconds = served ? required(fields, line, 'service_s', service) : 0;
  const waitSeconds = queueStart === null ? 0 : wait;
  if (queueStart === null && wait !== 0) {
    refuse(line, 'wait_s', fields.wait_s, '0, and queue_start_offset_s is empty');
  }
  const startOffset = Math.max(0, start ?? ivrEnd + waitSeconds);
  const call: Call = {
    line,
    arrivalAt,
    type,
    priority,
    customer: fields.customer === '' ? null : fields.customer,
    ivrSeconds: ivrEnd,
    queued: queueStart !== null,
    waitSeconds,
    outcome: outcome === 'PHANTOM' ? 'ABANDONED' : outcome,
    serviceStartedAt: arrivalAt + startOffset * 1000,
    serviceSeconds,
    agent: served ? agent : null,
  };
  return {
    call: outcome === 'PHANTOM' ? null : call,
    date: fields.arrival.slice(0, 10),
    clampedOffsets: [ivr, queueStart, start].filter((offset) => (offset ?? 0) < 0).length,
    inferredStart: served && start === null,
  };
}
