import { setTimeout as delay } from 'node:timers/promises';
import type { Rejection } from '@meridian/core';
import {
  NotOwner,
  type DomainEvent,
  type LogMessage,
  type Outcome,
  type Positions,
} from '@meridian/journal';
import type { Logger } from 'pino';
import type { AsideItem, AsideReason } from './aside-record.ts';
import type { AsideStore, Handling } from './aside.ts';
import { CheckpointWriter, type Checkpoints } from './checkpoints.ts';
import { eventTimeOf, whenClockShows } from './clock-gate.ts';
import type { Clock } from './clock.ts';
import { onFailure, reasonOf, retryDelayMs } from './failure.ts';
import type { FollowSource, SourceFollower } from './follow-source.ts';
import { FollowContext, type FollowOptions, type HandlerResult } from './follow.ts';
import { Lanes } from './lanes.ts';
import type { Metrics } from './metrics.ts';
import type { ReadState } from './progress.ts';
import { traceparentOf, tracingIsOn, withSpan } from './tracing.ts';

export interface FollowingOptions {
  readonly options: FollowOptions;
  readonly source: FollowSource;
  /** For which home it is handled. */
  readonly home: string;
  readonly clock: Clock;
  readonly aside: AsideStore;
  readonly checkpoints: Checkpoints;
  /** Where a stream ends. */
  readonly lastSequence: (stream: string) => Promise<number>;
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

/** The service drains, or the desk closes: this message will be handled when it opens again. */
class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

/** One handler's reading of one source: order, failures, checkpoint. */
export class Following {
  readonly name: string;
  readonly source: FollowSource;
  readonly #options: FollowingOptions;
  readonly #lanes = new Lanes();
  readonly #closing = new AbortController();
  /** Messages under way: sequence to when they were stored, oldest first. */
  readonly #underWay = new Map<number, number>();
  #follower: SourceFollower | undefined;
  #checkpoint: CheckpointWriter | undefined;
  /** With `order: 'submit'`: the last of those that wait for the clock, all later ones behind it. */
  #gateTail: Promise<void> | undefined;
  #moving = false;

  constructor(options: FollowingOptions) {
    this.#options = options;
    this.name = options.options.name;
    this.source = options.source;
  }

  /** For messages and metrics: the handler, and of a desk what it reads and for whom. */
  get title(): string {
    const { options, source, home } = this.#options;
    return options.per === 'home' ? `${this.name}.${source.label}.for.${home}` : this.name;
  }

  /** Everything up to here is settled. */
  get position(): number {
    return this.#follower?.position ?? 0;
  }

  /** Whether this message is one of those that it follows. */
  follows(message: LogMessage): boolean {
    return this.source.follows(message);
  }

  /** For progress: how far each filter is read. */
  get state(): ReadState {
    return {
      reads: this.#follower?.reads() ?? [],
      pending: this.#underWay.size > 0,
      isTurning: this.#follower?.isMoving === true,
    };
  }

  /** What is settled, by source. */
  get settled(): Positions {
    return this.#follower?.settled() ?? {};
  }

  /**
   * Goes on after the checkpoint, or where `startAfter` says.
   * @throws Error when the checkpoint is beyond the end of the stream
   * @throws LogFault when the log does not answer
   */
  async open(startAfter?: (checkpoint: number) => number | Promise<number>): Promise<void> {
    const { options, source, checkpoints } = this.#options;
    const name = source.checkpoint === undefined ? undefined : `${this.name}${source.checkpoint}`;
    const kept = name === undefined ? 0 : await checkpoints.load(options.service, name);
    const after =
      startAfter === undefined ? Math.max(kept, source.startAfter) : await startAfter(kept);
    if (source.isOwn) await this.#checkEnd(after);
    if (name !== undefined) this.#checkpoint = this.#checkpointWriter(name, kept);
    const { maxPending } = options;
    this.#follower = source.follow(
      {
        after,
        ...(maxPending === undefined ? {} : { maxPending }),
        onFailure: (error) => this.#stopped(error),
      },
      (message) => this.#deliver(message),
    );
  }

  async #checkEnd(after: number): Promise<void> {
    if (after === 0) return;
    const last = await this.#options.lastSequence(this.source.label);
    if (after <= last) return;
    throw new Error(
      `${this.#options.options.service}.${this.name} should go on after sequence ${after} of ` +
        `${this.source.label}, which ends at ${last}.\nThe stream has lost its end or was made anew: ` +
        'restore it, or delete the checkpoint to read it from the start.',
    );
  }

  #checkpointWriter(name: string, kept: number): CheckpointWriter {
    const { options, checkpoints, logger } = this.#options;
    return new CheckpointWriter(
      kept,
      (position) => checkpoints.save(options.service, name, position),
      (error) =>
        logger.warn(
          { err: error, read: this.name },
          'The checkpoint could not be kept; tried again when it moves.',
        ),
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
    const { metrics, source } = this.#options;
    const { position } = this;
    const sequences = Math.max(0, (await source.end()) - position);
    const [oldestMs] = this.#underWay.values();
    const ageMs =
      sequences === 0 || oldestMs === undefined ? 0 : Math.max(0, Date.now() - oldestMs);
    metrics.lag(this.title, { position, sequences, ageMs });
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
        if (error instanceof NotOwner) throw new Interrupted('The desk closes.');
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
    const { home, source } = this.#options;
    const place = { home, source: source.placeOf(message) };
    const context = new FollowContext([message, attempt, asked, place]);
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
