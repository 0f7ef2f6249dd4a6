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
