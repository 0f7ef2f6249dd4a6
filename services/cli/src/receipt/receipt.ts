/** How far a request was held before it was acknowledged: this region, one other, every other. */
export const durabilities = ['region', 'mirrored', 'all'] as const;
export type Durability = (typeof durabilities)[number];
export type ByDurability = Readonly<Record<Durability, number>>;

/** Sequences of a stream, both ends among them, that were acknowledged and are not where they must be. */
export interface LostRange {
  readonly durability: Durability;
  readonly stream: string;
  readonly from: number;
  readonly to: number;
}

/** Acknowledged messages that were looked for in the copies that must hold them, and not found. */
export interface Lost {
  readonly count: ByDurability;
  /** The first of them; all, if `rangesLeftOut` is 0. */
  readonly ranges: readonly LostRange[];
  readonly rangesLeftOut: number;
}

/** An epoch of a home. `upTo`: the seal, a sequence in the owner's `EV_`; null while it is in force. */
export interface Epoch {
  readonly epoch: number;
  readonly owner: string;
  readonly upTo: number | null;
}

/** A change of ownership as its entries on the log say it. Times: ms after the drill began. */
export interface Takeover {
  readonly home: string;
  readonly epoch: number;
  readonly from: string;
  readonly to: string;
  readonly kind: 'PLANNED' | 'UNPLANNED';
  readonly detectedAtMs: number | null;
  readonly completedAtMs: number;
}

/** What a drill was asked to do. */
export interface Parameters {
  readonly regions: readonly string[];
  /** Whose ownership moves; null when none is meant to. */
  readonly home: string | null;
  readonly kind: 'PLANNED' | 'UNPLANNED' | 'NONE';
  /**
   * Requests over all regions to be acknowledged in a second; null in a day that is played: what is
   * asked for next depends on what was decided before.
   */
  readonly ratePerSecond: number | null;
  readonly seconds: number;
  /** How many requests a batch holds; of a day, at most. */
  readonly batchSize: number;
  readonly publishersPerRegion: number;
  /** How many of 100 batches ask for which durability. */
  readonly sharesPercent: ByDurability;
  readonly contactsPerSecond: number;
  readonly agentsPerRegion: number;
  readonly leaseMs: number;
}

/** A promise of one drill alone, such as how soon a link is used again after its heal. */
export interface Observation {
  readonly code: string;
  readonly promise: string;
  /** Null when it could not be measured: then it was not kept. */
  readonly measured: number | null;
  readonly bound: 'at most' | 'at least';
  readonly limit: number;
  readonly unit: string;
}

/** What a drill saw, before anything is concluded from it. */
export interface Facts {
  readonly id: string;
  /** What was done in a few words: `kill eu`. */
  readonly exercise: string;
  readonly seed: string;
  /** RFC 3339. */
  readonly startedAt: string;
  readonly endedAt: string;
  readonly versions: {
    readonly meridian: string;
    readonly natsServer: string;
    readonly node: string;
  };
  readonly parameters: Parameters;
  /** What was killed, stopped, cut and mended when: ms after the drill began. */
  readonly actions: readonly { readonly atMs: number; readonly what: string }[];
  readonly publishing: {
    /** Requests acknowledged, each counted once. */
    readonly acknowledged: ByDurability;
    /** How many of them while the load lasted: what waits for a lost region comes later. */
    readonly acknowledgedInTime: number;
    /** From the first request to the last acknowledgement. */
    readonly tookMs: number;
    /** Answers that said try again, or no answer at all. */
    readonly retried: number;
    /** Requests that were refused for good, or never acknowledged. */
    readonly uncured: number;
    /** The longest time that a publisher of each region had no acknowledgement. */
    readonly longestPauseMs: Readonly<Record<string, number>>;
  };
  /** Not held by any survivor that must hold it while the killed region was away. */
  readonly missing: Lost;
  /** From the acknowledgement of the first message missing to the kill; null where nothing was killed. */
  readonly rpoMs: number | null;
  /** Not held in the end by every region. */
  readonly lost: Lost;
  /** After the kill, or the request of a planned failover; null when it did not happen. */
  readonly times: {
    /** Another region knew that it must act. */
    readonly detectionMs: number | null;
    /** The new epoch began. */
    readonly takeoverMs: number | null;
    /** The first contact of the home was offered to an agent under the new epoch: the RTO. */
    readonly firstOfferMs: number | null;
    /** After its restart the killed region held what the others hold, and they what it holds. */
    readonly returnMs: number | null;
  };
  readonly ownership: Readonly<Record<string, readonly Epoch[]>>;
  readonly takeovers: readonly Takeover[];
  readonly orphans: {
    readonly found: number;
    readonly adopted: number;
    readonly setAside: number;
  };
  readonly doubleAssignments: number;
  /** What this drill promised beyond what all do. */
  readonly observations: readonly Observation[];
  readonly check: {
    /** Entries and events that were checked in each region's copies. */
    readonly entries: number;
    readonly events: number;
    readonly contacts: number;
    readonly reservations: number;
    readonly violations: Readonly<Record<string, number>>;
    /** Copies that are not byte for byte what their origin holds. */
    readonly copiesThatDiffer: readonly string[];
  };
}

/** What was promised, what was measured, and whether it held. */
export interface Verdict extends Observation {
  readonly kept: boolean;
}

/** Facts, their totals, and what follows from them. */
export interface Receipt extends Facts {
  readonly format: typeof receiptFormat;
  readonly totals: {
    readonly acknowledged: number;
    readonly missing: number;
    readonly lost: number;
    readonly violations: number;
    readonly orphansUnaccounted: number;
    /** Requests acknowledged in a second while the load lasted, to one decimal. */
    readonly perSecond: number;
    readonly longestPauseMs: number;
  };
  readonly verdicts: readonly Verdict[];
  readonly passed: boolean;
}

export const receiptFormat = 'meridian.receipt/1';
