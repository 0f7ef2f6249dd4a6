import type { Random } from '@meridian/core';
import {
  LogUnavailable,
  type Appended,
  type Follower,
  type FollowOptions,
  type Log,
  type LogMessage,
  type MessageToAppend,
  type ReplayOptions,
} from '@meridian/journal';
import { Gate } from './gate.ts';
import type { Connection, Site } from './site.ts';
import type { Task, World } from './world.ts';

/** How long a client waits for an answer, in ms. */
const answerTimeoutMs = 1_000;
/** The mean of one way through a healthy network beyond its first millisecond, in ms. */
const wayMs = 3;
/** The mean delay of an append that arrives after everybody has given it up, in ms. */
const lateMs = 4_000;
/** From this on a call without an answer counts as a disturbance of its node, in ms. */
const disturbanceMs = 200;

/** A message was under way when its follower was closed. */
class Dropped extends Error {}

interface InFlight {
  readonly arrival: Task;
  readonly arrive: () => void;
}

export interface NetworkLogOptions {
  /** Whose log it is; the world's own when absent. */
  readonly site?: Site;
  /** The way into the process; open for ever when absent. */
  readonly gate?: Gate;
  /** Told of calls that took long to be answered, or never were. */
  readonly onDisturbance?: (fromMs: number, toMs: number) => void;
  /** Told when the log has died: followers have ended. */
  readonly onLost?: () => void;
}

/**
 * A site's log as one process sees it: through a network that delays every message, and loses
 * some when the plan says so. Appends of one subject arrive in their order, and so do a
 * follower's messages, as the port promises. Once its process is dead nothing comes back; while it
 * stands still nothing reaches it, but what it had sent arrives.
 */
export class NetworkLog implements Log, Connection {
  readonly #world: World;
  readonly #node: string;
  readonly #random: Random;
  readonly #followers = new Set<() => Promise<void>>();
  #isClosed = false;
  readonly #lastArrival = new Map<string, number>();
  readonly #inFlight = new Set<InFlight>();
  /** Those without an answer so far. */
  readonly #calls = new Set<{ readonly fromMs: number }>();
  readonly #site: Site;
  readonly #gate: Gate;
  readonly #options: NetworkLogOptions;

  /** @param node whose troubles in the world's plan are those of this network */
  constructor(world: World, node: string, random: Random, options: NetworkLogOptions = {}) {
    this.#world = world;
    this.#node = node;
    this.#random = random;
    this.#options = options;
    this.#site = options.site ?? world.site;
    this.#gate = options.gate ?? new Gate(world);
    this.#site.connect(this);
  }

  /** The site whose log this is. */
  get site(): Site {
    return this.#site;
  }

  append(stream: string, message: MessageToAppend): Promise<Appended> {
    return new Promise((resolve, reject) => {
      const settle = this.#call();
      const fate = this.#fate();
      const store = (): Promise<() => void> =>
        this.#site.log.append(stream, message).then(
          (appended) => () => resolve(appended),
          (error: unknown) => () => reject(error),
        );
      const giveUp = (): void => settle(() => reject(noAnswer(`An append to ${message.subject}`)));
      if (fate !== 'store') this.#world.after(answerTimeoutMs, giveUp);
      if (fate === 'refuse') return;
      const arriveMs =
        fate === 'late' ? this.#lateArrival() : this.#arrival(stream, message.subject);
      const arrive = (): void => {
        this.#inFlight.delete(flight);
        if (!this.#site.isUp) {
          if (fate === 'store') this.#world.after(answerTimeoutMs, giveUp);
          return;
        }
        void store().then((answer) => {
          if (fate === 'store') this.#world.after(this.#delay(), () => settle(answer));
        });
      };
      const flight: InFlight = { arrival: this.#world.at(arriveMs, arrive), arrive };
      this.#inFlight.add(flight);
    });
  }

  load(stream: string, subject: string, fromSequence?: number): Promise<LogMessage[]> {
    return this.#read(subject, () => this.#site.log.load(stream, subject, fromSequence));
  }

  get(stream: string, sequence: number): Promise<LogMessage | undefined> {
    return this.#read(`${stream} ${sequence}`, () => this.#site.log.get(stream, sequence));
  }

  lastSequence(stream: string, filter?: string): Promise<number> {
    return this.#read(stream, () => this.#site.log.lastSequence(stream, filter));
  }

  async *replay(stream: string, options?: ReplayOptions): AsyncIterable<LogMessage> {
    for await (const batch of this.replayBatches(stream, options)) yield* batch;
  }

  async *replayBatches(
    stream: string,
    options?: ReplayOptions,
  ): AsyncIterable<readonly LogMessage[]> {
    yield* await this.#read(stream, async () => {
      const batches: (readonly LogMessage[])[] = [];
      for await (const batch of this.#site.log.replayBatches(stream, options)) batches.push(batch);
      return batches;
    });
  }

  follow(
    stream: string,
    options: FollowOptions,
    onMessage: (message: LogMessage) => void | Promise<void>,
  ): Follower {
    let lastMs = 0;
    /** Those under way to the process; each is told when it will never come. */
    const inTransit = new Set<(error: Error) => void>();
    const deliver = (message: LogMessage): Promise<void> =>
      new Promise((resolve, reject) => {
        lastMs = Math.max(lastMs, this.#world.now() + this.#delay());
        inTransit.add(reject);
        const handle = (): void => {
          if (!inTransit.delete(reject)) return;
          try {
            const handled = onMessage(message);
            if (handled === undefined) resolve();
            else handled.then(resolve, reject);
          } catch (error) {
            reject(error instanceof Error ? error : new Error(String(error)));
          }
        };
        this.#world.at(lastMs, () => this.#gate.pass(handle));
      });
    const onFailure = (error: unknown): void => {
      if (error instanceof Dropped) return;
      if (options.onFailure === undefined) this.#world.fail(error);
      else options.onFailure(error);
    };
    const follower = this.#site.log.follow(stream, { ...options, onFailure }, deliver);
    const close = (): Promise<void> => {
      this.#followers.delete(close);
      const closed = follower.close();
      // What did not reach the process is not settled: the position stays before it.
      for (const drop of inTransit) drop(new Dropped());
      inTransit.clear();
      return closed;
    };
    this.#followers.add(close);
    // A process that is dead, or whose region is lost, may have been about to follow something.
    if (this.#isClosed || !this.#site.isUp) void close();
    return {
      get delivered() {
        return follower.delivered;
      },
      get position() {
        return follower.position;
      },
      caughtUp: () => follower.caughtUp(),
      close,
    };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#site.disconnect(this);
    await Promise.all([...this.#followers].map((end) => end()));
  }

  lost(): void {
    for (const end of this.#followers) void end();
    this.#options.onLost?.();
  }

  /**
   * The process is dead: no answer and no message comes any more. What it had sent is lost, stored,
   * or stored much later, as chance has it.
   */
  die(): void {
    this.#gate.close();
    for (const call of this.#calls) this.#end(call);
    void this.close();
    for (const { arrival, arrive } of this.#inFlight) {
      if (!this.#site.isUp) {
        this.#world.cancel(arrival);
        continue;
      }
      const chance = this.#random.next();
      if (chance < 1 / 3) {
        this.#world.cancel(arrival);
        this.#world.count('appends lost at a crash');
      } else if (chance < 2 / 3) {
        this.#world.count('appends stored after a crash');
      } else {
        this.#world.cancel(arrival);
        this.#world.after(this.#random.exponential(lateMs), arrive);
        this.#world.count('appends that arrive long after a crash');
      }
    }
  }

  #fate(): 'store' | 'refuse' | 'lose-answer' | 'late' {
    const trouble = this.#world.trouble(this.#node);
    if (trouble === undefined) return 'store';
    const chance = this.#random.next();
    if (chance < trouble.refuse / 3) return this.#counted('refuse', 'appends refused');
    if (chance < (trouble.refuse + trouble.loseAnswer) / 3) {
      return this.#counted('lose-answer', 'answers lost');
    }
    if (chance < (trouble.refuse + trouble.loseAnswer + trouble.late) / 3) {
      return this.#counted('late', 'appends that arrive late');
    }
    return 'store';
  }

  #counted<Fate>(fate: Fate, what: string): Fate {
    this.#world.count(what);
    return fate;
  }

  #read<T>(what: string, read: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const settle = this.#call();
      const answerAfter = (delayMs: number, answer: () => void): void => {
        this.#world.after(delayMs, () => settle(answer));
      };
      const trouble = this.#world.trouble(this.#node);
      if (trouble !== undefined && this.#random.next() < trouble.refuseRead) {
        this.#world.count('reads refused');
        answerAfter(answerTimeoutMs, () => reject(noAnswer(`A read of ${what}`)));
        return;
      }
      this.#world.after(this.#delay(), () => {
        if (!this.#site.isUp) {
          answerAfter(answerTimeoutMs, () => reject(noAnswer(`A read of ${what}`)));
          return;
        }
        void read().then(
          (value) => answerAfter(this.#delay(), () => resolve(value)),
          (error: unknown) => answerAfter(this.#delay(), () => reject(error)),
        );
      });
    });
  }

  /** Begins a call. @returns what gives its answer, unless the process is dead by then */
  #call(): (answer: () => void) => void {
    const call = { fromMs: this.#world.now() };
    this.#calls.add(call);
    return (answer) => {
      this.#gate.pass(() => {
        this.#end(call);
        answer();
      });
    };
  }

  #end(call: { readonly fromMs: number }): void {
    const nowMs = this.#world.now();
    this.#calls.delete(call);
    if (nowMs - call.fromMs >= disturbanceMs) this.#options.onDisturbance?.(call.fromMs, nowMs);
  }

  #delay(): number {
    const slowMs = this.#world.trouble(this.#node)?.slowMs ?? 0;
    return (
      1 +
      Math.floor(
        this.#random.exponential(wayMs) + (slowMs === 0 ? 0 : this.#random.exponential(slowMs)),
      )
    );
  }

  #arrival(stream: string, subject: string): number {
    const key = `${stream} ${subject}`;
    const atMs = Math.max(this.#world.now() + this.#delay(), this.#lastArrival.get(key) ?? 0);
    this.#lastArrival.set(key, atMs);
    return atMs;
  }

  #lateArrival(): number {
    return this.#world.now() + answerTimeoutMs + this.#random.exponential(lateMs);
  }
}

function noAnswer(what: string): LogUnavailable {
  return new LogUnavailable(
    `${what} got no answer.`,
    'Try again: what is stored already is recognized.',
  );
}
