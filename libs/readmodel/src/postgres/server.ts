import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { launchAs, postgresAccount, type Account } from './account.ts';
import { postgresBinaries, type PostgresBinaries } from './binaries.ts';
import { checkVersion, makeCluster, SUPERUSER } from './cluster.ts';
import { claimDataFolder, type DataFolder } from './data-folder.ts';
import { ended, spawnQuietly } from './spawn.ts';

const DATABASE = 'postgres';
const READY_TIMEOUT_MS = 60_000;
const FAST_STOP_TIMEOUT_MS = 15_000;
const START_ATTEMPTS = 20;
/** What stands in the way of a start only for a moment: a port just taken, a server just ending. */
const PASSING =
  /could not (bind|create any TCP)|"postmaster.pid" already exists|shared memory block/;
const START_PAUSE_MS = 100;
const LOG_LINES_KEPT = 40;
const RESTART_DELAY_MS = { first: 200, longest: 10_000 };

/** Small memory: a whole region has 400 MiB. */
const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  shared_buffers: '16MB',
  max_connections: '20',
  superuser_reserved_connections: '2',
  work_mem: '2MB',
  maintenance_work_mem: '16MB',
  wal_buffers: '1MB',
  effective_cache_size: '128MB',
  min_wal_size: '32MB',
  max_wal_size: '256MB',
  checkpoint_timeout: '15min',
  wal_level: 'minimal',
  max_wal_senders: '0',
  io_method: 'sync',
  max_worker_processes: '1',
  max_parallel_workers: '0',
  max_parallel_workers_per_gather: '0',
  max_logical_replication_workers: '0',
  autovacuum_max_workers: '1',
  autovacuum_worker_slots: '2',
  jit: 'off',
  huge_pages: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
  lc_messages: 'C',
  log_checkpoints: 'off',
  log_min_messages: 'warning',
};

export interface PostgresOptions {
  /** Where it keeps its things; made when missing, used again when it is there. */
  readonly dataDir: string;
  /** Told what an operator should know, one line each; by default nothing is written. */
  readonly onLog?: (line: string) => void;
}

/** A Postgres of this process's own, on a loopback port. */
export interface Postgres {
  readonly url: string;
  readonly port: number;
  /** The running server; 0 while there is none. It is started again when it ends by itself. */
  readonly pid: number;
  /** Ends it in order and gives the folder back. */
  stop(): Promise<void>;
}

/**
 * Starts the embedded Postgres, the first time with a new cluster and a password of its own.
 * Whatever was killed before (this process, the server, the machine) is recovered from.
 * @throws Error saying what stands in the way and what to do
 */
export async function startPostgres(options: PostgresOptions): Promise<Postgres> {
  const binaries = postgresBinaries();
  const account = postgresAccount();
  const folder = await claimDataFolder(options.dataDir);
  try {
    if (!existsSync(join(folder.cluster, 'PG_VERSION'))) {
      await makeCluster(binaries, account, folder);
    }
    checkVersion(binaries, folder);
    const server = new EmbeddedServer(binaries, account, folder, options.onLog ?? (() => {}));
    await server.start();
    return server;
  } catch (error) {
    folder.release();
    throw error;
  }
}

class EmbeddedServer implements Postgres {
  port = 0;
  pid = 0;
  readonly #binaries: PostgresBinaries;
  readonly #account: Account | undefined;
  readonly #folder: DataFolder;
  readonly #onLog: (line: string) => void;
  readonly #lines: string[] = [];
  readonly #guard: ChildProcess = startGuard();
  readonly #stopping = new AbortController();
  #child: ChildProcess | undefined;
  #restartDelayMs = RESTART_DELAY_MS.first;

  constructor(
    binaries: PostgresBinaries,
    account: Account | undefined,
    folder: DataFolder,
    onLog: (line: string) => void,
  ) {
    this.#binaries = binaries;
    this.#account = account;
    this.#folder = folder;
    this.#onLog = onLog;
  }

  get url(): string {
    return `postgres://${SUPERUSER}:${this.#folder.password}@127.0.0.1:${this.port}/${DATABASE}`;
  }

  async start(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      this.port = await freePort();
      const outcome = await this.#spawn();
      if (outcome === 'ready') return;
      const log = this.#lines.join('\n');
      if (attempt === START_ATTEMPTS || !PASSING.test(log)) {
        this.#guard.stdin?.end();
        throw new Error(`Postgres did not start in ${this.#folder.path} (${outcome}):\n${log}`);
      }
      await delay(START_PAUSE_MS);
    }
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    const child = this.#child;
    if (child !== undefined && child.exitCode === null && child.signalCode === null) {
      const gone = ended(child);
      child.kill('SIGINT');
      const timer = setTimeout(() => child.kill('SIGQUIT'), FAST_STOP_TIMEOUT_MS);
      await gone;
      clearTimeout(timer);
    }
    this.#own(0);
    this.#guard.stdin?.end();
    this.#folder.release();
  }

  #spawn(): Promise<'ready' | 'ended' | 'timed out'> {
    const { cluster } = this.#folder;
    const settings = Object.entries(SETTINGS).flatMap(([name, value]) => [
      '-c',
      `${name}=${value}`,
    ]);
    const args = ['-D', cluster, '-p', String(this.port), ...settings];
    const launch = launchAs(this.#account, this.#binaries.postgres, args, [cluster]);
    const outcome = Promise.withResolvers<'ready' | 'ended' | 'timed out'>();
    this.#lines.length = 0;
    const child = spawnQuietly(launch, this.#folder.path, (line) => {
      this.#lines.push(line);
      if (this.#lines.length > LOG_LINES_KEPT) this.#lines.shift();
      if (line.includes('database system is ready to accept connections')) outcome.resolve('ready');
      if (/ (WARNING|ERROR|FATAL|PANIC): /.test(line)) this.#onLog(`postgres: ${line}`);
    });
    this.#child = child;
    this.#own(child.pid ?? 0);
    const timer = setTimeout(() => {
      outcome.resolve('timed out');
      child.kill('SIGQUIT');
    }, READY_TIMEOUT_MS);
    child.once('close', () => {
      clearTimeout(timer);
      this.#own(0);
      outcome.resolve('ended');
    });
    return outcome.promise.then((result) => {
      clearTimeout(timer);
      if (result === 'ready') this.#watch(child);
      return result;
    });
  }

  /** Starts the server again on the same port when it ends by itself. */
  #watch(child: ChildProcess): void {
    const readyAt = performance.now();
    child.once('close', (code, signal) => {
      if (this.#stopping.signal.aborted) return;
      if (performance.now() - readyAt > READY_TIMEOUT_MS) {
        this.#restartDelayMs = RESTART_DELAY_MS.first;
      }
      const last = this.#lines.at(-1) ?? '';
      this.#onLog(
        `postgres: ended by itself (${signal ?? code}) and is started again. Last: ${last}`,
      );
      void this.#restart();
    });
  }

  async #restart(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      await delay(this.#restartDelayMs, undefined, { signal: this.#stopping.signal }).catch(
        () => {},
      );
      this.#restartDelayMs = Math.min(this.#restartDelayMs * 2, RESTART_DELAY_MS.longest);
      if (this.#stopping.signal.aborted) return;
      const outcome = await this.#spawn();
      if (outcome === 'ready') return;
      this.#onLog(
        `postgres: could not be started again (${outcome}): ${this.#lines.slice(-3).join(' | ')}`,
      );
    }
  }

  #own(pid: number): void {
    this.pid = pid;
    if (this.#guard.stdin?.writable === true) this.#guard.stdin.write(`${pid}\n`);
  }
}

/** A port that nobody listens on at this moment. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}

/**
 * A shell that outlives a killed owner just long enough to stop its Postgres in order: it reads
 * the server's process ids from a pipe, and the end of the pipe is the end of the owner.
 */
function startGuard(): ChildProcess {
  const script =
    'trap "" INT TERM HUP; pid=0; while read -r p; do pid=$p; done; ' +
    '[ "$pid" = 0 ] || kill -INT "$pid" 2>/dev/null';
  const guard = spawn('sh', ['-c', script, 'meridian-postgres-guard'], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
    cwd: '/',
  });
  guard.unref();
  // A guard that is gone is not missed: the next start finds the orphan by itself.
  guard.stdin.on('error', () => {});
  guard.on('error', () => {});
  (guard.stdin as unknown as { unref?: () => void }).unref?.();
  return guard;
}
