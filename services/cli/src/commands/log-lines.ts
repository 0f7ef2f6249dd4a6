import { createReadStream } from 'node:fs';
import { usageFault } from '../fault.ts';
import { readLines } from '../http/lines.ts';
import type { Context } from './command.ts';

/** Lines of an export, many at a time. `-` is the standard input. @throws CommandFault (usage) */
export async function* fileLines({ io }: Context, file: string): AsyncGenerator<string[]> {
  try {
    yield* readLines(file === '-' ? io.stdin : createReadStream(file));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw usageFault(
      `${file} cannot be read (${message}).\nMake one with meridian export --stream EV_eu --out FILE.`,
    );
  }
}

/** Says on a terminal how far a long work is: at most four times a second, on one line. */
export class Progress {
  readonly #context: Context;
  readonly #what: string;
  #shownAtMs = 0;

  constructor(context: Context, what: string) {
    this.#context = context;
    this.#what = what;
  }

  show(count: number): void {
    const { io } = this.#context;
    if (!io.isTty || io.now() - this.#shownAtMs < 250) return;
    this.#shownAtMs = io.now();
    io.err(`\r${count.toLocaleString('en')} ${this.#what}`);
  }

  clear(): void {
    if (this.#shownAtMs !== 0) this.#context.io.err('\r\u001b[K');
  }
}
