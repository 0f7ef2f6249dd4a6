import type { Row } from '@meridian/readmodel';
import { getTableColumns } from 'drizzle-orm';
import type { PgTable } from 'drizzle-orm/pg-core';

/**
 * A folded row as it would come back from the database: the columns in the table's order, the keys of
 * JSON objects as `jsonb` keeps them, and what no text of Postgres can hold replaced as the
 * projector replaces it. So an answer made of it has the same bytes.
 */
export function asStored<T extends Row>(table: PgTable, row: T): T {
  const stored: Row = {};
  for (const [property, column] of Object.entries(getTableColumns(table))) {
    const value = row[property] ?? null;
    stored[property] = column.getSQLType() === 'jsonb' ? jsonb(value) : storable(value);
  }
  return stored as T;
}

/** `jsonb` sorts the keys of an object by their length in bytes, then bytewise. */
function jsonb(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(jsonb);
  if (value === null || typeof value !== 'object') return storable(value);
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return Object.fromEntries(
    entries
      .map(([name, inner]) => [storable(name) as string, jsonb(inner)] as const)
      .toSorted(([a], [b]) => byteOrder(a, b)),
  );
}

function byteOrder(a: string, b: string): number {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length - right.length || left.compare(right);
}

const storable = (value: unknown): unknown =>
  typeof value === 'string' ? value.toWellFormed().replaceAll('\0', '\uFFFD') : value;
