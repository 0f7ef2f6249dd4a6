import { Ledger, type Follower, type Log } from '@meridian/journal';
import {
  leaseAskSubject,
  leaseGrantSubject,
  parseLeaseAsk,
  type Beat,
  type LeaseAnswer,
} from '@meridian/nest';
import type { Action, Comparison, Input, Position, Report } from './domain/actions.ts';
import { grantable } from './domain/granting.ts';
import { step } from './domain/ownership.ts';
import type { Settings } from './domain/settings.ts';
import { initialState, isLeaseHeld, type State } from './domain/state.ts';
import { WrongRevision, type Control } from './control/control.ts';
import { appendOwnership, followOwnership, followRequests } from './ownership-log.ts';
import type { OwnershipEntry } from './ownership-log.ts';

/** Calls back periodically. @returns what ends it */
export type Every = (periodMs: number, run: () => void) => () => void;

export interface KeeperOptions {
  readonly settings: Settings;
  readonly log: Log;
  readonly control: Control;
  readonly beat: Beat;
  /** Where the local copies of the `EV_` streams end, by region. */
  readonly positions: () => Readonly<Record<string, Position>>;
  readonly compare: () => Promise<Comparison>;
  readonly monotonicMs: () => number;
  readonly wallMs: () => number;
  readonly every: Every;
  readonly onReport: (report: Report) => void;
  readonly onFailure: (error: unknown) => void;
}

const tickEveryMs = 50;

/** Carries out what the decider of a region's recovery decides, and tells it what happens. */
export class Keeper {
  readonly #options: KeeperOptions;
  readonly #state: State;
  readonly #ledger = new Ledger();
  /** The requests that the log has answered. */
  readonly #settled = new Set<string>();
  readonly #ends: (() => void)[] = [];
  #followers: Follower[] = [];
  #isOpen = false;

  constructor(options: KeeperOptions) {
    this.#options = options;
    const { settings, monotonicMs, wallMs } = options;
    this.#state = initialState(settings, { nowMs: monotonicMs(), wallMs: wallMs() });
  }

  /** What is known; read only. */
  get state(): State {
    return this.#state;
  }

  /** The ledger as the local copies tell it; read only. */
  get ledger(): Ledger {
    return this.#ledger;
  }

  get holdsLease(): boolean {
    return isLeaseHeld(this.#state, this.#options.monotonicMs());
  }

  /** The epoch under which this region decides for a home now; undefined when it does not. */
  epochOf(home: string): number | undefined {
    return grantable(this.#state, home, this.#options.monotonicMs());
  }

  /** Reads the ownerships that there were, then begins. */
  async open(): Promise<void> {
    const { settings, log, control, beat, every, wallMs, onFailure } = this.#options;
    const { regions, region } = settings;
    const ownerships = followOwnership(log, regions, onFailure, (entry) => this.#onEntry(entry));
    this.#followers = ownerships;
    await Promise.all(ownerships.map((follower) => follower.caughtUp()));
    this.#isOpen = true;
    for (const home of regions) this.#tellLedger(home);
    this.#followers.push(
      ...followRequests(log, regions, onFailure, (request, storedAtMs) => {
        const isOld = storedAtMs < wallMs() - settings.requestLimitMs;
        if (!isOld && !this.#settled.has(request.id)) this.tell({ type: 'request', request });
      }),
    );
    this.#ends.push(
      control.watch((entry) => this.tell({ type: 'control_changed', entry })),
      beat.subscribe(leaseAskSubject(region, '*'), (text) => {
        const ask = parseLeaseAsk(text);
        if (ask !== undefined) this.tell({ type: 'ask', ...ask });
      }),
      every(tickEveryMs, () => {
        this.tell({ type: 'positions', positions: this.#options.positions() });
        this.tell({ type: 'tick' });
      }),
    );
  }

  async close(): Promise<void> {
    this.#isOpen = false;
    for (const end of this.#ends) end();
    await Promise.all(this.#followers.map((follower) => follower.close()));
    await this.#options.control.close();
  }

  /**
   * Whether nothing of this region writes to its streams: whatever was granted before is over, and
   * every process has heard that the way in is shut.
   */
  isAtRest(): boolean {
    const { settings, grants, lease } = this.#state;
    const nowMs = this.#options.monotonicMs();
    return (
      nowMs >= lease.activeSinceMs + settings.leaseMs &&
      grants.isIntakeAtRest(nowMs, settings.leaseMs) &&
      settings.regions.every((home) => grants.isAtRest(home, nowMs, settings.leaseMs))
    );
  }

  /** Something has happened. */
  tell(input: Input): void {
    if (!this.#isOpen) return;
    const { monotonicMs, wallMs } = this.#options;
    const { actions } = step(this.#state, input, { nowMs: monotonicMs(), wallMs: wallMs() });
    for (const action of actions) this.#act(action);
  }

  #act(action: Action): void {
    switch (action.type) {
      case 'read_control':
        void this.#read(action.id);
        return;
      case 'write':
        void this.#write(action);
        return;
      case 'append':
        void this.#append(action);
        return;
      case 'answer':
        this.#answer(action);
        return;
      case 'compare':
        void this.#compare(action.id);
        return;
      case 'report':
        this.#options.onReport(action.report);
    }
  }

  async #read(id: number): Promise<void> {
    try {
      const { incarnation, entries } = await this.#options.control.read();
      this.tell({ type: 'control_read', id, incarnation, entries });
    } catch {
      this.tell({ type: 'control_unread', id });
    }
  }

  async #write({
    id,
    key,
    value,
    expectedRevision,
  }: Extract<Action, { type: 'write' }>): Promise<void> {
    try {
      const revision = await this.#options.control.write(key, value, expectedRevision);
      this.tell({ type: 'written', id, revision });
    } catch (error) {
      this.tell({ type: error instanceof WrongRevision ? 'write_refused' : 'write_lost', id });
    }
  }

  async #append(action: Extract<Action, { type: 'append' }>): Promise<void> {
    const { log, settings, wallMs } = this.#options;
    try {
      const sequence = await appendOwnership(log, settings.region, wallMs(), action);
      this.tell({ type: 'appended', id: action.id, sequence });
    } catch {
      this.tell({ type: 'append_lost', id: action.id });
    }
  }

  async #compare(id: number): Promise<void> {
    const { compare, onFailure } = this.#options;
    let outcome: Comparison = 'unreachable';
    try {
      outcome = await compare();
      // What the copies hold by now may say that others decide.
      await Promise.all(this.#followers.map((follower) => follower.caughtUp()));
    } catch (error) {
      onFailure(error);
    }
    this.tell({ type: 'compared', id, outcome });
  }

  #answer({ instance, nonce, answerId, intake, homes }: Extract<Action, { type: 'answer' }>): void {
    const { beat, settings } = this.#options;
    const answer: LeaseAnswer = { id: answerId, nonce, intake, homes };
    beat.publish(leaseGrantSubject(settings.region, instance), JSON.stringify(answer));
  }

  #onEntry({ home, sequence, events }: OwnershipEntry): void {
    for (const event of events) {
      this.#settled.add(event.causationid);
      this.tell({ type: 'request_settled', home, id: event.causationid });
      if (event.type === 'meridian.failover.sealed.v1') {
        const { epoch, to } = event.data;
        this.tell({ type: 'sealed', home, epoch, to, sequence });
      } else if (event.type === 'meridian.failover.completed.v1') {
        const { epoch, owner, seals } = event.data;
        if (this.#ledger.take({ home, epoch, owner, seals })) this.#tellLedger(home);
      }
    }
  }

  #tellLedger(home: string): void {
    this.tell({ type: 'ledger', home, epochs: this.#ledger.epochs(home) });
  }
}
