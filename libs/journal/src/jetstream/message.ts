import type { Msg } from '@nats-io/nats-core';
import { CorruptEntry } from '../errors.ts';
import type { LogMessage } from '../log.ts';

/** A message as a consumer delivered it. Everything but its place is decoded when asked for. */
export class JetStreamMessage implements LogMessage {
  readonly stream: string;
  readonly sequence: number;
  readonly storedAtMs: number;
  readonly #message: Msg;
  #data: Uint8Array | undefined;

  constructor(stream: string, sequence: number, storedAtMs: number, message: Msg) {
    this.stream = stream;
    this.sequence = sequence;
    this.storedAtMs = storedAtMs;
    this.#message = message;
  }

  get subject(): string {
    return this.#message.subject;
  }

  get data(): Uint8Array {
    this.#data ??= this.#message.data;
    return this.#data;
  }

  header(name: string): string | undefined {
    return this.#message.headers?.values(name)[0];
  }

  text(): string {
    return this.#message.string();
  }

  /** As the stream keeps it. */
  get stored(): StoredForm {
    const { headers, reply = '' } = this.#message;
    // …<time in ns>.<pending>
    const end = reply.lastIndexOf('.');
    return {
      storedAt: timeText(reply.slice(reply.lastIndexOf('.', end - 1) + 1, end)),
      headers: headers ?? [],
    };
  }
}

/** What copies of a stream have in common, to the nanosecond. */
export interface StoredForm {
  /** When the origin stored it, as the server writes it: RFC 3339 with up to nine decimals. */
  readonly storedAt: string;
  /** Name and values of each header in the order stored. */
  readonly headers: Iterable<readonly [name: string, values: readonly string[]]>;
}

/** How the stream keeps a message that a follower was handed; undefined for a log in memory. */
export function storedForm(message: LogMessage): StoredForm | undefined {
  return message instanceof JetStreamMessage ? message.stored : undefined;
}

const second = { since1970: '', text: '' };

/** @param nanos since 1970, decimal */
function timeText(nanos: string): string {
  const since1970 = nanos.slice(0, -9);
  if (second.since1970 !== since1970) {
    second.since1970 = since1970;
    second.text = new Date(Number(since1970) * 1_000).toISOString().slice(0, -'.000Z'.length);
  }
  const decimals = nanos.slice(-9).replace(/0+$/, '');
  return decimals === '' ? `${second.text}Z` : `${second.text}.${decimals}Z`;
}

/** A message as a direct get answered it: its place is in further headers. */
export class DirectMessage implements LogMessage {
  readonly stream: string;
  readonly sequence: number;
  readonly subject: string;
  readonly #message: Msg;

  constructor(stream: string, message: Msg) {
    this.stream = stream;
    this.#message = message;
    this.sequence = Number(this.header('Nats-Sequence'));
    this.subject = this.header('Nats-Subject') ?? '';
    if (!Number.isSafeInteger(this.sequence) || this.subject === '') {
      throw new CorruptEntry(stream, this.sequence, 'the answer does not say what it is');
    }
  }

  get storedAtMs(): number {
    return Date.parse(this.header('Nats-Time-Stamp') ?? '');
  }

  get data(): Uint8Array {
    return this.#message.data;
  }

  header(name: string): string | undefined {
    return this.#message.headers?.values(name)[0];
  }

  text(): string {
    return this.#message.string();
  }
}
