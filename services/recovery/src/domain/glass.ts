import type { HomeRecord } from './control.ts';
import { outsideResidency } from './residency.ts';
import { completedEvents, type Facts, type Request } from './failover-events.ts';
import {
  append,
  homeOf,
  isControlSilent,
  isLeaseHeld,
  ledgerCurrent,
  recordOfLedger,
  type Draft,
} from './state.ts';

/**
 * Somebody breaks the glass: the other regions are lost for good, so this one serves a home without the
 * control cluster. Where the cluster answers, it is a request like any other.
 */
export function mindRequestOfGlass(draft: Draft, request: Request): void {
  const { state, at, actions } = draft;
  const { settings, fence } = state;
  const { home, to } = request;
  if (request.breakGlass !== true || to !== settings.region) return;
  if (isLeaseHeld(state, at.nowMs) || !isControlSilent(state, at.nowMs)) return;
  const outside = outsideResidency(state.residency, home, to);
  if (outside !== undefined) {
    const { reason } = outside;
    actions.push({ type: 'report', report: { what: 'outside_residency', home, reason } });
    return;
  }
  // The peers whose copies it would be compared with are lost too.
  if (fence.phase === 'comparing') state.fence = { phase: 'whole', sinceMs: at.nowMs };
  const mind = homeOf(state, home);
  mind.isGlassBroken = true;
  const epoch = Math.max(
    ledgerCurrent(state, home).epoch,
    state.view.homes.get(home)?.value.epoch ?? 0,
  );
  actions.push({ type: 'report', report: { what: 'glass_broken', home, epoch } });
}

/** Takes what the glass was broken for, when it is another region's; ends it when there is a lease. */
export function mindGlass(draft: Draft, home: string): void {
  const { state, at, actions } = draft;
  const { settings, view, lease, positions } = state;
  const mind = homeOf(state, home);
  if (!mind.isGlassBroken) return;
  const record = view.homes.get(home)?.value;
  const ledger = ledgerCurrent(state, home);
  if (record !== undefined && record.epoch >= ledger.epoch && record.owner !== settings.region) {
    if (!isControlSilent(state, at.nowMs)) {
      // Another region decides for the home after all.
      mind.isGlassBroken = false;
      const { epoch, owner } = record;
      actions.push({ type: 'report', report: { what: 'epoch_disputed', home, epoch, owner } });
      return;
    }
  }
  if (isLeaseHeld(state, at.nowMs)) {
    if (mind.assertedTerm === lease.term) mind.isGlassBroken = false;
    return;
  }
  const base =
    record !== undefined && record.epoch > ledger.epoch ? record : recordOfLedger(state, home);
  const held = positions.get(base.owner);
  if (base.owner === settings.region && base.epoch === ledger.epoch) return;
  if (mind.appending !== undefined || held === undefined) return;
  const { seals, epoch, owner } = base;
  const next: HomeRecord =
    owner === settings.region
      ? base
      : {
          home,
          epoch: epoch + 1,
          owner: settings.region,
          state: 'ACTIVE',
          seals: [...seals, { epoch, owner, upTo: held.sequence }],
          kind: 'UNPLANNED',
        };
  const request = mind.request?.request;
  const facts: Facts = {
    ...(request === undefined ? {} : { request }),
    ...(held.storedAtMs === undefined ? {} : { lastCountedMs: held.storedAtMs }),
    detectedMs: at.wallMs,
    breakGlass: true,
  };
  append(draft, 'completed', next, completedEvents(next, facts, at.wallMs), request);
}
