import { EXPECTED_LAST_SEQUENCE, MESSAGE_ID } from './headers.ts';
import type { LogMessage, MessageToAppend } from './log.ts';

/** A message as it was appended, with its place in the log. */
export class MemoryMessage implements LogMessage {
  readonly stream: string;
  readonly sequence: number;
  readonly storedAtMs: number;
  readonly data: Uint8Array;
  readonly #message: MessageToAppend;

  constructor(
    stream: string,
    sequence: number,
    message: MessageToAppend,
    storedAtMs: number,
    data: Uint8Array,
  ) {
    this.stream = stream;
    this.sequence = sequence;
    this.storedAtMs = storedAtMs;
    this.data = data;
    this.#message = message;
  }

  get subject(): string {
    return this.#message.subject;
  }

  header(name: string): string | undefined {
    const { headers, messageId, expectedLastSequence } = this.#message;
    if (name === MESSAGE_ID && messageId !== undefined) return messageId;
    if (name === EXPECTED_LAST_SEQUENCE) return expectedLastSequence?.toString();
    return headers !== undefined && Object.hasOwn(headers, name) ? headers[name] : undefined;
  }

  text(): string {
    const { data } = this.#message;
    return typeof data === 'string' ? data : new TextDecoder().decode(this.data);
  }
}
