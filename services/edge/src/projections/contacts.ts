import type { ListProjection, RecordedEvent, RowProjection } from '@meridian/readmodel';
import type { Channel, ContactEvent, ContactState, InitiationMethod } from '@meridian/wire';
import { sql } from 'drizzle-orm';
import {
  bigint,
  doublePrecision,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  timestamp,
} from 'drizzle-orm/pg-core';

const moment = (name: string) => timestamp(name, { withTimezone: true, precision: 3 });

/** Every contact, as it is now or as it ended. */
export const contacts = pgTable(
  'contacts',
  {
    tenant: text('tenant').notNull(),
    id: text('id').notNull(),
    /** The region that the contact entered. */
    home: text('home').notNull(),
    state: text('state').$type<ContactState>().notNull(),
    channel: text('channel').$type<Channel>().notNull(),
    method: text('method').$type<InitiationMethod>().notNull(),
    queueId: text('queue_id'),
    priority: integer('priority').notNull(),
    /** Who is being offered the contact, has it, or had it last. */
    agentId: text('agent_id'),
    reservationId: text('reservation_id'),
    initiatedAt: moment('initiated_at').notNull(),
    /** When it first joined the queue; an offer that came to nothing does not change it. */
    queuedAt: moment('queued_at'),
    connectedAt: moment('connected_at'),
    endedAt: moment('ended_at'),
    /** From joining the queue to leaving it, in milliseconds. */
    waitedMs: doublePrecision('waited_ms'),
    disposition: text('disposition'),
    attributes: jsonb('attributes').$type<Readonly<Record<string, string>>>().notNull(),
    /** The stream and the sequence of the entry with the contact's last event. */
    lastStream: text('last_stream').notNull(),
    lastSequence: bigint('last_sequence', { mode: 'number' }).notNull(),
    /** Of the contact's last event. */
    revision: integer('revision').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenant, table.id, table.home] }),
    index('contacts_by_time').on(table.tenant, table.initiatedAt, table.id),
    index('contacts_waiting')
      .on(table.tenant, table.queueId, table.queuedAt)
      .where(sql`state in ('QUEUED', 'OFFERED')`),
    index('contacts_open')
      .on(table.home, table.state)
      .where(sql`state not in ('COMPLETED', 'ABANDONED', 'CANCELED', 'FAILED')`),
  ],
);

export type ContactRow = typeof contacts.$inferSelect;

/** Everything that happened to a contact, what was decided about it elsewhere included. */
export const timeline = pgTable(
  'timeline',
  {
    tenant: text('tenant').notNull(),
    contactId: text('contact_id').notNull(),
    /** The home in which it was decided: the contact's, or that of who serves it. */
    home: text('home').notNull(),
    stream: text('stream').notNull(),
    sequence: bigint('sequence', { mode: 'number' }).notNull(),
    index: integer('index').notNull(),
    type: text('type').notNull(),
    time: moment('time').notNull(),
    /** Of the event: the contact, or a reservation for it. */
    subject: text('subject').notNull(),
    /** The CloudEvent's JSON text as the log holds it. */
    event: text('event').notNull(),
  },
  (table) => [
    primaryKey({
      columns: [table.tenant, table.contactId, table.stream, table.sequence, table.index],
    }),
  ],
);

export type TimelineRow = typeof timeline.$inferSelect;

const isContactEvent = (type: string): boolean => type.startsWith('meridian.contact.');

export const contactsProjection: RowProjection<typeof contacts> = {
  table: contacts,
  keys: ({ event }) =>
    isContactEvent(event.type) ? [[event.tenant, event.subject, event.region]] : [],
  evolve(row, recorded) {
    if (!isContactEvent(recorded.event.type)) return row;
    const after = evolveContact(row, recorded);
    if (after === undefined) return undefined;
    const { stream, sequence, event } = recorded;
    return { ...after, lastStream: stream, lastSequence: sequence, revision: event.revision };
  },
};

/** The first event of a contact makes the row; others say nothing before it. */
function evolveContact(
  row: ContactRow | undefined,
  recorded: RecordedEvent,
): ContactRow | undefined {
  const { event } = recorded;
  if (event.type === 'meridian.contact.initiated.v1') return begin(recorded);
  return row === undefined ? undefined : change(row, event as ContactEvent, new Date(event.time));
}

function begin({ event, stream, sequence }: RecordedEvent): ContactRow | undefined {
  if (event.type !== 'meridian.contact.initiated.v1') return undefined;
  const { channel, method, attributes } = event.data;
  return {
    tenant: event.tenant,
    id: event.subject,
    home: event.region,
    state: 'IN_SYSTEM',
    channel,
    method,
    queueId: null,
    priority: 0,
    agentId: null,
    reservationId: null,
    initiatedAt: new Date(event.time),
    queuedAt: null,
    connectedAt: null,
    endedAt: null,
    waitedMs: null,
    disposition: null,
    attributes: attributes ?? {},
    lastStream: stream,
    lastSequence: sequence,
    revision: event.revision,
  };
}

function change(row: ContactRow, event: ContactEvent, time: Date): ContactRow {
  switch (event.type) {
    case 'meridian.contact.ivr_started.v1':
      return { ...row, state: 'IVR' };
    case 'meridian.contact.attributes_updated.v1':
      return { ...row, attributes: { ...row.attributes, ...event.data.attributes } };
    case 'meridian.contact.queued.v1': {
      const { queueId, priority = 0 } = event.data;
      return { ...row, state: 'QUEUED', queueId, priority, queuedAt: time, waitedMs: null };
    }
    case 'meridian.contact.offered.v1': {
      const { agentId, reservationId } = event.data;
      return { ...row, state: 'OFFERED', agentId, reservationId };
    }
    case 'meridian.contact.requeued.v1':
      return { ...row, state: 'QUEUED', agentId: null, reservationId: null };
    case 'meridian.contact.dequeued.v1':
      return { ...row, waitedMs: event.data.waitedMs };
    case 'meridian.contact.connected_to_agent.v1': {
      const { agentId, reservationId } = event.data;
      return { ...row, state: 'CONNECTED', agentId, reservationId, connectedAt: time };
    }
    case 'meridian.contact.held.v1':
      return { ...row, state: 'HELD' };
    case 'meridian.contact.resumed.v1':
      return { ...row, state: 'CONNECTED' };
    case 'meridian.contact.acw_started.v1':
      return { ...row, state: 'WRAP_UP' };
    case 'meridian.contact.disposed.v1':
      return { ...row, disposition: event.data.disposition };
    case 'meridian.contact.abandoned.v1':
      return { ...unserved(row), state: 'ABANDONED', endedAt: time };
    case 'meridian.contact.completed.v1':
      return { ...row, state: 'COMPLETED', endedAt: time };
    case 'meridian.contact.orphan_reaped.v1':
      return { ...unserved(row), state: 'FAILED', endedAt: time };
    default:
      return row;
  }
}

/** A contact that ends before anybody answered was nobody's. */
function unserved(row: ContactRow): ContactRow {
  return row.connectedAt === null ? { ...row, agentId: null, reservationId: null } : row;
}

/** The contact that an event names; undefined when it names none. */
export function contactOf({ event }: RecordedEvent): string | undefined {
  if (isContactEvent(event.type) || event.type.startsWith('meridian.routing.')) {
    return event.subject;
  }
  const { contactId } = event.data as { readonly contactId?: unknown };
  return typeof contactId === 'string' ? contactId : undefined;
}

export const timelineProjection: ListProjection<typeof timeline> = {
  table: timeline,
  rows(recorded) {
    const contactId = contactOf(recorded);
    if (contactId === undefined) return [];
    const { stream, sequence, index: place, event, text: stored } = recorded;
    return [
      {
        tenant: event.tenant,
        contactId,
        home: event.region,
        stream,
        sequence,
        index: place,
        type: event.type,
        time: new Date(event.time),
        subject: event.subject,
        event: stored,
      },
    ];
  },
};
