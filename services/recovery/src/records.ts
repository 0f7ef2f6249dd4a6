import { Fenced, journalOf, meshTenant, WrongLastSequence, type Log } from '@meridian/journal';
import type { Ledger } from '@meridian/journal';
import type { AggregateId, EventToEncode } from '@meridian/wire';

export interface RecordsOptions {
  readonly log: Log;
  readonly region: string;
  readonly ledger: Ledger;
  /** The epoch under which a home is decided here now. */
  readonly epochOf: (home: string) => number | undefined;
}

const conflictsLimit = 5;

/** Stores what recovery itself remembers, while this region decides for the home. */
export class Records {
  readonly #options: RecordsOptions;
  readonly #underWay = new Map<string, number>();

  constructor(options: RecordsOptions) {
    this.#options = options;
  }

  /** The homes being written for, with the epoch; a hand-over waits for them. */
  deciding(): Record<string, number> {
    return Object.fromEntries(this.#underWay);
  }

  /**
   * Stores events of one of the mesh's own aggregates, unless it has them already.
   * @param isKnown whether an event of the aggregate says what these say
   * @returns whether they were stored now
   * @throws Fenced when the home is not decided here now
   */
  async store(
    home: string,
    { entity, id }: Pick<AggregateId, 'entity' | 'id'>,
    events: readonly EventToEncode[],
    isKnown?: (event: { readonly type: string; readonly subject: string }) => boolean,
  ): Promise<boolean> {
    const { log, region, ledger, epochOf } = this.#options;
    const epoch = epochOf(home);
    if (epoch === undefined || this.#underWay.has(home)) throw new Fenced(home);
    this.#underWay.set(home, epoch);
    try {
      const writer = { region, home, service: 'recovery', epoch };
      const fence = (): Fenced | undefined =>
        epochOf(home) === epoch ? undefined : new Fenced(home);
      const journal = journalOf(log, writer, { ledger, fence });
      const aggregate = { tenant: meshTenant, entity, id };
      for (let conflicts = 0; ; conflicts += 1) {
        const { entries, head } = await journal.load(aggregate);
        if (isKnown !== undefined && entries.some((entry) => entry.events.some(isKnown))) {
          return false;
        }
        try {
          await journal.append(aggregate, { events, head });
          return true;
        } catch (error) {
          if (!(error instanceof WrongLastSequence) || conflicts === conflictsLimit) throw error;
        }
      }
    } finally {
      this.#underWay.delete(home);
    }
  }
}
