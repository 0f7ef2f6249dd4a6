import { claimKey, type ClaimRecord, type HomeRecord } from './control.ts';
import type { Facts } from './failover-events.ts';
import { outsideResidency } from './residency.ts';
import {
  homeOf,
  isSound,
  write,
  writeHome,
  type Draft,
  type State,
  type Takeover,
} from './state.ts';

/**
 * The owner of a home is lapsed: every survivor writes how much it holds of the owner's decisions, or
 * that it does not take over for now. These are waited for as long as their regions renew their
 * leases, though not for ever. Who holds most takes over, the first by name among equals (who was
 * asked for goes before); the next ones each a while later, if nobody before them did.
 */
export function mindTakeover(draft: Draft, record: HomeRecord): void {
  const { state, at } = draft;
  const { settings, view, positions } = state;
  const { home, epoch, owner } = record;
  const mind = homeOf(state, home);
  const lapsed = view.leases.get(owner);
  const held = positions.get(owner);
  if (lapsed === undefined) return;
  const lease = lapsed.value.count;
  if (mind.takeover?.epoch !== epoch || mind.takeover.lease !== lease) {
    mind.takeover = { epoch, lease, sinceMs: at.nowMs, detectedMs: at.wallMs };
  }
  const takeover = mind.takeover;
  const outside = outsideResidency(state.residency, home, settings.region);
  if (held === undefined || !isSound(state) || outside !== undefined) {
    if (outside !== undefined && takeover.isRefused !== true) {
      const report = { what: 'outside_residency', home, reason: outside.reason } as const;
      draft.actions.push({ type: 'report', report });
    }
    refuse(draft, home, takeover);
    return;
  }
  if (takeover.claimed === undefined) {
    takeover.claimed = held.sequence;
    takeover.isRefused = false;
    writeClaim(draft, home, epoch, { region: settings.region, upTo: held.sequence, lease });
  }
  const said = knownClaims(state, record, lease, takeover.claimed);
  const isComplete = survivors(state, owner).every((region) =>
    said.some((claim) => claim.region === region),
  );
  if (!isComplete && at.nowMs < takeover.sinceMs + settings.claimWaitMs) return;
  const claims = said.filter(({ refuses }) => refuses !== true);
  takeover.rankedAtMs ??= at.nowMs;
  const rank = ranked(claims, mind.request?.request.to).indexOf(settings.region);
  if (at.nowMs < takeover.rankedAtMs + rank * settings.takeoverWaitMs) return;
  const request = mind.request?.request;
  const facts: Facts = {
    ...(request?.to === settings.region ? { request } : {}),
    ...(lapsed.value.at === 0 ? {} : { previousSeenMs: lapsed.value.at }),
    ...(held.storedAtMs === undefined ? {} : { lastCountedMs: held.storedAtMs }),
    detectedMs: takeover.detectedMs,
    claims: claims.toSorted((a, b) => (a.region < b.region ? -1 : 1)),
  };
  writeHome(
    draft,
    {
      home,
      epoch: epoch + 1,
      owner: settings.region,
      state: 'ACTIVE',
      seals: [...record.seals, { epoch, owner, upTo: held.sequence }],
      kind: 'UNPLANNED',
    },
    facts,
  );
}

/** Tells the others, once, that they need not wait. */
function refuse(draft: Draft, home: string, takeover: Takeover): void {
  delete takeover.claimed;
  delete takeover.rankedAtMs;
  if (takeover.isRefused === true) return;
  takeover.isRefused = true;
  const { epoch, lease } = takeover;
  const { region } = draft.state.settings;
  writeClaim(draft, home, epoch, { region, upTo: 0, lease, refuses: true });
}

function writeClaim(draft: Draft, home: string, epoch: number, claim: ClaimRecord): void {
  write(draft, claimKey(home, epoch, claim.region), JSON.stringify(claim), undefined, {
    kind: 'claim',
    sentAtMs: draft.at.nowMs,
  });
}

/** The regions that may take over: seen in `CONTROL`, and not found lapsed. */
function survivors({ settings, view }: State, owner: string): string[] {
  return settings.regions.filter(
    (region) => region !== owner && view.leases.has(region) && !view.isLapsed(region),
  );
}

function knownClaims(
  state: State,
  { home, epoch, owner }: HomeRecord,
  lease: number,
  own: number,
): ClaimRecord[] {
  const { region } = state.settings;
  const alive = new Set(survivors(state, owner));
  const others = state.view
    .claims(home, epoch, lease)
    .filter((claim) => claim.region !== region && alive.has(claim.region));
  return [...others, { region, upTo: own, lease }];
}

/** The claimants, who holds most first. */
export function ranked(claims: readonly ClaimRecord[], preferred: string | undefined): string[] {
  const before = (region: string): string => (region === preferred ? ` ${region}` : region);
  return claims
    .toSorted((a, b) => b.upTo - a.upTo || (before(a.region) < before(b.region) ? -1 : 1))
    .map(({ region }) => region);
}
