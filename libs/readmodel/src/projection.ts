import type { LogMessage } from '@meridian/journal';
import { readEntry } from '@meridian/journal';
import { contractOf, eventTexts, type DomainEvent, type EventEnvelope } from '@meridian/wire';
import type { InferSelectModel } from 'drizzle-orm';
import type { PgTable } from 'drizzle-orm/pg-core';

/** A domain event in its envelope; `type` tells which data it has. */
export type DomainEnvelope = EventEnvelope & DomainEvent;

/** An event and its place in the log. */
export interface RecordedEvent {
  readonly stream: string;
  /** Of the entry that holds it. */
  readonly sequence: number;
  /** Its place within the entry, from 0. */
  readonly index: number;
  readonly event: DomainEnvelope;
  /** The event's JSON text as the log holds it. */
  readonly text: string;
}

/** The values of a table's primary key in the key's order. None of them may hold a `/`. */
export type RowKey = readonly string[];

/** Rows that each fold the events that concern them: a table and two pure functions beside it. */
export interface RowProjection<Table extends PgTable = PgTable> {
  readonly table: Table;
  /** The rows that the event concerns; none for most events. */
  keys(recorded: RecordedEvent): readonly RowKey[];
  /**
   * The row after one more event. Pure: it never changes the row it is given. Returning that very
   * row (or undefined where there was none) says that nothing has changed.
   */
  evolve(
    row: InferSelectModel<Table> | undefined,
    recorded: RecordedEvent,
    key: RowKey,
  ): InferSelectModel<Table> | undefined;
}

/** Rows that are only ever added, each of them from one event. */
export interface ListProjection<Table extends PgTable = PgTable> {
  readonly table: Table;
  rows(recorded: RecordedEvent): readonly InferSelectModel<Table>[];
}

export type Projection = RowProjection | ListProjection;

export function isRowProjection(projection: Projection): projection is RowProjection {
  return 'evolve' in projection;
}

/** Any row, whatever its table. */
export type Row = Record<string, unknown>;

export const keyText = (key: RowKey): string => key.join('/');

/** An event on which a projection failed; the row stays as it was before that event. */
export interface ProjectionFault {
  readonly stream: string;
  readonly sequence: number;
  /** Absent when the whole entry was passed over. */
  readonly index?: number;
  readonly type?: string;
  readonly table?: string;
  readonly reason: string;
}

/**
 * Folds events into rows, in memory.
 * @param rows what is there before, by `keyText`; updated in place with the rows after
 * @param onFault told of every event on which `evolve` threw
 * @returns the keys whose rows have changed
 */
export function foldRows(
  projection: RowProjection,
  rows: Map<string, Row>,
  events: Iterable<RecordedEvent>,
  onFault: (recorded: RecordedEvent, error: unknown) => void,
): Set<string> {
  const changed = new Set<string>();
  for (const recorded of events) {
    try {
      for (const key of projection.keys(recorded)) {
        const text = keyText(key);
        const before = rows.get(text);
        const after = projection.evolve(before, recorded, key);
        if (after === undefined || after === before) continue;
        rows.set(text, after);
        changed.add(text);
      }
    } catch (error) {
      onFault(recorded, error);
    }
  }
  return changed;
}

/** What one message of the log holds for the projections. */
export interface DecodedEntry {
  readonly sequence: number;
  readonly storedAtMs: number;
  readonly events: readonly RecordedEvent[];
  /** How many events have a type that this release does not know; they are not among `events`. */
  readonly unknownTypes: number;
  /** Set when the message cannot be read at all; `events` is empty then. */
  readonly fault?: ProjectionFault;
}

/** Takes a message of an `EV_` stream apart. Never throws: what is unreadable becomes a fault. */
export function decodeForProjection(message: LogMessage): DecodedEntry {
  const { stream, sequence, storedAtMs } = message;
  try {
    const envelopes = readEntry(message).events;
    const texts = textsOf(message.text(), envelopes);
    const events: RecordedEvent[] = [];
    envelopes.forEach((event, index) => {
      if (contractOf(event.type) === undefined) return;
      const text = texts[index] as string;
      events.push({ stream, sequence, index, event: event as DomainEnvelope, text });
    });
    return { sequence, storedAtMs, events, unknownTypes: envelopes.length - events.length };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const fault = { stream, sequence, reason };
    return { sequence, storedAtMs, events: [], unknownTypes: 0, fault };
  }
}

/** The stored texts; written anew where an entry is not laid out one event a line. */
function textsOf(entryText: string, envelopes: readonly EventEnvelope[]): string[] {
  const texts = eventTexts(entryText);
  const [first = ''] = texts;
  if (texts.length === envelopes.length && first.startsWith('{')) return texts;
  return envelopes.map((envelope) => JSON.stringify(envelope));
}
