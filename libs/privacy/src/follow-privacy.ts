import { followHome, readEntry, type HomeFollower, type Ledger, type Log } from '@meridian/journal';
import { fromTimestamp } from '@meridian/core';
import { parseSubject } from '@meridian/wire';
import { privacyDecider, type DecidedPrivacy, type Privacy } from './domain/privacy.ts';

/** The home that persons' data is decided for in: that of the first region by name, as the order's. */
export function privacyHome(regions: readonly string[]): string {
  const [home] = regions.toSorted();
  if (home === undefined) throw new RangeError('A mesh has at least one region; none was named.');
  return home;
}

export interface FollowPrivacyOptions {
  readonly log: Log;
  readonly ledger: Ledger;
  readonly regions: readonly string[];
  /** Told once when it stops by itself. */
  readonly onFailure: (error: unknown) => void;
  /** Told of each event that counts, in order, once for each fold: after a failover from the start. */
  readonly onEvent?: (tenant: string, event: DecidedPrivacy) => void;
}

/**
 * What was decided about persons' data, of every tenant, followed in the copies held here: what
 * counts of it, in canonical order, across failovers.
 */
export class FollowedPrivacy {
  readonly home: string;
  readonly #options: FollowPrivacyOptions;
  readonly #tenants = new Map<string, Privacy>();
  /** The keys that were asked to be destroyed: `<tenant> <key id>`. */
  readonly #doomed = new Set<string>();
  readonly #listeners = new Set<() => void>();
  #follower: HomeFollower;
  #isClosed = false;

  constructor(options: FollowPrivacyOptions) {
    this.#options = options;
    this.home = privacyHome(options.regions);
    this.#follower = this.#begin();
  }

  /** What is known of a tenant. */
  of(tenant: string): Privacy {
    return this.#tenants.get(tenant) ?? privacyDecider.initial();
  }

  /** The tenants of which something was decided. */
  tenants(): Iterable<readonly [tenant: string, privacy: Privacy]> {
    return this.#tenants;
  }

  /** The regions in which a tenant's keys may be, sorted; all of them where nothing was set. */
  residencyOf(tenant: string): readonly string[] {
    return this.of(tenant).residency ?? this.#options.regions.toSorted();
  }

  /** Whether a key was destroyed, or is to be in every region. */
  isErased(tenant: string, keyId: string): boolean {
    return this.#doomed.has(`${tenant} ${keyId}`);
  }

  /** The sets of regions of those tenants that have one. */
  residencySets(): ReadonlyMap<string, readonly string[]> {
    const sets = new Map<string, readonly string[]>();
    for (const [tenant, { residency }] of this.#tenants) {
      if (residency !== undefined) sets.set(tenant, residency);
    }
    return sets;
  }

  /** Calls back after each event. @returns what ends that */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves when everything that counts and is held here was taken. */
  caughtUp(): Promise<void> {
    return this.#follower.caughtUp();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#listeners.clear();
    await this.#follower.close();
  }

  #begin(): HomeFollower {
    const { log, ledger, onFailure } = this.#options;
    const follower: HomeFollower = followHome(
      log,
      ledger,
      {
        home: this.home,
        filters: ['*.privacy.all'],
        onFailure,
        onRevoked: () => {
          // What was folded was lost with its region: all of it is folded anew.
          if (this.#isClosed) return;
          void follower.close();
          this.#tenants.clear();
          this.#doomed.clear();
          this.#follower = this.#begin();
        },
      },
      (message) => {
        const tenant = parseSubject(message.subject)?.tenant;
        if (tenant === undefined || this.#isClosed) return;
        for (const event of readEntry(message).events) {
          const decided = event as unknown as DecidedPrivacy;
          const state = privacyDecider.evolve(this.of(tenant), decided, fromTimestamp(event.time));
          this.#tenants.set(tenant, state);
          if (decided.type === 'meridian.privacy.subject_erasure_requested.v1') {
            for (const { id } of decided.data.keys) this.#doomed.add(`${tenant} ${id}`);
          }
          this.#options.onEvent?.(tenant, decided);
        }
        for (const listener of this.#listeners) listener();
      },
    );
    return follower;
  }
}
