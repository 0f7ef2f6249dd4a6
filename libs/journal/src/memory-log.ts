import { LogClosed, LogUnavailable, MessageTooLarge, StreamMissing } from './errors.ts';
import { checkSubject, headerBlock } from './headers.ts';
import type {
  Appended,
  Follower,
  FollowOptions,
  Log,
  LogMessage,
  MessageToAppend,
  ReplayOptions,
} from './log.ts';
import { MemoryFollower, MemoryStream, type DuplicateWindow } from './memory-stream.ts';
import { compileFilters } from './subjects.ts';

const DEFAULT_MAX_PAYLOAD_BYTES = 1_048_576;
const BATCH_LENGTH = 1_024;

export interface MemoryLogOptions {
  /** The log's clock, in epoch milliseconds; by default one that stands at 0. */
  readonly now?: () => number;
  /** The streams there are; by default every stream asked for exists. */
  readonly streams?: readonly string[];
  /** The largest message with its headers, in bytes; default 1 MiB, as a NATS server's. */
  readonly maxPayloadBytes?: number;
  /** How long and for how many messages an id is remembered; default 2 minutes and 1,000,000. */
  readonly duplicateWindow?: DuplicateWindow;
  /** Runs the deliveries of followers; default `queueMicrotask`. A simulator may delay them. */
  readonly schedule?: (task: () => void) => void;
  /** Decides what becomes of each append; default: everything is stored. */
  readonly onAppend?: (stream: string, message: MessageToAppend) => AppendFate;
  /** Told of each message that an append has stored. */
  readonly onStored?: (stream: string, sequence: number) => void;
}

/** A log in memory, with what a simulator needs beyond the port. */
export interface MemoryLog extends Log {
  /** All messages of a stream, oldest first: the log's own list, to be read only. */
  messages(stream: string): readonly LogMessage[];
  /**
   * Stores a message of another log in the stream of the same name, at its sequence and with its
   * time, as a mirror does.
   * @throws RangeError when the stream does not go on at that sequence
   */
  place(message: LogMessage): void;
  /**
   * Forgets every message after `lastSequence`, as a store does that lost power before a sync.
   * @throws Error when the stream is being followed
   */
  truncate(stream: string, lastSequence: number): void;
}

/**
 * `store`: as it should be; `refuse`: not stored and reported unavailable; `lose-answer`: stored
 * (or found a conflict), yet reported unavailable, as when a server dies before it answers.
 */
export type AppendFate = 'store' | 'refuse' | 'lose-answer';

/** A log in memory: deterministic, without timers or a clock of its own. */
export function memoryLog(options: MemoryLogOptions = {}): MemoryLog {
  return new LogInMemory(options);
}

class LogInMemory implements MemoryLog {
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
    if (fate === 'store') return this.#store(target, message, data);
    try {
      this.#store(target, message, data);
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

  messages(stream: string): readonly LogMessage[] {
    return this.#stream(stream).messages;
  }

  place(message: LogMessage): void {
    this.#stream(message.stream).place(message);
  }

  truncate(stream: string, lastSequence: number): void {
    this.#stream(stream).truncate(lastSequence);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#followers].map((follower) => follower.close()));
  }

  #store(target: MemoryStream, message: MessageToAppend, data: Uint8Array): Appended {
    const { now = () => 0, duplicateWindow = {}, onStored } = this.#options;
    const appended = target.append(message, data, now(), duplicateWindow);
    if (!appended.duplicate) onStored?.(target.name, appended.sequence);
    return appended;
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
