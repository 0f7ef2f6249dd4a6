import {
  accept,
  fromTimestamp,
  reject,
  toTimestamp,
  unreachable,
  type Context,
  type Decider,
  type Decision,
} from '@meridian/core';
import type { PrivacyCommand, PrivacyEvent, SubjectKey } from '@meridian/wire';

// --- State

/** What somebody asked to be erased. */
interface Asked {
  readonly keys: readonly SubjectKey[];
  /** How many contacts were found that are sealed with them. */
  readonly contacts: number;
  readonly reason: string;
  /** The id of the API key. */
  readonly requestedBy?: string;
  readonly requestedAtMs: number;
}

/** What a region has said that it did: ids of keys. */
export interface Confirmed {
  readonly destroyed: readonly string[];
  readonly absent: readonly string[];
  readonly atMs: number;
}

export type Erasure =
  | (Asked & { readonly state: 'BLOCKED' })
  | (Asked & {
      readonly state: 'REQUESTED';
      /** Those that may hold one of the keys. */
      readonly regions: readonly string[];
      readonly confirmed: ReadonlyMap<string, Confirmed>;
    })
  | (Asked & {
      readonly state: 'ERASED';
      readonly regions: readonly string[];
      readonly confirmed: ReadonlyMap<string, Confirmed>;
      readonly erasedAtMs: number;
    });

export interface Hold {
  readonly keyIds: readonly string[];
  readonly contactIds: readonly string[];
  readonly reason: string;
  readonly placedBy?: string;
  readonly placedAtMs: number;
  readonly isReleased: boolean;
}

/** What was decided about the persons of one tenant. */
export interface Privacy {
  readonly erasures: ReadonlyMap<string, Erasure>;
  readonly holds: ReadonlyMap<string, Hold>;
  /** The regions in which the tenant's keys may be, sorted; undefined: in all. */
  readonly residency: readonly string[] | undefined;
}

/** An event of the aggregate `all`; who looked at what is kept in others. */
export type DecidedPrivacy = Exclude<PrivacyEvent, { type: 'meridian.privacy.accessed.v1' }>;

/** What is asked, and by whom: the id of the API key where one was shown. */
export type Command = Exclude<PrivacyCommand, { type: 'meridian.privacy.record_access.v1' }> & {
  readonly actor?: string;
};

export type PrivacyRejection = {
  readonly code:
    | 'ID_TAKEN'
    | 'UNKNOWN_ERASURE'
    | 'ERASURE_BLOCKED'
    | 'REGION_NOT_CONCERNED'
    | 'KEYS_DIFFER'
    | 'KEYS_ARE_ERASED'
    | 'UNKNOWN_HOLD';
  readonly facts: Readonly<Record<string, unknown>>;
};

// --- Evolve

const sorted = (texts: Iterable<string>): string[] => [...new Set(texts)].toSorted();
const isSame = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((one, index) => one === b[index]);

function evolve(state: Privacy, event: DecidedPrivacy, timeMs: number): Privacy {
  switch (event.type) {
    case 'meridian.privacy.subject_erasure_requested.v1': {
      const { erasureId, regions } = event.data;
      return withErasure(state, erasureId, {
        ...askedOf(event.data),
        state: 'REQUESTED',
        regions,
        confirmed: new Map(),
      });
    }
    case 'meridian.privacy.subject_erasure_blocked.v1':
      return withErasure(state, event.data.erasureId, { ...askedOf(event.data), state: 'BLOCKED' });
    case 'meridian.privacy.keys_destroyed.v1': {
      const { erasureId, region, destroyed = [], absent = [] } = event.data;
      const erasure = state.erasures.get(erasureId);
      if (erasure?.state !== 'REQUESTED') return state;
      const confirmed = new Map(erasure.confirmed);
      confirmed.set(region, { destroyed, absent, atMs: timeMs });
      return withErasure(state, erasureId, { ...erasure, confirmed });
    }
    case 'meridian.privacy.subject_erased.v1': {
      const { erasureId, erasedAt } = event.data;
      const erasure = state.erasures.get(erasureId);
      if (erasure?.state !== 'REQUESTED') return state;
      const erasedAtMs = fromTimestamp(erasedAt);
      return withErasure(state, erasureId, { ...erasure, state: 'ERASED', erasedAtMs });
    }
    case 'meridian.privacy.hold_placed.v1': {
      const { holdId, contactIds = [], placedBy, keyIds, reason } = event.data;
      return withHold(state, holdId, {
        keyIds,
        contactIds,
        reason,
        ...(placedBy === undefined ? {} : { placedBy }),
        placedAtMs: timeMs,
        isReleased: false,
      });
    }
    case 'meridian.privacy.hold_released.v1': {
      const hold = state.holds.get(event.data.holdId);
      if (hold === undefined) return state;
      return withHold(state, event.data.holdId, { ...hold, isReleased: true });
    }
    case 'meridian.privacy.residency_set.v1': {
      const { regions = [] } = event.data;
      return { ...state, residency: regions.length === 0 ? undefined : regions };
    }
    default:
      return unreachable(event);
  }
}

function askedOf(data: {
  readonly keys: readonly SubjectKey[];
  readonly contacts?: number;
  readonly reason: string;
  readonly requestedBy?: string;
  readonly requestedAt: string;
}): Asked {
  const { keys, contacts = 0, reason, requestedBy, requestedAt } = data;
  return {
    keys,
    contacts,
    reason,
    ...(requestedBy === undefined ? {} : { requestedBy }),
    requestedAtMs: fromTimestamp(requestedAt),
  };
}

const withErasure = (state: Privacy, id: string, erasure: Erasure): Privacy => ({
  ...state,
  erasures: new Map(state.erasures).set(id, erasure),
});
const withHold = (state: Privacy, id: string, hold: Hold): Privacy => ({
  ...state,
  holds: new Map(state.holds).set(id, hold),
});

// --- Decide

type Decided = Decision<DecidedPrivacy, PrivacyRejection>;
type DataOf<Type extends Command['type']> = Extract<Command, { type: Type }>['data'];

const subject = 'all';

function decide(state: Privacy, command: Command, { now }: Context): Decided {
  switch (command.type) {
    case 'meridian.privacy.erase_subject.v1':
      return erase(state, command.data, command.actor, now);
    case 'meridian.privacy.confirm_keys_destroyed.v1':
      return confirm(state, command.data, now);
    case 'meridian.privacy.place_hold.v1':
      return placeHold(state, command.data, command.actor);
    case 'meridian.privacy.release_hold.v1':
      return releaseHold(state, command.data, command.actor);
    case 'meridian.privacy.set_residency.v1':
      return setResidency(state, command.data, command.actor);
    default:
      return unreachable(command);
  }
}

/** The holds in force on one of these keys, sorted. */
export function holdsOn(state: Privacy, keyIds: readonly string[]): string[] {
  const asked = new Set(keyIds);
  return sorted(
    [...state.holds]
      .filter(([, hold]) => !hold.isReleased && hold.keyIds.some((id) => asked.has(id)))
      .map(([id]) => id),
  );
}

const idsOf = (keys: readonly SubjectKey[]): string[] => sorted(keys.map(({ id }) => id));

function erase(
  state: Privacy,
  { erasureId, keys, contacts = 0, reason }: DataOf<'meridian.privacy.erase_subject.v1'>,
  actor: string | undefined,
  now: number,
): Decided {
  const known = state.erasures.get(erasureId);
  if (known !== undefined) {
    if (isSame(idsOf(known.keys), idsOf(keys))) return accept();
    return reject({ code: 'ID_TAKEN', facts: { erasureId } });
  }
  const holdIds = holdsOn(state, idsOf(keys));
  const asked: Asked = {
    keys,
    contacts,
    reason,
    ...(actor === undefined ? {} : { requestedBy: actor }),
    requestedAtMs: now,
  };
  if (holdIds.length === 0) return accept(requested(erasureId, asked));
  return accept({
    type: 'meridian.privacy.subject_erasure_blocked.v1',
    subject,
    data: { erasureId, holdIds, ...toldOf(asked) },
  });
}

function toldOf({ keys, contacts, reason, requestedBy, requestedAtMs }: Asked) {
  return {
    keys,
    contacts,
    reason,
    ...(requestedBy === undefined ? {} : { requestedBy }),
    requestedAt: toTimestamp(requestedAtMs),
  };
}

function requested(erasureId: string, asked: Asked): DecidedPrivacy {
  const regions = sorted(asked.keys.flatMap((key) => key.regions));
  return {
    type: 'meridian.privacy.subject_erasure_requested.v1',
    subject,
    data: { erasureId, ...toldOf(asked), regions },
  };
}

function confirm(
  state: Privacy,
  data: DataOf<'meridian.privacy.confirm_keys_destroyed.v1'>,
  now: number,
): Decided {
  const { erasureId, region, destroyed = [], absent = [] } = data;
  const erasure = state.erasures.get(erasureId);
  if (erasure === undefined) return reject({ code: 'UNKNOWN_ERASURE', facts: { erasureId } });
  if (erasure.state === 'BLOCKED') {
    return reject({ code: 'ERASURE_BLOCKED', facts: { erasureId, region } });
  }
  const { regions } = erasure;
  if (!regions.includes(region)) {
    return reject({ code: 'REGION_NOT_CONCERNED', facts: { erasureId, region, regions } });
  }
  if (erasure.confirmed.has(region)) return accept();
  const said = [...destroyed, ...absent].toSorted();
  const expected = idsOf(erasure.keys);
  if (!isSame(said, expected)) {
    return reject({ code: 'KEYS_DIFFER', facts: { erasureId, region, said, expected } });
  }
  const told: DecidedPrivacy = {
    type: 'meridian.privacy.keys_destroyed.v1',
    subject,
    data: { erasureId, region, destroyed, absent },
  };
  const confirmed = new Map(erasure.confirmed).set(region, { destroyed, absent, atMs: now });
  if (regions.some((one) => !confirmed.has(one))) return accept(told);
  return accept(told, certificate(erasureId, erasure, confirmed, now));
}

function certificate(
  erasureId: string,
  asked: Asked,
  confirmed: ReadonlyMap<string, Confirmed>,
  now: number,
): DecidedPrivacy {
  const regions = sorted(confirmed.keys()).map((region) => {
    const { destroyed, absent, atMs } = confirmed.get(region) as Confirmed;
    return {
      region,
      destroyed: destroyed.length,
      absent: absent.length,
      at: toTimestamp(atMs),
    };
  });
  return {
    type: 'meridian.privacy.subject_erased.v1',
    subject,
    data: { erasureId, ...toldOf(asked), regions, erasedAt: toTimestamp(now) },
  };
}

function placeHold(
  state: Privacy,
  { holdId, keyIds, contactIds = [], reason }: DataOf<'meridian.privacy.place_hold.v1'>,
  actor: string | undefined,
): Decided {
  const doomed = new Set(
    [...state.erasures.values()].flatMap((one) => (one.state === 'BLOCKED' ? [] : idsOf(one.keys))),
  );
  const known = state.holds.get(holdId);
  if (known !== undefined) {
    const isKnown = known.keyIds.every((id) => keyIds.includes(id));
    return isKnown ? accept() : reject({ code: 'ID_TAKEN', facts: { holdId } });
  }
  // What is being destroyed cannot be kept any more: a region may have done it already.
  const kept = sorted(keyIds.filter((id) => !doomed.has(id)));
  if (kept.length === 0) {
    return reject({ code: 'KEYS_ARE_ERASED', facts: { holdId, keyIds: sorted(keyIds) } });
  }
  return accept({
    type: 'meridian.privacy.hold_placed.v1',
    subject,
    data: {
      holdId,
      keyIds: kept,
      ...(contactIds.length === 0 ? {} : { contactIds }),
      reason,
      ...(actor === undefined ? {} : { placedBy: actor }),
    },
  });
}

function releaseHold(
  state: Privacy,
  { holdId, reason }: DataOf<'meridian.privacy.release_hold.v1'>,
  actor: string | undefined,
): Decided {
  const hold = state.holds.get(holdId);
  if (hold === undefined) return reject({ code: 'UNKNOWN_HOLD', facts: { holdId } });
  if (hold.isReleased) return accept();
  const after = withHold(state, holdId, { ...hold, isReleased: true });
  const freed = [...state.erasures]
    .filter(([, { state: at, keys }]) => {
      return at === 'BLOCKED' && holdsOn(after, idsOf(keys)).length === 0;
    })
    .map(([id, erasure]) => requested(id, erasure));
  return accept<DecidedPrivacy>(
    {
      type: 'meridian.privacy.hold_released.v1',
      subject,
      data: {
        holdId,
        ...(reason === undefined ? {} : { reason }),
        ...(actor === undefined ? {} : { releasedBy: actor }),
      },
    },
    ...freed,
  );
}

function setResidency(
  state: Privacy,
  { regions = [] }: DataOf<'meridian.privacy.set_residency.v1'>,
  actor: string | undefined,
): Decided {
  const wanted = sorted(regions);
  if (isSame(wanted, state.residency ?? [])) return accept();
  return accept({
    type: 'meridian.privacy.residency_set.v1',
    subject,
    data: { regions: wanted, ...(actor === undefined ? {} : { setBy: actor }) },
  });
}

/** Erasures, holds and residency of one tenant: the aggregate `privacy` `all` of the order home. */
export const privacyDecider: Decider<Privacy, DecidedPrivacy, Command, PrivacyRejection> = {
  initial: () => ({ erasures: new Map(), holds: new Map(), residency: undefined }),
  evolve,
  decide,
};
