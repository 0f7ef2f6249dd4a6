import { createInbox, type Msg, type Subscription } from '@nats-io/nats-core';
import { LogFault, StreamMissing } from '../errors.ts';
import type { LogMessage } from '../log.ts';
import { compileFilters, disjointFilters, type SubjectPredicate } from '../subjects.ts';
import type { Exchange } from './exchange.ts';
import { manage } from './fetch.ts';
import { JetStreamMessage } from './message.ts';
import { digits, numbersAt } from './reply.ts';

const PULL_LENGTH = 10_000;
const PULL_BYTES = 8 * 1_048_576;
const PULL_EXPIRES_MS = 60_000;
const HEARTBEAT_MS = 2_000;
const SILENT_BEATS = 3;
const INACTIVE_MS = 60_000;
const RETRY_FIRST_MS = 50;
const RETRY_LONGEST_MS = 2_000;
/** How often a stream may be reported missing after it had been read: servers restart. */
const MISSING_ATTEMPTS = 20;
const NANOS = 1_000_000;

const IDLE_HEARTBEAT = 100;

/** Where a reader's messages go. */
export interface Sink {
  /** False while no message may be handed over. */
  readonly hasRoom: boolean;
  deliver(message: LogMessage): void;
  /** Told after each message, wanted or not: how far reading is, and how many are to come. */
  onProgress?(sequence: number, pending: number): void;
  onFailure(error: unknown): void;
}

export interface ReaderOptions {
  readonly exchange: Exchange;
  readonly stream: string;
  readonly after: number;
  readonly filters?: readonly string[] | undefined;
  readonly sink: Sink;
}

/**
 * Reads a stream in order, without a gap or a repeat, for ever: an ephemeral pull consumer without
 * acknowledgements, fed with large pulls. A gap in the consumer's sequence, missed heartbeats or a
 * new connection make it start a new consumer after the last message received. What it buffers
 * is bounded by what it pulled, in messages and in bytes.
 */
export class Reader {
  readonly #options: ReaderOptions;
  readonly #serverFilters: readonly string[] | undefined;
  readonly #matches: SubjectPredicate | undefined;
  readonly #name = createInbox().replaceAll('.', '-').replace('_INBOX', 'meridian');
  readonly #unlisten: (() => void)[];
  #serial = 0;
  #consumer = '';
  #subscription: Subscription | undefined;
  /** The last stream sequence received, and the last one of the consumer. */
  #received: number;
  #consumed = 0;
  /** Where in a reply subject the numbers start; the same for all of one consumer. */
  #numbersAt = 0;
  /** How many messages the stream holds after the last one received. */
  #pending = 0;
  /** How many messages were asked for and have not come yet. */
  #outstanding = 0;
  #buffer: LogMessage[] = [];
  #bufferHead = 0;
  /** Counts everything heard, and how often the watchdog found nothing new. */
  #heard = 0;
  #heardBefore = 0;
  #silentBeats = 0;
  #watchdog: NodeJS.Timeout | undefined;
  #retry: NodeJS.Timeout | undefined;
  #failures = 0;
  /** Whether the consumer has been created and may be asked for messages. */
  #ready = false;
  #everStarted = false;
  #closed = false;
  /** The making of the last consumer: it is not to be deleted before it is there. */
  #creating: Promise<unknown> = Promise.resolve();

  constructor(options: ReaderOptions) {
    const { filters = [], exchange, after } = options;
    this.#options = options;
    this.#received = after;
    this.#serverFilters = disjointFilters(filters);
    // Filters that overlap are refused by the server, so they are applied here.
    this.#matches = this.#serverFilters === undefined ? compileFilters(filters) : undefined;
    this.#unlisten = [
      exchange.link.listen({ onOffline: () => this.#abandon(), onOnline: () => this.#start() }),
      exchange.onClose((fault) => options.sink.onFailure(fault)),
    ];
    this.#watchdog = setInterval(() => this.#checkHeartbeat(), HEARTBEAT_MS).unref();
    if (exchange.link.online) this.#start();
  }

  /** The last sequence that the server has sent. */
  get received(): number {
    return this.#received;
  }

  /** Whether the sink has had everything that was received. */
  get isDrained(): boolean {
    return this.#buffer.length === 0;
  }

  /** Goes on after the sink had no room. */
  resume(): void {
    const { sink } = this.#options;
    while (this.#bufferHead < this.#buffer.length && sink.hasRoom) {
      const message = this.#buffer[this.#bufferHead++];
      if (message !== undefined) sink.deliver(message);
    }
    if (this.#bufferHead === this.#buffer.length && this.#bufferHead > 0) {
      this.#buffer = [];
      this.#bufferHead = 0;
      this.#progress(this.#pending);
    }
    this.#pull();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const unlisten of this.#unlisten) unlisten();
    clearInterval(this.#watchdog);
    this.#buffer = [];
    this.#bufferHead = 0;
    const consumer = this.#abandon();
    if (consumer === '') return;
    await this.#creating.catch(() => {});
    if (this.#options.exchange.link.online) await this.#delete(consumer);
  }

  #start(): void {
    if (this.#closed) return;
    const old = this.#abandon();
    const { link } = this.#options.exchange;
    if (old !== '' && link.online) void this.#delete(old);
    const serial = ++this.#serial;
    const inbox = createInbox();
    this.#consumer = `${this.#name}-${serial}`;
    this.#consumed = 0;
    this.#numbersAt = 0;
    this.#subscription = link.connection.subscribe(inbox, {
      callback: (error, message) => {
        if (error === null && serial === this.#serial) this.#receive(message);
      },
    });
    const creating = this.#create(this.#consumer);
    this.#creating = creating;
    creating.then(
      (pending) => {
        if (serial !== this.#serial || this.#closed) return;
        this.#failures = 0;
        this.#everStarted = true;
        this.#ready = true;
        this.#progress(pending);
        this.#pull();
      },
      (error: unknown) => {
        if (serial === this.#serial && !this.#closed) this.#retryLater(error);
      },
    );
  }

  async #create(name: string): Promise<number> {
    const { stream } = this.#options;
    const created = await manage<{ num_pending: number }>(
      this.#options.exchange,
      stream,
      `CONSUMER.CREATE.${stream}.${name}`,
      {
        stream_name: stream,
        config: {
          name,
          deliver_policy: 'by_start_sequence',
          opt_start_seq: this.#received + 1,
          ack_policy: 'none',
          replay_policy: 'instant',
          inactive_threshold: INACTIVE_MS * NANOS,
          mem_storage: true,
          num_replicas: 1,
          ...(this.#serverFilters?.length && { filter_subjects: this.#serverFilters }),
        },
      },
    );
    return created.num_pending;
  }

  /** Forgets the consumer there is and everything it may still send; returns its name. */
  #abandon(): string {
    const consumer = this.#consumer;
    this.#serial++;
    this.#consumer = '';
    this.#ready = false;
    this.#outstanding = 0;
    clearTimeout(this.#retry);
    if (!this.#options.exchange.link.connection.isClosed()) this.#subscription?.unsubscribe();
    this.#subscription = undefined;
    return consumer;
  }

  async #delete(consumer: string): Promise<void> {
    const { exchange, stream } = this.#options;
    try {
      await manage(exchange, stream, `CONSUMER.DELETE.${stream}.${consumer}`);
    } catch {
      // It is gone already, or goes by itself when it has been inactive.
    }
  }

  #retryLater(error: unknown): void {
    this.#failures++;
    const missing = error instanceof StreamMissing;
    const final = missing
      ? !this.#everStarted || this.#failures > MISSING_ATTEMPTS
      : !(error instanceof LogFault && error.retryable);
    if (final) {
      this.#options.sink.onFailure(error);
      return;
    }
    const waitMs = Math.min(RETRY_LONGEST_MS, RETRY_FIRST_MS * 2 ** Math.min(this.#failures, 10));
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => {
      if (this.#options.exchange.link.online) this.#start();
    }, waitMs);
  }

  #pull(): void {
    if (!this.#ready || this.#subscription === undefined || !this.#options.sink.hasRoom) return;
    const buffered = this.#buffer.length - this.#bufferHead;
    if (this.#outstanding + buffered > PULL_LENGTH / 2) return;
    const { exchange, stream } = this.#options;
    this.#heard++;
    this.#outstanding += PULL_LENGTH;
    exchange.link.connection.publish(
      `$JS.API.CONSUMER.MSG.NEXT.${stream}.${this.#consumer}`,
      JSON.stringify({
        batch: PULL_LENGTH,
        max_bytes: Math.max(PULL_BYTES, 2 * exchange.maxPayloadBytes),
        expires: PULL_EXPIRES_MS * NANOS,
        idle_heartbeat: HEARTBEAT_MS * NANOS,
      }),
      { reply: this.#subscription.getSubject() },
    );
  }

  #receive(message: Msg): void {
    const reply = message.reply ?? '';
    this.#heard++;
    if (reply === '') {
      this.#status(message);
      return;
    }
    if (this.#numbersAt === 0) this.#numbersAt = numbersAt(reply, this.#consumer);
    // …<delivery count>.<stream sequence>.<consumer sequence>.<time in ns>.<pending>
    let at = reply.indexOf('.', this.#numbersAt) + 1;
    let end = reply.indexOf('.', at);
    const sequence = digits(reply, at, end);
    at = end + 1;
    end = reply.indexOf('.', at);
    const consumed = digits(reply, at, end);
    if (consumed !== this.#consumed + 1) {
      this.#start();
      return;
    }
    at = end + 1;
    end = reply.indexOf('.', at);
    // The last six digits are nanoseconds.
    const storedAtMs = digits(reply, at, end - 6);
    this.#consumed = consumed;
    this.#received = sequence;
    this.#outstanding--;
    this.#accept(new JetStreamMessage(this.#options.stream, sequence, storedAtMs, message));
    if (this.#options.sink.onProgress !== undefined) {
      this.#progress(digits(reply, end + 1, reply.length));
    }
    if (this.#outstanding === PULL_LENGTH / 2 || this.#outstanding === 0) this.#pull();
  }

  /** Reports how far reading is, once nothing received is left in the buffer. */
  #progress(pending: number): void {
    this.#pending = pending;
    if (this.#buffer.length > 0) return;
    this.#options.sink.onProgress?.(this.#received, pending);
  }

  #accept(message: LogMessage): void {
    if (this.#matches?.(message.subject) === false) return;
    const { sink } = this.#options;
    if (this.#bufferHead === this.#buffer.length && sink.hasRoom) sink.deliver(message);
    else this.#buffer.push(message);
  }

  #status(message: Msg): void {
    const { headers } = message;
    if (headers === undefined || headers.code === IDLE_HEARTBEAT) return;
    if (headers.has('Nats-Pending-Messages')) {
      // A pull is complete, has expired or reached its limit of bytes: ask for the rest again.
      const unserved = Number(headers.get('Nats-Pending-Messages'));
      this.#outstanding = Math.max(0, this.#outstanding - unserved);
      this.#pull();
      return;
    }
    // The consumer was deleted, its leader changed, the server shuts down, nobody listens: anew.
    this.#abandon();
    this.#retryLater(new LogFault('ReaderEnded', headers.status, true));
  }

  #checkHeartbeat(): void {
    const waiting = this.#outstanding > 0 && this.#options.exchange.link.online;
    this.#silentBeats = waiting && this.#heard === this.#heardBefore ? this.#silentBeats + 1 : 0;
    this.#heardBefore = this.#heard;
    if (this.#silentBeats >= SILENT_BEATS) this.#start();
  }
}
