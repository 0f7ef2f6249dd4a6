import type { NatsConnection, NodeConnectionOptions } from '@nats-io/transport-node';
import { LogClosed, WrongLastSequence } from '../errors.ts';
import { checkSubject } from '../headers.ts';
import type {
  Appended,
  Follower,
  FollowOptions,
  Log,
  LogMessage,
  MessageToAppend,
  ReplayOptions,
} from '../log.ts';
import { append } from './append.ts';
import { Exchange, type ExchangeOptions } from './exchange.ts';
import { firstOf, get, lastSequence, storedBefore } from './fetch.ts';
import { JetStreamFollower } from './follower.ts';
import { connectNats, Link } from './link.ts';
import { replayBatches } from './replay.ts';
import { Trunk } from './trunk.ts';

export interface JetStreamLogOptions extends ExchangeOptions {
  /** A connection to use; it stays the caller's. See `connectNats`. */
  readonly connection?: NatsConnection;
  /** Or where to connect, with credentials and whatever else the client takes. */
  readonly connect?: NodeConnectionOptions;
  /** Or just the addresses. */
  readonly servers?: string | readonly string[];
}

/**
 * The log on NATS JetStream. Its streams must exist and allow direct gets (see `ensureStreams`).
 * @throws LogUnavailable when the server cannot be reached at first
 */
export async function jetstreamLog(options: JetStreamLogOptions): Promise<Log> {
  const { connection, connect, servers } = options;
  if (connection !== undefined) return new JetStreamLog(connection, false, options);
  const addresses = servers === undefined ? {} : { servers: [servers].flat() };
  return new JetStreamLog(await connectNats({ ...connect, ...addresses }), true, options);
}

class JetStreamLog implements Log {
  readonly #connection: NatsConnection;
  readonly #owned: boolean;
  readonly #exchange: Exchange;
  readonly #followers = new Set<JetStreamFollower>();
  readonly #trunks = new Map<string, Trunk>();
  #closed = false;

  constructor(connection: NatsConnection, owned: boolean, options: ExchangeOptions) {
    this.#connection = connection;
    this.#owned = owned;
    this.#exchange = new Exchange(new Link(connection), options);
  }

  append(stream: string, message: MessageToAppend): Promise<Appended> {
    const appended = append(this.#exchange, stream, message);
    if (message.messageId === undefined || message.expectedLastSequence === undefined) {
      return appended;
    }
    return appended.catch((error: unknown) => this.#unlessStored(stream, message, error));
  }

  async load(stream: string, subject: string, fromSequence = 1): Promise<LogMessage[]> {
    checkSubject(subject);
    const { messages, further } = await firstOf(this.#exchange, stream, subject, fromSequence);
    const last = messages.at(-1);
    if (further === 0 || last === undefined) return messages;
    // One round trip was not enough, so it is a long history: a consumer reads that faster.
    const rest = this.replayBatches(stream, { from: last.sequence + 1, filters: [subject] });
    for await (const batch of rest) for (const message of batch) messages.push(message);
    return messages;
  }

  get(stream: string, sequence: number): Promise<LogMessage | undefined> {
    return get(this.#exchange, stream, sequence);
  }

  lastSequence(stream: string, filter?: string): Promise<number> {
    return lastSequence(this.#exchange, stream, filter);
  }

  async *replay(stream: string, options?: ReplayOptions): AsyncIterable<LogMessage> {
    for await (const batch of this.replayBatches(stream, options)) yield* batch;
  }

  replayBatches(stream: string, options: ReplayOptions = {}): AsyncIterable<readonly LogMessage[]> {
    return replayBatches(this.#exchange, stream, options);
  }

  follow(
    stream: string,
    options: FollowOptions,
    onMessage: (message: LogMessage) => void | Promise<void>,
  ): Follower {
    if (this.#closed) throw new LogClosed('This log is closed.');
    const follower: JetStreamFollower = new JetStreamFollower(
      this.#exchange,
      stream,
      options,
      onMessage,
      () => this.#followers.delete(follower),
      options.shared === true ? this.#trunkOf(stream) : undefined,
    );
    this.#followers.add(follower);
    return follower;
  }

  #trunkOf(stream: string): Trunk {
    let trunk = this.#trunks.get(stream);
    if (trunk === undefined) {
      trunk = new Trunk(this.#exchange, stream);
      this.#trunks.set(stream, trunk);
    }
    return trunk;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.all([...this.#followers].map((follower) => follower.close()));
    await Promise.all([...this.#trunks.values()].map((trunk) => trunk.closed()));
    this.#exchange.close();
    if (this.#owned) await this.#connection.close();
  }

  /** The server compares sequences before it looks for duplicates; a repetition is no conflict. */
  async #unlessStored(stream: string, message: MessageToAppend, error: unknown): Promise<Appended> {
    if (!(error instanceof WrongLastSequence)) throw error;
    const { subject, expectedLastSequence = 0, messageId = '' } = message;
    const sequence = await storedBefore(
      this.#exchange,
      stream,
      subject,
      expectedLastSequence,
      messageId,
    );
    if (sequence === undefined) throw error;
    return { sequence, duplicate: true };
  }
}
