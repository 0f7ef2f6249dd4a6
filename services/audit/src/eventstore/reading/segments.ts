import { epochOf, type Ledger, type Log, type LogMessage } from '@meridian/journal';
import {
  eventStream,
  eventSubject,
  intakeStream,
  parseSubject,
  type AggregateId,
  type ParsedSubject,
} from '@meridian/wire';
import type { OrderedLog } from '../../order/ordered-log.ts';
import type { NamedStream } from '../names.ts';
import { recordedOf, type Recorded } from '../recorded.ts';

/** A part of one of the log's streams that holds a part of one stream of the protocol. */
export interface Segment {
  /** Of the log. */
  readonly stream: string;
  readonly filter: string;
  readonly from: number;
  /** Inclusive; open where it is undefined. */
  readonly upTo: number | undefined;
  /** The epoch that its entries must be of; any for requests. */
  readonly epoch?: number;
}

export interface SegmentReaderOptions {
  readonly log: Log;
  readonly ordered: OrderedLog;
  readonly ledger: Ledger;
  readonly regions: readonly string[];
}

/** How many sequences are looked through first when reading backwards; more where little is found. */
const firstWindow = 256;
const windowGrowth = 8;
/** How many messages are held at most to be handed over in reverse. */
const heldLimit = 1_024;
const heldBytesLimit = 16 * 1_048_576;
/** How many homes of aggregates are remembered. */
const homesLimit = 10_000;
const revisionMark = '"revision":';

/**
 * Reads one stream of the protocol from the streams of the log that hold it, by subject: nothing is
 * indexed. What is not in the one order yet is not read, nor what comes after it.
 */
export class SegmentReader {
  readonly #options: SegmentReaderOptions;
  /** An aggregate's home never changes. */
  readonly #homes = new Map<string, string>();

  constructor(options: SegmentReaderOptions) {
    this.#options = options;
  }

  /** The home of an aggregate that has entries; of two of one id the first region's by name. */
  async homeOf(aggregate: AggregateId): Promise<string | undefined> {
    const key = `${aggregate.tenant}.${aggregate.entity}.${aggregate.id}`;
    const known = this.#homes.get(key);
    if (known !== undefined) return known;
    const { regions } = this.#options;
    const lasts = await Promise.all(regions.map((home) => this.#lastOf(home, aggregate)));
    const home = regions.find((_, index) => (lasts[index] ?? 0) > 0);
    if (home === undefined) return undefined;
    if (this.#homes.size >= homesLimit) this.#homes.clear();
    this.#homes.set(key, home);
    return home;
  }

  async #lastOf(home: string, aggregate: AggregateId): Promise<number> {
    const { log, ledger } = this.#options;
    const owners = new Set(ledger.epochs(home).map(({ owner }) => owner));
    const lasts = await Promise.all(
      [...owners].map((owner) =>
        log.lastSequence(eventStream(owner), eventSubject(owner, home, aggregate)),
      ),
    );
    return Math.max(...lasts);
  }

  /** Where a stream is, the first epoch of its home first; undefined when there is none. */
  async of(
    stream: Exclude<NamedStream, { kind: 'category' }>,
  ): Promise<readonly Segment[] | undefined> {
    if (stream.kind === 'aggregate') return this.#ofAggregate(stream.aggregate);
    const { region, tenant } = stream;
    const filter = `in.${region}.${tenant}.>`;
    return [{ stream: intakeStream(region), filter, from: 1, upTo: undefined }];
  }

  async #ofAggregate(aggregate: AggregateId): Promise<readonly Segment[] | undefined> {
    const home = await this.homeOf(aggregate);
    if (home === undefined) return undefined;
    const begins = new Map<string, number>();
    return this.#options.ledger.epochs(home).map(({ epoch, owner, upTo }) => {
      const from = begins.get(owner) ?? 1;
      if (upTo !== undefined) begins.set(owner, upTo + 1);
      const filter = eventSubject(owner, home, aggregate);
      return { stream: eventStream(owner), filter, from, upTo, epoch };
    });
  }

  /** The events of the segments from a revision on, in arrays, none of them empty. */
  async *forwards(
    segments: readonly Segment[],
    fromRevision: number,
    viewer: string,
  ): AsyncGenerator<readonly Recorded[]> {
    const { log, ordered } = this.#options;
    for (const segment of segments) {
      const { stream, filter, upTo, epoch } = segment;
      // The revision of a request is its place.
      const from = epoch === undefined ? Math.max(segment.from, fromRevision + 1) : segment.from;
      const range = { from, filters: [filter], ...(upTo === undefined ? {} : { to: upTo }) };
      for await (const batch of log.replayBatches(stream, range)) {
        const events: Recorded[] = [];
        let isOrdered = true;
        for (const message of batch) {
          const rank = ordered.rankOf(stream, message.sequence);
          isOrdered = rank !== undefined;
          if (rank === undefined) break;
          if (!isWanted(message, segment) || isBefore(message, segment, fromRevision)) continue;
          for (const event of recordedOf(message, addressOf(message), rank, viewer)) {
            if (event.revision >= fromRevision) events.push(event);
          }
        }
        if (events.length > 0) yield events;
        if (!isOrdered) return;
      }
    }
  }

  /** The events of the segments from a revision down, or from the last one, in arrays. */
  async *backwards(
    segments: readonly Segment[],
    fromRevision: number,
    viewer: string,
  ): AsyncGenerator<readonly Recorded[]> {
    for (const segment of (await this.#readable(segments)).toReversed()) {
      const least = segment.from;
      let high = segment.upTo ?? 0;
      if (segment.epoch === undefined) high = Math.min(high, fromRevision + 1);
      let width = firstWindow;
      while (high >= least) {
        const from = Math.max(least, high - width + 1);
        const held = await this.#lastMessages(segment, from, high);
        if (!held.isFull && held.messages.length * windowGrowth < heldLimit) width *= windowGrowth;
        const reversed = this.#reversed(held.messages, segment, fromRevision, viewer);
        if (reversed.length > 0) yield reversed;
        high = (held.isFull ? (held.messages[0]?.sequence ?? from) : from) - 1;
      }
    }
  }

  /** The segments up to where everything is in the one order; each of them ends. */
  async #readable(segments: readonly Segment[]): Promise<Segment[]> {
    const { log, ordered } = this.#options;
    const readable: Segment[] = [];
    for (const segment of segments) {
      const last = await log.lastSequence(segment.stream, segment.filter);
      const upTo = Math.min(last, segment.upTo ?? last);
      readable.push({ ...segment, upTo });
      const isOrdered = upTo < segment.from || ordered.rankOf(segment.stream, upTo) !== undefined;
      if (!isOrdered) break;
    }
    return readable;
  }

  /** The last messages of a range under the segment's filter, in order, as many as may be held. */
  async #lastMessages(
    { stream, filter }: Segment,
    from: number,
    to: number,
  ): Promise<{ readonly messages: readonly LogMessage[]; readonly isFull: boolean }> {
    const messages: LogMessage[] = [];
    let bytes = 0;
    let isFull = false;
    const range = { from, to, filters: [filter] };
    for await (const batch of this.#options.log.replayBatches(stream, range)) {
      for (const message of batch) bytes += message.data.length;
      messages.push(...batch);
      let dropped = 0;
      while (messages.length - dropped > 1) {
        if (messages.length - dropped <= heldLimit && bytes <= heldBytesLimit) break;
        bytes -= messages[dropped]?.data.length ?? 0;
        dropped += 1;
      }
      if (dropped > 0) {
        messages.splice(0, dropped);
        isFull = true;
      }
    }
    return { messages, isFull };
  }

  #reversed(
    messages: readonly LogMessage[],
    segment: Segment,
    fromRevision: number,
    viewer: string,
  ): Recorded[] {
    const events: Recorded[] = [];
    for (const message of messages.toReversed()) {
      const rank = this.#options.ordered.rankOf(segment.stream, message.sequence);
      if (rank === undefined || !isWanted(message, segment)) continue;
      const recorded = recordedOf(message, addressOf(message), rank, viewer);
      for (const event of recorded.toReversed()) {
        if (event.revision <= fromRevision) events.push(event);
      }
    }
    return events;
  }
}

/** Filters only let through what has an address. */
const addressOf = (message: LogMessage): ParsedSubject =>
  parseSubject(message.subject) as ParsedSubject;

/** Whether an entry is of the segment's epoch: what its region wrote under another is an orphan. */
const isWanted = (message: LogMessage, { epoch }: Segment): boolean =>
  epoch === undefined || epochOf(message) === epoch;

/** Whether every event of an entry is before a revision: read off its text, without parsing it. */
function isBefore(message: LogMessage, { epoch }: Segment, revision: number): boolean {
  if (epoch === undefined || revision === 0) return false;
  const text = message.text();
  const at = text.lastIndexOf(',\n');
  const mark = text.indexOf(revisionMark, Math.max(0, at));
  return mark !== -1 && Number.parseInt(text.slice(mark + revisionMark.length), 10) < revision;
}
