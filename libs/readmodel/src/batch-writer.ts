import { getTableName } from 'drizzle-orm';
import type { PoolClient } from 'pg';
import { moveCheckpoint, readCheckpoints, resetCheckpoints } from './checkpoints.ts';
import type { Database } from './database.ts';
import {
  foldRows,
  isRowProjection,
  keyText,
  type DecodedEntry,
  type ListProjection,
  type Projection,
  type ProjectionFault,
  type RecordedEvent,
  type Row,
  type RowKey,
  type RowProjection,
} from './projection.ts';
import { TableStore } from './table-store.ts';

/** Rows are made from the log and carry their checkpoint: what a crash takes is read again. */
const begin = 'begin; set local synchronous_commit = off';

const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** The rows that a projector makes, among those of others: they have this value in this column. */
export interface Share {
  readonly column: string;
  readonly value: string;
}

/** Writes what a batch of entries does to the rows, and the checkpoint, in one transaction. */
export class BatchWriter {
  readonly #database: Database;
  readonly #name: string;
  readonly #share: Share | undefined;
  readonly #projections: readonly { readonly projection: Projection; readonly store: TableStore }[];

  constructor(database: Database, name: string, projections: readonly Projection[], share?: Share) {
    this.#database = database;
    this.#name = name;
    this.#share = share;
    this.#projections = projections.map((projection) => ({
      projection,
      store: new TableStore(projection.table),
    }));
  }

  /** The positions that the rows embody, by checkpoint; 0 for those that are not there. */
  begin(): Promise<Map<string, number>> {
    return this.#connected((client) => readCheckpoints(client, this.#name));
  }

  /**
   * Commits one batch: entries in order, all of one checkpoint and after `from`.
   * @param withRows false moves the checkpoint past the entries and leaves the rows as they are
   * @returns the events on which a projection failed
   * @throws CheckpointMoved when the rows do not embody exactly `from`; nothing is written then
   */
  commit(
    checkpoint: string,
    from: number,
    entries: readonly DecodedEntry[],
    withRows = true,
  ): Promise<ProjectionFault[]> {
    const last = entries.at(-1);
    if (last === undefined) return Promise.resolve([]);
    const faults: ProjectionFault[] = [];
    const events = withRows ? entries.flatMap((entry) => entry.events) : [];
    return this.#transaction(async (client) => {
      const move = { from, to: last.sequence, storedAtMs: last.storedAtMs };
      await moveCheckpoint(client, this.#name, checkpoint, move);
      for (const { projection, store } of this.#projections) {
        const report = (recorded: RecordedEvent, error: unknown): void => {
          faults.push(faultOf(recorded, store.name, error));
        };
        if (isRowProjection(projection)) await fold(client, store, projection, events, report);
        else await store.add(client, listed(projection, events, report));
      }
      return faults;
    });
  }

  /** Deletes its rows and puts its checkpoints back to the beginning. */
  async clear(): Promise<void> {
    const tables = this.#projections.map(({ projection }) => quote(getTableName(projection.table)));
    await this.#transaction(async (client) => {
      await resetCheckpoints(client, this.#name);
      if (this.#share !== undefined) {
        const { column, value } = this.#share;
        for (const table of tables) {
          await client.query(`delete from ${table} where ${quote(column)} = $1`, [value]);
        }
      } else if (tables.length > 0) await client.query(`truncate ${tables.join(', ')}`);
    });
  }

  #transaction<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    return this.#connected(async (client) => {
      await client.query(begin);
      try {
        const result = await work(client);
        await client.query('commit');
        return result;
      } catch (error) {
        // A connection that cannot roll back is thrown away below; the first error is the cause.
        await client.query('rollback').catch(() => {});
        throw error;
      }
    });
  }

  async #connected<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    const client = await this.#database.pool.connect();
    let failed = true;
    try {
      const result = await work(client);
      failed = false;
      return result;
    } finally {
      client.release(failed);
    }
  }
}

type Report = (recorded: RecordedEvent, error: unknown) => void;

/** Loads each row that the events concern once, folds, and writes each changed row once. */
async function fold(
  client: PoolClient,
  store: TableStore,
  projection: RowProjection,
  events: readonly RecordedEvent[],
  report: Report,
): Promise<void> {
  const keys = new Map<string, RowKey>();
  const concerned: RecordedEvent[] = [];
  for (const recorded of events) {
    try {
      const own = projection.keys(recorded);
      if (own.length === 0) continue;
      concerned.push(recorded);
      for (const key of own) keys.set(keyText(key), key);
    } catch (error) {
      report(recorded, error);
    }
  }
  if (concerned.length === 0) return;
  const rows = await store.load(client, [...keys.values()]);
  const changed = foldRows(projection, rows, concerned, report);
  await store.upsert(
    client,
    [...changed].map((key) => rows.get(key) as Row),
  );
}

function listed(
  projection: ListProjection,
  events: readonly RecordedEvent[],
  report: Report,
): Row[] {
  return events.flatMap((recorded) => {
    try {
      return [...projection.rows(recorded)];
    } catch (error) {
      report(recorded, error);
      return [];
    }
  });
}

function faultOf(
  { stream, sequence, index, event }: RecordedEvent,
  table: string,
  error: unknown,
): ProjectionFault {
  const reason = error instanceof Error ? error.message : String(error);
  return { stream, sequence, index, type: event.type, table, reason };
}
