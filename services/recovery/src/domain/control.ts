/** One key of `CONTROL` as it was read: a JSON text under a revision that only grows. */
export interface ControlEntry {
  readonly key: string;
  readonly value: string;
  readonly revision: number;
}

/** The end of an epoch: the last sequence of `EV_<owner>` that counts. */
export interface Seal {
  readonly epoch: number;
  readonly owner: string;
  readonly upTo: number;
}

export type FailoverKind = 'PLANNED' | 'UNPLANNED';

/** `home.<home>`: who may decide for the home next. */
export interface HomeRecord {
  readonly home: string;
  readonly epoch: number;
  readonly owner: string;
  readonly state: 'ACTIVE' | 'SEALING';
  /** Who is to go on, while sealing. */
  readonly next?: string;
  /** All epochs before this one, from 1 on. */
  readonly seals: readonly Seal[];
  /** How this epoch came about; absent for the first. */
  readonly kind?: FailoverKind;
  /** The owner's instance that wrote this last. */
  readonly instance?: string;
}

/** `lease.<region>`: renewed by the region; marked by another one that found it lapsed. */
export interface LeaseRecord {
  readonly region: string;
  /** Counts the renewals. */
  readonly count: number;
  /** When it was renewed, by the region's clock, in epoch ms; for people only. */
  readonly at: number;
  readonly instance: string;
  readonly lapsedBy?: string;
}

/** `claim.<home>.<epoch>.<region>`: how much of the lost owner's `EV_` a survivor holds. */
export interface ClaimRecord {
  readonly region: string;
  readonly upTo: number;
  /** The count of the lease whose lapse the claim is about. */
  readonly lease: number;
  /** The survivor does not take over for now: nobody need wait for it. */
  readonly refuses?: true;
}

export const homeKey = (home: string): string => `home.${home}`;
export const leaseKey = (region: string): string => `lease.${region}`;
export const claimKey = (home: string, epoch: number, region: string): string =>
  `claim.${home}.${epoch}.${region}`;

export interface Seen<T> {
  readonly revision: number;
  readonly value: T;
}

/** What a region knows of `CONTROL`, and when it last saw a sign of life of each region there. */
export class ControlView {
  readonly homes = new Map<string, Seen<HomeRecord>>();
  readonly leases = new Map<string, Seen<LeaseRecord>>();
  readonly #claims = new Map<string, Seen<ClaimRecord>>();
  readonly #signs = new Map<string, number>();
  #sinceMs: number | undefined;
  #incarnation: string | undefined;

  /** Since when `CONTROL` is known, in monotonic ms; undefined before it was read. */
  get sinceMs(): number | undefined {
    return this.#sinceMs;
  }

  /**
   * A whole reading has come.
   * @param incarnation names the store: another one knows nothing of what was written before
   * @returns false when everything known was forgotten, because the store is another one
   */
  readWhole(incarnation: string, entries: readonly ControlEntry[], nowMs: number): boolean {
    const isSame = this.#incarnation === undefined || this.#incarnation === incarnation;
    if (!isSame) {
      this.homes.clear();
      this.leases.clear();
      this.#claims.clear();
      this.#signs.clear();
      this.#sinceMs = undefined;
    }
    this.#incarnation = incarnation;
    this.#sinceMs ??= nowMs;
    for (const entry of entries) this.take(entry, nowMs);
    return isSame;
  }

  /** Takes one entry; an older one than is known, or what is no record, changes nothing. */
  take({ key, value, revision }: ControlEntry, nowMs: number): void {
    const [kind, first = '', epoch, claimant] = key.split('.');
    let record: unknown;
    try {
      record = JSON.parse(value);
    } catch {
      return;
    }
    if (kind === 'home') this.setHome(first, { revision, value: record as HomeRecord }, nowMs);
    else if (kind === 'lease') {
      this.setLease(first, { revision, value: record as LeaseRecord }, nowMs);
    } else if (kind === 'claim' && epoch !== undefined && claimant !== undefined) {
      if (revision > (this.#claims.get(key)?.revision ?? 0)) {
        this.#claims.set(key, { revision, value: record as ClaimRecord });
      }
    }
  }

  /** @returns whether it was news */
  setHome(home: string, seen: Seen<HomeRecord>, nowMs: number): boolean {
    if (seen.revision <= (this.homes.get(home)?.revision ?? 0)) return false;
    this.homes.set(home, seen);
    this.#signs.set(seen.value.owner, nowMs);
    return true;
  }

  /** @returns whether it was news */
  setLease(region: string, seen: Seen<LeaseRecord>, nowMs: number): boolean {
    if (seen.revision <= (this.leases.get(region)?.revision ?? 0)) return false;
    this.leases.set(region, seen);
    if (seen.value.lapsedBy === undefined) this.#signs.set(region, nowMs);
    return true;
  }

  /** When a region was last seen alive in `CONTROL`; before it was ever, since that is known. */
  lastSignMs(region: string): number | undefined {
    return this.#signs.get(region) ?? this.#sinceMs;
  }

  /** Whether a region's lease was found lapsed, and the region has not come back since. */
  isLapsed(region: string): boolean {
    return this.leases.get(region)?.value.lapsedBy !== undefined;
  }

  /** The claims on a home's epoch that are about the present lapse of its owner. */
  claims(home: string, epoch: number, lease: number): ClaimRecord[] {
    const prefix = `claim.${home}.${epoch}.`;
    return [...this.#claims]
      .filter(([key, { value }]) => key.startsWith(prefix) && value.lease === lease)
      .map(([, { value }]) => value);
  }
}
