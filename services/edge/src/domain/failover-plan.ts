import { ownerOf, recent, type MeshFacts } from './mesh-view.ts';

/** Who would feel a failover, at this moment. */
export interface BlastRadius {
  readonly contacts: {
    readonly open: number;
    readonly waiting: number;
    readonly offered: number;
    readonly connected: number;
  };
  readonly agents: { readonly signedIn: number };
}

export interface Blocker {
  readonly code:
    | 'ALREADY_OWNER'
    | 'RECOVERY_AWAY'
    | 'NO_QUORUM'
    | 'FAILOVER_UNDER_WAY'
    | 'TARGET_LOST'
    | 'TARGET_ISOLATED'
    | 'TARGET_NOT_CAUGHT_UP'
    | 'OUTSIDE_RESIDENCY';
  readonly detail: string;
}

export interface PlanQuestion {
  readonly home: string;
  readonly to: string;
  /** How old a lease may be before its region counts as lost, in ms. */
  readonly leaseMs: number;
  /** Undefined where the read models are not kept here. */
  readonly radius: BlastRadius | undefined;
  /**
   * How many messages of the home's intake the deciders here have not settled; undefined when
   * another region decides.
   */
  readonly intakeBehind: number | undefined;
  /** The sets of regions of those tenants that have one. */
  readonly residency?: ReadonlyMap<string, readonly string[]>;
}

/** How far a target may be behind for a planned failover to be short, in ms. */
const caughtUpMs = 1_000;

/** `GET /v1/regions/{home}/plan`: what a failover would do, whom it would touch, and what is in its way. */
export function failoverPlan(facts: MeshFacts, question: PlanQuestion): Record<string, unknown> {
  const { home, to, leaseMs, radius, intakeBehind } = question;
  const own = recent(facts.heard, facts.region);
  const { owner, epoch } = ownerOf(facts, home, own);
  const ageOf = (region: string): number | undefined => {
    const lease = own?.status.leases[region];
    return lease === undefined || own === undefined ? undefined : lease.ageMs + own.heardMsAgo;
  };
  const lives = (region: string): boolean => (ageOf(region) ?? Infinity) <= leaseMs;
  const kind = own === undefined || lives(owner) ? 'PLANNED' : 'UNPLANNED';
  return {
    home,
    from: owner,
    to,
    epoch,
    nextEpoch: epoch + 1,
    kind,
    failback: to === home,
    steps: kind === 'PLANNED' ? plannedSteps(home, owner, to) : unplannedSteps(home, owner, to),
    blastRadius: {
      contacts: radius?.contacts ?? null,
      agents: radius?.agents ?? null,
      intakeBehind: intakeBehind ?? null,
    },
    blockers: blockers(facts, question, { owner, kind, lives }),
  };
}

interface Situation {
  readonly owner: string;
  readonly kind: 'PLANNED' | 'UNPLANNED';
  readonly lives: (region: string) => boolean;
}

function blockers(
  facts: MeshFacts,
  { home, to, leaseMs, residency = new Map() }: PlanQuestion,
  { owner, kind, lives }: Situation,
): Blocker[] {
  const found: Blocker[] = [];
  const add = (code: Blocker['code'], detail: string): void => {
    found.push({ code, detail });
  };
  if (owner === to) add('ALREADY_OWNER', `${to} decides for ${home} already.`);
  for (const [tenant, regions] of residency) {
    if (to === home || !regions.includes(home) || regions.includes(to)) continue;
    add(
      'OUTSIDE_RESIDENCY',
      `Data of the tenant ${tenant} at home in ${home} may be in ${regions.join(', ')} only, not in ${to}.`,
    );
  }
  const own = recent(facts.heard, facts.region);
  if (own === undefined) {
    add(
      'RECOVERY_AWAY',
      `The recovery of ${facts.region} has said nothing for some seconds; nobody here would carry it out.`,
    );
    return found;
  }
  const { status } = own;
  if (status.control === 'away') {
    add('NO_QUORUM', 'The control cluster does not answer; the epoch cannot be raised.');
  }
  const underWay = status.failovers.find((one) => one.home === home);
  if (underWay !== undefined) {
    add('FAILOVER_UNDER_WAY', `${home} is on its way to ${underWay.to}: ${underWay.step}.`);
  }
  if (owner === to) return found;
  if (!lives(to)) {
    add('TARGET_LOST', `No renewal of the lease of ${to} was seen for ${leaseMs} ms.`);
  }
  if (recent(facts.heard, to)?.status.isolated === true) {
    add('TARGET_ISOLATED', `${to} sees no other region.`);
  }
  const link = recent(facts.heard, owner)?.status.links[to];
  if (kind === 'PLANNED' && link !== undefined && link.ms > caughtUpMs) {
    add(
      'TARGET_NOT_CAUGHT_UP',
      `${to} is ${link.events} messages (${Math.round(link.ms)} ms) behind ${owner}; the pause would last as long.`,
    );
  }
  return found;
}

function plannedSteps(home: string, owner: string, to: string): string[] {
  return [
    `${owner} takes back what it has granted for ${home} and waits until its deciders have stopped.`,
    `${owner} writes the home's last entry of the epoch: the seal.`,
    `${to} waits until it holds everything up to the seal.`,
    `${to} raises the epoch, writes the ownership event and grants its deciders; nothing is lost.`,
  ];
}

function unplannedSteps(home: string, owner: string, to: string): string[] {
  return [
    `Every survivor says how much of EV_${owner} it holds.`,
    `${to} raises the epoch of ${home}; what counts ends with what is held.`,
    `${to} writes the ownership event, finishes the intake that ${owner} left, and grants its deciders.`,
    `What ${owner} decided beyond the seal does not count and is dealt with when it returns.`,
  ];
}
