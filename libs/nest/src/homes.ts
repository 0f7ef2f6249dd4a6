import { followLedger, Ledger, type FollowedLedger, type Log } from '@meridian/journal';

/**
 * What a process knows of the homes: the regions there are, and who owned what up to where. The
 * ledger is kept up to date from the first `open` on.
 */
export class Homes {
  /** The regions of the mesh, each the name of a home too; this one alone without a mesh. */
  readonly regions: readonly string[];
  readonly ledger = new Ledger();
  /** The homes decided here, appends under way included, and their epochs; by service. */
  readonly #deciding = new Map<string, () => Readonly<Record<string, number>>>();
  readonly #log: Log;
  #followed: FollowedLedger | undefined;

  constructor(log: Log, regions: readonly string[]) {
    this.#log = log;
    this.regions = regions;
  }

  /** Resolves once the ledger holds what the local copies hold. Safe to call again. */
  async open(onFailure: (error: unknown) => void): Promise<void> {
    // Alone, nothing ever moves: there is nothing to be followed.
    if (this.regions.length === 1) return;
    this.#followed ??= followLedger(this.#log, this.regions, onFailure, { ledger: this.ledger });
    await this.#followed.caughtUp();
  }

  /** Takes a service's word for what it decides. */
  decides(service: string, homes: () => Readonly<Record<string, number>>): void {
    this.#deciding.set(service, homes);
  }

  /** The homes decided in this process, and their epochs. */
  deciding(): Record<string, number> {
    const all: Record<string, number> = {};
    for (const homes of this.#deciding.values()) {
      for (const [home, epoch] of Object.entries(homes())) {
        // An older epoch under way is what a hand-over must wait for.
        all[home] = Math.min(all[home] ?? epoch, epoch);
      }
    }
    return all;
  }

  async close(): Promise<void> {
    await this.#followed?.close();
  }
}
