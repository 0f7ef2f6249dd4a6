import { toTimestamp } from '@meridian/core';
import {
  emptyHead,
  encodeEntry,
  hashEvent as hashed,
  type DomainEvent,
  type Head,
} from '@meridian/wire';
import type { RawEntry } from '../src/check/index.ts';

/** An event of a log to be, with the data that the contract asks for. */
export type Draft = {
  readonly type: DomainEvent['type'];
  readonly subject: string;
  readonly data: object;
};

export interface EntryOptions {
  readonly cause?: string;
  readonly tenant?: string;
  readonly home?: string;
  readonly epoch?: number;
  /** Changes each event's text before it is hashed: a writer at fault, with a chain that holds. */
  readonly tamper?: (text: string) => string;
}

/** 2026-03-02T08:00:00.000Z in epoch milliseconds. */
export const startMs = Date.UTC(2026, 2, 2, 8);
export const at = (seconds: number): string => toTimestamp(startMs + seconds * 1000);

/** Writes logs with the encoder that the services use, entry by entry. */
export class LogBuilder {
  readonly entries: RawEntry[] = [];
  readonly #heads = new Map<string, Head>();
  readonly #region = 'eu';
  #causes = 0;

  /** Stores one decision of an aggregate, `contact.c1` or `routing.eu`, `seconds` after the start. */
  add(
    aggregate: string,
    seconds: number,
    events: readonly Draft[],
    options: EntryOptions = {},
  ): RawEntry {
    const { tenant = 'demo', home = this.#region, epoch = 1 } = options;
    const [entity = '', id = ''] = aggregate.split('.');
    const subject = `ev.${this.#region}.${home}.${tenant}.${entity}.${id}`;
    this.#causes += 1;
    const cause = options.cause ?? `/test#${this.#causes}`;
    const writer = {
      region: this.#region,
      home,
      service: entity === 'contact' ? 'sessions' : 'routing',
      epoch,
    };
    let head = this.#heads.get(subject) ?? emptyHead;
    const texts: string[] = [];
    // One event a time, so that the next one's hash is of the text that was tampered with.
    for (const event of events) {
      const encoded = encodeEntry(writer, { tenant, entity, id }, head, [
        {
          ...event,
          cause: { causationId: cause },
          timeMs: startMs + seconds * 1000,
        },
      ]);
      const text = (options.tamper ?? ((one: string) => one))(encoded.text.slice(1, -1));
      texts.push(text);
      head = { sequence: 0, revision: encoded.revision, hash: hashed(text) };
    }
    this.#heads.set(subject, head);
    const entry: RawEntry = {
      stream: `EV_${this.#region}`,
      sequence: this.entries.length + 1,
      subject,
      storedAt: toTimestamp(startMs + seconds * 1000),
      headers: {},
      data: `[${texts.join(',\n')}]`,
    };
    this.entries.push(entry);
    return entry;
  }
}
