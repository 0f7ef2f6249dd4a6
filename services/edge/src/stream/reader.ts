import type { Ledger, LogMessage } from '@meridian/journal';
import { Cursor, type Track } from './cursor.ts';
import type { EventFilter } from './event-filter.ts';
import type { Feed } from './feed.ts';
import { noOthers, ParsedEntry, type Others } from './parsed-entry.ts';

/** Where a stream's text goes. Nothing is kept for a sink that is not ready. */
export interface Sink {
  /** Takes a text. @returns false when no more should be written before `ready` */
  write(text: string): boolean;
  /** Resolves when more can be written, or the sink is closed. */
  ready(): Promise<void>;
  readonly closed: boolean;
}

export interface Reading {
  readonly filter: EventFilter;
  /** One for each feed, in their order. */
  readonly tracks: readonly Track[];
  /** Says what does not count; without it everything does. */
  readonly ledger?: Ledger;
}

/** How much text is put together before it is written, in characters. */
const chunkLength = 65_536;

/** What a stream's log still has to give, while several are read together. */
interface Source {
  readonly cursor: Cursor;
  readonly to: number;
  readonly batches: AsyncIterator<readonly LogMessage[]>;
  batch: readonly LogMessage[];
  at: number;
}

/**
 * One reader of some feeds: reads from the log until it meets their rings, then from the rings.
 * One that cannot take what comes is not written to, keeps only its positions, and reads from the
 * log again when a ring has moved past it: it costs no memory and misses nothing. Each stream keeps
 * its order; what is read from several logs is merged by the time at which it was stored.
 */
export class FeedReader {
  readonly #sink: Sink;
  readonly #cursors: readonly Cursor[];
  #wake: (() => void) | undefined;

  /** @param feeds in the order of their streams' names */
  constructor(feeds: readonly Feed[], sink: Sink, { filter, tracks, ledger }: Reading) {
    this.#sink = sink;
    this.#cursors = feeds.map(
      (feed, index) => new Cursor(feed, tracks[index] as Track, filter, ledger),
    );
  }

  /** How far it has come in all streams, as an id says it; undefined for a stream that is alone. */
  get place(): string | undefined {
    if (this.#cursors.length === 1) return undefined;
    return this.#cursors.map((cursor) => cursor.place).join(',');
  }

  /** Sends until the last entries asked for are sent or the sink is closed. @throws LogFault */
  async run(): Promise<void> {
    while (!this.#ended()) {
      if (this.#cursors.some(({ feed }) => feed.ring === undefined)) return;
      const behind = this.#cursors.filter((cursor) => cursor.behind);
      if (behind.length > 0) {
        await this.#readLogs(behind);
        continue;
      }
      const wrote = this.#readRings();
      if (this.#ended()) return;
      if (!wrote) await this.#sink.ready();
      else if (this.#cursors.every((cursor) => cursor.waits)) await this.#somethingNew();
    }
  }

  #ended(): boolean {
    return this.#sink.closed || this.#cursors.every((cursor) => cursor.ended);
  }

  /** The ids of a stream's events name the places of the other streams. */
  #others(own: Cursor): Others {
    if (this.#cursors.length === 1) return noOthers;
    let before = '';
    let after = '';
    let isBefore = true;
    for (const cursor of this.#cursors) {
      if (cursor === own) isBefore = false;
      else if (isBefore) before += `${cursor.place},`;
      else after += `,${cursor.place}`;
    }
    return { before, after };
  }

  async #readLogs(behind: readonly Cursor[]): Promise<void> {
    const sources = behind.map((cursor): Source => ({
      cursor,
      ...cursor.fromLog(),
      batch: [],
      at: 0,
    }));
    try {
      await Promise.all(sources.map(refill));
      let open = sources.filter(hasMore);
      while (open.length > 0 && !this.#sink.closed) {
        const [first, second] = open.toSorted((a, b) => timeOf(a) - timeOf(b));
        const source = first as Source;
        await this.#sendRun(source, second === undefined ? Infinity : timeOf(second));
        if (source.at < source.batch.length) continue;
        await refill(source);
        open = open.filter(hasMore);
      }
      if (!this.#sink.closed) for (const { cursor, to } of sources) cursor.passOver(to);
    } finally {
      await Promise.all(sources.map(async ({ batches }) => await batches.return?.()));
    }
  }

  /** Sends what a source holds, as long as it is no younger than what the others hold. */
  async #sendRun(source: Source, untilMs: number): Promise<void> {
    const { cursor, batch } = source;
    const others = this.#others(cursor);
    let text = '';
    while (source.at < batch.length && timeOf(source) <= untilMs) {
      text += cursor.take(new ParsedEntry(batch[source.at] as LogMessage), others);
      source.at += 1;
      if (text.length >= chunkLength) break;
    }
    if (text !== '' && !this.#sink.write(text)) await this.#sink.ready();
  }

  /** @returns false when the sink is full */
  #readRings(): boolean {
    let text = '';
    for (const cursor of this.#cursors) {
      if (!cursor.waits) text += cursor.takeRing(this.#others(cursor), chunkLength);
    }
    return text === '' || this.#sink.write(text);
  }

  async #somethingNew(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = () => {
        for (const { feed } of this.#cursors) feed.forget(this.#wake as () => void);
        resolve();
      };
      for (const { feed } of this.#cursors) feed.onNext(this.#wake);
    });
    this.#wake = undefined;
  }

  /** Lets a reader that waits look again: its sink was closed. */
  wake(): void {
    this.#wake?.();
  }
}

async function refill(source: Source): Promise<void> {
  const next = await source.batches.next();
  source.batch = next.done === true ? [] : next.value;
  source.at = 0;
}

const hasMore = ({ batch, at }: Source): boolean => at < batch.length;

const timeOf = ({ batch, at }: Source): number => batch[at]?.storedAtMs ?? Infinity;
