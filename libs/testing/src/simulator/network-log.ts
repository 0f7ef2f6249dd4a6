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
import type { Task, World } from './world.ts';

/** How long a client waits for an answer, in ms. */
const answerTimeoutMs = 1_000;
/** The mean of one way through a healthy network beyond its first millisecond, in ms. */
const wayMs = 3;
/** The mean delay of an append that arrives after everybody has given it up, in ms. */
const lateMs = 4_000;
/** From this on a call without an answer counts as a disturbance of its node, in ms. */
const disturbanceMs = 200;

interface InFlight {
  readonly arrival: Task;
  readonly arrive: () => void;
}

/**
 * The shared log as one process sees it: through a network that delays every message, and loses
 * some when the plan says so. Appends of one subject arrive in their order, and so do a
 * follower's messages, as the port promises. Once its process is dead nothing comes back.
 */
export class NetworkLog implements Log {
  readonly #world: World;
  readonly #node: string;
  readonly #random: Random;
  readonly #followers: Follower[] = [];
  readonly #lastArrival = new Map<string, number>();
  readonly #inFlight = new Set<InFlight>();
  /** Those without an answer so far. */
  readonly #calls = new Set<{ readonly fromMs: number }>();
  readonly #onDisturbance: ((fromMs: number, toMs: number) => void) | undefined;
  #alive = true;

  /** @param onDisturbance told of calls that took long to be answered, or never were */
  constructor(
    world: World,
    node: string,
    random: Random,
    onDisturbance?: (fromMs: number, toMs: number) => void,
  ) {
    this.#world = world;
    this.#node = node;
    this.#random = random;
    this.#onDisturbance = onDisturbance;
  }

  append(stream: string, message: MessageToAppend): Promise<Appended> {
    return new Promise((resolve, reject) => {
      const settle = this.#call();
      const fate = this.#fate();
      const store = (): Promise<() => void> =>
        this.#world.log.append(stream, message).then(
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
        void store().then((answer) => {
          if (fate === 'store') this.#world.after(this.#delay(), () => settle(answer));
        });
      };
      const flight: InFlight = { arrival: this.#world.at(arriveMs, arrive), arrive };
      this.#inFlight.add(flight);
    });
  }

  load(stream: string, subject: string, fromSequence?: number): Promise<LogMessage[]> {
    return this.#read(subject, () => this.#world.log.load(stream, subject, fromSequence));
  }

  get(stream: string, sequence: number): Promise<LogMessage | undefined> {
    return this.#read(`${stream} ${sequence}`, () => this.#world.log.get(stream, sequence));
  }

  lastSequence(stream: string, filter?: string): Promise<number> {
    return this.#read(stream, () => this.#world.log.lastSequence(stream, filter));
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
      for await (const batch of this.#world.log.replayBatches(stream, options)) batches.push(batch);
      return batches;
    });
  }

  follow(
    stream: string,
    options: FollowOptions,
    onMessage: (message: LogMessage) => void | Promise<void>,
  ): Follower {
    let lastMs = 0;
    const deliver = (message: LogMessage): Promise<void> =>
      new Promise((resolve, reject) => {
        lastMs = Math.max(lastMs, this.#world.now() + this.#delay());
        this.#world.at(lastMs, () => {
          if (!this.#alive) return;
          try {
            const handled = onMessage(message);
            if (handled === undefined) resolve();
            else handled.then(resolve, reject);
          } catch (error) {
            reject(error instanceof Error ? error : new Error(String(error)));
          }
        });
      });
    const follower = this.#world.log.follow(stream, options, deliver);
    this.#followers.push(follower);
    return follower;
  }

  async close(): Promise<void> {
    await Promise.all(this.#followers.map((follower) => follower.close()));
  }

  /**
   * The process is dead: no answer and no message comes any more. What it had sent is lost, stored,
   * or stored much later, as chance has it.
   */
  die(): void {
    this.#alive = false;
    for (const call of this.#calls) this.#end(call);
    for (const follower of this.#followers) void follower.close();
    for (const { arrival, arrive } of this.#inFlight) {
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
      if (!this.#alive) return;
      this.#end(call);
      answer();
    };
  }

  #end(call: { readonly fromMs: number }): void {
    const nowMs = this.#world.now();
    this.#calls.delete(call);
    if (nowMs - call.fromMs >= disturbanceMs) this.#onDisturbance?.(call.fromMs, nowMs);
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
