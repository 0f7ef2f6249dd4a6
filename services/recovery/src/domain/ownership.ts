import { unreachable } from '@meridian/core';
import type { Action, Input } from './actions.ts';
import type { HomeRecord } from './control.ts';
import { completedEvents } from './failover-events.ts';
import { mindGlass, mindRequestOfGlass } from './glass.ts';
import { grantsNow, tellChanges } from './granting.ts';
import { mindGivenUp, mindNext, mindRequest, mindSealing } from './handover.ts';
import { mindLease, mindOthers, onOwnLeaseSeen } from './lease.ts';
import { onAppended, onAppendLost, onWritten, onWriteFailed } from './outcomes.ts';
import type { Moment } from './settings.ts';
import {
  append,
  controlAnswered,
  controlFailed,
  homeOf,
  isLeaseHeld,
  isSound,
  isStale,
  isWhole,
  ledgerCurrent,
  recordOfLedger,
  writeHome,
  type Draft,
  type State,
} from './state.ts';
import { mindTakeover } from './takeover.ts';

/** What follows from an input: the state (the one given, changed in place), and what is to be done. */
export interface Stepped {
  readonly state: State;
  readonly actions: readonly Action[];
}

/**
 * One step of a region's recovery. Pure but for the state, which it owns: the same inputs at the same
 * moments give the same actions. Inputs must come with a `nowMs` that never falls, and ticks at
 * least several times in a lease.
 */
export function step(state: State, input: Input, at: Moment): Stepped {
  const draft: Draft = { state, at, actions: [] };
  take(draft, input);
  mindAll(draft);
  tellChanges(draft);
  return { state, actions: draft.actions };
}

function take(draft: Draft, input: Input): void {
  const { state, at } = draft;
  switch (input.type) {
    case 'tick':
      return forgetLost(draft);
    case 'positions':
      for (const [region, position] of Object.entries(input.positions)) {
        state.positions.set(region, position);
      }
      return undefined;
    case 'control_read':
    case 'control_unread':
    case 'control_changed':
      return takeControl(draft, input);
    case 'written':
      return onWritten(draft, input.id, input.revision);
    case 'write_refused':
    case 'write_lost':
      return onWriteFailed(draft, input.id, input.type === 'write_refused');
    case 'appended':
      return onAppended(draft, input.id, input.sequence);
    case 'append_lost':
      return onAppendLost(draft, input.id);
    case 'ledger':
      if (input.epochs.length >= (state.ledger.get(input.home)?.length ?? 0)) {
        state.ledger.set(input.home, input.epochs);
      }
      return undefined;
    case 'residency':
      state.residency = input.sets;
      return undefined;
    case 'sealed':
      if (input.epoch >= (homeOf(state, input.home).sealSeen?.epoch ?? 0)) {
        const { epoch, to, sequence } = input;
        homeOf(state, input.home).sealSeen = { epoch, to, sequence, wallMs: at.wallMs };
      }
      return undefined;
    case 'ask':
      return answer(draft, input);
    case 'request':
      if (state.homes.has(input.request.home)) {
        homeOf(state, input.request.home).request = { request: input.request, sinceMs: at.nowMs };
        mindRequestOfGlass(draft, input.request);
      }
      return undefined;
    case 'request_settled': {
      const mind = homeOf(state, input.home);
      if (mind.request?.request.id === input.id) delete mind.request;
      return undefined;
    }
    case 'compared':
    case 'nats':
      return takeFence(draft, input);
    case 'damage':
      state.damagedSinceMs = input.damaged ? (state.damagedSinceMs ?? at.nowMs) : undefined;
      return undefined;
    case 'wellness':
      state.isWell = input.well;
      return undefined;
    default:
      return unreachable(input);
  }
}

function takeControl(
  draft: Draft,
  input: Extract<Input, { type: 'control_read' | 'control_unread' | 'control_changed' }>,
): void {
  const { state, at, actions } = draft;
  if (input.type === 'control_changed') {
    state.view.take(input.entry, at.nowMs);
    onOwnLeaseSeen(draft);
    return;
  }
  if (input.id === state.reading?.id) {
    if (input.type === 'control_unread') state.mustRead ||= state.reading.isForFailure;
    state.reading = undefined;
  }
  if (input.type === 'control_unread') {
    controlFailed(state, at.nowMs, false);
    return;
  }
  controlAnswered(state, at.nowMs, false);
  if (!state.view.readWhole(input.incarnation, input.entries, at.nowMs)) {
    state.lease.untilMs = -Infinity;
    for (const mind of state.homes.values()) mind.assertedTerm = 0;
    state.writes.clear();
    actions.push({ type: 'report', report: { what: 'control_is_another' } });
  }
  onOwnLeaseSeen(draft);
}

function takeFence(draft: Draft, input: Extract<Input, { type: 'compared' | 'nats' }>): void {
  const { state, at } = draft;
  const { fence } = state;
  const isAlone = state.settings.regions.length === 1;
  if (input.type === 'nats') {
    if (input.connected && fence.phase !== 'away') return;
    const phase = !input.connected ? 'away' : isAlone ? 'whole' : 'comparing';
    state.fence = { phase, sinceMs: fence.phase === 'comparing' ? fence.sinceMs : at.nowMs };
    return;
  }
  if (fence.asked?.id !== input.id || fence.phase === 'away') return;
  fence.asked = { id: -1, atMs: fence.asked.atMs };
  if (input.outcome !== 'unreachable') fence.phase = input.outcome;
}

function answer(draft: Draft, ask: Extract<Input, { type: 'ask' }>): void {
  const { state, at, actions } = draft;
  if (state.lease.role === 'standby') return;
  state.grants.asked(ask, at.nowMs);
  const homes = grantsNow(state, at.nowMs);
  actions.push({
    type: 'answer',
    instance: ask.instance,
    nonce: ask.nonce,
    answerId: state.grants.answered(ask.instance, homes, isWhole(state), at.nowMs),
    intake: isWhole(state),
    homes,
  });
}

/** What was sent long ago and never answered is not waited for any longer. */
function forgetLost(draft: Draft): void {
  const { state, at } = draft;
  const { answerLimitMs, requestLimitMs, leaseMs } = state.settings;
  for (const [id, { sentAtMs }] of state.writes) {
    if (at.nowMs >= sentAtMs + answerLimitMs) onWriteFailed(draft, id, false);
  }
  if (state.reading !== undefined && at.nowMs >= state.reading.sentAtMs + answerLimitMs) {
    state.mustRead ||= state.reading.isForFailure;
    state.reading = undefined;
    controlFailed(state, at.nowMs, false);
  }
  for (const mind of state.homes.values()) {
    if (mind.appending !== undefined && at.nowMs >= mind.appending.sentAtMs + answerLimitMs) {
      onAppendLost(draft, mind.appending.id);
    }
    if (mind.request !== undefined && at.nowMs >= mind.request.sinceMs + requestLimitMs) {
      delete mind.request;
    }
  }
  state.grants.forgetSilent(at.nowMs, leaseMs);
}

function mindAll(draft: Draft): void {
  const { state } = draft;
  mindReading(draft);
  mindComparison(draft);
  mindLease(draft);
  mindOthers(draft);
  for (const home of state.settings.regions) {
    mindGlass(draft, home);
    mindHome(draft, home);
  }
}

function mindReading({ state, at, actions }: Draft): void {
  const { readEveryMs } = state.settings;
  const isDue = at.nowMs >= state.lastReadMs + (state.mustRead ? readEveryMs / 20 : readEveryMs);
  if (state.reading !== undefined || !isDue) return;
  const id = state.nextId;
  state.nextId += 1;
  state.reading = { id, sentAtMs: at.nowMs, isForFailure: state.mustRead };
  state.lastReadMs = at.nowMs;
  state.mustRead = false;
  actions.push({ type: 'read_control', id });
}

function mindComparison({ state, at, actions }: Draft): void {
  const { fence, settings } = state;
  if (fence.phase === 'whole' || fence.phase === 'away') return;
  const { asked } = fence;
  const limitMs = asked?.id === -1 ? settings.compareEveryMs : 10 * settings.leaseMs;
  if (asked !== undefined && at.nowMs < asked.atMs + limitMs) return;
  const id = state.nextId;
  state.nextId += 1;
  fence.asked = { id, atMs: at.nowMs };
  actions.push({ type: 'compare', id });
}

function mindHome(draft: Draft, home: string): void {
  const { state, at } = draft;
  const { settings, view } = state;
  const mind = homeOf(state, home);
  if (!isLeaseHeld(state, at.nowMs) || mind.writing !== undefined || isStale(state)) return;
  const record = view.homes.get(home)?.value;
  const ledger = ledgerCurrent(state, home);
  if (record === undefined) {
    const waitedMs = at.nowMs - (view.sinceMs ?? at.nowMs);
    if (ledger.owner === settings.region || waitedMs >= settings.leaseMs + settings.guardMs) {
      writeHome(draft, recordOfLedger(state, home));
    }
    return;
  }
  if (ledger.epoch > record.epoch) {
    // Decided without the control cluster, or the cluster came back with an older state.
    if (ledger.owner === settings.region) writeHome(draft, recordOfLedger(state, home));
    return;
  }
  if (record.owner === settings.region) {
    delete mind.takeover;
    mindOwn(draft, record);
    return;
  }
  if (mind.handover !== undefined) delete mind.handover;
  if (record.state === 'SEALING' && record.next === settings.region) mindNext(draft, record);
  if (mind.writing !== undefined) return;
  if (!view.isLapsed(record.owner)) delete mind.takeover;
  else mindTakeover(draft, record);
}

function mindOwn(draft: Draft, record: HomeRecord): void {
  const { state, at } = draft;
  const mind = homeOf(state, record.home);
  if (record.state === 'SEALING') {
    mindSealing(draft, record);
    return;
  }
  if (mind.assertedTerm !== state.lease.term) {
    writeHome(draft, record);
    return;
  }
  if (mind.appending !== undefined || !isSound(state)) return;
  if (record.epoch > ledgerCurrent(state, record.home).epoch) {
    const facts = mind.facts ?? {};
    const events = completedEvents(record, facts, at.wallMs);
    append(draft, 'completed', record, events, facts.request);
    return;
  }
  if (mind.handover !== undefined) mindGivenUp(draft, record);
  else mindRequest(draft, record);
}
