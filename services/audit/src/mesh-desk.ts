import {
  epochOf,
  Fenced,
  headAfter,
  journalOf,
  meshTenant,
  readEntry,
  type Ledger,
  type Log,
} from '@meridian/journal';
import {
  emptyHead,
  eventStream,
  eventSubject,
  type AggregateId,
  type EventToEncode,
  type Head,
} from '@meridian/wire';

/** The right to decide, as `Leases` of @meridian/nest has it. */
export interface Granted {
  grantOf(home: string): { readonly epoch: number } | undefined;
}

export interface MeshDeskOptions {
  readonly log: Log;
  readonly ledger: Ledger;
  readonly grants: Granted;
  readonly region: string;
}

/** How many of the audit's own sequences are remembered. */
const ownLimit = 10_000;

/** Stores the audit's own aggregates, each while this region decides for its home. */
export class MeshDesk {
  readonly #options: MeshDeskOptions;
  readonly #underWay = new Map<string, number>();
  readonly #own = new Set<string>();

  constructor(options: MeshDeskOptions) {
    this.#options = options;
  }

  /** The epoch under which a home may be decided here now; undefined when it may not. */
  epochOf(home: string): number | undefined {
    const { ledger, grants, region } = this.#options;
    const { owner, epoch } = ledger.current(home);
    return owner === region && grants.grantOf(home)?.epoch === epoch ? epoch : undefined;
  }

  /** The homes being written for, with the epoch; a hand-over waits for them. */
  deciding(): Record<string, number> {
    return Object.fromEntries(this.#underWay);
  }

  /** Whether a message is known to be an entry of the audit's own. */
  isOwn(stream: string, sequence: number): boolean {
    return this.#own.has(`${stream} ${sequence}`);
  }

  /** Remembers an entry of the audit's own. */
  noteOwn(stream: string, sequence: number): void {
    this.#own.add(`${stream} ${sequence}`);
    if (this.#own.size <= ownLimit) return;
    const [oldest] = this.#own;
    if (oldest !== undefined) this.#own.delete(oldest);
  }

  /**
   * Stores one entry of an aggregate, after `head`.
   * @returns where the aggregate ends then
   * @throws Fenced when the home is not decided here now, WrongLastSequence when it does not end there
   */
  async append(
    home: string,
    { entity, id }: Pick<AggregateId, 'entity' | 'id'>,
    events: readonly EventToEncode[],
    head: Head,
  ): Promise<Head> {
    const { log, ledger, region } = this.#options;
    const epoch = this.epochOf(home);
    if (epoch === undefined) throw new Fenced(home);
    // What is under way in an older epoch is what a hand-over waits for.
    const outer = this.#underWay.get(home);
    this.#underWay.set(home, Math.min(outer ?? epoch, epoch));
    try {
      const writer = { region, home, service: 'audit', epoch };
      const fence = (): Fenced | undefined =>
        this.epochOf(home) === epoch ? undefined : new Fenced(home);
      const journal = journalOf(log, writer, { ledger, fence });
      const stored = await journal.append({ tenant: meshTenant, entity, id }, { events, head });
      this.noteOwn(journal.stream, stored.sequence);
      return stored;
    } finally {
      if (outer === undefined) this.#underWay.delete(home);
      else this.#underWay.set(home, outer);
    }
  }

  /** Where an aggregate's history ends, as far as its last entries alone say it. */
  async headOf(home: string, { entity, id }: Pick<AggregateId, 'entity' | 'id'>): Promise<Head> {
    const { log, ledger, region } = this.#options;
    const aggregate = { tenant: meshTenant, entity, id };
    const own = eventStream(region);
    const sequence = await log.lastSequence(own, eventSubject(region, home, aggregate));
    for (const { epoch, owner } of ledger.epochs(home).toReversed()) {
      const stream = eventStream(owner);
      const subject = eventSubject(owner, home, aggregate);
      const last = owner === region ? sequence : await log.lastSequence(stream, subject);
      const message = last === 0 ? undefined : await log.get(stream, last);
      if (message === undefined) continue;
      const written = epochOf(message);
      if (ledger.verdict(home, written, owner, last) !== 'counts') {
        // Beyond a seal: what counts lies before it, and only the whole history tells where.
        const journal = journalOf(log, { region, home, service: 'audit', epoch }, { ledger });
        return (await journal.load(aggregate)).head;
      }
      if (written === epoch) {
        return { ...headAfter(message, readEntry(message), own, { sequence }), sequence };
      }
    }
    return { ...emptyHead, sequence };
  }
}
