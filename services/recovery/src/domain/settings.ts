/** The two clocks at an input: intervals are taken by the first, events are dated by the second. */
export interface Moment {
  /** Monotonic milliseconds of this machine; never compared with another machine's. */
  readonly nowMs: number;
  /** Epoch milliseconds. */
  readonly wallMs: number;
}

/** What a region does that can renew its lease no more. */
export type OnIsolation = 'fence' | 'serve';

/** How the ownership of homes is kept; all times in ms of the own monotonic clock. */
export interface Settings {
  readonly region: string;
  /** All regions of the mesh, the own one among them. Each is also the name of a home. */
  readonly regions: readonly string[];
  /** This process's name for itself, new at each start. */
  readonly instance: string;
  readonly onIsolation: OnIsolation;
  /** A lease ends this long after the sending of the renewal, less the guard. */
  readonly leaseMs: number;
  /** Taken off one's own lease and added to the others'. */
  readonly guardMs: number;
  readonly renewEveryMs: number;
  readonly readEveryMs: number;
  /** How long a survivor waits at most for the claims of those that renew their leases. */
  readonly claimWaitMs: number;
  /** How long each next survivor waits for the one before it. */
  readonly takeoverWaitMs: number;
  /** After this a planned change that does not come to its end is given up. */
  readonly handoverLimitMs: number;
  /** A request that nobody could act on is forgotten after this. */
  readonly requestLimitMs: number;
  readonly compareEveryMs: number;
  /** What was sent and not answered counts as lost after this. */
  readonly answerLimitMs: number;
}

/** The settings that follow from the length of a lease. */
export function settingsOf(
  given: Pick<Settings, 'region' | 'regions' | 'instance'> &
    Partial<Pick<Settings, 'leaseMs' | 'onIsolation'>>,
): Settings {
  const { region, regions, instance, leaseMs = 5_000, onIsolation = 'fence' } = given;
  return {
    region,
    regions: regions.toSorted(),
    instance,
    onIsolation,
    leaseMs,
    guardMs: leaseMs / 5,
    renewEveryMs: leaseMs / 5,
    readEveryMs: leaseMs / 5,
    claimWaitMs: (7 * leaseMs) / 5,
    takeoverWaitMs: (2 * leaseMs) / 5,
    handoverLimitMs: 3 * leaseMs,
    requestLimitMs: 12 * leaseMs,
    compareEveryMs: leaseMs / 5,
    answerLimitMs: leaseMs,
  };
}
