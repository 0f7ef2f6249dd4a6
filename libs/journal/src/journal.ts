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
import type { LogFault } from './errors.ts';
import { epochOf } from './homes/follow-home.ts';
import { Ledger } from './homes/ledger.ts';
import type { Appended, Log, LogMessage } from './log.ts';
import { formatPlaces, parsePlaces, type Places, type Positions } from './places.ts';

/** The header in which an entry carries the places of its writer. */
const placesHeader = 'Meridian-Consumed';
/** Every so many entries a writer says how far it has come in everything that it reads. */
const fullStatementEvery = 256;

/** One decision as it was stored: one or more events of one aggregate. */
export interface Entry<E extends EventEnvelope = EventEnvelope> {
  readonly stream: string;
  readonly sequence: number;
  readonly subject: string;
  /** When the log stored it, in epoch milliseconds of the log's own clock. */
  readonly storedAtMs: number;
  readonly events: readonly E[];
  /** The place of the last message decided into the aggregate, by source; empty when it says none. */
  readonly consumed: Positions;
  /** Up to where its writer had settled everything it reads, by source, as far as it says. */
  readonly settled: Positions;
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
  /** Why nothing may be decided now, if so: no lease, or no longer the owner. */
  fence(): LogFault | undefined;
  /** Whether nobody but this writer's region has ever owned the home. */
  readonly isOnlyOwner: boolean;
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
  encoder(aggregate: AggregateId, head: Pick<Head, 'revision' | 'hash' | 'at'>): EntryEncoder;
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

/** What a message says of the reading of its writer. */
export function placesOf(message: LogMessage): Places {
  return parsePlaces(message.header(placesHeader));
}

/**
 * What was read of messages that several follow: they are handed the same object, and it is parsed
 * once. Nobody changes a stored event.
 */
const decoded = new WeakMap<LogMessage, Entry>();

/** Reads a message of an `EV_` stream. @throws CorruptEntry when it is not what Meridian writes */
export function readEntry(message: LogMessage): Entry {
  const known = decoded.get(message);
  if (known !== undefined) return known;
  try {
    const entry = new StoredEntry(message, decodeEntry(message.text()));
    decoded.set(message, entry);
    return entry;
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
  #places: Places | undefined;

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
    return this.#read().consumed;
  }

  get settled(): Positions {
    return this.#read().settled;
  }

  #read(): Places {
    this.#places ??= placesOf(this.#message);
    return this.#places;
  }
}

/**
 * Where an aggregate's history ends after this message, its last.
 * @param stream of the writer that goes on from here
 * @param before where the history ended before the message
 */
export function headAfter(
  message: LogMessage,
  entry: Entry,
  stream: string,
  before: Pick<Head, 'sequence'>,
): Head {
  const { revision } = entry.events.at(-1) as EventEnvelope;
  const hash = lastHash(message.text());
  return message.stream === stream
    ? { sequence: message.sequence, revision, hash }
    : { sequence: before.sequence, revision, hash, at: `${message.stream}:${message.sequence}` };
}

export interface JournalOptions {
  /** The epochs of the writer's home; a home that never moved when absent. */
  readonly ledger?: Ledger;
  /** Asked before each append: why nothing may be sent now, if so. */
  readonly fence?: () => LogFault | undefined;
  /** Up to where the writer has settled everything it reads, by source. */
  readonly settled?: () => Positions;
}

/** The journal of a writer over a log. */
export function journalOf(
  log: Log,
  writer: Writer,
  { ledger = new Ledger(), fence, settled }: JournalOptions = {},
): Journal {
  const stream = eventStream(writer.region);
  const subjectOf = (aggregate: AggregateId): string =>
    eventSubject(writer.region, writer.home, aggregate);
  let appends = 0;
  const headersFor = (consumed: Positions | undefined): Record<string, string> | undefined => {
    appends += 1;
    if (settled === undefined) {
      return consumed && { [placesHeader]: formatPlaces(consumed, {}) };
    }
    const all = settled();
    const text =
      appends % fullStatementEvery === 1
        ? formatPlaces(consumed ?? {}, all)
        : formatPlaces(consumed ?? {}, all, consumed ?? {});
    return text === '' ? undefined : { [placesHeader]: text };
  };
  // Without `async` on the way of every decision: each would cost a turn of the microtask queue.
  const append = (
    aggregate: AggregateId,
    encoded: EncodedEntry,
    lastSequence: number,
    consumed?: Positions,
  ): Promise<Appended> => {
    const fault = fence?.();
    if (fault !== undefined) return Promise.reject(fault);
    const headers = headersFor(consumed);
    return log.append(stream, {
      subject: subjectOf(aggregate),
      data: encoded.bytes ?? encoded.text,
      expectedLastSequence: lastSequence,
      ...(headers && { headers }),
      ...(fence && { fence }),
    });
  };
  return {
    log,
    writer,
    stream,
    fence: () => fence?.(),
    get isOnlyOwner() {
      return ledger.epochs(writer.home).every(({ owner }) => owner === writer.region);
    },
    load: (aggregate) => loadHistory(log, writer, ledger, aggregate),
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

/** An aggregate's entries that count, from the streams of all who ever owned its home. */
async function loadHistory(
  log: Log,
  { region, home }: Writer,
  ledger: Ledger,
  aggregate: AggregateId,
): Promise<History> {
  const own = eventStream(region);
  const owners = new Set([region, ...ledger.epochs(home).map(({ owner }) => owner)]);
  const found: { readonly message: LogMessage; readonly epoch: number }[] = [];
  // Of orphans under the own subject only the place matters: an append must name it.
  let sequence = 0;
  for (const owner of owners) {
    const subject = eventSubject(owner, home, aggregate);
    for (const message of await log.load(eventStream(owner), subject)) {
      if (message.stream === own) sequence = message.sequence;
      const epoch = epochOf(message);
      if (ledger.verdict(home, epoch, owner, message.sequence) !== 'counts') continue;
      found.push({ message, epoch });
    }
  }
  if (owners.size > 1) {
    found.sort((a, b) => a.epoch - b.epoch || a.message.sequence - b.message.sequence);
  }
  const entries = found.map(({ message }) => readEntry(message));
  const last = found.at(-1)?.message;
  return {
    entries,
    head:
      last === undefined
        ? { ...emptyHead, sequence }
        : { ...headAfter(last, entries.at(-1) as Entry, own, { sequence }), sequence },
  };
}
