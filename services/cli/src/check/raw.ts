import { hash } from 'node:crypto';

/** A raw entry as `GET /v1/log/{stream}` and `meridian export` give it, one JSON document a line. */
export interface RawEntry {
  readonly stream: string;
  readonly sequence: number;
  /** The NATS subject: `ev.<region>.<home>.<tenant>.<entity>.<id>`. */
  readonly subject: string;
  /** When the stream stored it: RFC 3339, or epoch milliseconds. */
  readonly storedAt: string | number;
  readonly headers?: Readonly<Record<string, unknown>>;
  /** The stored text, unchanged. */
  readonly data: string;
}

/** One event of an entry, as far as a checker may trust it: whatever is absent is undefined. */
export interface LoggedEvent {
  readonly id: string;
  readonly type: string;
  readonly subject: string;
  readonly time: string;
  /** `time` in epoch milliseconds; NaN when it is no time. */
  readonly timeMs: number;
  readonly tenant: string;
  readonly correlationid: string;
  readonly causationid: string;
  readonly actor: string;
  readonly data: Readonly<Record<string, unknown>>;
  /** Every attribute as it was stored. */
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** Where an event is. */
export interface Place {
  readonly stream: string;
  readonly sequence: number;
  /** Which of the entry's events, from 0. */
  readonly index: number;
  readonly aggregate: Aggregate;
}

/** The parts of an event subject. */
export interface Aggregate {
  readonly subject: string;
  readonly region: string;
  readonly home: string;
  readonly tenant: string;
  readonly entity: string;
  readonly id: string;
  /** `<tenant>.<entity>.<id>`: the same whichever region writes; its events' ids begin with it. */
  readonly name: string;
}

/** Takes `ev.<region>.<home>.<tenant>.<entity>.<id>` apart; undefined when it is something else. */
export function parseAggregate(subject: string): Aggregate | undefined {
  const [kind, region, home, tenant, entity, id, ...rest] = subject.split('.');
  if (kind !== 'ev' || rest.length > 0) return undefined;
  if (!region || !home || !tenant || !entity || !id) return undefined;
  return { subject, region, home, tenant, entity, id, name: `${tenant}.${entity}.${id}` };
}

/**
 * Reads one line of NDJSON.
 * @returns the entry, or a sentence that says what is wrong with the line
 */
export function parseRawEntry(line: string): RawEntry | string {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    return `it is no JSON: ${(error as Error).message}`;
  }
  if (typeof value !== 'object' || value === null) return 'it is no JSON object';
  const entry = value as Partial<RawEntry>;
  if (typeof entry.stream !== 'string') return 'it has no stream';
  if (!Number.isSafeInteger(entry.sequence)) return 'its sequence is no whole number';
  if (typeof entry.subject !== 'string') return 'it has no subject';
  if (typeof entry.data !== 'string') return 'its data is no text';
  return entry as RawEntry;
}

/** When the entry was stored, in epoch milliseconds; NaN when it does not say. */
export function storedAtMs(entry: RawEntry): number {
  const { storedAt } = entry;
  return typeof storedAt === 'number' ? storedAt : Date.parse(storedAt);
}

/**
 * The texts of an entry's events as they were stored: an entry is `[`, the events' texts joined by
 * a comma and a line break, and `]`.
 */
export function splitEntry(data: string): string[] {
  return data.slice(1, -1).split(',\n');
}

/** SHA-256 of an event's stored text in base64url without padding: 43 characters. */
export function hashText(text: string): string {
  return hash('sha256', text, 'base64url');
}

/** The `prevhash` of an aggregate's first event. */
export const firstPreviousHash = 'A'.repeat(43);

/** Makes an event of a parsed JSON value; undefined when it is no JSON object. */
export function toLoggedEvent(value: unknown): LoggedEvent | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const attributes = value as Record<string, unknown>;
  const time = textIn(attributes, 'time');
  const { data } = attributes;
  return {
    id: textIn(attributes, 'id'),
    type: textIn(attributes, 'type'),
    subject: textIn(attributes, 'subject'),
    time,
    timeMs: Date.parse(time),
    tenant: textIn(attributes, 'tenant'),
    correlationid: textIn(attributes, 'correlationid'),
    causationid: textIn(attributes, 'causationid'),
    actor: textIn(attributes, 'actor'),
    data: typeof data === 'object' && data !== null ? (data as Record<string, unknown>) : {},
    attributes,
  };
}

/** Reads the events of an entry without judging them. @throws SyntaxError when it is no JSON list */
export function readEvents(entry: RawEntry): LoggedEvent[] {
  const list: unknown = JSON.parse(entry.data);
  if (!Array.isArray(list)) throw new SyntaxError(`entry ${entry.sequence} is no JSON list`);
  return list.map(toLoggedEvent).filter((event) => event !== undefined);
}

/** A text of an object; empty when there is none. */
export function textIn(record: Readonly<Record<string, unknown>>, name: string): string {
  const value = record[name];
  return typeof value === 'string' ? value : '';
}

/** A number of an object; 0 when it is absent (proto3 leaves zeros out), NaN when it is no number. */
export function numberIn(record: Readonly<Record<string, unknown>>, name: string): number {
  const value = record[name];
  if (value === undefined) return 0;
  return typeof value === 'number' ? value : Number.NaN;
}

/** A time of an object in epoch milliseconds; NaN when there is none. */
export function timeIn(record: Readonly<Record<string, unknown>>, name: string): number {
  return Date.parse(textIn(record, name));
}

/** The objects of a list in an object; empty when there is none. */
export function listIn(
  record: Readonly<Record<string, unknown>>,
  name: string,
): readonly Readonly<Record<string, unknown>>[] {
  const value = record[name];
  if (!Array.isArray(value)) return [];
  return value.filter(
    (one): one is Record<string, unknown> => typeof one === 'object' && one !== null,
  );
}

/** Epoch milliseconds as an RFC 3339 time, or the words `no time`. */
export function timestampOf(epochMs: number | null): string {
  const date = new Date(epochMs ?? Number.NaN);
  return Number.isNaN(date.getTime()) ? 'no time' : date.toISOString();
}
