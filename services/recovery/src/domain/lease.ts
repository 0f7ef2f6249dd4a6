import { leaseKey, type LeaseRecord } from './control.ts';
import { isLeaseHeld, isStale, write, type Draft, type PendingWrite, type State } from './state.ts';

/**
 * The own lease. It ends `leaseMs` less the guard after the *sending* of the last renewal that
 * succeeded. Another region marks a lease as lapsed (compare-and-set on the revision that it last saw)
 * when it has seen no renewal for `leaseMs` and the guard: had there been one, its write is refused.
 * Who was lapsed confirms each of its homes by a compare-and-set before granting it again, so that a
 * survivor that took over meanwhile and the returning owner cannot both succeed.
 */
export function mindLease(draft: Draft): void {
  const { state, at } = draft;
  const { lease, settings, view } = state;
  if (view.sinceMs === undefined) return;
  if (lease.role === 'standby') {
    if (!isSuspect(state, settings.region, at.nowMs) && !view.isLapsed(settings.region)) return;
    lease.role = 'starting';
  }
  const isRenewing = [...state.writes.values()].some(({ kind }) => kind === 'renewal');
  const isDue = at.nowMs >= lease.lastSentMs + settings.renewEveryMs;
  if (!isDue || isRenewing || !mayRenew(state, at.nowMs)) return;
  const seen = view.leases.get(settings.region);
  const record: LeaseRecord = {
    region: settings.region,
    count: (seen?.value.count ?? 0) + 1,
    at: at.wallMs,
    instance: settings.instance,
  };
  const value = JSON.stringify(record);
  lease.lastSentMs = at.nowMs;
  write(draft, leaseKey(settings.region), value, seen?.revision ?? 0, {
    kind: 'renewal',
    sentAtMs: at.nowMs,
    value,
    count: record.count,
  });
}

/** A region that does not know its streams to be whole keeps its lease for one more term at most. */
function mayRenew(state: State, nowMs: number): boolean {
  const { fence, isWell, settings, damagedSinceMs } = state;
  if (!isWell) return false;
  if (damagedSinceMs !== undefined && nowMs >= damagedSinceMs + settings.leaseMs) return false;
  if (fence.phase === 'whole') return true;
  return fence.phase === 'comparing' && nowMs < fence.sinceMs + settings.leaseMs;
}

/** A renewal is known to be stored. */
export function onRenewed(
  { state, at, actions }: Draft,
  pending: Extract<PendingWrite, { kind: 'renewal' }>,
  revision: number,
): void {
  const { lease, settings, view } = state;
  const record = JSON.parse(pending.value) as LeaseRecord;
  view.setLease(settings.region, { revision, value: record }, at.nowMs);
  if (lease.role !== 'active') {
    lease.role = 'active';
    lease.activeSinceMs = at.nowMs;
  }
  if (at.nowMs >= lease.untilMs) {
    lease.term += 1;
    actions.push({ type: 'report', report: { what: 'lease', held: true, term: lease.term } });
  }
  lease.untilMs = Math.max(lease.untilMs, pending.sentAtMs + settings.leaseMs - settings.guardMs);
}

/** The own lease was read or watched. */
export function onOwnLeaseSeen(draft: Draft): void {
  const { state, actions } = draft;
  const { lease, settings, view } = state;
  const seen = view.leases.get(settings.region);
  if (seen === undefined) return;
  const { instance, count, lapsedBy } = seen.value;
  if (instance !== settings.instance) {
    if (lease.role !== 'active') return;
    lease.role = 'standby';
    lease.untilMs = -Infinity;
    actions.push({ type: 'report', report: { what: 'standby', instance } });
    return;
  }
  if (lapsedBy !== undefined) {
    lease.untilMs = -Infinity;
    return;
  }
  for (const [id, pending] of state.writes) {
    if (pending.kind === 'renewal' && pending.count === count) {
      // The answer was slower than the watch, or is lost.
      state.writes.delete(id);
      onRenewed(draft, pending, seen.revision);
    }
  }
}

/** Whether a region has shown no sign of life for so long that its lease must have ended. */
export function isSuspect({ view, settings }: State, region: string, nowMs: number): boolean {
  const lastMs = view.lastSignMs(region);
  return lastMs !== undefined && nowMs >= lastMs + settings.leaseMs + settings.guardMs;
}

/** Marks the leases of the other regions that have lapsed. */
export function mindOthers(draft: Draft): void {
  const { state, at } = draft;
  const { settings, view } = state;
  if (!isLeaseHeld(state, at.nowMs) || isStale(state)) return;
  for (const region of settings.regions) {
    if (region === settings.region || view.isLapsed(region)) continue;
    if (!isSuspect(state, region, at.nowMs)) continue;
    const isMarking = [...state.writes.values()].some(
      (pending) => pending.kind === 'lapse' && pending.region === region,
    );
    if (isMarking) continue;
    const seen = view.leases.get(region);
    const record: LeaseRecord = {
      region,
      count: seen?.value.count ?? 0,
      at: seen?.value.at ?? 0,
      instance: seen?.value.instance ?? '',
      lapsedBy: settings.region,
    };
    const value = JSON.stringify(record);
    write(draft, leaseKey(region), value, seen?.revision ?? 0, {
      kind: 'lapse',
      sentAtMs: at.nowMs,
      region,
      value,
    });
  }
}
