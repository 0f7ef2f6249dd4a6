import type { Action, AppendPurpose, Comparison, EpochRecord, Position } from './actions.ts';
import { ControlView, homeKey, type HomeRecord, type Seal } from './control.ts';
import type { Facts, Request } from './failover-events.ts';
import { GrantBook } from './grants.ts';
import type { Moment, Settings } from './settings.ts';

/** The own lease. It is held while `now < untilMs`. */
export interface OwnLease {
  /** `starting`: not held yet; `standby`: another process of the region holds it. */
  role: 'starting' | 'active' | 'standby';
  untilMs: number;
  /** Counts how often the lease was gained; what was written in an earlier term must be confirmed. */
  term: number;
  activeSinceMs: number;
  lastSentMs: number;
}

/** A takeover in preparation. */
export interface Takeover {
  readonly epoch: number;
  /** The count of the lapsed lease. */
  readonly lease: number;
  readonly sinceMs: number;
  readonly detectedMs: number;
  /** What was claimed; nothing was when absent. */
  claimed?: number;
  /** Whether the others were told that nothing is claimed for now. */
  isRefused?: boolean;
  rankedAtMs?: number;
}

/** A planned change, at the owner that gives up the home. */
export interface Handover {
  readonly epoch: number;
  readonly to: string;
  readonly sinceMs: number;
  readonly request?: Request;
  isAnnounced: boolean;
  /** Whether the seal may be on the log. */
  isSealTried: boolean;
  sealedAt?: number;
  failure?: { readonly code: string; readonly reason: string };
}

export interface HomeState {
  /** The term of the own lease in which the own record was written or confirmed; 0 for none. */
  assertedTerm: number;
  /** The id of the write of the home's record that is under way. */
  writing?: number;
  appending?: { readonly id: number; readonly sentAtMs: number };
  takeover?: Takeover;
  handover?: Handover;
  request?: { readonly request: Request; readonly sinceMs: number };
  sealSeen?: {
    readonly epoch: number;
    readonly to: string;
    readonly sequence: number;
    readonly wallMs: number;
  };
  facts?: Facts;
  /** Serves without a lease, on somebody's word. */
  isGlassBroken: boolean;
}

export type PendingWrite = { readonly sentAtMs: number } & (
  | { readonly kind: 'renewal'; readonly value: string; readonly count: number }
  | { readonly kind: 'lapse'; readonly region: string; readonly value: string }
  | { readonly kind: 'claim' }
  | {
      readonly kind: 'home';
      readonly home: string;
      readonly record: HomeRecord;
      readonly term: number;
      readonly facts?: Facts;
    }
);

export interface PendingAppend {
  readonly home: string;
  readonly purpose: AppendPurpose;
  readonly record: HomeRecord;
}

/** What one region's recovery knows. Owned by `step`, which changes it in place. */
export interface State {
  readonly settings: Settings;
  readonly view: ControlView;
  readonly grants: GrantBook;
  readonly lease: OwnLease;
  readonly homes: Map<string, HomeState>;
  readonly ledger: Map<string, readonly EpochRecord[]>;
  readonly positions: Map<string, Position>;
  /** The regions in which the tenants' data may be, of those tenants that have a set. */
  residency: ReadonlyMap<string, readonly string[]>;
  readonly writes: Map<number, PendingWrite>;
  readonly appends: Map<number, PendingAppend>;
  fence: {
    phase: 'away' | 'comparing' | Exclude<Comparison, 'unreachable'>;
    sinceMs: number;
    asked?: { readonly id: number; readonly atMs: number };
  };
  /** Since when one of the own streams is known to be damaged, in monotonic ms. */
  damagedSinceMs: number | undefined;
  isWell: boolean;
  reading:
    | { readonly id: number; readonly sentAtMs: number; readonly isForFailure: boolean }
    | undefined;
  lastReadMs: number;
  /** A write failed: what is known may be old. */
  mustRead: boolean;
  /** Since when `CONTROL` takes no writes, or gives no answer, in monotonic ms. */
  silentSinceMs: number | undefined;
  lastLossMs: number;
  nextId: number;
  /** What was granted and told at the end of the last step: home to epoch. */
  told: { homes: ReadonlyMap<string, number>; intake: boolean; leaseTerm: number };
}

/** A step on its way: the state, the moment, what is to be done. */
export interface Draft {
  readonly state: State;
  readonly at: Moment;
  readonly actions: Action[];
}

/** A region's recovery that has just begun and knows nothing. */
export function initialState(settings: Settings, { nowMs }: Moment): State {
  const isAlone = settings.regions.length === 1;
  return {
    settings,
    view: new ControlView(),
    grants: new GrantBook(settings.instance),
    lease: {
      role: 'starting',
      untilMs: -Infinity,
      term: 0,
      activeSinceMs: nowMs,
      lastSentMs: -Infinity,
    },
    homes: new Map(
      settings.regions.map((home) => [home, { assertedTerm: 0, isGlassBroken: false }]),
    ),
    ledger: new Map(settings.regions.map((home) => [home, [{ epoch: 1, owner: home }]])),
    positions: new Map(),
    residency: new Map(),
    writes: new Map(),
    appends: new Map(),
    fence: { phase: isAlone ? 'whole' : 'comparing', sinceMs: nowMs },
    damagedSinceMs: undefined,
    isWell: true,
    reading: undefined,
    lastReadMs: -Infinity,
    mustRead: false,
    silentSinceMs: undefined,
    lastLossMs: -Infinity,
    nextId: 1,
    told: { homes: new Map(), intake: false, leaseTerm: 0 },
  };
}

export function homeOf(state: State, home: string): HomeState {
  const found = state.homes.get(home);
  if (found === undefined) {
    throw new Error(`${home} is no home of ${state.settings.regions.join(', ')}.`);
  }
  return found;
}

/** The epoch in force as far as the log says. */
export function ledgerCurrent(state: State, home: string): EpochRecord {
  return state.ledger.get(home)?.at(-1) ?? { epoch: 1, owner: home };
}

/** The record that the ledger's epochs make. */
export function recordOfLedger(state: State, home: string): HomeRecord {
  const epochs = state.ledger.get(home) ?? [];
  const { epoch, owner } = ledgerCurrent(state, home);
  const seals: Seal[] = epochs
    .slice(0, -1)
    .map((one) => ({ epoch: one.epoch, owner: one.owner, upTo: one.upTo ?? 0 }));
  return { home, epoch, owner, state: 'ACTIVE', seals };
}

export const isLeaseHeld = ({ lease }: State, nowMs: number): boolean =>
  lease.role === 'active' && nowMs < lease.untilMs;

/** Whether a write has failed since `CONTROL` was read: nothing is compared and set on old knowledge. */
export const isStale = ({ mustRead, reading }: State): boolean =>
  mustRead || reading?.isForFailure === true;

/** Whether `CONTROL` was tried in vain for a while: nobody knows who may decide. */
export const isControlSilent = ({ settings, silentSinceMs }: State, nowMs: number): boolean =>
  silentSinceMs !== undefined && nowMs >= silentSinceMs + settings.guardMs;

/** `CONTROL` did not answer. */
export function controlFailed(state: State, nowMs: number, isWrite: boolean): void {
  state.silentSinceMs ??= nowMs;
  if (isWrite) state.lastLossMs = nowMs;
}

/** `CONTROL` has answered. A reading may come from a leader that has lost its quorum. */
export function controlAnswered(state: State, nowMs: number, isWrite: boolean): void {
  if (isWrite || nowMs >= state.lastLossMs + 2 * state.settings.leaseMs) {
    state.silentSinceMs = undefined;
  }
}

/** Whether the own streams are known to hold what they should: connected, compared, not damaged. */
export const isWhole = ({ fence, damagedSinceMs }: State): boolean =>
  fence.phase === 'whole' && damagedSinceMs === undefined;

/** Whether the region may take over. */
export const isSound = (state: State): boolean => isWhole(state) && state.isWell;

/** Writes a key of `CONTROL`. @returns the id of the write */
export function write(
  { state, actions }: Draft,
  key: string,
  value: string,
  expectedRevision: number | undefined,
  pending: PendingWrite,
): number {
  const id = state.nextId;
  state.nextId += 1;
  state.writes.set(id, pending);
  actions.push({
    type: 'write',
    id,
    key,
    value,
    ...(expectedRevision === undefined ? {} : { expectedRevision }),
  });
  return id;
}

/** Compares and sets the record of a home, on the revision that was last seen. */
export function writeHome(draft: Draft, record: HomeRecord, facts?: Facts): void {
  const { state, at } = draft;
  const { home } = record;
  const mine: HomeRecord = { ...record, instance: state.settings.instance };
  homeOf(state, home).writing = write(
    draft,
    homeKey(home),
    JSON.stringify(mine),
    state.view.homes.get(home)?.revision ?? 0,
    {
      kind: 'home',
      sentAtMs: at.nowMs,
      home,
      record: mine,
      term: state.lease.term,
      ...(facts === undefined ? {} : { facts }),
    },
  );
}

/** Stores an entry of a home's ownership; one at a time. */
export function append(
  { state, at, actions }: Draft,
  purpose: AppendPurpose,
  record: HomeRecord,
  events: Extract<Action, { type: 'append' }>['events'],
  request: Request | undefined,
): void {
  const { home, epoch } = record;
  const id = state.nextId;
  state.nextId += 1;
  state.appends.set(id, { home, purpose, record });
  homeOf(state, home).appending = { id, sentAtMs: at.nowMs };
  actions.push({
    type: 'append',
    id,
    home,
    epoch,
    seals: record.seals,
    purpose,
    events,
    causationId: request?.id ?? `ownership.${home}.${epoch}`,
    ...(request?.actor === undefined ? {} : { actor: request.actor }),
  });
}
