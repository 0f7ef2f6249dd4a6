import { setTimeout as delay } from 'node:timers/promises';
import type { Rejection } from '@meridian/core';
import {
  matchesFilter,
  type DomainEvent,
  type Follower,
  type Log,
  type LogMessage,
  type Outcome,
} from '@meridian/journal';
import type { Logger } from 'pino';
import type { AsideItem, AsideReason } from './aside-record.ts';
import type { AsideStore, Handling } from './aside.ts';
import { CheckpointWriter, type Checkpoints } from './checkpoints.ts';
import { eventTimeOf, whenClockShows } from './clock-gate.ts';
import type { Clock } from './clock.ts';
import { onFailure, reasonOf, retryDelayMs } from './failure.ts';
import { FollowContext, type FollowOptions, type HandlerResult } from './follow.ts';
import { Lanes } from './lanes.ts';
import type { Metrics } from './metrics.ts';
import type { ReadState } from './progress.ts';
import { traceparentOf, tracingIsOn, withSpan } from './tracing.ts';

export interface FollowingOptions {
  readonly options: FollowOptions;
  readonly region: string;
  readonly log: Log;
  readonly clock: Clock;
  readonly aside: AsideStore;
  readonly checkpoints: Checkpoints;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly handle: (
    message: LogMessage,
    context: FollowContext,
  ) => HandlerResult | Promise<HandlerResult>;
  /** Told soon after messages have settled: positions have moved by then. */
  readonly onMoved: () => void;
  /** Told once when it stops by itself. */
  readonly onStopped: (reason: AsideReason) => void;
}

/** The service drains: this message will be handled after the next start. */
class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

/** One handler's reading of one stream: order, failures, checkpoint. */
export class Following {
  readonly name: string;
  readonly stream: string;
  readonly filters: readonly string[];
  readonly #options: FollowingOptions;
  readonly #lanes = new Lanes();
  readonly #closing = new AbortController();
  /** Messages under way: sequence to when they were stored, oldest first. */
  readonly #underWay = new Map<number, number>();
  #follower: Follower | undefined;
  #checkpoint: CheckpointWriter | undefined;
  /** With `order: 'submit'`: the last of those that wait for the clock, all later ones behind it. */
  #gateTail: Promise<void> | undefined;
  #moving = false;

  constructor(options: FollowingOptions) {
    this.#options = options;
    const {
      region,
      options: { name, stream, filters },
    } = options;
    this.name = name;
    this.stream = `${stream}_${region}`;
    this.filters = filters.map((filter) => filter.replaceAll('{region}', region));
  }

  /** Everything up to here is settled. */
  get position(): number {
    return this.#follower?.position ?? 0;
  }

  /** Whether this message is one of those that it follows. */
  follows({ stream, subject }: LogMessage): boolean {
    return stream === this.stream && this.filters.some((filter) => matchesFilter(filter, subject));
  }

  /** For progress: how far each filter is read. */
  get state(): ReadState {
    const { position } = this;
    const reads = this.filters.map((filter) => ({ stream: this.stream, filter, position }));
    return { reads, pending: this.#underWay.size > 0 };
  }

  /**
   * Goes on after the checkpoint, or where `startAfter` says.
   * @throws Error when the checkpoint is beyond the end of the stream
   * @throws LogFault when the log does not answer
   */
  async open(startAfter?: (checkpoint: number) => number | Promise<number>): Promise<void> {
    const { options, log, checkpoints, logger } = this.#options;
    const kept = await checkpoints.load(options.service, this.name);
    const after = startAfter === undefined ? kept : await startAfter(kept);
    const last = await log.lastSequence(this.stream);
    if (after > last) {
      throw new Error(
        `${options.service}.${this.name} should go on after sequence ${after} of ${this.stream}, ` +
          `which ends at ${last}.\nThe stream has lost its end or was made anew: ` +
          'restore it, or delete the checkpoint to read it from the start.',
      );
    }
    this.#checkpoint = new CheckpointWriter(
      kept,
      (position) => checkpoints.save(options.service, this.name, position),
      (error) =>
        logger.warn(
          { err: error, read: this.name },
          'The checkpoint could not be kept; tried again when it moves.',
        ),
    );
    const { maxPending } = options;
    this.#follower = log.follow(
      this.stream,
      {
        after,
        filters: this.filters,
        ...(maxPending === undefined ? {} : { maxPending }),
        onFailure: (error) => this.#stopped(error),
      },
      (message) => this.#deliver(message),
    );
  }

  /** Handles a message again that had been set aside; resolves when what came of it is kept. */
  again(message: LogMessage, asked: AsideItem): Promise<void> {
    const task = (): Promise<void> => this.#settle(message, asked);
    return this.#options.options.order === 'key'
      ? this.#lanes.run(this.#keyOf(message), task)
      : task();
  }

  /** Sets the lag metrics. @throws LogFault when the log does not say where it ends */
  async sampleLag(): Promise<{ readonly sequences: number; readonly ageMs: number }> {
    const { log, metrics } = this.#options;
    const lasts = await Promise.all(
      this.filters.map((filter) => log.lastSequence(this.stream, filter)),
    );
    const { position } = this;
    const sequences = Math.max(0, Math.max(0, ...lasts) - position);
    const [oldestMs] = this.#underWay.values();
    const ageMs =
      sequences === 0 || oldestMs === undefined ? 0 : Math.max(0, Date.now() - oldestMs);
    metrics.lag(this.name, { position, sequences, ageMs });
    return { sequences, ageMs };
  }

  /** Ends delivery, lets handlers end, gives up retries, keeps the checkpoint. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#follower?.close();
    this.#checkpoint?.moved(this.position);
    await this.#checkpoint?.flush();
  }

  #deliver(message: LogMessage): Promise<void> {
    const { options, metrics } = this.#options;
    const startedMs = performance.now();
    this.#underWay.set(message.sequence, message.storedAtMs);
    const result =
      options.order === 'key'
        ? this.#lanes.run(this.#keyOf(message), () => this.#gated(message))
        : this.#submit(message);
    const settled = (): void => {
      this.#underWay.delete(message.sequence);
      metrics.handled(this.name, performance.now() - startedMs);
      this.#moved();
    };
    result.then(settled, settled);
    return result;
  }

  #keyOf(message: LogMessage): string {
    const { key } = this.#options.options;
    if (key === undefined) return message.subject;
    try {
      return key(message);
    } catch {
      // Its handler will say what is wrong with it.
      return message.subject;
    }
  }

  async #gated(message: LogMessage): Promise<void> {
    const timeMs = this.#aheadOfClock(message);
    if (timeMs !== undefined) await whenClockShows(this.#options.clock, timeMs);
    return this.#settle(message);
  }

  /** Starts at once, unless this message or one before it waits for the clock. */
  #submit(message: LogMessage): Promise<void> {
    const timeMs = this.#aheadOfClock(message);
    if (timeMs === undefined && this.#gateTail === undefined) return this.#settle(message);
    const gate = (this.#gateTail ?? Promise.resolve()).then(async () => {
      if (timeMs !== undefined) await whenClockShows(this.#options.clock, timeMs);
    });
    this.#gateTail = gate;
    return gate.then(() => {
      if (this.#gateTail === gate) this.#gateTail = undefined;
      return this.#settle(message);
    });
  }

  /** The time of a decision that another service made ahead of the clock as it is known here. */
  #aheadOfClock(message: LogMessage): number | undefined {
    const { clock, options } = this.#options;
    if (clock.source === 'system' || options.stream !== 'EV') return undefined;
    const timeMs = eventTimeOf(message);
    return timeMs !== undefined && timeMs > clock.now() ? timeMs : undefined;
  }

  /** Handles a message until it is done, rejected or set aside, and what came of it is kept. */
  async #settle(message: LogMessage, asked?: AsideItem): Promise<void> {
    const { options, metrics, logger } = this.#options;
    for (let attempt = 1; ; attempt += 1) {
      const handling: Handling = {
        handler: this.name,
        attempts: attempt,
        ...(asked === undefined ? {} : { asked }),
      };
      let result: HandlerResult;
      try {
        result = await this.#handle(message, attempt, asked !== undefined);
      } catch (error) {
        const choice = onFailure(error, attempt, options.order);
        const where = {
          err: error,
          read: this.name,
          stream: message.stream,
          sequence: message.sequence,
          attempt,
        };
        if (choice.kind === 'retry') {
          metrics.retried(this.name);
          logger.warn(where, `Tried again in ${choice.delayMs} ms.`);
          await this.#wait(choice.delayMs);
          continue;
        }
        if (choice.kind === 'stop') throw error;
        logger.error(where, 'Set aside.');
        metrics.setAside(this.name, choice.reason.code);
        await this.#untilKept(() => this.#options.aside.failed(message, choice.reason, handling));
        return;
      }
      return this.#keep(message, result, handling);
    }
  }

  #handle(
    message: LogMessage,
    attempt: number,
    asked: boolean,
  ): HandlerResult | Promise<HandlerResult> {
    const { options, handle } = this.#options;
    const context = new FollowContext([message, attempt, asked]);
    if (!tracingIsOn()) return handle(message, context);
    const attributes = {
      'messaging.destination.name': message.subject,
      'messaging.message.id': message.sequence,
    };
    const name = `${options.service}.${this.name}`;
    return withSpan(
      name,
      traceparentOf(message.text()),
      () => handle(message, context),
      attributes,
    );
  }

  /** Counts outcomes and keeps the first rejection. */
  async #keep(message: LogMessage, result: HandlerResult, handling: Handling): Promise<void> {
    const { aside, metrics } = this.#options;
    let rejection: Rejection | undefined;
    for (const outcome of outcomesOf(result)) {
      metrics.outcome(outcome);
      if (outcome.kind === 'rejected') rejection ??= outcome.rejection;
    }
    const { asked } = handling;
    if (rejection !== undefined) {
      const first = rejection;
      await this.#untilKept(() => aside.rejected(message, first, handling));
    } else if (asked !== undefined) {
      await this.#untilKept(() => aside.resolved(message, { ...handling, asked }));
    }
  }

  /** A record that cannot be kept now is kept later: the position must not pass it. */
  async #untilKept(keep: () => Promise<void>): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await keep();
      } catch (error) {
        if (onFailure(error, attempt).kind !== 'retry') throw error;
        const where = { err: error, read: this.name, attempt };
        this.#options.logger.warn(where, 'A record for ASIDE could not be stored yet.');
        await this.#wait(retryDelayMs(attempt));
      }
    }
  }

  async #wait(delayMs: number): Promise<void> {
    try {
      await delay(delayMs, undefined, { signal: this.#closing.signal });
    } catch {
      throw new Interrupted('The service drains.');
    }
  }

  /** Tells once for all that settle in one turn, after the follower has counted them. */
  #moved(): void {
    if (this.#moving) return;
    this.#moving = true;
    setImmediate(() => {
      this.#moving = false;
      this.#checkpoint?.moved(this.position);
      this.#options.onMoved();
    });
  }

  #stopped(error: unknown): void {
    if (error instanceof Interrupted) return;
    this.#options.onStopped(reasonOf(error));
  }
}

function outcomesOf(result: HandlerResult): readonly Outcome<DomainEvent>[] {
  if (result === undefined || result === null || typeof result !== 'object') return [];
  const list = (Array.isArray(result) ? result : [result]) as readonly Outcome<DomainEvent>[];
  return list.filter((one) => one?.kind === 'decided' || one?.kind === 'rejected');
}
