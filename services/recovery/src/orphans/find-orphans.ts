import {
  epochOf,
  readEntry,
  type Entry,
  type Journal,
  type Ledger,
  type Log,
  type LogMessage,
} from '@meridian/journal';
import { eventStream, parseSubject, type AggregateId, type OrphanEntry } from '@meridian/wire';
import type { Finding } from './orphan.ts';

/** An entry beyond a seal, where it was found. */
export interface Orphan {
  readonly entry: OrphanEntry;
  readonly aggregate: AggregateId;
  /** What its events were caused by, each once. */
  readonly causes: readonly string[];
}

/**
 * The entries of a home that its ledger does not count, as far as the local copies hold them.
 * @param settledUpTo how far they are accounted for, by stream
 */
export async function findOrphans(
  log: Log,
  ledger: Ledger,
  home: string,
  settledUpTo: (stream: string) => number,
): Promise<Orphan[]> {
  const orphans: Orphan[] = [];
  for (const [owner, firstSeal] of firstSeals(ledger, home)) {
    const stream = eventStream(owner);
    const filter = `ev.${owner}.${home}.>`;
    const after = Math.max(firstSeal, settledUpTo(stream));
    const last = await log.lastSequence(stream, filter);
    if (last <= after) continue;
    const range = { from: after + 1, to: last, filters: [filter] };
    for await (const batch of log.replayBatches(stream, range)) {
      for (const message of batch) {
        const epoch = epochOf(message);
        if (ledger.verdict(home, epoch, owner, message.sequence) === 'orphan') {
          orphans.push(orphanOf(message, readEntry(message), home, epoch));
        }
      }
    }
  }
  return orphans;
}

/** Of each region that lost the home, the first seal of what it wrote. */
function firstSeals(ledger: Ledger, home: string): Map<string, number> {
  const seals = new Map<string, number>();
  for (const { owner, upTo } of ledger.epochs(home)) {
    if (upTo !== undefined && !seals.has(owner)) seals.set(owner, upTo);
  }
  return seals;
}

function orphanOf(message: LogMessage, { events }: Entry, home: string, epoch: number): Orphan {
  const { stream, sequence, subject } = message;
  const address = parseSubject(subject);
  if (address === undefined) {
    throw new Error(`${stream}:${sequence} has the subject ${subject}, which is no decision's.`);
  }
  const { tenant, entity, id, region } = address;
  return {
    aggregate: { tenant, entity, id },
    causes: [...new Set(events.map(({ causationid }) => causationid))],
    entry: {
      home,
      epoch,
      region,
      stream,
      sequence,
      aggregate: `${tenant}.${entity}.${id}`,
      types: [...new Set(events.map(({ type }) => type))],
    },
  };
}

/** Looks in the history that counts for what the causes of orphans have led to. */
export class Histories {
  readonly #journal: Journal;
  readonly #known = new Map<string, Promise<ReadonlyMap<string, readonly string[]>>>();

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  async findings({ aggregate, causes }: Orphan): Promise<Finding[]> {
    const { tenant, entity, id } = aggregate;
    const key = `${tenant}.${entity}.${id}`;
    const pending = this.#known.get(key) ?? this.#load(aggregate);
    this.#known.set(key, pending);
    const typesOf = await pending;
    return causes.map((cause): Finding => {
      const types = typesOf.get(cause);
      if (types !== undefined) return { cause, kind: 'DECIDED', types };
      return { cause, kind: cause.includes('#') ? 'REFUSED' : 'GONE' };
    });
  }

  /** The types of the aggregate's events that count, by what they were caused by. */
  async #load(aggregate: AggregateId): Promise<ReadonlyMap<string, readonly string[]>> {
    const { entries } = await this.#journal.load(aggregate);
    const types = new Map<string, string[]>();
    for (const { events } of entries) {
      for (const { causationid, type } of events) {
        const known = types.get(causationid);
        if (known === undefined) types.set(causationid, [type]);
        else known.push(type);
      }
    }
    return types;
  }
}
