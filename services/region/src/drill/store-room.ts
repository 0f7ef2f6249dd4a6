import { execFile, execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const megabyte = 1_048_576;
/** What is written at a time: much at first, then what still fits. */
const pieces = [megabyte, 65_536, 4_096, 512];

/** A small file system of a drill's own that a region stores on: it can be filled and emptied. */
export class StoreRoom {
  readonly #path: string;
  readonly #filler: string;
  #refill: NodeJS.Timeout | undefined;
  readonly #atExit = (): void => {
    execFileSync('umount', ['-l', this.#path]);
  };

  private constructor(path: string) {
    this.#path = path;
    this.#filler = join(path, 'filler');
  }

  /**
   * Mounts a file system in memory at a folder.
   * @throws Error when that is not allowed here
   */
  static async mount(path: string, megabytes: number): Promise<StoreRoom> {
    mkdirSync(path, { recursive: true });
    await run('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=0700`, 'meridian', path]);
    const room = new StoreRoom(path);
    process.prependListener('exit', room.#atExit);
    return room;
  }

  /** Takes all the space that is left, and what becomes free, until `empty`. */
  fill(): void {
    this.#fillNow();
    this.#refill = setInterval(() => this.#fillNow(), 100);
  }

  /** Gives the space back. */
  empty(): void {
    clearInterval(this.#refill);
    rmSync(this.#filler, { force: true });
  }

  async unmount(): Promise<void> {
    this.empty();
    process.off('exit', this.#atExit);
    await run('umount', [this.#path]).catch(() => run('umount', ['-l', this.#path]));
  }

  #fillNow(): void {
    const file = openSync(this.#filler, 'a');
    try {
      for (const bytes of pieces) while (append(file, bytes));
    } finally {
      closeSync(file);
    }
  }
}

/** @returns whether there was room for all of it */
function append(file: number, bytes: number): boolean {
  try {
    return writeSync(file, Buffer.alloc(bytes)) === bytes;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return false;
    throw error;
  }
}
