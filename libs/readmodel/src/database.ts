import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres';
import { Pool } from 'pg';

const CONNECT_TIMEOUT_MS = 5_000;
const QUERY_TIMEOUT_MS = 60_000;
const IDLE_TIMEOUT_MS = 30_000;
const DEFAULT_CONNECTIONS = 6;

export interface DatabaseOptions {
  /** `postgres://user:password@host:port/database`. */
  readonly url: string;
  /** The most connections at once; default 6. */
  readonly connections?: number;
  /** Told of connections lost while idle. */
  readonly onLog?: (line: string) => void;
}

/** A Postgres database: a pool of connections, and Drizzle over it. */
export interface Database {
  readonly pool: Pool;
  readonly db: NodePgDatabase;
  close(): Promise<void>;
}

/** Opens a database. Nothing is connected yet; a database that is away is met by the first query. */
export function openDatabase(options: DatabaseOptions): Database {
  const pool = new Pool({
    connectionString: options.url,
    max: options.connections ?? DEFAULT_CONNECTIONS,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
    idleTimeoutMillis: IDLE_TIMEOUT_MS,
    keepAlive: true,
    application_name: 'meridian',
  });
  // Without listeners a lost connection would end the process: the pool hears of its idle ones, and
  // one in use tells its query and then every listener of its own.
  pool.on('connect', (client) => client.on('error', () => {}));
  pool.on('error', (error) => options.onLog?.(`postgres: a connection was lost: ${error.message}`));
  return { pool, db: drizzle(pool), close: () => pool.end() };
}

const CONNECTION_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'EAI_AGAIN',
]);

/** Whether an error says that the database is away or busy, and not that the statement is wrong. */
export function isDatabaseAway(error: unknown): boolean {
  // By its shape, not its class: an error of the socket may come from another realm.
  if (typeof error !== 'object' || error === null) return false;
  const { cause, code, message } = error as Partial<Error> & { readonly code?: unknown };
  if (cause !== undefined && isDatabaseAway(cause)) return true;
  if (typeof code !== 'string') {
    return /connection terminated|timeout|client has encountered a connection error/i.test(
      message ?? '',
    );
  }
  // 08 connection, 53 resources, 57 operator (shutdown, cannot connect now), 58 system.
  return CONNECTION_CODES.has(code) || /^(08|53|57|58)/.test(code);
}

/** Whether Postgres refuses what is in the rows: 21 cardinality, 22 data, 23 constraint, 54 limit. */
export function isDataRefused(error: unknown): boolean {
  const code = error instanceof Error ? (error as { code?: unknown }).code : undefined;
  return typeof code === 'string' && /^(21|22|23|54)\w{3}$/.test(code);
}
