import { createInbox, type Msg, type MsgHdrs } from '@nats-io/nats-core';
import { LogClosed, LogUnavailable, type LogFault } from '../errors.ts';
import type { Link } from './link.ts';

export interface ExchangeOptions {
  /** How long to wait for an answer, in milliseconds; default 5,000. */
  readonly timeoutMs?: number;
  /** How many requests may wait for their answer; further ones queue. Default 8,192. */
  readonly maxPending?: number;
  /** How many requests may queue; further ones are refused. Default 65,536. */
  readonly maxQueued?: number;
}

/** A request on its way: what to send, and what to do with the answers or with their absence. */
export abstract class Awaited {
  readonly subject: string;
  readonly data: Uint8Array;
  readonly headers: Uint8Array | undefined;
  /** Set by the exchange. */
  token = -1;
  startedMs = 0;

  constructor(subject: string, data: Uint8Array, headers?: Uint8Array) {
    this.subject = subject;
    this.data = data;
    this.headers = headers;
  }

  /** What was asked, for messages: "an append to in.eu.…". */
  abstract describe(): string;
  /** Takes an answer; true when it was the last one. */
  abstract onReply(message: Msg): boolean;
  /** No (further) answer will come. */
  abstract onSilence(fault: LogFault): void;
  /** Asked when it had to wait to be sent: why it must not be sent any more, if so. */
  fence(): LogFault | undefined {
    return undefined;
  }
}

const ADVICE =
  'The connection is retried for ever: check that the server runs and is reachable, then repeat ' +
  'the call.\nAn append is stored at most once under one message id or expected sequence.';

/**
 * Requests and their answers under one subscription of our own. The client library's own request
 * path costs a timer and several promises each; this costs a slot in a table and one sweeping
 * timer for all.
 */
export class Exchange {
  readonly link: Link;
  readonly #timeoutMs: number;
  readonly #maxQueued: number;
  readonly #capacity: number;
  readonly #slots: (Awaited | undefined)[];
  /** Free slots; the one freed last is used first, which keeps the server's routing cache warm. */
  readonly #free: number[];
  /** The token of each slot: the same until an answer stays away, so that a late one is known. */
  readonly #tokens: number[];
  readonly #prefix: string;
  readonly #rawHeaders = new RawHeaders();
  readonly #publishOptions: { reply: string; headers?: MsgHdrs } = { reply: '' };
  readonly #unlisten: () => void;
  readonly #unsubscribe: () => void;
  readonly #closers = new Set<(fault: LogClosed) => void>();
  #queue: Awaited[] = [];
  #queueHead = 0;
  #sweeper: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(link: Link, options: ExchangeOptions = {}) {
    const { timeoutMs = 5_000, maxPending = 8_192, maxQueued = 65_536 } = options;
    this.link = link;
    this.#timeoutMs = timeoutMs;
    this.#maxQueued = maxQueued;
    this.#capacity = maxPending;
    this.#slots = Array.from({ length: maxPending }, () => undefined);
    this.#free = Array.from({ length: maxPending }, (_, index) => maxPending - 1 - index);
    this.#tokens = Array.from({ length: maxPending }, (_, index) => index);
    this.#prefix = `${createInbox()}.`;
    const subscription = link.connection.subscribe(`${this.#prefix}*`, {
      callback: (error, message) => {
        if (error === null) this.#receive(message);
      },
    });
    this.#unsubscribe = () => subscription.unsubscribe();
    this.#unlisten = link.listen({
      onOnline: () => this.#transmitQueued(),
      onOffline: () => this.#abandon((awaited) => this.#lost(awaited)),
      onClosed: () => this.close(),
    });
  }

  get maxPayloadBytes(): number {
    return this.link.connection.info?.max_payload ?? 1_048_576;
  }

  send(awaited: Awaited): void {
    if (this.#closed) return awaited.onSilence(new LogClosed('This log is closed.'));
    awaited.startedMs = performance.now();
    this.#sweeper ??= setInterval(() => this.#sweep(), Math.max(5, this.#timeoutMs / 20)).unref();
    const queued = this.#queue.length - this.#queueHead;
    if (this.link.online && queued === 0 && this.#free.length > 0) return this.#transmit(awaited);
    if (queued < this.#maxQueued) {
      this.#queue.push(awaited);
      return;
    }
    awaited.onSilence(
      new LogUnavailable(
        `${queued} requests wait to be sent to ${this.link.address} already; ` +
          `${awaited.describe()} was not sent.`,
        'Wait for earlier calls before making more.',
      ),
    );
  }

  /** Tells `listener` when this is closed, or its connection for good. */
  onClose(listener: (fault: LogClosed) => void): () => void {
    this.#closers.add(listener);
    return () => this.#closers.delete(listener);
  }

  /** Answers everything under way with a fault, and everything to come. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#sweeper);
    this.#unlisten();
    if (!this.link.connection.isClosed()) this.#unsubscribe();
    const closed = (awaited: Awaited): LogClosed =>
      new LogClosed(`The log was closed during ${awaited.describe()}.`);
    this.#abandon(closed);
    const queue = this.#queue.slice(this.#queueHead);
    this.#queue = [];
    this.#queueHead = 0;
    for (const awaited of queue) awaited.onSilence(closed(awaited));
    const fault = new LogClosed(`The connection to ${this.link.address} was closed.`);
    for (const listener of this.#closers) listener(fault);
  }

  #transmit(awaited: Awaited): void {
    const slot = this.#free.pop();
    if (slot === undefined) throw new RangeError('no free slot');
    awaited.token = this.#tokens[slot] ?? slot;
    this.#slots[slot] = awaited;
    const options = this.#publishOptions;
    options.reply = this.#prefix + awaited.token;
    if (awaited.headers === undefined) delete options.headers;
    else {
      this.#rawHeaders.bytes = awaited.headers;
      options.headers = this.#rawHeaders as unknown as MsgHdrs;
    }
    try {
      this.link.connection.publish(awaited.subject, awaited.data, options);
    } catch (cause) {
      this.#release(slot);
      awaited.onSilence(new LogClosed(`${awaited.describe()} could not be sent.`, { cause }));
    }
  }

  #receive(message: Msg): void {
    const token = Number(message.subject.slice(this.#prefix.length));
    const slot = token % this.#capacity;
    const awaited = this.#slots[slot];
    if (awaited?.token !== token) return;
    if (!awaited.onReply(message)) {
      // More answers follow: the time-out is that of the next one.
      awaited.startedMs = performance.now();
      return;
    }
    this.#release(slot);
    if (this.#queue.length > 0) this.#transmitQueued();
  }

  #release(slot: number): void {
    this.#slots[slot] = undefined;
    this.#free.push(slot);
  }

  /** Frees a slot whose answer may still come, under another token. */
  #retire(token: number): void {
    const slot = token % this.#capacity;
    this.#tokens[slot] = token + this.#capacity;
    this.#release(slot);
  }

  #transmitQueued(): void {
    while (this.#queueHead < this.#queue.length && this.#free.length > 0 && this.link.online) {
      const awaited = this.#queue[this.#queueHead++];
      if (awaited === undefined) continue;
      const fault = awaited.fence();
      if (fault === undefined) this.#transmit(awaited);
      else awaited.onSilence(fault);
    }
    if (this.#queueHead === this.#queue.length) {
      this.#queue = [];
      this.#queueHead = 0;
    } else if (this.#queueHead > 4_096) {
      this.#queue.splice(0, this.#queueHead);
      this.#queueHead = 0;
    }
  }

  #abandon(fault: (awaited: Awaited) => LogUnavailable | LogClosed): void {
    const abandoned = this.#slots.filter((awaited) => awaited !== undefined);
    for (const awaited of abandoned) {
      this.#retire(awaited.token);
      awaited.onSilence(fault(awaited));
    }
  }

  #sweep(): void {
    const nowMs = performance.now();
    const oldestMs = nowMs - this.#timeoutMs;
    for (const awaited of this.#slots) {
      if (awaited === undefined || awaited.startedMs > oldestMs) continue;
      this.#retire(awaited.token);
      awaited.onSilence(this.#late(awaited, nowMs));
    }
    while (this.#queueHead < this.#queue.length) {
      const awaited = this.#queue[this.#queueHead];
      if (awaited === undefined || awaited.startedMs > oldestMs) break;
      this.#queueHead++;
      awaited.onSilence(this.#late(awaited, nowMs));
    }
    this.#transmitQueued();
    if (this.#free.length < this.#capacity || this.#queue.length > 0) return;
    clearInterval(this.#sweeper);
    this.#sweeper = undefined;
  }

  #late(awaited: Awaited, nowMs: number): LogUnavailable {
    const waitedMs = Math.round(nowMs - awaited.startedMs);
    const down = this.link.online
      ? 'The connection is up, but no answer came'
      : `The connection has been down for ${this.link.offlineForMs} ms`;
    return new LogUnavailable(
      `${capital(awaited.describe())} on ${this.link.address} was given up after ${waitedMs} ms. ` +
        `${down}.`,
      ADVICE,
    );
  }

  #lost(awaited: Awaited): LogUnavailable {
    const waitedMs = Math.round(performance.now() - awaited.startedMs);
    return new LogUnavailable(
      `The connection to ${this.link.address} was lost ${waitedMs} ms into ${awaited.describe()}.`,
      ADVICE,
    );
  }
}

/** Headers that are bytes already; the client only ever encodes those it publishes. */
class RawHeaders {
  bytes: Uint8Array = new Uint8Array();

  encode(): Uint8Array {
    return this.bytes;
  }
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
