import type { HomeRecord, LeaseRecord } from './control.ts';
import { onRenewed } from './lease.ts';
import {
  controlAnswered,
  controlFailed,
  homeOf,
  ledgerCurrent,
  type Draft,
  type PendingWrite,
} from './state.ts';

/** A write of `CONTROL` is done. */
export function onWritten(draft: Draft, id: number, revision: number): void {
  const { state, at, actions } = draft;
  const pending = state.writes.get(id);
  controlAnswered(state, at.nowMs, true);
  if (pending === undefined) return;
  state.writes.delete(id);
  if (pending.kind === 'renewal') onRenewed(draft, pending, revision);
  else if (pending.kind === 'lapse') {
    const value = JSON.parse(pending.value) as LeaseRecord;
    state.view.setLease(pending.region, { revision, value }, at.nowMs);
    actions.push({ type: 'report', report: { what: 'found_lapsed', region: pending.region } });
  } else if (pending.kind === 'home') onHomeWritten(draft, id, pending, revision);
}

function onHomeWritten(
  { state, at }: Draft,
  id: number,
  { home, record, term, facts }: Extract<PendingWrite, { kind: 'home' }>,
  revision: number,
): void {
  const mind = homeOf(state, home);
  if (mind.writing === id) delete mind.writing;
  if (revision < (state.view.homes.get(home)?.revision ?? 0)) return;
  state.view.setHome(home, { revision, value: record }, at.nowMs);
  if (record.owner === state.settings.region) mind.assertedTerm = term;
  if (record.state === 'SEALING') {
    const request = facts?.request;
    mind.handover = {
      epoch: record.epoch,
      to: record.next ?? record.owner,
      sinceMs: at.nowMs,
      isAnnounced: false,
      isSealTried: false,
      ...(request === undefined ? {} : { request }),
    };
  } else if (facts !== undefined) mind.facts = facts;
}

/** A write was refused, because somebody else was first, or it is not known what became of it. */
export function onWriteFailed({ state, at }: Draft, id: number, isRefused: boolean): void {
  const pending = state.writes.get(id);
  if (!isRefused) controlFailed(state, at.nowMs, true);
  if (pending === undefined) return;
  state.writes.delete(id);
  state.mustRead = true;
  if (pending.kind !== 'home') return;
  const mind = homeOf(state, pending.home);
  if (mind.writing === id) delete mind.writing;
}

/** An entry of a home's ownership is stored. */
export function onAppended({ state }: Draft, id: number, sequence: number): void {
  const pending = state.appends.get(id);
  if (pending === undefined) return;
  state.appends.delete(id);
  const { home, purpose, record } = pending;
  const mind = homeOf(state, home);
  if (mind.appending?.id === id) delete mind.appending;
  const { handover } = mind;
  switch (purpose) {
    case 'announce':
      if (handover?.epoch === record.epoch) handover.isAnnounced = true;
      return;
    case 'sealed':
      if (handover?.epoch === record.epoch) handover.sealedAt = sequence;
      return;
    case 'completed':
      if (record.epoch > ledgerCurrent(state, home).epoch) {
        state.ledger.set(home, epochsOf(record));
      }
      if (mind.request?.request.to === record.owner) delete mind.request;
      delete mind.facts;
      return;
    case 'failed':
      delete mind.handover;
      delete mind.request;
  }
}

/** It is not known whether an entry was stored: it will be asked for again. */
export function onAppendLost({ state }: Draft, id: number): void {
  const pending = state.appends.get(id);
  if (pending === undefined) return;
  state.appends.delete(id);
  const mind = homeOf(state, pending.home);
  if (mind.appending?.id === id) delete mind.appending;
}

/** The epochs of the ledger that a record names. */
export function epochsOf({ epoch, owner, seals }: HomeRecord) {
  return [...seals, { epoch, owner }];
}
