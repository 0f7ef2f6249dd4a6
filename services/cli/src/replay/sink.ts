import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { usageFault } from '../fault.ts';
import type { Context } from '../commands/command.ts';
import type { PlacedEvent } from './place.ts';

/** Where replayed events go. */
export interface Sink {
  /** Whether it shows the events themselves, so that nothing else is to be said meanwhile. */
  readonly shows?: true;
  /** Takes the next event; it waits while it cannot take more. */
  write(placed: PlacedEvent): void | Promise<void>;
  /** Ends it, and says in one sentence where everything is. */
  close(events: number): Promise<string>;
}

/** One event as a line of NDJSON. */
export function eventLineOf({ stream, sequence, index, event }: PlacedEvent): string {
  return `${JSON.stringify({ stream, sequence, index, event: event.attributes })}\n`;
}

/** A file of which each line is one event with its place; - is the standard output. */
export async function ndjsonSink({ io }: Context, path: string): Promise<Sink> {
  if (path === '-') {
    return {
      shows: true,
      write: (placed) => io.out(eventLineOf(placed)),
      close: () => Promise.resolve(''),
    };
  }
  const file = createWriteStream(path);
  await once(file, 'open').catch((error: Error) => {
    throw usageFault(`--out ${path} cannot be written (${error.message}).`);
  });
  // For all of it: a listener for each line that waits would pile up.
  let [failure, wake]: [Error | undefined, () => void] = [undefined, () => {}];
  file.on('drain', () => wake());
  file.on('close', () => wake());
  file.on('error', (error) => {
    failure = error;
    wake();
  });
  const woken = (): Promise<void> =>
    new Promise((resolve) => {
      wake = resolve;
    });
  const check = (): void => {
    if (failure === undefined) return;
    throw usageFault(`--out ${path} cannot be written any further (${failure.message}).`);
  };
  return {
    async write(placed) {
      check();
      if (!file.write(eventLineOf(placed))) await woken();
      check();
    },
    async close(events) {
      file.end();
      while (!file.closed) await woken();
      check();
      return `${events.toLocaleString('en')} events are in ${path}.`;
    },
  };
}
