import { toTimestamp } from '@meridian/core';
import type { Erasure, Hold } from '@meridian/privacy';

type View = Record<string, unknown>;

const timeOf = (ms: number | undefined): string | null =>
  ms === undefined ? null : toTimestamp(ms);

/** An erasure as the routes show it; `holds` are those in its way. */
export function erasureView(id: string, erasure: Erasure, holds: readonly string[]): View {
  const isAsked = erasure.state !== 'BLOCKED';
  const regions = isAsked ? erasure.regions : [];
  const confirmed = isAsked ? erasure.confirmed : new Map<string, never>();
  return {
    id,
    state: erasure.state,
    keys: erasure.keys,
    contacts: erasure.contacts,
    reason: erasure.reason,
    requestedBy: erasure.requestedBy ?? null,
    requestedAt: timeOf(erasure.requestedAtMs),
    erasedAt: erasure.state === 'ERASED' ? timeOf(erasure.erasedAtMs) : null,
    holds: erasure.state === 'BLOCKED' ? holds : [],
    regions: regions.map((region) => {
      const said = confirmed.get(region);
      return {
        region,
        destroyed: said?.destroyed.length ?? null,
        absent: said?.absent.length ?? null,
        at: timeOf(said?.atMs),
      };
    }),
  };
}

export function holdView(id: string, hold: Hold): View {
  return {
    id,
    keyIds: hold.keyIds,
    contactIds: hold.contactIds,
    reason: hold.reason,
    placedBy: hold.placedBy ?? null,
    placedAt: timeOf(hold.placedAtMs),
    released: hold.isReleased,
  };
}
