import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from '@meridian/journal';
import {
  migrate,
  openDatabase,
  Projector,
  startPostgres,
  type Database,
  type Postgres,
} from '@meridian/readmodel';
import { eventStream } from '@meridian/wire';
import { migrationsFolder, projections, projectorName } from './tables.ts';

const RETRY_DELAY_MS = { first: 200, longest: 5_000 };

export interface ReadModelsOptions {
  readonly region: string;
  readonly log: Log;
  /** A Postgres of one's own; wins over `dataDir`. Every region needs a database to itself. */
  readonly databaseUrl?: string;
  /** Where the embedded Postgres keeps its things; used when there is no `databaseUrl`. */
  readonly dataDir: string;
  /** Told what an operator should know, one line each. */
  readonly onLog?: (line: string) => void;
  /** The clock of the log in epoch ms, for the lag in seconds; default the system's. */
  readonly now?: () => number;
  /** Where the SQL of the tables is; by default beside this package's sources. */
  readonly migrations?: string;
}

/** The read models of one region: their database, and the projector that keeps them up to date. */
export class ReadModels {
  readonly database: Database;
  readonly projector: Projector;
  /** Resolves once the tables are there and the projector follows the log. */
  readonly ready: Promise<void>;
  readonly #options: ReadModelsOptions;
  readonly #postgres: Postgres | undefined;
  readonly #closing = new AbortController();
  #isReady = false;
  #closed: Promise<void> | undefined;

  constructor(options: ReadModelsOptions, url: string, postgres: Postgres | undefined) {
    const { log, region, onLog, now } = options;
    this.#options = options;
    this.#postgres = postgres;
    this.database = openDatabase({ url, ...(onLog === undefined ? {} : { onLog }) });
    this.projector = new Projector({
      name: projectorName,
      log,
      stream: eventStream(region),
      database: this.database,
      projections,
      ...(onLog === undefined ? {} : { onLog }),
      ...(now === undefined ? {} : { now }),
    });
    this.ready = this.#begin();
    // Who waits for it hears of it; nobody has to.
    this.ready.catch(() => {});
  }

  /** Whether rows can be read: true once `ready` has resolved. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** The process of the embedded Postgres; undefined with a database of one's own. */
  get postgres(): Postgres | undefined {
    return this.#postgres;
  }

  /** Stops following, then the database. What was not stored yet is read again at the next start. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#closing.abort();
    await this.projector.close();
    await this.ready.catch(() => {});
    await this.database.close();
    await this.#postgres?.stop();
  }

  async #begin(): Promise<void> {
    const { migrations = migrationsFolder, onLog } = this.#options;
    for (
      let waitMs = RETRY_DELAY_MS.first;
      ;
      waitMs = Math.min(waitMs * 2, RETRY_DELAY_MS.longest)
    ) {
      if (this.#closing.signal.aborted) {
        throw new Error('The read models were closed before they were ready.');
      }
      try {
        await migrate(this.database, migrations);
        break;
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        onLog?.(`read models: could not make the tables; next attempt in ${waitMs} ms: ${reason}`);
        await delay(waitMs, undefined, { signal: this.#closing.signal }).catch(() => {});
      }
    }
    await this.projector.start();
    this.#isReady = true;
  }
}

/**
 * Opens the read models: starts the embedded Postgres unless `databaseUrl` names another. Resolves
 * before the tables are there, so that a service can start while its database is away.
 * @throws Error when the embedded Postgres cannot be started, saying what to do
 */
export async function openReadModels(options: ReadModelsOptions): Promise<ReadModels> {
  const { databaseUrl, dataDir, onLog } = options;
  if (databaseUrl !== undefined && databaseUrl !== '') {
    return new ReadModels(options, databaseUrl, undefined);
  }
  const postgres = await startPostgres({ dataDir, ...(onLog === undefined ? {} : { onLog }) });
  return new ReadModels(options, postgres.url, postgres);
}
