import type { Msg } from '@nats-io/nats-core';
import {
  AppendRefused,
  LogUnavailable,
  MessageTooLarge,
  StreamMissing,
  WrongLastSequence,
  type LogFault,
} from '../errors.ts';
import { checkSubject, headerBlock } from '../headers.ts';
import type { Appended, MessageToAppend } from '../log.ts';
import { Awaited, type Exchange } from './exchange.ts';
import { explainSilence } from './fetch.ts';

/** JetStream's codes, besides those with status 503, for "not now": nothing was stored. */
const UNAVAILABLE = new Set([
  10_047, // no storage left
  10_118, // stream is offline
  10_158, // the first message of this id is still in flight
  10_167, // too many requests
]);
const WRONG_LAST_SEQUENCE = new Set([10_071, 10_164]);
const STREAM_MISSING = 10_059;
const STREAM_MISMATCH = 10_060;
const MESSAGE_TOO_LARGE = 10_054;

const QUOTE = 0x22;
const COLON = 0x3a;
const ZERO = 0x30;
const NINE = 0x39;
const CLOSING_BRACE = 0x7d;
const SPACE = 0x20;

/** Sends one message to a stream and resolves with its acknowledgement. */
export function append(
  exchange: Exchange,
  stream: string,
  message: MessageToAppend,
): Promise<Appended> {
  return new Promise((resolve, reject) => {
    const { subject, data } = message;
    checkSubject(subject);
    const block = headerBlock(message);
    const bytes = typeof data === 'string' ? Buffer.from(data) : data;
    const headers = block === '' ? undefined : Buffer.from(block);
    const size = bytes.length + (headers?.length ?? 0);
    const limitBytes = exchange.maxPayloadBytes;
    if (size > limitBytes) throw new MessageTooLarge(subject, size, limitBytes);
    exchange.send(
      new PendingAppend(stream, message, bytes, headers, limitBytes, resolve, (fault) => {
        if (!(fault instanceof NoResponder)) reject(fault);
        else void explainSilence(exchange, stream, fault).then(reject, reject);
      }),
    );
  });
}

class PendingAppend extends Awaited {
  readonly #stream: string;
  readonly #expectedLastSequence: number | undefined;
  readonly #limitBytes: number;
  readonly #fence: (() => LogFault | undefined) | undefined;
  readonly #resolve: (appended: Appended) => void;
  readonly #reject: (fault: LogFault) => void;

  constructor(
    stream: string,
    message: MessageToAppend,
    data: Uint8Array,
    headers: Uint8Array | undefined,
    limitBytes: number,
    resolve: (appended: Appended) => void,
    reject: (fault: LogFault) => void,
  ) {
    super(message.subject, data, headers);
    this.#stream = stream;
    this.#expectedLastSequence = message.expectedLastSequence;
    this.#limitBytes = limitBytes;
    this.#fence = message.fence;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  describe(): string {
    return `an append to ${this.subject} (stream ${this.#stream})`;
  }

  override fence(): LogFault | undefined {
    return this.#fence?.();
  }

  onSilence(fault: LogFault): void {
    this.#reject(fault);
  }

  onReply(message: Msg): boolean {
    const { data } = message;
    const sequence = storedSequence(data, this.#stream);
    if (sequence > 0) this.#resolve({ sequence, duplicate: false });
    else this.#decode(message);
    return true;
  }

  #decode(message: Msg): void {
    if (message.data.length === 0) return this.#reject(new NoResponder(this.describe()));
    const answer = JSON.parse(message.string()) as Acknowledgement;
    if (answer.error !== undefined) return this.#reject(this.#fault(answer.error));
    if (answer.stream !== this.#stream) return this.#reject(this.#misplaced(answer.stream));
    this.#resolve({ sequence: answer.seq ?? 0, duplicate: answer.duplicate === true });
  }

  #fault({ code = 0, err_code = 0, description = '' }: ApiError): LogFault {
    if (WRONG_LAST_SEQUENCE.has(err_code)) {
      const actual = /(\d+)\s*$/.exec(description)?.[1];
      return new WrongLastSequence(
        this.subject,
        this.#expectedLastSequence ?? 0,
        actual === undefined ? undefined : Number(actual),
      );
    }
    const what = `${description} (${err_code})`;
    if (err_code === STREAM_MISSING) return new StreamMissing(this.#stream);
    if (err_code === STREAM_MISMATCH) return this.#misplaced('another one');
    if (err_code === MESSAGE_TOO_LARGE) {
      return new MessageTooLarge(this.subject, this.data.length, this.#limitBytes);
    }
    if (!UNAVAILABLE.has(err_code) && code !== 503) {
      return new AppendRefused(this.subject, err_code, description, code >= 500);
    }
    return new LogUnavailable(
      `The server refused ${this.describe()} for now: ${what}.`,
      "Append it again a little later, and check the server's JetStream limits and health.",
    );
  }

  #misplaced(stream: string | undefined): AppendRefused {
    const what = `the subject belongs to stream ${stream ?? '?'}, not ${this.#stream}`;
    return new AppendRefused(this.subject, STREAM_MISMATCH, what, false);
  }
}

/** Nobody listens on the subject: no such stream, or JetStream is not up. */
class NoResponder extends LogUnavailable {
  constructor(what: string) {
    super(`No stream took ${what}.`, 'JetStream may still be starting: repeat the call.');
  }
}

interface ApiError {
  readonly code?: number;
  readonly err_code?: number;
  readonly description?: string;
}

interface Acknowledgement {
  readonly stream?: string;
  readonly seq?: number;
  readonly duplicate?: boolean;
  readonly error?: ApiError;
}

/**
 * The sequence in `{"stream":"EV_eu", "seq":17}`, read without parsing; 0 when the acknowledgement
 * says anything else.
 */
function storedSequence(data: Uint8Array, stream: string): number {
  const nameStart = 11;
  let index = data.length - 1;
  if (index < nameStart + stream.length || data[index] !== CLOSING_BRACE) return 0;
  let sequence = 0;
  let scale = 1;
  for (index--; index > 0; index--) {
    const byte = data[index] ?? 0;
    if (byte < ZERO || byte > NINE) break;
    sequence += (byte - ZERO) * scale;
    scale *= 10;
  }
  if (data[index] === SPACE) index--;
  // … "seq": and nothing after the digits, so neither a duplicate nor an error.
  if (data[index] !== COLON || data[index - 1] !== QUOTE || data[index - 2] !== 0x71) return 0;
  for (let at = 0; at < stream.length; at++) {
    if (data[nameStart + at] !== stream.charCodeAt(at)) return 0;
  }
  return data[nameStart + stream.length] === QUOTE ? sequence : 0;
}
