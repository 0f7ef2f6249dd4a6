import { hash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import {
  epochOf,
  Fenced,
  headAfter,
  journalOf,
  LogFault,
  MessageTooLarge,
  readEntry,
  WrongLastSequence,
  type Entry,
  type Grants,
  type Journal,
  type Ledger,
  type Log,
  type LogMessage,
} from '@meridian/journal';
import {
  emptyHead,
  eventStream,
  eventSubject,
  type AggregateId,
  type CustomAppended,
  type Head,
} from '@meridian/wire';
import type { OrderedLog } from '../../order/ordered-log.ts';
import type { Caller } from '../access.ts';
import { CallRefused, notLeader, tooLarge, unavailable } from '../faults.ts';
import { customEntity, streamNameOf } from '../names.ts';
import type { SegmentReader } from '../reading/segments.ts';
import type { Tail } from '../reading/tail.ts';
import { customType, positionOf, type Recorded } from '../recorded.ts';
import { isAsExpected, type Expected } from './proposal.ts';
import type { SealedContent } from './sealed-content.ts';

export interface Appended {
  /** Of the stream's last event; -1 of a stream without any. */
  readonly revision: number;
  /** Of the append's last event; absent while it is not in the one order. */
  readonly position?: number;
}

/** The stream is not as expected. */
export class WrongExpected extends Error {
  readonly expected: Expected;
  /** The revision of the stream's last event; -1 when there is none. */
  readonly revision: number;

  constructor(stream: string, expected: Expected, revision: number) {
    super(`The stream ${stream} ends at revision ${revision}, not as expected: ${expected}.`);
    this.name = 'WrongExpected';
    this.expected = expected;
    this.revision = revision;
  }
}

export interface Append {
  /** `custom-<name>` of the caller's tenant. */
  readonly name: string;
  readonly expected: Expected;
  readonly events: readonly CustomAppended[];
  readonly caller: Caller;
  /** Until when an answer is wanted, epoch ms of this machine's clock. */
  readonly untilMs: number;
}

export interface CustomStreamsOptions {
  readonly log: Log;
  readonly ordered: OrderedLog;
  readonly ledger: Ledger;
  readonly tail: Tail;
  readonly segments: SegmentReader;
  readonly sealing: Pick<SealedContent, 'seal'>;
  readonly region: string;
  readonly regions: readonly string[];
  readonly grants: Pick<Grants, 'holds' | 'grantOf'>;
  /** Where another region's gateway is; undefined when that is not known here. */
  readonly gatewayOf: (
    region: string,
  ) => { readonly host: string; readonly port: number } | undefined;
  /** The log's clock, epoch ms. */
  readonly now: () => number;
}

const retryDelayMs = 100;
const service = 'audit';

/**
 * Writes the streams that clients may append to, one entry an append, under the home that follows
 * from the stream's name. Nothing is kept between appends: the log says where a stream ends.
 */
export class CustomStreams {
  readonly #options: CustomStreamsOptions;
  readonly #regions: readonly string[];
  /** The last append of each stream under way; they run one after the other. */
  readonly #tails = new Map<string, Promise<unknown>>();
  readonly #underWay = new Map<string, { epoch: number; count: number }>();

  constructor(options: CustomStreamsOptions) {
    this.#options = options;
    this.#regions = options.regions.toSorted();
  }

  /** The homes being written for, with the epoch; a hand-over waits for them. */
  deciding(): Record<string, number> {
    return Object.fromEntries([...this.#underWay].map(([home, { epoch }]) => [home, epoch]));
  }

  /**
   * Stores the events after the stream's last one, all or none, and waits until they can be read. An
   * append that was stored before (the same ids at the same place) is not stored again.
   * @throws WrongExpected, or CallRefused when another region writes the stream, or none for now
   */
  append(append: Append): Promise<Appended> {
    const key = `${append.caller.tenant}.${append.name}`;
    const before = this.#tails.get(key) ?? Promise.resolve();
    const run = (): Promise<Appended> => this.#append(append);
    const result = before.then(run, run);
    const settled = result.catch(() => {});
    this.#tails.set(key, settled);
    void settled.then(() => {
      if (this.#tails.get(key) === settled) this.#tails.delete(key);
    });
    return result;
  }

  async #append(append: Append): Promise<Appended> {
    const { caller, name } = append;
    const aggregate = { tenant: caller.tenant, entity: customEntity, id: name };
    const home = (await this.#options.segments.homeOf(aggregate)) ?? this.#homeOf(aggregate);
    const epoch = this.#epochOf(home);
    const underWay = this.#underWay.get(home) ?? { epoch, count: 0 };
    if (underWay.epoch !== epoch) throw unavailable(`The home ${home} is changing its owner.`);
    underWay.count += 1;
    this.#underWay.set(home, underWay);
    let stored: Stored;
    try {
      stored = await this.#store(append, aggregate, home, epoch);
    } finally {
      underWay.count -= 1;
      if (underWay.count === 0) this.#underWay.delete(home);
    }
    const position = await this.#positionOf(append, stored);
    return { revision: stored.revision, ...(position === undefined ? {} : { position }) };
  }

  /** Of a stream that is not there yet: from a hash of its name, so that every gateway says the same. */
  #homeOf({ tenant, id }: AggregateId): string {
    const first = Number.parseInt(hash('sha256', `${tenant}.${id}`, 'hex').slice(0, 8), 16);
    return this.#regions[first % this.#regions.length] as string;
  }

  #epochOf(home: string): number {
    const { ledger, grants, region, gatewayOf } = this.#options;
    const { owner, epoch } = ledger.current(home);
    if (owner !== region) {
      const leader = gatewayOf(owner);
      const what = `Home ${home} of this stream is decided in ${owner}`;
      if (leader === undefined) throw unavailable(`${what}: append by the gateway there.`);
      throw notLeader(`${what}.`, leader);
    }
    if (grants.grantOf(home)?.epoch !== epoch) {
      throw unavailable(`This region has no lease on home ${home} for the moment.`);
    }
    return epoch;
  }

  async #store(
    append: Append,
    aggregate: AggregateId,
    home: string,
    epoch: number,
  ): Promise<Stored> {
    const { log, ledger, region, grants } = this.#options;
    const { expected, events, untilMs } = append;
    const fence = (): Fenced | undefined =>
      grants.holds(home) && grants.grantOf(home)?.epoch === epoch ? undefined : new Fenced(home);
    const journal = journalOf(log, { region, home, service, epoch }, { ledger, fence });
    for (;;) {
      try {
        const { head, last } = await this.#headOf(journal, aggregate, home);
        const known = await this.#storedBefore(append, aggregate, head, last);
        if (known !== undefined) return known;
        if (!isAsExpected(expected, head.revision)) {
          const stream = streamNameOf(aggregate.tenant, aggregate);
          throw new WrongExpected(stream, expected, head.revision);
        }
        if (events.length === 0) return { revision: head.revision };
        const encoded = await this.#encoded(append);
        const { revision, sequence } = await journal.append(aggregate, { head, events: encoded });
        return { revision, at: { stream: journal.stream, sequence } };
      } catch (error) {
        if (error instanceof MessageTooLarge) throw refusedSize(events);
        const mayPass = error instanceof LogFault && error.retryable && !(error instanceof Fenced);
        if (!mayPass) throw error;
        if (Date.now() >= untilMs) throw new CallRefused(status.DEADLINE_EXCEEDED, error.message);
        if (!(error instanceof WrongLastSequence)) await delay(retryDelayMs);
      }
    }
  }

  async #encoded({ events, name, caller }: Append) {
    const { sealing, now } = this.#options;
    const cause = { causationId: events[0]?.eventId ?? '', actor: caller.id };
    const sealed = await sealing.seal(caller.tenant, name, events);
    const timeMs = now();
    return sealed.map((data) => ({ type: customType, subject: name, data, cause, timeMs }));
  }

  /** Where the stream ends, and its last entry: read from the end, whatever its length. */
  async #headOf(
    journal: Journal,
    aggregate: AggregateId,
    home: string,
  ): Promise<{ readonly head: Head; readonly last: Entry | undefined }> {
    const { log, ledger, region } = this.#options;
    const owners = new Set([region, ...ledger.epochs(home).map(({ owner }) => owner)]);
    const lasts = await Promise.all(
      [...owners].map((owner) => lastOf(log, owner, home, aggregate)),
    );
    const found = lasts.filter((message) => message !== undefined);
    const isOrphan = (message: LogMessage): boolean =>
      ledger.verdict(
        home,
        epochOf(message),
        message.stream.slice('EV_'.length),
        message.sequence,
      ) !== 'counts';
    if (found.some(isOrphan)) {
      const { entries, head } = await journal.load(aggregate);
      return { head, last: entries.at(-1) };
    }
    const [last] = found.toSorted((a, b) => epochOf(b) - epochOf(a) || b.sequence - a.sequence);
    const own = found.find(({ stream }) => stream === journal.stream)?.sequence ?? 0;
    if (last === undefined) return { head: emptyHead, last };
    const entry = readEntry(last);
    const head = headAfter(last, entry, journal.stream, { sequence: own });
    return { head: { ...head, sequence: own }, last: entry };
  }

  /** Where this very append is, if it was stored before: its answer may have been lost. */
  async #storedBefore(
    { events, expected, caller }: Append,
    aggregate: AggregateId,
    head: Head,
    last: Entry | undefined,
  ): Promise<Stored | undefined> {
    const ids = events.map(({ eventId }) => eventId);
    if (ids.length === 0 || last === undefined) return undefined;
    const kept = last.events.map(({ data }) => (data as CustomAppended).eventId);
    if (kept.join() === ids.join()) return { revision: head.revision, at: last };
    if (expected === 'any' || expected === 'exists') return undefined;
    const first = expected === 'no-stream' ? 0 : expected + 1;
    if (first + ids.length - 1 >= head.revision) return undefined;
    const { segments } = this.#options;
    const found = await segments.of({ kind: 'aggregate', aggregate });
    const there: Recorded[] = [];
    for await (const batch of segments.forwards(found ?? [], first, caller.tenant)) {
      there.push(...batch.slice(0, ids.length - there.length));
      if (there.length === ids.length) break;
    }
    if (there.map(({ id }) => id).join() !== ids.join()) return undefined;
    const { revision, position } = there.at(-1) as Recorded;
    return { revision, position };
  }

  /** The position of an append's last event, waited for: then another region holds it, if there is one. */
  async #positionOf(
    { events, untilMs }: Append,
    { at, position }: Stored,
  ): Promise<number | undefined> {
    const { ordered, tail } = this.#options;
    if (at === undefined) return position;
    const signal = AbortSignal.timeout(Math.max(1, untilMs - Date.now()));
    for (;;) {
      const { version } = tail;
      const rank = ordered.rankOf(at.stream, at.sequence);
      if (rank !== undefined) return positionOf(rank, events.length - 1);
      if (signal.aborted) return undefined;
      await tail.moved(version, signal);
    }
  }
}

/** Where an append is in the log, or in the one order; neither where there was nothing to store. */
interface Stored {
  readonly revision: number;
  readonly at?: { readonly stream: string; readonly sequence: number };
  readonly position?: number;
}

async function lastOf(
  log: Log,
  owner: string,
  home: string,
  aggregate: AggregateId,
): Promise<LogMessage | undefined> {
  const stream = eventStream(owner);
  const sequence = await log.lastSequence(stream, eventSubject(owner, home, aggregate));
  return sequence === 0 ? undefined : log.get(stream, sequence);
}

function refusedSize(events: readonly CustomAppended[]): CallRefused {
  const bytes = events.reduce(
    (sum, { content = '', metadata = '' }) => sum + content.length + metadata.length,
    0,
  );
  return tooLarge(bytes, appendLimitBytes);
}

/** What an entry may hold in the clear: sealed it takes a third more, and NATS takes a megabyte. */
const appendLimitBytes = 740_000;
