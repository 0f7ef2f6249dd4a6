import type { LogMessage } from '../log.ts';
import type { Exchange } from './exchange.ts';
import { lastSequence } from './fetch.ts';
import { Reader } from './reader.ts';

/** How many of the last messages are kept for who joins. */
const ringLength = 512;

/** One who takes every message of the stream, wanted or not. */
export interface Member {
  take(message: LogMessage): void;
  /** The trunk has ended: the member reads on by itself. */
  onEnd(): void;
}

/**
 * The live end of one stream, read once for all followers of this process that share it. A follower
 * reads its past by a reader of its own and joins here when it has come to the end; so the server
 * sends each new message once, however many follow.
 */
export class Trunk {
  readonly #exchange: Exchange;
  readonly #stream: string;
  readonly #members = new Set<Member>();
  readonly #closing = new Set<Promise<void>>();
  #reader: Reader | undefined;
  #ring: LogMessage[] = [];
  /** Every message after this one that the reader has had is in the ring or was sent on. */
  #ringAfter = 0;
  #head = 0;
  #isReady = false;
  /** Followers of the stream that share it, joined or not. */
  #users = 0;
  #opening: object | undefined;

  constructor(exchange: Exchange, stream: string) {
    this.#exchange = exchange;
    this.#stream = stream;
  }

  /** The last sequence that was read here; 0 while nothing is. */
  get head(): number {
    return this.#isReady ? this.#head : 0;
  }

  /** A follower begins to share the stream. It is read from the second one on. */
  use(): void {
    this.#users += 1;
    this.#openIfShared();
  }

  /** A follower has ended. */
  leave(member: Member): void {
    this.#members.delete(member);
    this.#users -= 1;
    if (this.#users < 2) this.#end();
  }

  /**
   * Takes a member in that has had all it wants up to `certificate`: it is handed what is known
   * here, before this returns, and passes over what it has had.
   * @returns false when that is not known here any more, or not yet
   */
  join(member: Member, certificate: number): boolean {
    if (!this.#isReady) this.#openIfShared();
    if (!this.#isReady || certificate < this.#ringAfter) return false;
    this.#members.add(member);
    // What it takes may make it leave again.
    for (const message of this.#ring) {
      if (this.#members.has(member)) member.take(message);
    }
    return true;
  }

  /** Resolves when what was read for followers that have left is given up at the server. */
  async closed(): Promise<void> {
    await Promise.all(this.#closing);
  }

  /** A member reads by itself again. */
  part(member: Member): void {
    this.#members.delete(member);
  }

  #openIfShared(): void {
    if (this.#users < 2 || this.#isReady || this.#opening !== undefined) return;
    const opening = {};
    this.#opening = opening;
    lastSequence(this.#exchange, this.#stream, undefined).then(
      (last) => {
        if (this.#opening === opening) this.#begin(last);
      },
      () => {
        // Everybody goes on reading by himself; who wants to join next tries again.
        if (this.#opening === opening) this.#opening = undefined;
      },
    );
  }

  #begin(last: number): void {
    this.#opening = undefined;
    this.#ring = [];
    this.#ringAfter = last;
    this.#head = last;
    this.#isReady = true;
    this.#reader = new Reader({
      exchange: this.#exchange,
      stream: this.#stream,
      after: last,
      sink: {
        hasRoom: true,
        deliver: (message) => this.#deliver(message),
        onFailure: () => this.#end(),
      },
    });
  }

  #deliver(message: LogMessage): void {
    this.#head = message.sequence;
    this.#ring.push(message);
    if (this.#ring.length >= 2 * ringLength) {
      const dropped = this.#ring.splice(0, this.#ring.length - ringLength);
      this.#ringAfter = (dropped.at(-1) as LogMessage).sequence;
    }
    for (const member of this.#members) member.take(message);
  }

  #end(): void {
    this.#opening = undefined;
    this.#isReady = false;
    this.#ring = [];
    const reader = this.#reader;
    this.#reader = undefined;
    if (reader !== undefined) {
      const closed: Promise<void> = reader.close().finally(() => this.#closing.delete(closed));
      this.#closing.add(closed);
    }
    const members = [...this.#members];
    this.#members.clear();
    for (const member of members) member.onEnd();
  }
}
