import { Delivery } from '../delivery.ts';
import type { Follower, FollowOptions, LogMessage } from '../log.ts';
import type { Exchange } from './exchange.ts';
import { lastSequence } from './fetch.ts';
import { Reader } from './reader.ts';

/** A reader whose messages go to a handler, for ever. */
export class JetStreamFollower implements Follower {
  readonly #exchange: Exchange;
  readonly #stream: string;
  readonly #filters: readonly string[];
  readonly #delivery: Delivery;
  readonly #reader: Reader;
  #readerClosed: Promise<void> | undefined;

  constructor(
    exchange: Exchange,
    stream: string,
    options: FollowOptions,
    onMessage: (message: LogMessage) => void | Promise<void>,
    onStop: () => void,
  ) {
    this.#exchange = exchange;
    this.#stream = stream;
    this.#filters = options.filters ?? [];
    const delivery = new Delivery(options, onMessage, {
      onRoom: () => this.#reader.resume(),
      onStop: () => {
        this.#readerClosed = this.#reader.close();
        onStop();
      },
    });
    this.#delivery = delivery;
    this.#reader = new Reader({
      exchange,
      stream,
      after: options.after,
      filters: options.filters,
      sink: {
        get hasRoom() {
          return delivery.hasRoom;
        },
        deliver: (message) => delivery.deliver(message),
        onFailure: (error) => delivery.fail(error),
      },
    });
  }

  get delivered(): number {
    return this.#delivery.delivered;
  }

  get position(): number {
    return this.#delivery.position;
  }

  async caughtUp(): Promise<void> {
    const filters = this.#filters.length === 0 ? [undefined] : this.#filters;
    const lasts = await Promise.all(
      filters.map((filter) => lastSequence(this.#exchange, this.#stream, filter)),
    );
    await this.#delivery.reached(Math.max(...lasts));
  }

  async close(): Promise<void> {
    await this.#delivery.close();
    await this.#readerClosed;
  }
}
