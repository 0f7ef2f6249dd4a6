import { Delivery } from './delivery.ts';
import { WrongLastSequence } from './errors.ts';
import { MESSAGE_ID } from './headers.ts';
import type { Appended, Follower, FollowOptions, LogMessage, MessageToAppend } from './log.ts';
import { MemoryMessage } from './memory-message.ts';
import { compileFilters, hasWildcard, type SubjectPredicate } from './subjects.ts';

const DEFAULT_DUPLICATE_WINDOW_MS = 120_000;
const DEFAULT_DUPLICATE_WINDOW_COUNT = 1_000_000;

/** How long and for how many messages an id is remembered. */
export interface DuplicateWindow {
  readonly ms?: number;
  readonly count?: number;
}

/** The handler of a follower. */
type OnMessage = (message: LogMessage) => void | Promise<void>;

/** One stream of the log in memory. */
export class MemoryStream {
  readonly name: string;
  readonly messages: LogMessage[] = [];
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
    storedAtMs: number,
    duplicateWindow: DuplicateWindow,
  ): Appended {
    const { subject, messageId, expectedLastSequence } = message;
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
    this.#push(new MemoryMessage(this.name, sequence, message, storedAtMs, data));
    return { sequence, duplicate: false };
  }

  /** Stores a message of another log at its sequence, which must be the next one. */
  place(message: LogMessage): void {
    const next = this.messages.length + 1;
    if (message.sequence !== next) {
      throw new RangeError(`${this.name} goes on at ${next}, not at ${message.sequence}.`);
    }
    this.#push(message);
  }

  /** Forgets every message after `lastSequence`. */
  truncate(lastSequence: number): void {
    if (this.followers.size > 0) {
      throw new Error(`${this.name} has ${this.followers.size} followers: close them first.`);
    }
    for (const { sequence, subject } of this.messages.splice(lastSequence).toReversed()) {
      const sequences = this.bySubject.get(subject) ?? [];
      sequences.pop();
      if (sequences.length === 0) this.bySubject.delete(subject);
      for (const [id, place] of this.#ids) if (place === sequence) this.#ids.delete(id);
    }
  }

  #push(message: LogMessage): void {
    const { subject, sequence } = message;
    this.messages.push(message);
    const sequences = this.bySubject.get(subject);
    if (sequences === undefined) this.bySubject.set(subject, [sequence]);
    else sequences.push(sequence);
    const messageId = message.header(MESSAGE_ID);
    if (messageId) this.#ids.set(messageId, sequence);
    for (const follower of this.followers) follower.wake();
  }

  at(sequence: number): LogMessage {
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
    { ms = DEFAULT_DUPLICATE_WINDOW_MS, count = DEFAULT_DUPLICATE_WINDOW_COUNT }: DuplicateWindow,
  ): number | undefined {
    for (const [oldest, sequence] of this.#ids) {
      if (this.#ids.size <= count && this.at(sequence).storedAtMs >= nowMs - ms) break;
      this.#ids.delete(oldest);
    }
    return this.#ids.get(id);
  }
}

/** One follower of a stream in memory. */
export class MemoryFollower implements Follower {
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
    onMessage: OnMessage,
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
