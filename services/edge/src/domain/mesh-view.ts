/** What recovery of a region says; see `RecoveryStatus` of `@meridian/nest`. */
export interface MeshStatus {
  readonly owners: Readonly<Record<string, string>>;
  readonly epochs: Readonly<Record<string, number>>;
  readonly leases: Readonly<Record<string, { readonly ageMs: number }>>;
  readonly links: Readonly<Record<string, { readonly events: number; readonly ms: number }>>;
  readonly isolated: boolean;
  readonly riskMs: number;
  readonly control: 'ok' | 'away';
  readonly failovers: readonly {
    readonly home: string;
    readonly to: string;
    readonly kind: 'PLANNED' | 'UNPLANNED';
    readonly step: string;
  }[];
}

/** What a region's recovery said last, and how long ago that was heard here. */
export interface HeardStatus {
  readonly status: MeshStatus;
  readonly heardMsAgo: number;
}

/** One stretch of ownership of a home, as the ledger has it. */
export interface OwnershipView {
  readonly epoch: number;
  readonly owner: string;
  /** The last sequence of `EV_<owner>` that counts; absent while the epoch lasts. */
  readonly upTo?: number;
}

export interface MeshFacts {
  /** The region that looks. */
  readonly region: string;
  readonly regions: readonly string[];
  /** All epochs of a home, the first one first. */
  readonly epochs: (home: string) => readonly OwnershipView[];
  /** What was heard from each region's recovery; those never heard of are not there. */
  readonly heard: ReadonlyMap<string, HeardStatus>;
  /** How many messages of each stream of this region no other region holds. */
  readonly atRisk: Readonly<Record<string, number>>;
  readonly intakeOpen: boolean;
}

/** What is older than this says nothing about now, in ms; recovery speaks once a second. */
export const statusAgeLimitMs = 5_000;

/** What was heard from a region lately. */
export function recent(
  heard: ReadonlyMap<string, HeardStatus>,
  region: string,
): HeardStatus | undefined {
  const one = heard.get(region);
  return one !== undefined && one.heardMsAgo <= statusAgeLimitMs ? one : undefined;
}

/** `GET /v1/regions`: how the mesh is, as one region sees it. */
export function meshView(facts: MeshFacts): Record<string, unknown> {
  const { region, regions, heard, atRisk, intakeOpen } = facts;
  const own = recent(heard, region);
  return {
    region,
    regions: regions.map((one) => regionView(facts, one, own)),
    homes: regions.map((home) => homeView(facts, home, own)),
    links: links(facts),
    isolated: own?.status.isolated ?? null,
    atRisk: { ms: own?.status.riskMs ?? null, messages: atRisk },
    intakeOpen,
    control: own?.status.control ?? null,
    recovery: own === undefined ? null : { heardMsAgo: own.heardMsAgo },
  };
}

function regionView(facts: MeshFacts, region: string, own: HeardStatus | undefined): object {
  const lease = own?.status.leases[region];
  const owned = facts.regions.filter((home) => ownerOf(facts, home, own).owner === region);
  const said = recent(facts.heard, region);
  return {
    region,
    owns: owned,
    lease:
      lease === undefined || own === undefined
        ? null
        : { holder: region, ageMs: lease.ageMs + own.heardMsAgo },
    isolated: said?.status.isolated ?? null,
    control: said?.status.control ?? null,
  };
}

/** Who decides for a home and under which epoch: whoever knows of the later epoch. */
export function ownerOf(
  { epochs }: Pick<MeshFacts, 'epochs'>,
  home: string,
  own: HeardStatus | undefined,
): { readonly owner: string; readonly epoch: number } {
  const { owner, epoch } = epochs(home).at(-1) as OwnershipView;
  const said = own?.status.epochs[home] ?? 0;
  const by = own?.status.owners[home];
  return said > epoch && by !== undefined ? { owner: by, epoch: said } : { owner, epoch };
}

function homeView(facts: MeshFacts, home: string, own: HeardStatus | undefined): object {
  const { owner, epoch } = ownerOf(facts, home, own);
  const underWay = own?.status.failovers.find((one) => one.home === home);
  const known = facts.epochs(home);
  return {
    home,
    owner,
    epoch,
    state: stateOf(underWay !== undefined, epoch > (known.at(-1) as OwnershipView).epoch),
    failover:
      underWay === undefined ? null : { to: underWay.to, kind: underWay.kind, step: underWay.step },
    seals: known.filter(({ upTo }) => upTo !== undefined),
  };
}

function stateOf(underWay: boolean, begins: boolean): 'ACTIVE' | 'FAILING_OVER' | 'TAKING_OVER' {
  if (underWay) return 'FAILING_OVER';
  // The control cluster names an owner that has not written its first entry yet.
  return begins ? 'TAKING_OVER' : 'ACTIVE';
}

/** For each pair of regions what the second does not hold of the first, where the first said so. */
function links({ regions, heard }: MeshFacts): object[] {
  return regions.flatMap((from) => {
    const said = recent(heard, from)?.status.links ?? {};
    return regions.flatMap((to) => {
      const link = said[to];
      return link === undefined ? [] : [{ from, to, events: link.events, ms: link.ms }];
    });
  });
}
