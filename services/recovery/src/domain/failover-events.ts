import { toTimestamp } from '@meridian/core';
import type { FailoverEvent } from '@meridian/wire';
import type { ClaimRecord, FailoverKind, HomeRecord } from './control.ts';

/** What somebody asked for, as the intake holds it. */
export interface Request {
  /** The name of the request, `<source>#<id>`. */
  readonly id: string;
  readonly actor?: string;
  readonly home: string;
  readonly to: string;
  readonly kind: FailoverKind;
  readonly reason?: string;
  readonly breakGlass?: boolean;
  /** When it was made, in epoch ms. */
  readonly atMs: number;
}

/** What is known of how an epoch began, for its receipt; lost when the process ends in between. */
export interface Facts {
  readonly request?: Request;
  /** Whether `request` is on the log already. */
  readonly isRequestTold?: boolean;
  /** The last sign of life of the previous owner, by its clock, in epoch ms. */
  readonly previousSeenMs?: number;
  /** When it was known that the ownership must move, in epoch ms. */
  readonly detectedMs?: number;
  /** When the last entry that counts was stored, in epoch ms. */
  readonly lastCountedMs?: number;
  readonly claims?: readonly ClaimRecord[];
  readonly breakGlass?: boolean;
}

export function requestedEvent(
  request: Request,
  { epoch, owner }: Pick<HomeRecord, 'epoch' | 'owner'>,
): FailoverEvent {
  const { home, to, kind, reason, breakGlass } = request;
  return {
    type: 'meridian.failover.requested.v1',
    subject: home,
    data: {
      to,
      kind,
      ...(reason === undefined ? {} : { reason }),
      ...(breakGlass === undefined ? {} : { breakGlass }),
      epoch,
      owner,
    },
  };
}

export function startedEvent(
  home: string,
  data: { epoch: number; owner: string; to: string; kind: FailoverKind },
): FailoverEvent {
  return { type: 'meridian.failover.started.v1', subject: home, data };
}

export function sealedEvent(home: string, epoch: number, to: string): FailoverEvent {
  return { type: 'meridian.failover.sealed.v1', subject: home, data: { epoch, to } };
}

export function failedEvent(
  home: string,
  data: Extract<FailoverEvent, { type: 'meridian.failover.failed.v1' }>['data'],
): FailoverEvent {
  return { type: 'meridian.failover.failed.v1', subject: home, data };
}

/**
 * The first entry of an epoch: who asked for it where nobody could say so before, that it was started
 * where the owner could not, that it is complete, and that the home is back where it belongs.
 * `rpoMs` is the most that can be lost: from the last entry that counts to the last sign of life.
 */
export function completedEvents(record: HomeRecord, facts: Facts, wallMs: number): FailoverEvent[] {
  const { home, epoch, owner, seals, kind = 'UNPLANNED' } = record;
  const previous = seals.at(-1);
  if (previous === undefined) {
    throw new Error(`Home ${home} has epoch ${epoch} and no seal; the first epoch needs no event.`);
  }
  const { request, isRequestTold, previousSeenMs, detectedMs, lastCountedMs, claims } = facts;
  const ended = { epoch: previous.epoch, owner: previous.owner };
  const rpoMs =
    kind === 'PLANNED'
      ? 0
      : previousSeenMs !== undefined && lastCountedMs !== undefined
        ? Math.max(0, previousSeenMs - lastCountedMs)
        : undefined;
  const completed: FailoverEvent = {
    type: 'meridian.failover.completed.v1',
    subject: home,
    data: {
      home,
      epoch,
      owner,
      previousEpoch: previous.epoch,
      previousOwner: previous.owner,
      upTo: previous.upTo,
      kind,
      ...(request?.reason === undefined ? {} : { reason: request.reason }),
      ...(request === undefined ? {} : { requestedAt: toTimestamp(request.atMs) }),
      ...(previousSeenMs === undefined ? {} : { previousSeenAt: toTimestamp(previousSeenMs) }),
      ...(detectedMs === undefined ? {} : { detectedAt: toTimestamp(detectedMs) }),
      ...(lastCountedMs === undefined ? {} : { lastCountedAt: toTimestamp(lastCountedMs) }),
      ...(rpoMs === undefined ? {} : { rpoMs }),
      ...(detectedMs === undefined ? {} : { takeoverMs: Math.max(0, wallMs - detectedMs) }),
      claims: (claims ?? []).map(({ region, upTo }) => ({ region, upTo })),
      ...(facts.breakGlass === true ? { breakGlass: true } : {}),
      seals: seals.map((seal) => ({ epoch: seal.epoch, owner: seal.owner, upTo: seal.upTo })),
    },
  };
  return [
    ...(request === undefined || isRequestTold === true ? [] : [requestedEvent(request, ended)]),
    ...(kind === 'UNPLANNED' ? [startedEvent(home, { ...ended, to: owner, kind })] : []),
    completed,
    ...(owner === home && previous.owner !== home
      ? [
          {
            type: 'meridian.failover.failed_back.v1',
            subject: home,
            data: { epoch, previousOwner: previous.owner },
          } as const,
        ]
      : []),
  ];
}
