import { Delivery } from '../delivery.ts';
import type { Follower, FollowOptions, LogMessage } from '../log.ts';
import { compileFilters, type SubjectPredicate } from '../subjects.ts';
import type { Exchange } from './exchange.ts';
import { lastUnder } from './fetch.ts';
import { Reader } from './reader.ts';
import type { Member, Trunk } from './trunk.ts';

/** How many messages a follower without room may be behind the trunk before it reads by itself. */
const backlogLimit = 4_096;

/** What a handler is fed from: a reader of its own, or the trunk once that has caught up with it. */
export class JetStreamFollower implements Follower, Member {
  readonly #exchange: Exchange;
  readonly #stream: string;
  readonly #options: FollowOptions;
  readonly #matches: SubjectPredicate;
  readonly #delivery: Delivery;
  readonly #trunk: Trunk | undefined;
  #reader: Reader | undefined;
  readonly #closing = new Set<Promise<void>>();
  /** All it wants up to here was handed over when it joined the trunk, which may have been behind. */
  #certificate = 0;
  /** Messages from the trunk for which there was no room yet. */
  #backlog: LogMessage[] = [];

  constructor(
    exchange: Exchange,
    stream: string,
    options: FollowOptions,
    onMessage: (message: LogMessage) => void | Promise<void>,
    onStop: () => void,
    trunk?: Trunk,
  ) {
    this.#exchange = exchange;
    this.#stream = stream;
    this.#options = options;
    this.#matches = compileFilters(options.filters);
    this.#trunk = trunk;
    this.#delivery = new Delivery(options, onMessage, {
      onRoom: () => this.#onRoom(),
      onStop: () => {
        this.#closeReader();
        trunk?.leave(this);
        onStop();
      },
    });
    trunk?.use();
    this.#readFrom(options.after);
  }

  get delivered(): number {
    return this.#delivery.delivered;
  }

  get position(): number {
    return this.#delivery.position;
  }

  async caughtUp(): Promise<void> {
    await this.#delivery.reached(await this.#lastWanted());
  }

  async close(): Promise<void> {
    await this.#delivery.close();
    await Promise.all(this.#closing);
  }

  take(message: LogMessage): void {
    if (message.sequence <= this.#certificate || !this.#matches(message.subject)) return;
    if (this.#backlog.length === 0 && this.#delivery.hasRoom) {
      this.#delivery.deliver(message);
      return;
    }
    this.#backlog.push(message);
    if (this.#backlog.length <= backlogLimit) return;
    this.#trunk?.part(this);
    this.onEnd();
  }

  onEnd(): void {
    this.#backlog = [];
    if (!this.#delivery.stopped) this.#readFrom(this.#delivery.delivered);
  }

  #onRoom(): void {
    if (this.#reader !== undefined) {
      this.#reader.resume();
      return;
    }
    let handed = 0;
    while (handed < this.#backlog.length && this.#delivery.hasRoom) {
      this.#delivery.deliver(this.#backlog[handed] as LogMessage);
      handed += 1;
    }
    this.#backlog.splice(0, handed);
  }

  /** Reads by itself until it is at the end of the stream, where it joins the trunk. */
  #readFrom(after: number): void {
    const delivery = this.#delivery;
    const trunk = this.#trunk;
    // What there is up to here was there before it is asked what is left.
    const known = trunk?.head ?? 0;
    let state: 'reading' | 'asking' | 'complete' = 'reading';
    const joinIfComplete = (sequence: number, pending: number): void => {
      if (trunk === undefined || this.#reader !== reader) return;
      if (state === 'complete') this.#join(trunk, Math.max(sequence, known));
      if (state !== 'reading' || pending > 0) return;
      state = 'asking';
      void this.#isComplete(sequence).then((isComplete) => {
        state = isComplete ? 'complete' : 'reading';
        if (isComplete && reader.isDrained) joinIfComplete(reader.received, 0);
      });
    };
    const reader: Reader = new Reader({
      exchange: this.#exchange,
      stream: this.#stream,
      after,
      filters: this.#options.filters,
      sink: {
        get hasRoom() {
          return delivery.hasRoom;
        },
        deliver: (message) => delivery.deliver(message),
        onFailure: (error) => delivery.fail(error),
        ...(trunk && { onProgress: joinIfComplete }),
      },
    });
    this.#reader = reader;
  }

  /**
   * Whether all that it wants of what is stored by now has come. That nothing is left is asked anew:
   * the count that comes with a message was seen to be 0 in the middle of a stream.
   */
  async #isComplete(sequence: number): Promise<boolean> {
    try {
      return (await this.#lastWanted()) <= sequence;
    } catch {
      return false;
    }
  }

  #lastWanted(): Promise<number> {
    return lastUnder(this.#exchange, this.#stream, this.#options.filters);
  }

  #join(trunk: Trunk, certificate: number): void {
    const reader = this.#reader;
    if (this.#delivery.stopped || reader === undefined) return;
    this.#reader = undefined;
    this.#certificate = certificate;
    if (trunk.join(this, certificate)) this.#close(reader);
    else this.#reader = reader;
  }

  #closeReader(): void {
    if (this.#reader !== undefined) this.#close(this.#reader);
    this.#reader = undefined;
  }

  #close(reader: Reader): void {
    const closed: Promise<void> = reader.close().finally(() => this.#closing.delete(closed));
    this.#closing.add(closed);
  }
}
