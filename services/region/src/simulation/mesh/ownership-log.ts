import {
  journalOf,
  Ledger,
  meshTenant,
  readEntry,
  type EpochRecord,
  type Log,
} from '@meridian/journal';
import type { Action } from '@meridian/recovery';
import { eventStream, eventSubject, type AggregateId } from '@meridian/wire';

type Append = Extract<Action, { type: 'append' }>;

export const ownershipOf = (home: string): AggregateId => ({
  tenant: meshTenant,
  entity: 'ownership',
  id: home,
});

/**
 * Stores an entry of a home's ownership, unless it is stored already.
 * @param known the epochs of the home as the log said so far
 * @returns its sequence
 * @throws LogFault
 */
export async function appendOwnership(
  log: Log,
  region: string,
  { home, epoch, events, causationId, actor }: Append,
  known: readonly EpochRecord[],
  nowMs: number,
): Promise<number> {
  const aggregate = ownershipOf(home);
  const ledger = new Ledger();
  const completed = events.find(({ type }) => type === 'meridian.failover.completed.v1');
  // The first entry of an epoch is itself what says that it counts.
  const seals =
    completed?.type === 'meridian.failover.completed.v1'
      ? (completed.data.seals ?? [])
      : known.slice(0, epoch - 1).map((one) => ({ ...one, upTo: one.upTo ?? 0 }));
  ledger.take({ home, epoch, owner: region, seals });
  const subject = eventSubject(region, home, aggregate);
  for (const message of await log.load(eventStream(region), subject)) {
    const stored = readEntry(message).events;
    const isSame = stored.every(
      (event, index) =>
        event.epoch === epoch &&
        event.type === events[index]?.type &&
        event.causationid === causationId,
    );
    if (isSame && stored.length === events.length) return message.sequence;
  }
  const writer = { region, home, service: 'recovery', epoch };
  const journal = journalOf(log, writer, { ledger });
  const { head } = await journal.load(aggregate);
  const cause = { causationId, ...(actor === undefined ? {} : { actor }) };
  const after = await journal.append(aggregate, {
    events: events.map((event) => ({ ...event, cause, timeMs: nowMs })),
    head,
  });
  return after.sequence;
}
