import { setTimeout as delay } from 'node:timers/promises';
import type { Ledger, Log } from '@meridian/journal';
import {
  migrate,
  openDatabase,
  Projector,
  startPostgres,
  streamSource,
  type Database,
  type Postgres,
} from '@meridian/readmodel';
import { eventStream } from '@meridian/wire';
import { checkpointName, homeHistory } from './home-source.ts';
import { migrationsFolder, projections, projectorName } from './tables.ts';

const RETRY_DELAY_MS = { first: 200, longest: 5_000 };
/** How often it looks whether the local copy of a stream has come as far as somebody waits for, in ms. */
const copyPollMs = 20;

export interface ReadModelsOptions {
  readonly region: string;
  readonly log: Log;
  /** The other regions, and what of their homes counts; a region that is alone needs neither. */
  readonly mesh?: {
    /** All regions, this one among them. */
    readonly regions: readonly string[];
    readonly ledger: Ledger;
    /** Resolves once the ledger knows what the local copies held. */
    readonly ledgerKnown: () => Promise<void>;
  };
  /** A Postgres of one's own; wins over `dataDir`. Every region needs a database to itself. */
  readonly databaseUrl?: string;
  /** Where the embedded Postgres keeps its things; used when there is no `databaseUrl`. */
  readonly dataDir: string;
  /** Told what an operator should know, one line each. */
  readonly onLog?: (line: string) => void;
  /** The clock of the log in epoch ms, for the lag in seconds; default the system's. */
  readonly now?: () => number;
  /** See `ProjectorOptions`; default 0. */
  readonly collectMs?: number;
  /** Where the SQL of the tables is; by default beside this package's sources. */
  readonly migrations?: string;
}

/** The read models of one edge: their database, and a projector for each home that keeps them up to date. */
export class ReadModels {
  readonly database: Database;
  /** That of the region's own home. */
  readonly projector: Projector;
  /** One for each home, by its name. */
  readonly projectors: ReadonlyMap<string, Projector>;
  /** Resolves once the tables are there and the projectors follow the log. */
  readonly ready: Promise<void>;
  readonly #options: ReadModelsOptions;
  readonly #postgres: Postgres | undefined;
  readonly #closing = new AbortController();
  #isReady = false;
  #closed: Promise<void> | undefined;

  constructor(options: ReadModelsOptions, url: string, postgres: Postgres | undefined) {
    const { region, onLog, mesh } = options;
    this.#options = options;
    this.#postgres = postgres;
    this.database = openDatabase({ url, ...(onLog === undefined ? {} : { onLog }) });
    const homes = mesh?.regions ?? [region];
    this.projectors = new Map(
      homes.toSorted().map((home) => [home, this.#projectorOf(home, homes.length > 1)]),
    );
    this.projector = this.projectors.get(region) as Projector;
    this.ready = this.#begin();
    // Who waits for it hears of it; nobody has to.
    this.ready.catch(() => {});
  }

  /** Whether rows can be read: true once `ready` has resolved. */
  get isReady(): boolean {
    return this.#isReady;
  }

  get region(): string {
    return this.#options.region;
  }

  /** The process of the embedded Postgres; undefined with a database of one's own. */
  get postgres(): Postgres | undefined {
    return this.#postgres;
  }

  /**
   * Waits until the rows embody a sequence of a stream, whatever home it is of.
   * @returns false when they do not within the time
   * @throws LogFault when the log does not say where it ends
   */
  async reached(stream: string, sequence: number, timeoutMs: number): Promise<boolean> {
    if (this.projectors.size === 1) return this.projector.reached(sequence, timeoutMs);
    const deadlineMs = performance.now() + timeoutMs;
    const { log } = this.#options;
    while ((await log.lastSequence(stream)) < sequence) {
      if (performance.now() > deadlineMs || this.#closing.signal.aborted) return false;
      await delay(copyPollMs);
    }
    const all = Promise.all([...this.projectors.values()].map((one) => one.caughtUp()));
    const limit = delay(Math.max(0, deadlineMs - performance.now()), 'late', { ref: false });
    return (await Promise.race([all, limit])) !== 'late';
  }

  /** Stops following, then the database. What was not stored yet is read again at the next start. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  #projectorOf(home: string, among: boolean): Projector {
    const { log, mesh, onLog, now, collectMs = 0 } = this.#options;
    const stream = eventStream(home);
    const checkpoint = checkpointName(home, home, 1);
    return new Projector({
      name: `${projectorName}.${home}`,
      log,
      stream,
      checkpoint,
      source:
        among && mesh !== undefined
          ? homeHistory(log, mesh.ledger, home)
          : streamSource(log, stream, checkpoint),
      share: { column: 'home', value: home },
      database: this.database,
      projections,
      collectMs,
      ...(onLog === undefined ? {} : { onLog }),
      ...(now === undefined ? {} : { now }),
    });
  }

  async #close(): Promise<void> {
    this.#closing.abort();
    await Promise.all([...this.projectors.values()].map((projector) => projector.close()));
    await this.ready.catch(() => {});
    await this.database.close();
    await this.#postgres?.stop();
  }

  async #begin(): Promise<void> {
    const { migrations = migrationsFolder, mesh } = this.#options;
    await this.#trying('make the tables', () => migrate(this.database, migrations));
    await this.#trying('read who owns what', async () => mesh?.ledgerKnown());
    await Promise.all([...this.projectors.values()].map((projector) => projector.start()));
    this.#isReady = true;
  }

  async #trying(what: string, work: () => Promise<unknown>): Promise<void> {
    const { first, longest } = RETRY_DELAY_MS;
    for (let waitMs = first; ; waitMs = Math.min(waitMs * 2, longest)) {
      if (this.#closing.signal.aborted) {
        throw new Error('The read models were closed before they were ready.');
      }
      try {
        await work();
        return;
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        this.#options.onLog?.(
          `read models: could not ${what}; next attempt in ${waitMs} ms: ${reason}`,
        );
        await delay(waitMs, undefined, { signal: this.#closing.signal }).catch(() => {});
      }
    }
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
