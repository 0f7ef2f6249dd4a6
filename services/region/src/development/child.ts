import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';

export interface ChildOptions {
  /** For messages and the log file's name. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** Where its output goes, appended. */
  readonly logFile: string;
  /** Resolves once the process is of use; rejects when it will not be. */
  readonly whenReady: () => Promise<void>;
  /** Told when it ended by itself, and after which pause it is started again. */
  readonly onRestart?: (name: string, how: string, pauseMs: number) => void;
}

/** The pause before a child is started again: none at first, then longer and longer. */
const restartPauseMs = { second: 250, longest: 10_000 };
/** Who ran that long before it ended counts as well again. */
const restartWindowMs = 30_000;
const stopWaitMs = 12_000;

/**
 * A process of the development region: started, watched, started again when it dies, stopped.
 * A developer's stand-in for systemd or Kubernetes.
 */
export class Child {
  readonly #options: ChildOptions;
  #process: ChildProcess | undefined;
  #isStopping = false;
  #launchedAt = 0;
  /** How often it ended soon after its start, one time after the other. */
  #quickEnds = 0;
  #restart: NodeJS.Timeout | undefined;

  constructor(options: ChildOptions) {
    this.#options = options;
  }

  get name(): string {
    return this.#options.name;
  }

  get pid(): number | undefined {
    const process = this.#process;
    return process?.exitCode === null && process.signalCode === null ? process.pid : undefined;
  }

  /** Starts it and waits until it is ready. @throws Error with the end of its output when it is not */
  async start(): Promise<void> {
    this.#isStopping = false;
    this.#launch();
    const process = this.#process as ChildProcess;
    const died = once(process, 'exit').then(([code, signal]) => {
      throw new Error(`it ended with ${signal ?? `exit code ${code}`} before it was ready`);
    });
    died.catch(() => {});
    try {
      await Promise.race([this.#options.whenReady(), died]);
    } catch (error) {
      await this.stop();
      throw new Error(
        `${this.name} did not start: ${(error as Error).message}\n` +
          `The end of ${this.#options.logFile}:\n${this.logTail()}`,
        { cause: error },
      );
    }
  }

  /** Resolves once it is of use: after a restart by itself, too. Rejects when it will not be. */
  whenReady(): Promise<void> {
    return this.#options.whenReady();
  }

  /** The last lines of its output. */
  logTail(lines = 15): string {
    try {
      return readFileSync(this.#options.logFile, 'utf8')
        .trimEnd()
        .split('\n')
        .slice(-lines)
        .join('\n');
    } catch {
      return '(no output)';
    }
  }

  /** Sends it a signal; if it ends by that, it is started again. */
  kill(signal: NodeJS.Signals): void {
    this.#process?.kill(signal);
  }

  /**
   * Asks it to end, waits, and ends it the hard way after 12 s; with SIGKILL at once. It is not
   * started again before `start`.
   */
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    this.#isStopping = true;
    clearTimeout(this.#restart);
    const process = this.#process;
    if (process === undefined || process.exitCode !== null || process.signalCode !== null) return;
    const exited = once(process, 'exit');
    process.kill(signal);
    const impatience = setTimeout(() => process.kill('SIGKILL'), stopWaitMs);
    await exited;
    clearTimeout(impatience);
  }

  #launch(): void {
    const { command, args, env, logFile } = this.#options;
    mkdirSync(dirname(logFile), { recursive: true });
    const log = createWriteStream(logFile, { flags: 'a' });
    // In a process group of its own: Ctrl-C reaches the supervisor, which stops them in order.
    const child = spawn(command, [...args], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    child.stdout?.pipe(log, { end: false });
    child.stderr?.pipe(log, { end: false });
    child.once('error', (error) => log.write(`${this.name} cannot be started: ${error.message}\n`));
    // Not on exit: what it had written before may still come.
    child.once('close', () => log.end());
    child.once('exit', (code, signal) => {
      if (!this.#isStopping && this.#process === child) this.#again(signal ?? `exit code ${code}`);
    });
    this.#process = child;
    this.#launchedAt = performance.now();
  }

  #again(how: string): void {
    const ranMs = performance.now() - this.#launchedAt;
    this.#quickEnds = ranMs < restartWindowMs ? this.#quickEnds + 1 : 0;
    const { second, longest } = restartPauseMs;
    const pauseMs =
      this.#quickEnds < 2 ? 0 : Math.min(second * 2 ** (this.#quickEnds - 2), longest);
    this.#options.onRestart?.(this.name, how, pauseMs);
    if (pauseMs === 0) this.#launch();
    else this.#restart = setTimeout(() => this.#launch(), pauseMs);
  }
}
