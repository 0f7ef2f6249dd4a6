import type { DomainEvent } from '@meridian/wire';

/** An event of the mesh's own, with its place. */
export interface MeshEvent {
  readonly event: DomainEvent & { readonly time: string; readonly source: string };
  /** `EV_us:12`. */
  readonly at: string;
}

/** One move of a home, as far as it came. Times are RFC 3339. */
export interface Failover {
  readonly home: string;
  readonly from: string;
  readonly to: string;
  readonly kind: string;
  readonly state: 'REQUESTED' | 'STARTED' | 'SEALED' | 'COMPLETED' | 'FAILED';
  /** The epoch that ended, or was to end. */
  readonly epoch: number;
  readonly requestedAt: string | null;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  readonly reason: string | null;
  readonly breakGlass: boolean;
  /** The seal: the last sequence of `EV_<from>` that counts. */
  readonly upTo: number | null;
  readonly rpoMs: number | null;
  readonly takeoverMs: number | null;
  /** Why it failed. */
  readonly failure: { readonly code: string; readonly reason: string } | null;
  /** Where its last event is. */
  readonly at: string;
}

const blank = {
  requestedAt: null,
  startedAt: null,
  endedAt: null,
  reason: null,
  breakGlass: false,
  upTo: null,
  rpoMs: null,
  takeoverMs: null,
  failure: null,
} as const;

/** Folds ownership events, in the order of their times, into failovers; the latest first. */
export function foldFailovers(events: readonly MeshEvent[]): Failover[] {
  const all: Failover[] = [];
  const open = new Map<string, number>();
  const sorted = events.toSorted((a, b) =>
    a.event.time < b.event.time ? -1 : a.event.time > b.event.time ? 1 : 0,
  );
  for (const recorded of sorted) {
    const home = recorded.event.subject;
    const place = open.get(home);
    const before = place === undefined ? undefined : all[place];
    const after = step(before, recorded);
    if (after === undefined) continue;
    if (place === undefined) {
      open.set(home, all.length);
      all.push(after);
    } else all[place] = after;
    if (after.state === 'COMPLETED' || after.state === 'FAILED') open.delete(home);
  }
  return all.toReversed();
}

function step(before: Failover | undefined, { event, at }: MeshEvent): Failover | undefined {
  const { subject: home, time } = event;
  switch (event.type) {
    case 'meridian.failover.requested.v1': {
      const { to, kind, owner, epoch, reason = null, breakGlass = false } = event.data;
      return {
        ...blank,
        home,
        from: owner,
        to,
        kind,
        epoch,
        state: 'REQUESTED',
        requestedAt: time,
        reason,
        breakGlass,
        at,
      };
    }
    case 'meridian.failover.started.v1': {
      const { to, kind, owner, epoch } = event.data;
      return {
        ...blank,
        ...before,
        home,
        from: owner,
        to,
        kind,
        epoch,
        state: 'STARTED',
        startedAt: time,
        at,
      };
    }
    case 'meridian.failover.sealed.v1':
      return before && { ...before, state: 'SEALED', upTo: Number(at.split(':')[1]), at };
    case 'meridian.failover.failed.v1': {
      const { to, kind, owner, epoch, code, reason } = event.data;
      return {
        ...blank,
        ...before,
        home,
        from: owner,
        to,
        kind,
        epoch,
        state: 'FAILED',
        endedAt: time,
        failure: { code, reason },
        at,
      };
    }
    case 'meridian.failover.completed.v1': {
      const {
        owner,
        previousOwner,
        previousEpoch,
        upTo,
        kind,
        rpoMs = null,
        takeoverMs = null,
      } = event.data;
      const { requestedAt = null, reason = null, breakGlass = false } = event.data;
      return {
        ...blank,
        ...before,
        home: event.data.home,
        from: previousOwner,
        to: owner,
        kind,
        epoch: previousEpoch,
        state: 'COMPLETED',
        endedAt: time,
        upTo,
        rpoMs,
        takeoverMs,
        requestedAt: before?.requestedAt ?? requestedAt,
        reason: before?.reason ?? reason,
        breakGlass: before?.breakGlass ?? breakGlass,
        at,
      };
    }
    default:
      return undefined;
  }
}
