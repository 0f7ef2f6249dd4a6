import type { AgentRow, ContactRow, QueueRow } from '../../projections/index.ts';
import type { ContactsFilter, Page, QueueWithWaiting } from '../queries.ts';
import type { Floor } from './floor.ts';

/** The same questions as those of `queries.ts`, to rows in memory instead of a database. */

const newestFirst = (a: ContactRow, b: ContactRow): number =>
  b.initiatedAt.getTime() - a.initiatedAt.getTime() || (a.id < b.id ? 1 : a.id > b.id ? -1 : 0);

/**
 * Contacts, the newest first; of the same moment by falling id.
 * @returns one more than `limit` where there are more; undefined when `after` is no contact
 */
export function contactsIn(
  { contacts }: Floor,
  { states, queueId, homes, after, limit }: Omit<ContactsFilter, 'tenant'>,
): ContactRow[] | undefined {
  const place = after === undefined ? undefined : contacts.find(({ id }) => id === after);
  if (after !== undefined && place === undefined) return undefined;
  return contacts
    .filter(
      (contact) =>
        (states.length === 0 || states.includes(contact.state)) &&
        (queueId === undefined || contact.queueId === queueId) &&
        (homes.length === 0 || homes.includes(contact.home)) &&
        (place === undefined || newestFirst(contact, place) > 0),
    )
    .toSorted(newestFirst)
    .slice(0, limit + 1);
}

const byHome = (a: QueueRow, b: QueueRow): number => (a.home < b.home ? -1 : 1);

/** Queues that exist, by id, each with its homes; one more than `limit` where there are more. */
export function queuesIn(
  floor: Floor,
  { after, limit }: Omit<Page, 'tenant'>,
): QueueWithWaiting[][] {
  const ids = new Set(floor.queues.filter((row) => row.deletedAt === null).map(({ id }) => id));
  return [...ids]
    .filter((id) => after === undefined || id > after)
    .toSorted()
    .slice(0, limit + 1)
    .map((id) => queueIn(floor, id) ?? []);
}

/** A queue in each home, a deleted one included; undefined when there is none. */
export function queueIn(floor: Floor, id: string): QueueWithWaiting[] | undefined {
  const rows = floor.queues.filter((row) => row.id === id).toSorted(byHome);
  if (rows.length === 0) return undefined;
  return rows.map((queue) => {
    const waiting = floor.contacts.filter(
      ({ state, queueId, home }) =>
        (state === 'QUEUED' || state === 'OFFERED') && queueId === id && home === queue.home,
    );
    const since = waiting.reduce(
      (least, { queuedAt }) => Math.min(least, queuedAt?.getTime() ?? Infinity),
      Infinity,
    );
    return {
      queue,
      waiting: waiting.length,
      longestWaitingSince: since === Infinity ? null : new Date(since),
    };
  });
}

/** Of an agent who was in several homes: the one signed in to, else the last. */
function presentFirst(a: AgentRow, b: AgentRow): number {
  const offline = Number(a.presence === 'OFFLINE') - Number(b.presence === 'OFFLINE');
  const since = (row: AgentRow): number => row.presenceSince?.getTime() ?? -Infinity;
  return offline || (since(a) === since(b) ? 0 : since(b) - since(a));
}

/** Agents by id; one more than `limit` where there are more. */
export function agentsIn(
  { agents }: Floor,
  { after, limit, homes }: Omit<Page, 'tenant'> & { readonly homes: readonly string[] },
): AgentRow[] {
  const asked = agents.filter(
    ({ id, home }) =>
      (after === undefined || id > after) && (homes.length === 0 || homes.includes(home)),
  );
  return [...Map.groupBy(asked, ({ id }) => id)]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .slice(0, limit + 1)
    .flatMap(([, rows]) => rows.toSorted(presentFirst).slice(0, 1));
}

/** One agent. */
export function agentIn({ agents }: Floor, id: string): AgentRow | undefined {
  return agents.filter((row) => row.id === id).toSorted(presentFirst)[0];
}
