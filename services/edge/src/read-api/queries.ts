import { checkpointOf, isDatabaseAway, type Database } from '@meridian/readmodel';
import type { ContactState } from '@meridian/wire';
import { and, asc, count, desc, eq, gt, inArray, isNull, min, sql } from 'drizzle-orm';
import { drizzle, type NodePgQueryResultHKT } from 'drizzle-orm/node-postgres';
import type { PgDatabase } from 'drizzle-orm/pg-core';
import {
  agents,
  contacts,
  queues,
  timeline,
  type AgentRow,
  type ContactRow,
  type QueueRow,
  type TimelineRow,
} from '../projections/index.ts';

/** Where queries are run: a transaction that sees one moment. */
export type Reader = PgDatabase<NodePgQueryResultHKT>;

/** The most events of one contact that are shown. */
export const timelineLimit = 1_000;

const waitingStates: ContactState[] = ['QUEUED', 'OFFERED'];

/**
 * Runs queries at one moment, together with the position that the rows then embody. The connection
 * is taken and given back here: Drizzle, over a pool, keeps one for ever on which `begin` failed.
 */
export async function readAt<T>(
  { pool }: Pick<Database, 'pool'>,
  projector: { readonly name: string; readonly stream: string },
  query: (reader: Reader) => Promise<T>,
): Promise<{ readonly position: number; readonly result: T }> {
  const client = await pool.connect();
  let lost = false;
  try {
    return await drizzle(client).transaction(
      async (reader) => {
        const position = await checkpointOf(reader, projector.name, projector.stream);
        return { position, result: await query(reader) };
      },
      { isolationLevel: 'repeatable read', accessMode: 'read only' },
    );
  } catch (error) {
    lost = isDatabaseAway(error);
    throw error;
  } finally {
    client.release(lost);
  }
}

export interface ContactWithTimeline {
  readonly contact: ContactRow;
  /** In the order of the log, at most `timelineLimit` and one more. */
  readonly events: readonly TimelineRow[];
}

export async function contactOf(
  reader: Reader,
  tenant: string,
  id: string,
): Promise<ContactWithTimeline | undefined> {
  const [contact] = await reader
    .select()
    .from(contacts)
    .where(and(eq(contacts.tenant, tenant), eq(contacts.id, id)));
  if (contact === undefined) return undefined;
  const events = await reader
    .select()
    .from(timeline)
    .where(and(eq(timeline.tenant, tenant), eq(timeline.contactId, id)))
    .orderBy(asc(timeline.stream), asc(timeline.sequence), asc(timeline.index))
    .limit(timelineLimit + 1);
  return { contact, events };
}

export interface ContactsFilter {
  readonly tenant: string;
  /** Any of these; empty for all. */
  readonly states: readonly ContactState[];
  readonly queueId?: string;
  /** Only contacts that come after this one in the list. */
  readonly after?: string;
  readonly limit: number;
}

/**
 * Contacts, the newest first; of the same moment by falling id.
 * @returns one more than `limit` where there are more; undefined when `after` is no contact
 */
export async function contactsOf(
  reader: Reader,
  filter: ContactsFilter,
): Promise<ContactRow[] | undefined> {
  const { tenant, states, queueId, after, limit } = filter;
  const conditions = [eq(contacts.tenant, tenant)];
  if (states.length > 0) conditions.push(inArray(contacts.state, [...states]));
  if (queueId !== undefined) conditions.push(eq(contacts.queueId, queueId));
  if (after !== undefined) {
    const [place] = await reader
      .select({ initiatedAt: contacts.initiatedAt })
      .from(contacts)
      .where(and(eq(contacts.tenant, tenant), eq(contacts.id, after)));
    if (place === undefined) return undefined;
    const moment = place.initiatedAt.toISOString();
    conditions.push(
      sql`(${contacts.initiatedAt}, ${contacts.id}) < (${moment}::timestamptz, ${after})`,
    );
  }
  return reader
    .select()
    .from(contacts)
    .where(and(...conditions))
    .orderBy(desc(contacts.initiatedAt), desc(contacts.id))
    .limit(limit + 1);
}

export interface Page {
  readonly tenant: string;
  readonly after?: string;
  readonly limit: number;
}

export interface QueueWithWaiting {
  readonly queue: QueueRow;
  readonly waiting: number;
  /** When the contact that waits longest joined; null when nobody waits. */
  readonly longestWaitingSince: Date | null;
}

/** Queues that exist, by id; one more than `limit` where there are more. */
export async function queuesOf(
  reader: Reader,
  { tenant, after, limit }: Page,
): Promise<QueueWithWaiting[]> {
  const rows = await reader
    .select()
    .from(queues)
    .where(
      and(
        eq(queues.tenant, tenant),
        isNull(queues.deletedAt),
        after === undefined ? undefined : gt(queues.id, after),
      ),
    )
    .orderBy(asc(queues.id))
    .limit(limit + 1);
  return withWaiting(reader, tenant, rows);
}

/** A queue, a deleted one included: its totals stay. */
export async function queueOf(
  reader: Reader,
  tenant: string,
  id: string,
): Promise<QueueWithWaiting | undefined> {
  const rows = await reader
    .select()
    .from(queues)
    .where(and(eq(queues.tenant, tenant), eq(queues.id, id)));
  const [queue] = await withWaiting(reader, tenant, rows);
  return queue;
}

async function withWaiting(
  reader: Reader,
  tenant: string,
  rows: QueueRow[],
): Promise<QueueWithWaiting[]> {
  if (rows.length === 0) return [];
  const waiting = await reader
    .select({ queueId: contacts.queueId, waiting: count(), since: min(contacts.queuedAt) })
    .from(contacts)
    .where(
      and(
        eq(contacts.tenant, tenant),
        inArray(contacts.state, waitingStates),
        inArray(
          contacts.queueId,
          rows.map(({ id }) => id),
        ),
      ),
    )
    .groupBy(contacts.queueId);
  const byQueue = new Map(waiting.map((one) => [one.queueId, one]));
  return rows.map((queue) => {
    const one = byQueue.get(queue.id);
    return { queue, waiting: one?.waiting ?? 0, longestWaitingSince: one?.since ?? null };
  });
}

/** Agents by id; one more than `limit` where there are more. */
export function agentsOf(reader: Reader, { tenant, after, limit }: Page): Promise<AgentRow[]> {
  return reader
    .select()
    .from(agents)
    .where(and(eq(agents.tenant, tenant), after === undefined ? undefined : gt(agents.id, after)))
    .orderBy(asc(agents.id))
    .limit(limit + 1);
}

export async function agentOf(
  reader: Reader,
  tenant: string,
  id: string,
): Promise<AgentRow | undefined> {
  const [row] = await reader
    .select()
    .from(agents)
    .where(and(eq(agents.tenant, tenant), eq(agents.id, id)));
  return row;
}
