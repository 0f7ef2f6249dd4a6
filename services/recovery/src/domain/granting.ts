import type { Granted } from './grants.ts';
import {
  homeOf,
  isControlSilent,
  isLeaseHeld,
  isWhole,
  ledgerCurrent,
  type Draft,
  type State,
} from './state.ts';

/** The epoch under which this region may grant a home at this moment; undefined when it may not. */
export function grantable(state: State, home: string, nowMs: number): number | undefined {
  const { settings, view, lease } = state;
  const { owner, epoch } = ledgerCurrent(state, home);
  if (!isWhole(state) || lease.role === 'standby' || owner !== settings.region) {
    return undefined;
  }
  const record = view.homes.get(home)?.value;
  const isRecorded =
    record !== undefined &&
    record.owner === settings.region &&
    record.epoch === epoch &&
    record.state === 'ACTIVE';
  if (isLeaseHeld(state, nowMs)) {
    return isRecorded && homeOf(state, home).assertedTerm === lease.term ? epoch : undefined;
  }
  const mayServe = homeOf(state, home).isGlassBroken || settings.onIsolation === 'serve';
  if (!mayServe || !isControlSilent(state, nowMs)) return undefined;
  return record === undefined || record.epoch < epoch || isRecorded ? epoch : undefined;
}

/** All that may be granted now, and for how long from now on. */
export function grantsNow(state: State, nowMs: number): Granted {
  const { settings, lease } = state;
  const granted: Record<string, { epoch: number; forMs: number }> = {};
  for (const home of settings.regions) {
    const epoch = grantable(state, home, nowMs);
    if (epoch === undefined) continue;
    const forMs = isLeaseHeld(state, nowMs)
      ? lease.untilMs - nowMs
      : settings.leaseMs - settings.guardMs;
    granted[home] = { epoch, forMs };
  }
  return granted;
}

/** Tells every process at once when what it may decide has changed; reports it. */
export function tellChanges({ state, at, actions }: Draft): void {
  const homes = grantsNow(state, at.nowMs);
  const intake = isWhole(state);
  const before = state.told;
  const epochs = new Map(Object.entries(homes).map(([home, { epoch }]) => [home, epoch]));
  const isHeld = isLeaseHeld(state, at.nowMs);
  const leaseTerm = isHeld ? state.lease.term : 0;
  if (before.leaseTerm !== 0 && leaseTerm === 0) {
    const { term } = state.lease;
    actions.push({ type: 'report', report: { what: 'lease', held: false, term } });
  }
  const areSame =
    intake === before.intake &&
    epochs.size === before.homes.size &&
    [...epochs].every(([home, epoch]) => before.homes.get(home) === epoch);
  state.told = { homes: epochs, intake, leaseTerm };
  if (areSame) return;
  for (const home of before.homes.keys()) {
    if (!epochs.has(home)) {
      actions.push({ type: 'report', report: { what: 'not_granting', home } });
    }
  }
  for (const [home, epoch] of epochs) {
    if (before.homes.get(home) !== epoch) {
      actions.push({ type: 'report', report: { what: 'granting', home, epoch } });
    }
  }
  if (intake !== before.intake) {
    actions.push({ type: 'report', report: { what: 'intake', open: intake } });
  }
  if (state.lease.role === 'standby') return;
  for (const [instance, nonce] of state.grants.instances()) {
    const answerId = state.grants.answered(instance, homes, intake, at.nowMs);
    actions.push({ type: 'answer', instance, nonce, answerId, intake, homes });
  }
}
