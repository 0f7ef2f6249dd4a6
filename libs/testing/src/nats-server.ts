import { spawn, execFileSync, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { temporaryFolder } from './temporary.ts';

const OLDEST_VERSION = [2, 14] as const;
const READY_TIMEOUT_MS = 30_000;
const BIND_ATTEMPTS = 50;
const LOG_LINES_KEPT = 50;

export interface NatsServerOptions {
  /** Where JetStream stores; by default a temporary folder, removed by `stop`. */
  readonly storeDir?: string;
  /** The client port on 127.0.0.1; by default a free one. */
  readonly port?: number;
  /** Further configuration, in nats-server's own format. */
  readonly config?: string;
  /** A whole configuration instead, port and store too; what it includes is found beside it. */
  readonly configFile?: string;
}

/** A real nats-server with JetStream on a loopback port, owned by the test that started it. */
export interface NatsServer {
  readonly url: string;
  readonly port: number;
  readonly storeDir: string;
  /** The running process; 0 while there is none. */
  readonly pid: number;
  /** What the server logged last. */
  readonly log: readonly string[];
  /** Ends the process (SIGKILL by default) and resolves once it is gone. The store stays. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Ends the process if there is one, and starts it again on the same port and store. */
  restart(): Promise<void>;
  /** Ends the process and removes what was temporary. */
  stop(): Promise<void>;
}

/** Starts a nats-server and resolves once it takes connections. */
export async function startNatsServer(options: NatsServerOptions = {}): Promise<NatsServer> {
  const server = new ServerProcess(natsServerBinary(), options);
  await server.start();
  return server;
}

class ServerProcess implements NatsServer {
  readonly storeDir: string;
  readonly log: string[] = [];
  port: number;
  pid = 0;
  readonly #binary: string;
  readonly #folder = temporaryFolder('meridian-nats-');
  readonly #arguments: readonly string[];
  readonly #isWhole: boolean;
  readonly #guard: ChildProcess;
  #gone: Promise<void> = Promise.resolve();

  constructor(binary: string, options: NatsServerOptions) {
    this.#binary = binary;
    this.port = options.port ?? -1;
    this.storeDir = options.storeDir ?? join(this.#folder.path, 'store');
    const config = options.configFile ?? join(this.#folder.path, 'nats.conf');
    mkdirSync(this.storeDir, { recursive: true });
    if (options.configFile === undefined) writeFileSync(config, options.config ?? '');
    this.#isWhole = options.configFile !== undefined;
    this.#arguments = this.#isWhole
      ? ['-c', config]
      : ['-c', config, '-js', '-sd', this.storeDir, '-a', '127.0.0.1'];
    this.#guard = startGuard(this.#folder.path);
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const outcome = await this.#spawn();
      if (outcome === 'ready') return;
      const log = this.log.slice(-8).join('\n');
      if (attempt === BIND_ATTEMPTS || !/address already in use/i.test(log)) {
        throw new Error(`nats-server did not start on port ${this.port} (${outcome}):\n${log}`);
      }
    }
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (this.pid !== 0) process.kill(this.pid, signal);
    await this.#gone;
  }

  async restart(): Promise<void> {
    await this.kill();
    await this.start();
  }

  async stop(): Promise<void> {
    await this.kill();
    this.#folder.remove();
    this.#guard.stdin?.end();
  }

  #spawn(): Promise<'ready' | 'ended' | 'timed out'> {
    const port = this.#isWhole ? [] : ['-p', String(this.port)];
    const child = spawn(this.#binary, [...this.#arguments, ...port], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const gone = Promise.withResolvers<void>();
    const outcome = Promise.withResolvers<'ready' | 'ended' | 'timed out'>();
    const timer = setTimeout(() => {
      outcome.resolve('timed out');
      child.kill('SIGKILL');
    }, READY_TIMEOUT_MS);
    this.#gone = gone.promise;
    this.#own(child.pid ?? 0);
    child.on('error', (error) => this.log.push(String(error)));
    child.on('close', () => {
      this.#own(0);
      clearTimeout(timer);
      outcome.resolve('ended');
      gone.resolve();
    });
    createInterface({ input: child.stderr }).on('line', (line) => {
      this.log.push(line);
      if (this.log.length > LOG_LINES_KEPT) this.log.shift();
      const port = /Listening for client connections on .*:(\d+)/.exec(line)?.[1];
      if (port !== undefined) this.port = Number(port);
      if (!line.includes('Server is ready')) return;
      clearTimeout(timer);
      outcome.resolve('ready');
    });
    return outcome.promise;
  }

  #own(pid: number): void {
    if (this.pid !== 0) running.delete(this.pid);
    if (pid !== 0) running.add(pid);
    this.pid = pid;
    if (this.#guard.stdin?.writable) this.#guard.stdin.write(`${pid}\n`);
  }
}

const running = new Set<number>();
process.on('exit', () => {
  for (const pid of running) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended by itself in the meantime.
    }
  }
});

/**
 * A shell that outlives a killed test process just long enough to end its server: it reads the
 * server's process ids from a pipe, and the end of the pipe is the end of the test process.
 */
function startGuard(folder: string): ChildProcess {
  const script =
    'trap "" INT TERM HUP; pid=0; while read -r p; do pid=$p; done; ' +
    '[ "$pid" != 0 ] && kill -9 "$pid" 2>/dev/null; rm -rf "$1"';
  const guard = spawn('sh', ['-c', script, 'nats-server-guard', folder], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  guard.unref();
  // A guard that is gone is not missed: the exit hook is there too.
  guard.stdin.on('error', () => {});
  (guard.stdin as unknown as { unref?: () => void }).unref?.();
  return guard;
}

let knownBinary: string | undefined;

/**
 * The nats-server to run: $NATS_SERVER, the repository's own in .tools/bin, or one on the PATH.
 * @throws Error when there is none or it is too old
 */
export function natsServerBinary(): string {
  if (knownBinary !== undefined) return knownBinary;
  const candidates = [
    process.env['NATS_SERVER'],
    ...toolFolders().map((folder) => join(folder, 'nats-server')),
    ...(process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, 'nats-server')),
  ];
  const binary = candidates.find((path) => path !== undefined && path !== '' && existsSync(path));
  if (binary === undefined) {
    throw new Error(
      'No nats-server was found in $NATS_SERVER, .tools/bin or the PATH.\n' +
        'Run scripts/setup, or set NATS_SERVER to the path of one.',
    );
  }
  checkVersion(binary);
  knownBinary = binary;
  return binary;
}

/** The .tools/bin folders of the working directory and of every folder above it. */
function toolFolders(): string[] {
  const folders: string[] = [];
  for (let folder = process.cwd(); ; folder = dirname(folder)) {
    folders.push(join(folder, '.tools', 'bin'));
    if (dirname(folder) === folder) return folders;
  }
}

function checkVersion(binary: string): void {
  const text = execFileSync(binary, ['--version'], { encoding: 'utf8' }).trim();
  const [major = 0, minor = 0] = (/v(\d+)\.(\d+)/.exec(text) ?? []).slice(1).map(Number);
  const [oldestMajor, oldestMinor] = OLDEST_VERSION;
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return;
  throw new Error(
    `${binary} is "${text}"; Meridian needs nats-server ${OLDEST_VERSION.join('.')} or newer.\n` +
      'Run scripts/setup, or set NATS_SERVER to the path of a newer one.',
  );
}
