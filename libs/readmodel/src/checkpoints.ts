import { and, eq, inArray } from 'drizzle-orm';
import { bigint, pgTable, primaryKey, text, timestamp, type PgDatabase } from 'drizzle-orm/pg-core';
import type { NodePgQueryResultHKT } from 'drizzle-orm/node-postgres';
import type { PoolClient } from 'pg';

/** How far the rows of the read models embody each stream; written with them, in one transaction. */
export const checkpoints = pgTable(
  'checkpoints',
  {
    /** The projector. */
    name: text('name').notNull(),
    stream: text('stream').notNull(),
    /** The last sequence that the rows embody; 0 for none. */
    position: bigint('position', { mode: 'number' }).notNull(),
    /** When the log stored the entry at that position. */
    storedAt: timestamp('stored_at', { withTimezone: true, precision: 3 }),
  },
  (table) => [primaryKey({ columns: [table.name, table.stream] })],
);

/** The table's definition, for `migrate`. */
export const createCheckpoints =
  'create table if not exists checkpoints (name text not null, stream text not null, ' +
  'position bigint not null, stored_at timestamp (3) with time zone, primary key (name, stream))';

/** Somebody else has moved the checkpoint: the transaction must not be committed. */
export class CheckpointMoved extends Error {
  constructor(name: string, stream: string, expected: number) {
    super(
      `The checkpoint of ${name} on ${stream} is no longer at ${expected}.\n` +
        'Another projector of this name works on the same database; this one goes on from there.',
    );
    this.name = 'CheckpointMoved';
  }
}

/** The position of a projector, 0 when it has none yet. Within a transaction it is the rows' own. */
export async function checkpointOf(
  db: PgDatabase<NodePgQueryResultHKT>,
  name: string,
  stream: string,
): Promise<number> {
  const [row] = await db
    .select({ position: checkpoints.position })
    .from(checkpoints)
    .where(and(eq(checkpoints.name, name), eq(checkpoints.stream, stream)));
  return row?.position ?? 0;
}

/** All positions of a projector, by the name of the checkpoint. */
export async function checkpointsOf(
  db: PgDatabase<NodePgQueryResultHKT>,
  names: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const rows = await db
    .select({ stream: checkpoints.stream, position: checkpoints.position })
    .from(checkpoints)
    .where(inArray(checkpoints.name, [...names]));
  return new Map(rows.map(({ stream, position }) => [stream, position]));
}

/** Reads all checkpoints of a projector. */
export async function readCheckpoints(
  client: PoolClient,
  name: string,
): Promise<Map<string, number>> {
  const { rows } = await client.query<{ stream: string; position: string }>(
    'select stream, position from checkpoints where name = $1',
    [name],
  );
  return new Map(rows.map(({ stream, position }) => [stream, Number(position)]));
}

/**
 * Moves a checkpoint from one place to the next, and locks it until the transaction ends. One that
 * is not there yet is at 0.
 */
export async function moveCheckpoint(
  client: PoolClient,
  name: string,
  stream: string,
  move: { readonly from: number; readonly to: number; readonly storedAtMs: number },
): Promise<void> {
  if (move.from === 0) {
    await client.query(
      'insert into checkpoints (name, stream, position) values ($1, $2, 0) on conflict do nothing',
      [name, stream],
    );
  }
  const { rowCount } = await client.query({
    name: 'move checkpoint',
    text:
      'update checkpoints set position = $3, stored_at = $4 ' +
      'where name = $1 and stream = $2 and position = $5',
    values: [name, stream, move.to, new Date(move.storedAtMs), move.from],
  });
  if (rowCount !== 1) throw new CheckpointMoved(name, stream, move.from);
}

/** Puts all checkpoints of a projector back to the beginning, whatever they were. */
export async function resetCheckpoints(client: PoolClient, name: string): Promise<void> {
  await client.query('update checkpoints set position = 0, stored_at = null where name = $1', [
    name,
  ]);
}
