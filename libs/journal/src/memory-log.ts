import { Delivery } from './delivery.ts';
import {
  LogClosed,
  LogUnavailable,
  MessageTooLarge,
  StreamMissing,
  WrongLastSequence,
} from './errors.ts';
import { checkSubject, headerBlock, MESSAGE_ID } from './headers.ts';
import type {
  Appended,
  Follower,
  FollowOptions,
  Log,
  LogMessage,
  MessageToAppend,
  ReplayOptions,
} from './log.ts';
import { MemoryMessage } from './memory-message.ts';
import { compileFilters, hasWildcard, type SubjectPredicate } from './subjects.ts';

const DEFAULT_MAX_PAYLOAD_BYTES = 1_048_576;
const DEFAULT_DUPLICATE_WINDOW_MS = 120_000;
const DEFAULT_DUPLICATE_WINDOW_COUNT = 1_000_000;
const BATCH_LENGTH = 1_024;

export interface MemoryLogOptions {
  /** The log's clock, in epoch milliseconds; by default one that stands at 0. */
  readonly now?: () => number;
  /** The streams there are; by default every stream asked for exists. */
  readonly streams?: readonly string[];
  /** The largest message with its headers, in bytes; default 1 MiB, as a NATS server's. */
  readonly maxPayloadBytes?: number;
  /** How long and for how many messages an id is remembered; default 2 minutes and 1,000,000. */
  readonly duplicateWindow?: { readonly ms?: number; readonly count?: number };
  /** Runs the deliveries of followers; default `queueMicrotask`. A simulator may delay them. */
  readonly schedule?: (task: () => void) => void;
  /** Decides what becomes of each append; default: everything is stored. */
  readonly onAppend?: (stream: string, message: MessageToAppend) => AppendFate;
}

/**
 * `store`: as it should be; `refuse`: not stored and reported unavailable; `lose-answer`: stored
 * (or found a conflict), yet reported unavailable, as when a server dies before it answers.
 */
export type AppendFate = 'store' | 'refuse' | 'lose-answer';

/** A log in memory: deterministic, without timers or a clock of its own. */
export function memoryLog(options: MemoryLogOptions = {}): Log {
  return new MemoryLog(options);
}

class MemoryLog implements Log {
  readonly #options: MemoryLogOptions;
  readonly #streams = new Map<string, MemoryStream>();
  readonly #known: ReadonlySet<string> | undefined;
  readonly #followers = new Set<MemoryFollower>();
  #closed = false;

  constructor(options: MemoryLogOptions) {
    this.#options = options;
    this.#known = options.streams && new Set(options.streams);
  }

  async append(stream: string, message: MessageToAppend): Promise<Appended> {
    const target = this.#stream(stream);
    const data = checkedData(message, this.#options.maxPayloadBytes);
    const fate = this.#options.onAppend?.(stream, message) ?? 'store';
    if (fate === 'refuse') throw unavailable(message, 'refused before it was stored');
    if (fate === 'store') return target.append(message, data, this.#options);
    try {
      target.append(message, data, this.#options);
    } catch {
      // A lost answer hides a conflict too.
    }
    throw unavailable(message, 'given no answer');
  }

  async load(stream: string, subject: string, fromSequence = 1): Promise<LogMessage[]> {
    checkSubject(subject);
    const source = this.#stream(stream);
    const sequences = source.bySubject.get(subject) ?? [];
    return sequences.filter((sequence) => sequence >= fromSequence).map((s) => source.at(s));
  }

  async get(stream: string, sequence: number): Promise<LogMessage | undefined> {
    return this.#stream(stream).messages[sequence - 1];
  }

  async lastSequence(stream: string, filter?: string): Promise<number> {
    return this.#stream(stream).last(filter);
  }

  async *replay(stream: string, options?: ReplayOptions): AsyncIterable<LogMessage> {
    for await (const batch of this.replayBatches(stream, options)) yield* batch;
  }

  async *replayBatches(
    stream: string,
    options: ReplayOptions = {},
  ): AsyncIterable<readonly LogMessage[]> {
    const source = this.#stream(stream);
    const matches = compileFilters(options.filters);
    const to = Math.min(options.to ?? Infinity, source.messages.length);
    for (let from = Math.max(1, options.from ?? 1); from <= to; from += BATCH_LENGTH) {
      const slice = source.messages.slice(from - 1, Math.min(to, from - 1 + BATCH_LENGTH));
      const batch = slice.filter((message) => matches(message.subject));
      if (batch.length > 0) yield batch;
    }
  }

  follow(
    stream: string,
    options: FollowOptions,
    onMessage: (message: LogMessage) => void | Promise<void>,
  ): Follower {
    const source = this.#stream(stream);
    const schedule = this.#options.schedule ?? queueMicrotask;
    const follower = new MemoryFollower(source, options, onMessage, schedule);
    source.followers.add(follower);
    this.#followers.add(follower);
    return follower;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#followers].map((follower) => follower.close()));
  }

  #stream(name: string): MemoryStream {
    if (this.#closed) throw new LogClosed('This log is closed.');
    let stream = this.#streams.get(name);
    if (stream === undefined) {
      if (this.#known?.has(name) === false) throw new StreamMissing(name);
      stream = new MemoryStream(name);
      this.#streams.set(name, stream);
    }
    return stream;
  }
}

class MemoryStream {
  readonly name: string;
  readonly messages: MemoryMessage[] = [];
  readonly bySubject = new Map<string, number[]>();
  readonly followers = new Set<MemoryFollower>();
  /** Message id to sequence, the oldest first. */
  readonly #ids = new Map<string, number>();

  constructor(name: string) {
    this.name = name;
  }

  append(
    message: MessageToAppend,
    data: Uint8Array,
    { now = () => 0, duplicateWindow = {} }: MemoryLogOptions,
  ): Appended {
    const { subject, messageId, expectedLastSequence } = message;
    const storedAtMs = now();
    const sequences = this.bySubject.get(subject) ?? [];
    const last = sequences.at(-1) ?? 0;
    if (expectedLastSequence !== undefined && expectedLastSequence !== last) {
      // A repeated append of what is stored already is no conflict.
      const next = sequences.find((sequence) => sequence > expectedLastSequence);
      if (next && messageId && this.at(next).header(MESSAGE_ID) === messageId) {
        return { sequence: next, duplicate: true };
      }
      throw new WrongLastSequence(subject, expectedLastSequence, last);
    }
    const known = messageId && this.#sequenceOf(messageId, storedAtMs, duplicateWindow);
    if (known) return { sequence: known, duplicate: true };
    const sequence = this.messages.length + 1;
    this.messages.push(new MemoryMessage(this.name, sequence, message, storedAtMs, data));
    this.bySubject.set(subject, sequences);
    sequences.push(sequence);
    if (messageId) this.#ids.set(messageId, sequence);
    for (const follower of this.followers) follower.wake();
    return { sequence, duplicate: false };
  }

  at(sequence: number): MemoryMessage {
    const message = this.messages[sequence - 1];
    if (message === undefined) throw new RangeError(`${this.name} holds no sequence ${sequence}`);
    return message;
  }

  last(filter: string | undefined): number {
    if (filter === undefined) return this.messages.length;
    if (!hasWildcard(filter)) return this.bySubject.get(filter)?.at(-1) ?? 0;
    const matches = compileFilters([filter]);
    let last = 0;
    for (const [subject, sequences] of this.bySubject) {
      if (matches(subject)) last = Math.max(last, sequences.at(-1) ?? 0);
    }
    return last;
  }

  #sequenceOf(
    id: string,
    nowMs: number,
    { ms = DEFAULT_DUPLICATE_WINDOW_MS, count = DEFAULT_DUPLICATE_WINDOW_COUNT },
  ): number | undefined {
    for (const [oldest, sequence] of this.#ids) {
      if (this.#ids.size <= count && this.at(sequence).storedAtMs >= nowMs - ms) break;
      this.#ids.delete(oldest);
    }
    return this.#ids.get(id);
  }
}

class MemoryFollower implements Follower {
  readonly #source: MemoryStream;
  readonly #filters: readonly string[] | undefined;
  readonly #matches: SubjectPredicate;
  readonly #schedule: (task: () => void) => void;
  readonly #delivery: Delivery;
  #read: number;
  #scheduled = false;

  constructor(
    source: MemoryStream,
    options: FollowOptions,
    onMessage: (message: LogMessage) => void | Promise<void>,
    schedule: (task: () => void) => void,
  ) {
    this.#source = source;
    this.#filters = options.filters;
    this.#matches = compileFilters(options.filters);
    this.#schedule = schedule;
    this.#read = options.after;
    this.#delivery = new Delivery(options, onMessage, {
      onRoom: () => this.wake(),
      onStop: () => source.followers.delete(this),
    });
    this.wake();
  }

  get delivered(): number {
    return this.#delivery.delivered;
  }

  get position(): number {
    return this.#delivery.position;
  }

  wake(): void {
    if (this.#scheduled || this.#delivery.stopped) return;
    this.#scheduled = true;
    this.#schedule(() => this.#pump());
  }

  async caughtUp(): Promise<void> {
    const lasts = (this.#filters ?? []).map((filter) => this.#source.last(filter));
    const last = lasts.length === 0 ? this.#source.last(undefined) : Math.max(...lasts);
    await this.#delivery.reached(last);
  }

  close(): Promise<void> {
    return this.#delivery.close();
  }

  #pump(): void {
    this.#scheduled = false;
    const { messages } = this.#source;
    while (this.#read < messages.length && this.#delivery.hasRoom) {
      const message = this.#source.at(++this.#read);
      if (this.#matches(message.subject)) this.#delivery.deliver(message);
    }
  }
}

function checkedData(message: MessageToAppend, limitBytes = DEFAULT_MAX_PAYLOAD_BYTES): Uint8Array {
  const { subject, data } = message;
  checkSubject(subject);
  const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : data.slice();
  const size = bytes.length + Buffer.byteLength(headerBlock(message));
  if (size > limitBytes) throw new MessageTooLarge(subject, size, limitBytes);
  return bytes;
}

function unavailable(message: MessageToAppend, what: string): LogUnavailable {
  return new LogUnavailable(
    `An append to ${message.subject} was ${what}.`,
    'Append it again: it is stored at most once under one message id or expected sequence.',
  );
}
