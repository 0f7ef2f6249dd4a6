import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { migrate as migrateDrizzle } from 'drizzle-orm/node-postgres/migrator';
import { drizzle } from 'drizzle-orm/node-postgres';
import { createCheckpoints } from './checkpoints.ts';
import type { Database } from './database.ts';

/** Any number: who migrates the same database at the same moment waits for the first one. */
const MIGRATION_LOCK = 7_231_001;

/**
 * Brings the tables up to date: applies the SQL files of a Drizzle migration folder that the
 * database has not seen yet, all or none. What was applied is in `drizzle.__drizzle_migrations`.
 * @param folder where `meta/_journal.json` and the SQL files are
 * @throws Error when the folder is not one, or a statement fails
 */
export async function migrate(database: Database, folder: string): Promise<void> {
  if (!existsSync(join(folder, 'meta', '_journal.json'))) {
    throw new Error(
      `${folder} holds no migrations (meta/_journal.json is missing).\n` +
        'Give the folder that drizzle-kit wrote; it belongs to the package, not to its dist folder.',
    );
  }
  const client = await database.pool.connect();
  let lost: Error | undefined;
  try {
    await client.query('select pg_advisory_lock($1)', [MIGRATION_LOCK]);
    try {
      await client.query(createCheckpoints);
      await migrateDrizzle(drizzle(client), { migrationsFolder: folder });
    } finally {
      await client.query('select pg_advisory_unlock($1)', [MIGRATION_LOCK]);
    }
  } catch (error) {
    lost = error as Error;
    throw error;
  } finally {
    client.release(lost);
  }
}
