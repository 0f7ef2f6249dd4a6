import { setTimeout as delay } from 'node:timers/promises';
import {
  LogFault,
  NotOwner,
  StreamMissing,
  type Desk,
  type DeskSources,
  type Log,
  type LogMessage,
  type Positions,
} from '@meridian/journal';
import { asideStream, eventStream } from '@meridian/wire';
import type { Logger } from 'pino';
import type { AsideReason } from './aside-record.ts';
import { AsideStore, readAside, readAsideItem } from './aside.ts';
import type { Beat } from './beat.ts';
import type { Checkpoints } from './checkpoints.ts';
import type { Clock } from './clock.ts';
import { DeskSet, type Desks, type DesksSpec } from './desks.ts';
import { DueTimer } from './due-timer.ts';
import { reasonOf, retryDelayMs } from './failure.ts';
import type { FollowContext, FollowOptions, HandlerResult } from './follow.ts';
import { historySource, streamSource, type FollowSource } from './follow-source.ts';
import { Following } from './following.ts';
import type { Homes } from './homes.ts';
import type { Leases } from './leases.ts';
import type { Metrics } from './metrics.ts';
import { Progress, type ReadState } from './progress.ts';

import type { Read } from './progress-report.ts';
import type { Service, Timer } from './service.ts';

export interface ServiceRuntimeOptions {
  readonly name: string;
  readonly region: string;
  /** The process's name for itself, new at each start. */
  readonly instance: string;
  readonly log: Log;
  readonly homes: Homes;
  readonly leases: Leases;
  readonly clock: Clock;
  readonly beat: Beat;
  readonly checkpoints: Checkpoints;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/** A handler as the strategy found it. */
export interface FollowHandler {
  readonly options: FollowOptions;
  readonly handle: (
    message: LogMessage,
    context: FollowContext,
  ) => HandlerResult | Promise<HandlerResult>;
}

export type ServiceState = 'new' | 'opening' | 'open' | 'stopped' | 'closed';

export interface ServiceStatus {
  readonly service: string;
  readonly state: ServiceState;
  /** What it waits for, or why it stopped. */
  readonly detail?: string;
  readonly lag: Readonly<Record<string, { readonly sequences: number; readonly ageMs: number }>>;
}

const lagEveryMs = 1_000;
const drainLimitMs = 8_000;

/** One service: opens, follows, fires, reports and drains. The strategy is Nest's way to it. */
export class ServiceRuntime implements Service {
  readonly name: string;
  readonly aside: AsideStore;
  readonly progress: Progress;
  readonly #options: ServiceRuntimeOptions;
  readonly #openWork: (() => Promise<void> | void)[] = [];
  readonly #closeWork: (() => Promise<void> | void)[] = [];
  readonly #timers: DueTimer[] = [];
  readonly #followings = new Set<Following>();
  #desks: DeskSet<Desk> | undefined;
  /** What is followed for each desk that is open. */
  #perHome: readonly FollowHandler[] = [];
  readonly #starts = new Map<string, (checkpoint: number) => number | Promise<number>>();
  readonly #closing = new AbortController();
  readonly #lag: Record<string, { sequences: number; ageMs: number }> = {};
  #state: ServiceState = 'new';
  #detail: string | undefined;
  #lagTimer: NodeJS.Timeout | undefined;
  #closed: Promise<void> | undefined;

  constructor(options: ServiceRuntimeOptions) {
    this.#options = options;
    this.name = options.name;
    const { log, region, clock, beat, instance, name } = options;
    const now = (): number => (clock.started ? clock.now() : Date.now());
    this.aside = new AsideStore({ log, region, service: name, now });
    this.progress = new Progress({ region, service: name, instance, clock, beat });
  }

  get status(): ServiceStatus {
    const detail = this.#detail === undefined ? {} : { detail: this.#detail };
    return { service: this.name, state: this.#state, ...detail, lag: this.#lag };
  }

  onOpen(work: () => Promise<void> | void): void {
    this.#openWork.push(work);
  }

  onClose(work: () => Promise<void> | void): void {
    this.#closeWork.push(work);
  }

  timer(timer: Timer): { touch(): void } {
    const { clock, logger } = this.#options;
    const due = new DueTimer({
      timer,
      clock,
      onFired: () => this.#moved(),
      onFailure: (error, attempt, delayMs) => {
        // The home went elsewhere meanwhile: its owner fires what is due.
        if (error instanceof NotOwner) return;
        logger.error(
          { err: error, timer: timer.name, attempt },
          `A timer failed; fired again in ${delayMs} ms.`,
        );
      },
    });
    this.#timers.push(due);
    this.progress.addTimer(due);
    if (this.#state === 'open') due.open();
    return { touch: () => this.#moved() };
  }

  startAfter(name: string, position: (checkpoint: number) => number | Promise<number>): void {
    this.#starts.set(name, position);
  }

  desks<D extends Desk>(spec: DesksSpec<D>): Desks<D> {
    const { log, region, homes, leases, logger } = this.#options;
    const desksOf = spec.homes ?? homes.regions;
    const desks = new DeskSet<D>({
      ...spec,
      desksOf,
      service: this.name,
      region,
      log,
      homes,
      leases,
      logger,
      openSources: (home, starts, epoch) => this.#openSources(home, starts, epoch),
      onFailure: (error) => this.#stop(reasonOf(error)),
      onMoved: () => this.#moved(),
    });
    this.#desks = desks as unknown as DeskSet<Desk>;
    this.progress.addReader(() => desks.state);
    const { timer } = spec;
    for (const home of timer === undefined ? [] : desksOf) {
      this.timer({
        name: `${timer?.name}.${home}`,
        next: () => {
          const desk = desks.whileOpen(home);
          return desk && timer?.next(desk);
        },
        fire: async (now) => {
          const desk = desks.whileOpen(home);
          if (desk !== undefined) await timer?.fire(desk, now);
        },
      });
    }
    return desks;
  }

  reads(read: () => readonly Read[]): { changed(): void } {
    this.progress.addReader(() => ({ reads: read(), pending: false }));
    return { changed: () => this.progress.changed() };
  }

  /**
   * Waits for the streams and the clock, does the opening work, and follows. What may pass (no
   * server, no stream yet) is waited out; `status` says what for.
   * @throws what no waiting cures; the state is `stopped` then
   */
  async open(handlers: readonly FollowHandler[]): Promise<void> {
    this.#state = 'opening';
    try {
      this.#perHome = handlers.filter(({ options }) => options.per === 'home');
      await this.#waitForStreams(handlers);
      await this.#waitForClock();
      for (const work of this.#openWork) await this.#patiently('its opening work', work);
      this.progress.addReader(() => this.#readState());
      const once = handlers.filter(({ options }) => options.per !== 'home');
      for (const handler of [...once, this.#asideHandler()]) {
        await this.#openFollowing(handler, this.#regional(handler), this.#options.region);
      }
      await this.#openDesks();
    } catch (error) {
      if (this.#closing.signal.aborted) return;
      this.#stop(reasonOf(error));
      throw error;
    }
    if (this.#state !== 'opening') return;
    this.#state = 'open';
    this.#detail = undefined;
    for (const timer of this.#timers) timer.open();
    this.progress.open();
    this.#lagTimer = setInterval(() => void this.#sampleLag(), lagEveryMs);
    this.#lagTimer.unref();
  }

  /** Ends delivery, lets handlers and firings end (8 s at most), keeps checkpoints, reports once more. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    const { logger } = this.#options;
    this.#closing.abort();
    if (this.#state !== 'stopped') this.#state = 'closed';
    clearInterval(this.#lagTimer);
    const closing = [...this.#followings, ...this.#timers, ...(this.#desks ? [this.#desks] : [])];
    const ended = Promise.all(closing.map((one) => one.close()));
    const inTime = await Promise.race([
      ended.then(() => true),
      delay(drainLimitMs, false, { ref: false }),
    ]);
    if (!inTime) {
      logger.warn(
        'Handlers were still running when the drain ended; they run again after the next start.',
      );
    }
    for (const work of this.#closeWork.toReversed()) {
      try {
        await work();
      } catch (error) {
        logger.error({ err: error }, 'Closing work failed.');
      }
    }
    this.progress.close();
  }

  async #openDesks(): Promise<void> {
    const desks = this.#desks;
    if (desks === undefined) {
      if (this.#perHome.length === 0) return;
      throw new Error(
        `${this.name} follows for each home, but keeps no desks: call desks() first.`,
      );
    }
    const { homes } = this.#options;
    const fail = (error: unknown): void => this.#stop(reasonOf(error));
    await this.#patiently('the ledger of the homes', () => homes.open(fail));
    await desks.begin();
  }

  /** All that is read at the moment, for progress. */
  #readState(): ReadState {
    const states = [...this.#followings].map((following) => following.state);
    return {
      reads: states.flatMap(({ reads }) => reads),
      pending: states.some(({ pending }) => pending),
      isTurning: states.some(({ isTurning }) => isTurning === true),
    };
  }

  /** Begins to read all that a desk decides upon. */
  async #openSources(home: string, starts: Positions, epoch: number): Promise<DeskSources> {
    const opened: Following[] = [];
    const close = async (): Promise<void> => {
      await Promise.all(opened.map((one) => one.close()));
      for (const one of opened) this.#followings.delete(one);
    };
    try {
      for (const handler of this.#perHome) {
        for (const source of this.#sourcesFor(handler, home, starts, epoch)) {
          opened.push(await this.#openFollowing(handler, source, home));
        }
      }
    } catch (error) {
      await close();
      throw error;
    }
    return {
      settled: () => Object.assign({}, ...opened.map((one) => one.settled)) as Positions,
      close,
    };
  }

  #sourcesFor(
    { options: { stream, filters, filtersOfOthers = [], shared = false } }: FollowHandler,
    home: string,
    starts: Positions,
    epoch: number,
  ): FollowSource[] {
    const { log, region, homes } = this.#options;
    if (stream === 'EV') {
      return homes.regions.map((of) =>
        historySource({
          log,
          ledger: homes.ledger,
          home: of,
          filters: of === home ? filters : [...filters, ...filtersOfOthers],
          starts,
        }),
      );
    }
    return homes.regions.map((from) =>
      streamSource({
        log,
        kind: stream,
        region: from,
        filters: filters.map((one) => one.replaceAll('{region}', from).replaceAll('{home}', home)),
        isOwn: from === region,
        // What was handled under an epoch counts in it only: a failover may cut some of it off.
        checkpoint: `.${from}.${home}.${epoch}`,
        startAfter: starts[`${stream}_${from}`] ?? 0,
        shared,
      }),
    );
  }

  #regional({ options: { stream, filters } }: FollowHandler): FollowSource {
    const { log, region } = this.#options;
    return streamSource({
      log,
      kind: stream,
      region,
      filters: filters.map((filter) => filter.replaceAll('{region}', region)),
      isOwn: true,
    });
  }

  async #openFollowing(
    { options, handle }: FollowHandler,
    source: FollowSource,
    home: string,
  ): Promise<Following> {
    const { log, clock, checkpoints, metrics, logger } = this.#options;
    const following = new Following({
      options,
      source,
      home,
      clock,
      checkpoints,
      metrics,
      logger,
      handle,
      lastSequence: (stream) => log.lastSequence(stream),
      aside: this.aside,
      onMoved: () => this.#moved(),
      onStopped: (reason) => this.#stop(reason),
    });
    await this.#patiently(source.label, () => following.open(this.#starts.get(following.name)));
    this.#followings.add(following);
    return following;
  }

  /** Follows what was asked to be tried again among this service's own records. */
  #asideHandler(): FollowHandler {
    const { name: service, region, log } = this.#options;
    const filters = [`aside.${region}.${service}.>`];
    return {
      options: { service, name: 'aside', stream: 'ASIDE', filters, order: 'key' },
      handle: async (message) => {
        const item = readAsideItem(message);
        if (item?.status !== 'retry_requested') return;
        const present = await readAside(log, region, item.id);
        if (present?.position !== item.position) return;
        const original = await log.get(item.stream, item.sequence);
        if (original === undefined) {
          const detail = `${item.stream} no longer holds sequence ${item.sequence}.`;
          return this.aside.notTried(item, { code: 'gone', detail, facts: {} });
        }
        const reading = [...this.#followings].filter((one) => one.follows(original));
        const target = reading.find((one) => one.name === item.handler) ?? reading[0];
        if (target === undefined) {
          const detail = `${this.name} no longer handles ${item.subject} of ${item.stream}.`;
          return this.aside.notTried(item, { code: 'no_handler', detail, facts: {} });
        }
        return target.again(original, item);
      },
    };
  }

  async #waitForStreams(handlers: readonly FollowHandler[]): Promise<void> {
    const { region, log } = this.#options;
    const streams = new Set(handlers.map(({ options }) => `${options.stream}_${region}`));
    for (const stream of [...streams, eventStream(region), asideStream(region)]) {
      await this.#patiently(`the stream ${stream}`, () => log.lastSequence(stream));
    }
  }

  async #waitForClock(): Promise<void> {
    const { clock } = this.#options;
    if (clock.started) return;
    this.#detail = 'waits for the first clock message';
    await new Promise<void>((resolve, reject) => {
      const forget = clock.onChange(() => {
        forget();
        resolve();
      });
      this.#closing.signal.addEventListener('abort', () => {
        forget();
        reject(new Error('Closed while waiting for the clock.'));
      });
    });
    this.#detail = undefined;
  }

  /** Tries until it succeeds, as long as the log is away or a stream is not there yet. */
  async #patiently<T>(what: string, work: () => Promise<T> | T): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const result = await work();
        this.#detail = undefined;
        return result;
      } catch (error) {
        const passing =
          error instanceof StreamMissing || (error instanceof LogFault && error.retryable);
        if (!passing || this.#closing.signal.aborted) throw error;
        this.#detail = `waits for ${what}: ${error.message}`;
        if (attempt === 1) this.#options.logger.warn({ err: error }, `Opening waits for ${what}.`);
        await delay(retryDelayMs(attempt), undefined, { signal: this.#closing.signal });
      }
    }
  }

  #moved(): void {
    for (const timer of this.#timers) timer.touch();
    this.progress.changed();
  }

  #stop(reason: AsideReason): void {
    if (this.#state === 'closed' || this.#state === 'stopped') return;
    this.#state = 'stopped';
    this.#detail = `${reason.code}: ${reason.detail}`;
    this.#options.logger.fatal({ reason }, `${this.name} stopped: it cannot go on without help.`);
  }

  async #sampleLag(): Promise<void> {
    for (const following of this.#followings) {
      try {
        this.#lag[following.title] = await following.sampleLag();
      } catch {
        // The log is away; the connection's own state says so.
      }
    }
  }
}
