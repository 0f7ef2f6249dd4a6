/** One stretch of ownership of a home. */
export interface EpochRecord {
  readonly epoch: number;
  /** The region that decided in it. */
  readonly owner: string;
  /** The last sequence of `EV_<owner>` that counts; absent while the epoch lasts. */
  readonly upTo?: number;
}

/** An epoch that has ended. */
export type Seal = Required<EpochRecord>;

/** What an ownership event says: the epoch that begins, and all that ended before it. */
export interface OwnershipRecord {
  readonly home: string;
  readonly epoch: number;
  readonly owner: string;
  readonly seals: readonly Seal[];
}

/** Whether an entry is part of its home's history; `unknown`: the ledger does not reach there yet. */
export type Verdict = 'counts' | 'orphan' | 'unknown';

/**
 * Who decided for which home, under which epoch and up to where: folded from the ownership events
 * of all regions. A home that was never failed over is its own region's, in epoch 1.
 */
export class Ledger {
  readonly #homes = new Map<string, readonly EpochRecord[]>();
  readonly #listeners = new Set<(home: string) => void>();

  /** All epochs of a home, the first one first; the last one has no `upTo`. */
  epochs(home: string): readonly EpochRecord[] {
    let known = this.#homes.get(home);
    if (known === undefined) {
      known = [{ epoch: 1, owner: home }];
      this.#homes.set(home, known);
    }
    return known;
  }

  /** The epoch in force as far as it is known here. */
  current(home: string): EpochRecord {
    return this.epochs(home).at(-1) as EpochRecord;
  }

  /** The record of one epoch; undefined when there is none. */
  epoch(home: string, epoch: number): EpochRecord | undefined {
    return this.epochs(home)[epoch - 1];
  }

  /** Whether what a region wrote at a sequence of its `EV_` under an epoch is part of the history. */
  verdict(home: string, epoch: number, region: string, sequence: number): Verdict {
    const record = this.epoch(home, epoch);
    if (record === undefined) return 'unknown';
    if (record.owner !== region) return 'orphan';
    return record.upTo === undefined || sequence <= record.upTo ? 'counts' : 'orphan';
  }

  /**
   * Takes what an ownership event says; older news than is known changes nothing.
   * @returns whether it was news
   * @throws Error when the record leaves out an epoch
   */
  take({ home, epoch, owner, seals }: OwnershipRecord): boolean {
    if (epoch <= this.current(home).epoch) return false;
    const gap = seals.findIndex((seal, index) => seal.epoch !== index + 1);
    if (gap !== -1 || seals.length !== epoch - 1) {
      throw new Error(
        `The ownership record of home ${home} for epoch ${epoch} names the seals ` +
          `${seals.map((seal) => seal.epoch).join(', ') || '(none)'}; expected 1 to ${epoch - 1}.`,
      );
    }
    this.#homes.set(home, [
      ...seals.map((seal) => ({ epoch: seal.epoch, owner: seal.owner, upTo: seal.upTo })),
      { epoch, owner },
    ]);
    for (const listener of this.#listeners) listener(home);
    return true;
  }

  /** Calls back after each news, with the home it is about. @returns what ends that */
  onChange(listener: (home: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
