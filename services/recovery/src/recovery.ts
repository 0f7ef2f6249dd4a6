import { setTimeout as delay } from 'node:timers/promises';
import { LogFault, type Ledger, type Log } from '@meridian/journal';
import { recoveryStatusSubject, type Beat, type Checkpoints } from '@meridian/nest';
import { FollowedPrivacy } from '@meridian/privacy';
import type { NatsConnection } from '@nats-io/nats-core';
import type { Logger } from 'pino';
import { CopiesMetrics, CopyKeeper, describeNote, type CopyNote } from './copies/index.ts';
import type { Control } from './control/control.ts';
import type { Report } from './domain/actions.ts';
import { RegionWatch, type Look, type Sight, type WatchEvent } from './domain/health.ts';
import type { Settings } from './domain/settings.ts';
import { isControlSilent, isWhole } from './domain/state.ts';
import { Drills } from './drills.ts';
import { Keeper, type Every } from './keeper.ts';
import type { RecoveryMetrics } from './metrics.ts';
import { Orphans } from './orphans.ts';
import { Records } from './records.ts';
import { Replication } from './replication.ts';
import { statusOf } from './status.ts';

export interface RecoveryOptions {
  readonly settings: Settings;
  readonly log: Log;
  /** The ledger of the process, kept up to date by others. */
  readonly ledger: Ledger;
  readonly beat: Beat;
  readonly checkpoints: Checkpoints;
  readonly connection: NatsConnection;
  /** Absent where ownership is static: this region decides for its own home under `epoch`. */
  readonly control?: Control;
  readonly epoch: number;
  readonly metrics: RecoveryMetrics;
  readonly copiesMetrics: CopiesMetrics;
  /** One server and one replica. Default false. */
  readonly development?: boolean;
  readonly logger: Logger;
}

const lagLimitMs = 1_000;
const workEveryMs = 1_000;
const eventsLimit = 256;
/** How often it looks whether all writers have come to rest, in ms. */
const restPollMs = 50;

const every: Every = (periodMs, run) => {
  const timer = setInterval(run, periodMs);
  timer.unref();
  return () => clearInterval(timer);
};

/** The recovery of a region, with everything that it does. */
export class Recovery {
  readonly #options: RecoveryOptions;
  readonly #replication: Replication;
  readonly #keeper: Keeper | undefined;
  readonly #copies: CopyKeeper | undefined;
  /** The own streams that are damaged. */
  readonly #damaged = new Set<string>();
  readonly #records: Records;
  readonly #drills: Drills;
  readonly #orphans: Orphans;
  readonly #privacy: FollowedPrivacy;
  readonly #watch: RegionWatch;
  readonly #ends: (() => void)[] = [];
  #events: WatchEvent[] = [];
  /** How many entries were begun for them. */
  #entries = 0;
  #working: Promise<void> | undefined;
  #wellMs = performance.now();
  #probes = 0;

  constructor(options: RecoveryOptions) {
    this.#options = options;
    const { settings, log, beat, metrics, ledger, control } = options;
    const { region, regions } = settings;
    const onFailure = (error: unknown): void => this.#failed(error);
    const clocks = { monotonicMs: () => performance.now(), wallMs: () => Date.now(), every };
    this.#replication = new Replication({
      log,
      beat,
      region,
      regions,
      ...clocks,
      onArrival: (origin, stream, lagMs) => metrics.lag.observe({ origin, stream }, lagMs / 1_000),
      onMessage: (message) => this.#copies?.arrived(message),
      onFailure,
    });
    this.#keeper =
      control === undefined
        ? undefined
        : new Keeper({
            settings,
            log,
            beat,
            control,
            ...clocks,
            positions: () => this.#replication.positions(),
            compare: () => this.#copies?.compare() ?? Promise.resolve('whole'),
            onReport: (report) => this.#onReport(report),
            onFailure,
          });
    this.#copies = this.#openCopies();
    const epochOf = (home: string): number | undefined => this.epochOf(home);
    this.#records = new Records({ log, region, ledger, epochOf });
    this.#drills = new Drills({ log, regions, records: this.#records, epochOf, onFailure });
    this.#orphans = new Orphans({
      log,
      regions,
      ledger,
      records: this.#records,
      epochOf,
      onAccounted: (home, fate) => metrics.orphans.inc({ home, fate }),
      onFailure,
    });
    const { regions: all } = settings;
    this.#privacy = new FollowedPrivacy({ log, ledger, regions: all, onFailure });
    this.#watch = new RegionWatch({
      region,
      peers: regions.length - 1,
      lagLimitMs,
      settleMs: settings.leaseMs / 5,
    });
  }

  /** The homes that recovery itself is writing for, and their epochs. */
  deciding(): Record<string, number> {
    return this.#records.deciding();
  }

  /** The epoch under which this region decides for a home now; undefined when it does not. */
  epochOf(home: string): number | undefined {
    if (this.#keeper !== undefined) return this.#keeper.epochOf(home);
    return home === this.#options.settings.region ? this.#options.epoch : undefined;
  }

  async open(): Promise<void> {
    for (const home of this.#options.settings.regions) this.#options.metrics.begin(home);
    await this.#replication.open();
    void this.#watchConnection();
    // What a copy does not hold yet comes later; nothing is taken over before a lease's length.
    const { leaseMs } = this.#options.settings;
    await Promise.race([this.#privacy.caughtUp(), delay(leaseMs, undefined, { ref: false })]);
    await this.#keeper?.open();
    this.#tellResidency();
    this.#ends.push(this.#privacy.onChange(() => this.#tellResidency()));
    this.#copies?.start();
    this.#drills.open();
    this.#orphans.open();
    this.#ends.push(
      every(workEveryMs, () => {
        this.#probe();
        this.#look();
        this.#working ??= this.#work().finally(() => {
          this.#working = undefined;
        });
      }),
    );
    this.#look();
    this.#ends.push(
      this.#options.ledger.onChange((home) => {
        this.#options.metrics.epochChanges.inc({ home });
        this.#tellStatus(performance.now(), Date.now());
      }),
    );
  }

  async close(): Promise<void> {
    for (const end of this.#ends) end();
    await this.#working;
    await this.#copies?.stop();
    await this.#keeper?.close();
    await this.#drills.close();
    await this.#orphans.close();
    await this.#privacy.close();
    await this.#replication.close();
  }

  #tellResidency(): void {
    this.#keeper?.tell({ type: 'residency', sets: this.#privacy.residencySets() });
  }

  async #work(): Promise<void> {
    await this.#store();
    await this.#drills.work();
    await this.#orphans.work();
  }

  /** The region's own log must take what is stored, or another region had better decide. */
  #probe(): void {
    const { checkpoints, settings } = this.#options;
    this.#probes += 1;
    checkpoints.save('recovery', 'probe', this.#probes).then(
      () => {
        this.#wellMs = performance.now();
      },
      () => {},
    );
    const silentMs = performance.now() - this.#wellMs;
    this.#keeper?.tell({
      type: 'wellness',
      well: silentMs < settings.leaseMs - settings.guardMs,
    });
  }

  /** Compares and mends the copies; there are none where a region is alone or nobody can be fenced. */
  #openCopies(): CopyKeeper | undefined {
    const { connection, settings, copiesMetrics, development = false } = this.#options;
    const { region, regions } = settings;
    const keeper = this.#keeper;
    if (keeper === undefined || regions.length === 1) return undefined;
    return new CopyKeeper({
      connection,
      region,
      regions,
      development,
      metrics: copiesMetrics,
      isActive: () => keeper.state.lease.role !== 'standby',
      onNote: (note) => this.#onNote(note),
      onTrouble: (error) => this.#failed(error),
      fence: {
        close: async (stream) => {
          this.#damaged.add(stream);
          keeper.tell({ type: 'damage', damaged: true });
          while (this.#damaged.has(stream) && !this.#isAtRest(keeper)) await delay(restPollMs);
        },
        open: (stream) => {
          this.#damaged.delete(stream);
          if (this.#damaged.size === 0) keeper.tell({ type: 'damage', damaged: false });
        },
      },
    });
  }

  #isAtRest(keeper: Keeper): boolean {
    return keeper.isAtRest() && Object.keys(this.#records.deciding()).length === 0;
  }

  #onNote(note: CopyNote): void {
    const isBad = ['wrong', 'undecided', 'mend_failed'].includes(note.what);
    this.#options.logger[isBad ? 'error' : 'info']({ note }, describeNote(note));
  }

  async #watchConnection(): Promise<void> {
    for await (const { type } of this.#options.connection.status()) {
      if (type === 'disconnect') this.#keeper?.tell({ type: 'nats', connected: false });
      else if (type === 'reconnect') this.#keeper?.tell({ type: 'nats', connected: true });
    }
  }

  #onReport(report: Report): void {
    const { metrics, logger } = this.#options;
    if (report.what === 'lease' && !report.held) metrics.leaseLapses.inc();
    const { what, ...facts } = report;
    logger.info({ report: what, ...facts }, `Ownership: ${what.replaceAll('_', ' ')}.`);
  }

  /** Looks at everything once: metrics, and what is worth an event. */
  #look(): void {
    const now = { nowMs: performance.now(), wallMs: Date.now() };
    this.#measure(now.nowMs, now.wallMs);
    const events = this.#watch.look(this.#seen(now.nowMs, now.wallMs), now);
    for (const { event } of events) {
      const { type, subject, data } = event;
      this.#options.logger.info({ subject, data }, type);
    }
    this.#events = [...this.#events, ...events].slice(-eventsLimit);
    this.#options.metrics.isolated.set(this.#watch.isIsolated ? 1 : 0);
    this.#tellStatus(now.nowMs, now.wallMs);
  }

  #tellStatus(nowMs: number, wallMs: number): void {
    const { beat, ledger, settings } = this.#options;
    const status = statusOf({
      region: settings.region,
      regions: settings.regions,
      ledger,
      state: this.#keeper?.state,
      replication: this.#replication,
      isolated: this.#watch.isIsolated,
      nowMs,
      wallMs,
    });
    beat.publish(recoveryStatusSubject(settings.region), JSON.stringify(status));
  }

  #measure(nowMs: number, wallMs: number): void {
    const { metrics, settings, ledger } = this.#options;
    let atRiskMs = 0;
    for (const [stream, backlog] of this.#replication.backlogs) {
      atRiskMs = Math.max(atRiskMs, backlog.atRiskMs(wallMs));
      for (const peer of this.#replication.peers) {
        metrics.behindEvents.set({ peer, stream }, backlog.behind(peer));
        metrics.behindSeconds.set({ peer, stream }, backlog.ageMs(peer, wallMs) / 1_000);
      }
    }
    if (this.#replication.peers.length > 0) metrics.atRisk.set(atRiskMs / 1_000);
    for (const peer of this.#replication.peers) {
      const heardMs = this.#replication.heardMs(peer) ?? 0;
      metrics.peerSilent.set({ peer }, (nowMs - heardMs) / 1_000);
    }
    for (const home of settings.regions) {
      metrics.owner.set({ home }, this.epochOf(home) === undefined ? 0 : 1);
      metrics.epoch.set({ home }, ledger.current(home).epoch);
      metrics.orphansOpen.set({ home }, this.#orphans.countOpen(home));
    }
    const state = this.#keeper?.state;
    if (state === undefined) return;
    metrics.leaseHeld.set(this.#keeper?.holdsLease === true ? 1 : 0);
    metrics.leaseRemaining.set(Math.max(0, state.lease.untilMs - nowMs) / 1_000);
    metrics.intakeOpen.set(isWhole(state) ? 1 : 0);
    metrics.controlSilent.set(isControlSilent(state, nowMs) ? 1 : 0);
  }

  #seen(nowMs: number, wallMs: number): Look {
    const { settings } = this.#options;
    const state = this.#keeper?.state;
    const unreachable = this.#replication.peers.filter(
      (peer) => nowMs - (this.#replication.heardMs(peer) ?? 0) > settings.leaseMs,
    );
    const lags = [...this.#replication.backlogs].flatMap(([stream, backlog]) =>
      this.#replication.peers.map((region) => ({
        stream,
        region,
        behind: backlog.behind(region),
        lagMs: backlog.ageMs(region, wallMs),
      })),
    );
    const sights = this.#replication.peers.map((region): Sight => {
      const reasons = lags
        .filter((lag) => lag.region === region && lag.lagMs > lagLimitMs)
        .map((lag) => `LAG: ${lag.stream} is ${Math.round(lag.lagMs)} ms behind there.`);
      if (unreachable.includes(region)) {
        reasons.unshift(`NOT_HEARD: ${region} has not said what it holds for a lease's length.`);
      }
      if (state?.view.isLapsed(region) === true) {
        return { region, health: 'LOST', reasons: ['LEASE_LAPSED: its lease is not renewed.'] };
      }
      return { region, health: reasons.length > 0 ? 'DEGRADED' : 'HEALTHY', reasons };
    });
    return {
      sights: [...sights, ...this.#own(nowMs)],
      unreachable,
      isControlSilent: state !== undefined && isControlSilent(state, nowMs),
      isServing:
        this.#keeper?.holdsLease === false &&
        settings.regions.some((home) => this.epochOf(home) !== undefined),
      lags,
    };
  }

  #own(nowMs: number): Sight[] {
    const state = this.#keeper?.state;
    if (state === undefined) return [];
    const { region } = state.settings;
    const { phase } = state.fence;
    const codes = {
      away: 'NATS_AWAY',
      comparing: 'COMPARING',
      mending: 'MENDING',
      differs: 'COPIES_DIFFER',
    };
    if (state.damagedSinceMs !== undefined) {
      const streams = [...this.#damaged].join(', ');
      return [{ region, health: 'FENCED', reasons: [`COPY_DAMAGED: ${streams} is mended.`] }];
    }
    if (phase !== 'whole') {
      return [{ region, health: 'FENCED', reasons: [`${codes[phase]}: nothing is decided here.`] }];
    }
    if (state.lease.role === 'standby') return [];
    if (nowMs >= state.lease.untilMs) {
      return [{ region, health: 'FENCED', reasons: ['LEASE_ENDED: it could not be renewed.'] }];
    }
    return state.isWell
      ? [{ region, health: 'HEALTHY', reasons: [] }]
      : [{ region, health: 'DEGRADED', reasons: ['NOT_WELL: the own log takes nothing.'] }];
  }

  /** Stores what was seen, as soon as this region decides for its own home. */
  async #store(): Promise<void> {
    const { region } = this.#options.settings;
    while (this.#events.length > 0 && this.epochOf(region) !== undefined) {
      const batch = this.#events.slice(0, 16);
      // One cause an entry: what was seen at one moment may be stored in two.
      this.#entries += 1;
      const causationId = `recovery.${region}.${batch[0]?.atMs}.${this.#entries}`;
      try {
        await this.#records.store(
          region,
          { entity: 'region', id: region },
          batch.map(({ event, atMs }) => ({
            ...event,
            timeMs: atMs,
            cause: { causationId },
          })),
        );
      } catch (error) {
        this.#failed(error);
        return;
      }
      this.#events = this.#events.filter((one) => !batch.includes(one));
    }
  }

  #failed(error: unknown): void {
    const { logger } = this.#options;
    if (error instanceof LogFault && error.retryable) logger.debug({ err: error }, error.message);
    else logger.error({ err: error }, 'Recovery could not do something; it goes on.');
  }
}
