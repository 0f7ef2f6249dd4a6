import {
  decodeEntry,
  emptyHead,
  encodeEntry,
  EntryEncoder,
  eventStream,
  eventSubject,
  lastHash,
  type AggregateId,
  type EncodedEntry,
  type EventEnvelope,
  type EventToEncode,
  type Head,
  type Writer,
} from '@meridian/wire';
import { CorruptEntry } from './errors.ts';
import type { Appended, Log, LogMessage } from './log.ts';

/** How far a writer had read its sources when it stored an entry: stream name to sequence. */
export type Positions = Readonly<Record<string, number>>;

/** The header in which an entry carries the positions of its writer. */
const positionsHeader = 'Meridian-Consumed';

/** One decision as it was stored: one or more events of one aggregate. */
export interface Entry<E extends EventEnvelope = EventEnvelope> {
  readonly stream: string;
  readonly sequence: number;
  readonly subject: string;
  /** When the log stored it, in epoch milliseconds of the log's own clock. */
  readonly storedAtMs: number;
  readonly events: readonly E[];
  /** How far its writer had read; empty when it did not say. */
  readonly consumed: Positions;
}

/** An aggregate's history. */
export interface History {
  readonly entries: readonly Entry[];
  readonly head: Head;
}

/** What to store as one entry. */
export interface EntryToAppend {
  readonly events: readonly EventToEncode[];
  readonly head: Head;
  readonly consumed?: Positions;
  readonly configVersion?: number;
}

/** The decisions of one region, written under one ownership. */
export interface Journal {
  readonly log: Log;
  readonly writer: Writer;
  /** The stream that this writer's decisions go to. */
  readonly stream: string;
  /** The aggregate's whole history, oldest first. */
  load(aggregate: AggregateId): Promise<History>;
  /**
   * Stores one decision, all its events or none.
   * @returns where the history ends now
   * @throws WrongLastSequence when the aggregate does not end at `head`
   * @throws LogUnavailable when it is not known whether the entry was stored
   */
  append(aggregate: AggregateId, entry: EntryToAppend): Promise<Head>;
  /** An encoder for the aggregate's next entry, for `store`. */
  encoder(aggregate: AggregateId, head: Pick<Head, 'revision' | 'hash'>): EntryEncoder;
  /**
   * Stores an entry that is encoded already, as `append` does.
   * @param lastSequence of the aggregate, 0 when it has no entry
   * @returns the entry's sequence
   */
  store(
    aggregate: AggregateId,
    encoded: EncodedEntry,
    lastSequence: number,
    consumed?: Positions,
  ): Promise<number>;
}

/** Reads positions from their header form, `IN_eu=12,EV_eu=40`. */
function parsePositions(text: string | undefined): Positions {
  if (text === undefined || text === '') return {};
  return Object.fromEntries(
    text.split(',').map((part) => {
      const [stream, sequence] = part.split('=');
      return [stream as string, Number(sequence)];
    }),
  );
}

const formatPositions = (positions: Positions): string =>
  Object.entries(positions)
    .map(([stream, sequence]) => `${stream}=${sequence}`)
    .join(',');

/** Reads a message of an `EV_` stream. @throws CorruptEntry when it is not what Meridian writes */
export function readEntry(message: LogMessage): Entry {
  try {
    return new StoredEntry(message, decodeEntry(message.text()));
  } catch (error) {
    throw new CorruptEntry(message.stream, message.sequence, (error as Error).message, {
      cause: error,
    });
  }
}

/** An entry over its message: the headers, dear to parse, are looked at when they are asked for. */
class StoredEntry implements Entry {
  readonly stream: string;
  readonly sequence: number;
  readonly subject: string;
  readonly events: readonly EventEnvelope[];
  readonly #message: LogMessage;

  constructor(message: LogMessage, events: readonly EventEnvelope[]) {
    this.stream = message.stream;
    this.sequence = message.sequence;
    this.subject = message.subject;
    this.events = events;
    this.#message = message;
  }

  get storedAtMs(): number {
    return this.#message.storedAtMs;
  }

  get consumed(): Positions {
    return parsePositions(this.#message.header(positionsHeader));
  }
}

/** Where an aggregate's history ends after this message, its last. */
export function headAfter(message: LogMessage, entry: Entry): Head {
  const last = entry.events.at(-1) as EventEnvelope;
  return { sequence: message.sequence, revision: last.revision, hash: lastHash(message.text()) };
}

/** The journal of a writer over a log. */
export function journalOf(log: Log, writer: Writer): Journal {
  const stream = eventStream(writer.region);
  const subjectOf = (aggregate: AggregateId): string =>
    eventSubject(writer.region, writer.home, aggregate);
  // Without `async` on the way of every decision: each would cost a turn of the microtask queue.
  const append = (
    aggregate: AggregateId,
    encoded: EncodedEntry,
    lastSequence: number,
    consumed?: Positions,
  ): Promise<Appended> =>
    log.append(stream, {
      subject: subjectOf(aggregate),
      data: encoded.bytes ?? encoded.text,
      expectedLastSequence: lastSequence,
      ...(consumed && { headers: { [positionsHeader]: formatPositions(consumed) } }),
    });
  return {
    log,
    writer,
    stream,
    async load(aggregate) {
      const messages = await log.load(stream, subjectOf(aggregate));
      const entries = messages.map(readEntry);
      const last = messages.at(-1);
      return {
        entries,
        head: last === undefined ? emptyHead : headAfter(last, entries.at(-1) as Entry),
      };
    },
    encoder: (aggregate, head) => new EntryEncoder(writer, aggregate, head),
    async store(aggregate, encoded, lastSequence, consumed) {
      return (await append(aggregate, encoded, lastSequence, consumed)).sequence;
    },
    append(aggregate, { events, head, consumed, configVersion }) {
      const encoded = encodeEntry(writer, aggregate, head, events, configVersion);
      const { revision, hash } = encoded;
      return append(aggregate, encoded, head.sequence, consumed).then(({ sequence }) => ({
        sequence,
        revision,
        hash,
      }));
    },
  };
}
