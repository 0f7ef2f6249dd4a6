import type { HomeRecord } from './control.ts';
import {
  failedEvent,
  requestedEvent,
  sealedEvent,
  startedEvent,
  type Request,
} from './failover-events.ts';
import { outsideResidency } from './residency.ts';
import {
  append,
  homeOf,
  isSound,
  writeHome,
  type Draft,
  type Handover,
  type State,
} from './state.ts';

/** A request at the owner of the home, when nothing else is under way: begins, or says why not. */
export function mindRequest(draft: Draft, record: HomeRecord): void {
  const { state } = draft;
  const { request } = homeOf(state, record.home).request ?? {};
  if (request === undefined) return;
  const refusal = refusalOf(state, record, request);
  if (refusal === undefined) {
    writeHome(
      draft,
      { ...record, state: 'SEALING', next: request.to },
      { request, isRequestTold: true },
    );
    return;
  }
  const { epoch, owner, home } = record;
  append(
    draft,
    'failed',
    record,
    [
      requestedEvent(request, record),
      failedEvent(home, { epoch, owner, to: request.to, kind: request.kind, ...refusal }),
    ],
    request,
  );
}

/** Why the owner does not give up the home; undefined when it does. */
export function refusalOf(
  { settings, view, residency }: State,
  { home, owner, epoch }: HomeRecord,
  { to, kind }: Request,
): { code: string; reason: string } | undefined {
  if (!settings.regions.includes(to)) {
    return {
      code: 'UNKNOWN_REGION',
      reason: `There is no region ${to}; the mesh has ${settings.regions.join(', ')}.`,
    };
  }
  if (to === owner) {
    return { code: 'ALREADY_OWNER', reason: `${owner} decides for ${home} in epoch ${epoch}.` };
  }
  if (kind === 'UNPLANNED') {
    return {
      code: 'OWNER_LIVES',
      reason: `${owner} decides for ${home} and renews its lease. Ask for a planned failover.`,
    };
  }
  if (!view.leases.has(to) || view.isLapsed(to)) {
    return { code: 'TARGET_NOT_ALIVE', reason: `${to} does not renew its lease.` };
  }
  return outsideResidency(residency, home, to);
}

/**
 * The own home is being sealed: nothing is granted any more. Once all deciders are at rest the seal
 * is written; the next owner raises the epoch when it holds it. What does not come to an end is given up:
 * under the same epoch before the seal, under the next one after it.
 */
export function mindSealing(draft: Draft, record: HomeRecord): void {
  const { state, at } = draft;
  const { settings, grants, lease } = state;
  const { home, epoch, owner, next = owner } = record;
  const mind = homeOf(state, home);
  if (mind.handover?.epoch !== epoch) {
    // Begun by another process, or by a write whose answer was lost: the seal may be written already.
    mind.handover = { epoch, to: next, sinceMs: at.nowMs, isAnnounced: true, isSealTried: true };
  }
  const handover = mind.handover;
  if (mind.appending !== undefined) return;
  const failure = failureOf(draft, next, handover.sinceMs, handover.sealedAt !== undefined);
  if (failure !== undefined) {
    handover.failure = failure;
    // A seal that may be on the log ends the epoch.
    if (handover.isSealTried && handover.sealedAt === undefined) seal(draft, record, handover);
    else giveUp(draft, record, handover.sealedAt);
    return;
  }
  if (!handover.isAnnounced) {
    const started = startedEvent(home, { epoch, owner, to: next, kind: 'PLANNED' });
    const { request } = handover;
    append(
      draft,
      'announce',
      record,
      request === undefined ? [started] : [requestedEvent(request, record), started],
      request,
    );
    return;
  }
  if (handover.sealedAt !== undefined) return;
  // Another process of this region may have granted the home until shortly after this one began.
  const areOldGrantsOver = at.nowMs >= lease.activeSinceMs + settings.leaseMs;
  if (areOldGrantsOver && grants.isAtRest(home, at.nowMs, settings.leaseMs)) {
    seal(draft, record, handover);
  }
}

function seal(draft: Draft, record: HomeRecord, handover: Handover): void {
  const { home, epoch } = record;
  handover.isSealTried = true;
  append(draft, 'sealed', record, [sealedEvent(home, epoch, handover.to)], handover.request);
}

function failureOf(
  { state, at }: Draft,
  next: string,
  sinceMs: number,
  isSealed: boolean,
): { code: string; reason: string } | undefined {
  const { settings, view } = state;
  if (view.isLapsed(next)) {
    return { code: 'TARGET_LOST', reason: `The lease of ${next} lapsed before it had taken over.` };
  }
  if (at.nowMs < sinceMs + settings.handoverLimitMs) return undefined;
  return isSealed
    ? {
        code: 'TARGET_DID_NOT_FOLLOW',
        reason: `${next} did not take over within ${settings.handoverLimitMs} ms.`,
      }
    : {
        code: 'DECIDERS_DID_NOT_STOP',
        reason: `Not every process of ${settings.region} came to rest within ${settings.handoverLimitMs} ms.`,
      };
}

function giveUp(draft: Draft, record: HomeRecord, sealedAt: number | undefined): void {
  const { home, epoch, owner, seals, kind } = record;
  if (sealedAt === undefined) {
    writeHome(draft, {
      home,
      epoch,
      owner,
      state: 'ACTIVE',
      seals,
      ...(kind === undefined ? {} : { kind }),
    });
    return;
  }
  writeHome(
    draft,
    {
      home,
      epoch: epoch + 1,
      owner,
      state: 'ACTIVE',
      seals: [...seals, { epoch, owner, upTo: sealedAt }],
      kind: 'PLANNED',
    },
    { detectedMs: draft.at.wallMs },
  );
}

/** The owner goes on: says what became of the handover. */
export function mindGivenUp(draft: Draft, record: HomeRecord): void {
  const { home, epoch, owner } = record;
  const { handover } = homeOf(draft.state, home);
  if (handover?.failure === undefined) return;
  const { to, request, failure } = handover;
  append(
    draft,
    'failed',
    record,
    [failedEvent(home, { epoch, owner, to, kind: 'PLANNED', ...failure })],
    request,
  );
}

/** This region is to go on with a home: it does so once it holds the seal. */
export function mindNext(draft: Draft, record: HomeRecord): void {
  const { state } = draft;
  const { home, epoch, owner, seals } = record;
  const { sealSeen } = homeOf(state, home);
  if (sealSeen?.epoch !== epoch || sealSeen.to !== state.settings.region || !isSound(state)) return;
  writeHome(
    draft,
    {
      home,
      epoch: epoch + 1,
      owner: state.settings.region,
      state: 'ACTIVE',
      seals: [...seals, { epoch, owner, upTo: sealSeen.sequence }],
      kind: 'PLANNED',
    },
    { detectedMs: sealSeen.wallMs },
  );
}
