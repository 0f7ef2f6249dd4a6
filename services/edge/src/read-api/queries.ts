import { checkpointsOf, isDatabaseAway, type Database, type Positions } from '@meridian/readmodel';
import type { ContactState } from '@meridian/wire';
import { and, asc, count, desc, eq, gt, inArray, isNull, min, ne, sql } from 'drizzle-orm';
import { drizzle, type NodePgQueryResultHKT } from 'drizzle-orm/node-postgres';
import type { PgDatabase } from 'drizzle-orm/pg-core';
import type { BlastRadius } from '../domain/failover-plan.ts';
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
 * Runs queries at one moment, together with the positions that the rows then embody. The connection
 * is taken and given back here: Drizzle, over a pool, keeps one for ever on which `begin` failed.
 */
export async function readAt<T>(
  { pool }: Pick<Database, 'pool'>,
  projectors: readonly string[],
  query: (reader: Reader) => Promise<T>,
): Promise<{ readonly positions: Positions; readonly result: T }> {
  const client = await pool.connect();
  let lost = false;
  try {
    return await drizzle(client).transaction(
      async (reader) => {
        const positions = await checkpointsOf(reader, projectors);
        return { positions, result: await query(reader) };
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
    .where(and(eq(contacts.tenant, tenant), eq(contacts.id, id)))
    .orderBy(desc(contacts.initiatedAt))
    .limit(1);
  if (contact === undefined) return undefined;
  const events = await reader
    .select()
    .from(timeline)
    .where(and(eq(timeline.tenant, tenant), eq(timeline.contactId, id)))
    .orderBy(asc(timeline.stream), asc(timeline.sequence), asc(timeline.index))
    .limit(timelineLimit + 1);
  return { contact, events: byTime(events) };
}

/**
 * Each stream keeps its order; of what is next in any of them, the earliest comes next: of one home
 * by the epoch, whatever the clocks of its owners say, else by the time.
 */
export function byTime(rows: readonly TimelineRow[]): TimelineRow[] {
  const streams = [...Map.groupBy(rows, ({ stream }) => stream).values()];
  if (streams.length < 2) return [...rows];
  const merged: TimelineRow[] = [];
  const next = streams.map(() => 0);
  while (merged.length < rows.length) {
    let first: TimelineRow | undefined;
    let from = -1;
    for (const [index, stream] of streams.entries()) {
      const row = stream[next[index] as number];
      if (row === undefined || (first !== undefined && !isBefore(row, first))) continue;
      first = row;
      from = index;
    }
    merged.push(first as TimelineRow);
    next[from] = (next[from] as number) + 1;
  }
  return merged;
}

function isBefore(row: TimelineRow, other: TimelineRow): boolean {
  if (row.home === other.home) {
    const [epoch, otherEpoch] = [epochIn(row), epochIn(other)];
    if (epoch !== otherEpoch) return epoch < otherEpoch;
  }
  return row.time < other.time;
}

function epochIn({ event }: TimelineRow): number {
  return (JSON.parse(event) as { readonly epoch?: number }).epoch ?? 0;
}

export interface ContactsFilter {
  readonly tenant: string;
  /** Any of these; empty for all. */
  readonly states: readonly ContactState[];
  readonly queueId?: string;
  /** Only contacts of these homes; empty for all. */
  readonly homes: readonly string[];
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
  const { tenant, states, queueId, homes, after, limit } = filter;
  const conditions = [eq(contacts.tenant, tenant)];
  if (states.length > 0) conditions.push(inArray(contacts.state, [...states]));
  if (queueId !== undefined) conditions.push(eq(contacts.queueId, queueId));
  if (homes.length > 0) conditions.push(inArray(contacts.home, [...homes]));
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

/** A queue in one home. */
export interface QueueWithWaiting {
  readonly queue: QueueRow;
  readonly waiting: number;
  /** When the contact that waits longest joined; null when nobody waits. */
  readonly longestWaitingSince: Date | null;
}

/** Queues that exist, by id, each with its homes; one more than `limit` where there are more. */
export async function queuesOf(
  reader: Reader,
  { tenant, after, limit }: Page,
): Promise<(readonly QueueWithWaiting[])[]> {
  const listed = await reader
    .selectDistinct({ id: queues.id })
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
  return queuesIn(
    reader,
    tenant,
    listed.map(({ id }) => id),
  );
}

/** A queue in each home, a deleted one included: its totals stay. */
export async function queueOf(
  reader: Reader,
  tenant: string,
  id: string,
): Promise<readonly QueueWithWaiting[] | undefined> {
  const [queue] = await queuesIn(reader, tenant, [id]);
  return queue;
}

async function queuesIn(
  reader: Reader,
  tenant: string,
  ids: readonly string[],
): Promise<(readonly QueueWithWaiting[])[]> {
  if (ids.length === 0) return [];
  const rows = await reader
    .select()
    .from(queues)
    .where(and(eq(queues.tenant, tenant), inArray(queues.id, [...ids])))
    .orderBy(asc(queues.id), asc(queues.home));
  const waiting = await reader
    .select({
      queueId: contacts.queueId,
      home: contacts.home,
      waiting: count(),
      since: min(contacts.queuedAt),
    })
    .from(contacts)
    .where(
      and(
        eq(contacts.tenant, tenant),
        inArray(contacts.state, waitingStates),
        inArray(contacts.queueId, [...ids]),
      ),
    )
    .groupBy(contacts.queueId, contacts.home);
  const byQueue = new Map(waiting.map((one) => [`${one.queueId}/${one.home}`, one]));
  const withWaiting = rows.map((queue): QueueWithWaiting => {
    const one = byQueue.get(`${queue.id}/${queue.home}`);
    return { queue, waiting: one?.waiting ?? 0, longestWaitingSince: one?.since ?? null };
  });
  return [...Map.groupBy(withWaiting, ({ queue }) => queue.id).values()];
}

/** Of an agent who was in several homes: the one signed in to, else the last. */
const presentFirst = [
  sql`${agents.presence} <> 'OFFLINE' desc`,
  sql`${agents.presenceSince} desc nulls last`,
];

/** Agents by id; one more than `limit` where there are more. */
export function agentsOf(
  reader: Reader,
  { tenant, after, limit, homes }: Page & { readonly homes: readonly string[] },
): Promise<AgentRow[]> {
  return reader
    .selectDistinctOn([agents.id])
    .from(agents)
    .where(
      and(
        eq(agents.tenant, tenant),
        after === undefined ? undefined : gt(agents.id, after),
        homes.length === 0 ? undefined : inArray(agents.home, [...homes]),
      ),
    )
    .orderBy(asc(agents.id), ...presentFirst)
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
    .where(and(eq(agents.tenant, tenant), eq(agents.id, id)))
    .orderBy(...presentFirst)
    .limit(1);
  return row;
}

/** Who lives at a home at the moment, of all tenants. */
export async function radiusOf(reader: Reader, home: string): Promise<BlastRadius> {
  const states = await reader
    .select({ state: contacts.state, contacts: count() })
    .from(contacts)
    .where(
      and(
        eq(contacts.home, home),
        sql`state not in ('COMPLETED', 'ABANDONED', 'CANCELED', 'FAILED')`,
      ),
    )
    .groupBy(contacts.state);
  const [signedIn] = await reader
    .select({ agents: count() })
    .from(agents)
    .where(and(eq(agents.home, home), ne(agents.presence, 'OFFLINE')));
  const of = (...wanted: ContactState[]): number =>
    states.reduce((sum, one) => (wanted.includes(one.state) ? sum + one.contacts : sum), 0);
  return {
    contacts: {
      open: states.reduce((sum, one) => sum + one.contacts, 0),
      waiting: of('QUEUED'),
      offered: of('OFFERED'),
      connected: of('CONNECTED', 'HELD'),
    },
    agents: { signedIn: signedIn?.agents ?? 0 },
  };
}
