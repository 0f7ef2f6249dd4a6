import type { Ledger } from '@meridian/journal';
import type { RecoveryStatus } from '@meridian/nest';
import { isControlSilent, type HomeState, type State } from './domain/state.ts';
import type { Replication } from './replication.ts';

export interface StatusInput {
  readonly region: string;
  readonly regions: readonly string[];
  readonly ledger: Ledger;
  /** Absent where ownership is static. */
  readonly state: State | undefined;
  readonly replication: Pick<Replication, 'peers' | 'backlogs' | 'heardMs'>;
  readonly isolated: boolean;
  readonly nowMs: number;
  readonly wallMs: number;
}

/** What recovery says of its region once a second; see `RecoveryStatus`. */
export function statusOf(input: StatusInput): RecoveryStatus {
  const { region, regions, ledger, state, isolated, nowMs, wallMs } = input;
  const owners: Record<string, string> = {};
  const epochs: Record<string, number> = {};
  const leases: Record<string, { ageMs: number }> = {};
  for (const name of regions) {
    const { owner, epoch } = ledger.current(name);
    owners[name] = owner;
    epochs[name] = epoch;
    const seenMs = state?.view.lastSignMs(name);
    if (seenMs !== undefined) leases[name] = { ageMs: Math.max(0, nowMs - seenMs) };
  }
  return {
    region,
    owners,
    epochs,
    leases,
    links: linksOf(input),
    isolated,
    riskMs: Math.max(
      0,
      ...[...input.replication.backlogs.values()].map((backlog) => backlog.atRiskMs(wallMs)),
    ),
    control: state !== undefined && isControlSilent(state, nowMs) ? 'away' : 'ok',
    failovers: failoversOf(state, epochs),
  };
}

function linksOf({ replication, wallMs }: StatusInput): RecoveryStatus['links'] {
  const links: RecoveryStatus['links'] = {};
  for (const peer of replication.peers) {
    if (replication.heardMs(peer) === undefined) continue;
    const backlogs = [...replication.backlogs.values()];
    links[peer] = {
      events: backlogs.reduce((sum, backlog) => sum + backlog.behind(peer), 0),
      ms: Math.max(0, ...backlogs.map((backlog) => backlog.ageMs(peer, wallMs))),
    };
  }
  return links;
}

/** What is under way, as this region knows of it. */
function failoversOf(
  state: State | undefined,
  epochs: Readonly<Record<string, number>>,
): RecoveryStatus['failovers'] {
  return [...(state?.homes ?? [])].flatMap(([home, mind]) => {
    const step = stepOf(mind, state?.view.homes.get(home)?.value.epoch ?? 0, epochs[home] ?? 0);
    const to =
      mind.handover?.to ??
      mind.request?.request.to ??
      state?.view.homes.get(home)?.value.next ??
      state?.settings.region;
    if (step === undefined || to === undefined) return [];
    return [{ home, to, kind: mind.takeover === undefined ? 'PLANNED' : 'UNPLANNED', step }];
  });
}

function stepOf(
  { takeover, handover, request }: HomeState,
  recorded: number,
  inForce: number,
): string | undefined {
  if (takeover !== undefined) {
    return takeover.claimed === undefined
      ? 'the owner is lost; what is held here is being claimed'
      : 'the owner is lost; who holds most takes over';
  }
  if (handover !== undefined) {
    if (handover.sealedAt !== undefined) return 'sealed; the next owner takes over';
    return handover.isAnnounced ? 'the deciders come to rest' : 'announced';
  }
  if (recorded > inForce) return 'decided; the ownership event is being stored';
  return request === undefined ? undefined : 'asked for';
}
