import { toTimestamp } from '@meridian/core';
import { emptyHead, encodeEntry, hashEvent, type Head } from '@meridian/wire';
import type { RawEntry, Source } from '../src/check/index.ts';
import { startMs, type Draft } from './log-builder.ts';

export interface MeshEntryOptions {
  /** Who writes; the home's own region by default. */
  readonly by?: string;
  readonly epoch?: number;
  readonly tenant?: string;
  /** The event that led to it, or its id; one from outside by default. */
  readonly cause?: RawEntry | string;
  /** It will not count: the aggregate goes on from what came before it. */
  readonly isOrphan?: true;
  /** Changes each event's text before it is hashed. */
  readonly tamper?: (text: string) => string;
}

/** The id of an entry's event; the last one by default. */
export function idOf({ data }: RawEntry, index = -1): string {
  const events = JSON.parse(data) as { id: string }[];
  return events.at(index)?.id ?? '';
}

/** Writes the streams of several regions with the encoder that the services use. */
export class MeshBuilder {
  readonly streams = new Map<string, RawEntry[]>();
  readonly #heads = new Map<string, Head & { readonly stream: string }>();
  #causes = 0;

  /** Stores one decision of an aggregate of a home, `contact.c1`, `seconds` after the start. */
  add(
    home: string,
    aggregate: string,
    seconds: number,
    events: readonly Draft[],
    options: MeshEntryOptions = {},
  ): RawEntry {
    const { by = home, epoch = 1, tenant = 'demo', tamper = (text: string) => text } = options;
    const [entity = '', id = ''] = aggregate.split('.');
    const stream = `EV_${by}`;
    const entries = this.streams.get(stream) ?? [];
    this.streams.set(stream, entries);
    this.#causes += 1;
    const { cause = `/test#${this.#causes}` } = options;
    const causationId = typeof cause === 'string' ? cause : idOf(cause);
    const name = `${home}.${tenant}.${entity}.${id}`;
    const known = this.#heads.get(name);
    const { at: _, ...own } = known ?? { ...emptyHead, at: undefined };
    const isElsewhere = known !== undefined && known.stream !== stream;
    let head: Head = isElsewhere ? { ...own, at: `${known.stream}:${known.sequence}` } : own;
    const texts = events.map((event) => {
      const encoded = encodeEntry(
        { region: by, home, service: entity === 'contact' ? 'sessions' : 'routing', epoch },
        { tenant, entity, id },
        head,
        [{ ...event, cause: { causationId }, timeMs: startMs + seconds * 1000 }],
      );
      const text = tamper(encoded.text.slice(1, -1));
      head = { sequence: 0, revision: encoded.revision, hash: hashEvent(text) };
      return text;
    });
    const sequence = entries.length + 1;
    if (options.isOrphan !== true) this.#heads.set(name, { ...head, sequence, stream });
    const entry: RawEntry = {
      stream,
      sequence,
      subject: `ev.${by}.${home}.${tenant}.${entity}.${id}`,
      storedAt: toTimestamp(startMs + seconds * 1000),
      headers: {},
      data: `[${texts.join(',\n')}]`,
    };
    entries.push(entry);
    return entry;
  }

  /** How many entries a region's stream has. */
  length(region: string): number {
    return this.streams.get(`EV_${region}`)?.length ?? 0;
  }
}

/** Streams as they are read: a few lines at a time. */
export function sourcesOf(streams: ReadonlyMap<string, readonly RawEntry[]>): Source[] {
  return [...streams].map(([stream, entries]) => ({
    stream,
    grows: false,
    async *read({ after, to = Infinity }) {
      const lines = entries
        .filter(({ sequence }) => sequence > after && sequence <= to)
        .map((entry) => JSON.stringify(entry));
      for (let index = 0; index < lines.length; index += 3) {
        yield await Promise.resolve(lines.slice(index, index + 3));
      }
    },
  }));
}
