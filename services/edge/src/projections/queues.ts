import type { RecordedEvent, RowProjection } from '@meridian/readmodel';
import type { ContactDequeued, QueueSettings } from '@meridian/wire';
import {
  bigint,
  doublePrecision,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  timestamp,
} from 'drizzle-orm/pg-core';

/** Within which wait an answer is in time until a queue is configured, in ms; routing's default. */
const defaultServiceLevelMs = 20_000;

/**
 * Every queue that was configured or joined, once for each home, with its totals there since the
 * beginning of the log. Who
 * waits in it now is not here: that is a question to `contacts`.
 */
export const queues = pgTable(
  'queues',
  {
    tenant: text('tenant').notNull(),
    id: text('id').notNull(),
    /** Whose contacts are counted here. */
    home: text('home').notNull(),
    /** Null until it is configured: it then works by the defaults. */
    settings: jsonb('settings').$type<QueueSettings>(),
    deletedAt: timestamp('deleted_at', { withTimezone: true, precision: 3 }),
    /** How many contacts have joined. */
    queued: integer('queued').notNull(),
    answered: integer('answered').notNull(),
    /** Answered within the service level that was in force at that moment. */
    answeredWithinServiceLevel: integer('answered_within_service_level').notNull(),
    /** Gave up while waiting or alerting. */
    abandoned: integer('abandoned').notNull(),
    /** Taken out by a watchdog. */
    reaped: integer('reaped').notNull(),
    /** The waits of those answered, in milliseconds. */
    sumWaitMs: doublePrecision('sum_wait_ms').notNull(),
    /** The stream and the sequence of the entry with the last event about the queue. */
    lastStream: text('last_stream').notNull(),
    lastSequence: bigint('last_sequence', { mode: 'number' }).notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenant, table.id, table.home] })],
);

export type QueueRow = typeof queues.$inferSelect;

function queueOf({ event }: RecordedEvent): string | undefined {
  switch (event.type) {
    case 'meridian.queue.created.v1':
    case 'meridian.queue.updated.v1':
    case 'meridian.queue.deleted.v1':
      return event.subject;
    case 'meridian.contact.queued.v1':
    case 'meridian.contact.dequeued.v1':
      return event.data.queueId;
    default:
      return undefined;
  }
}

export const queuesProjection: RowProjection<typeof queues> = {
  table: queues,
  keys(recorded) {
    const id = queueOf(recorded);
    return id === undefined ? [] : [[recorded.event.tenant, id, recorded.event.region]];
  },
  evolve(row, recorded, [tenant, id, home]) {
    const { stream, sequence } = recorded;
    const before = row ?? newQueue(tenant as string, id as string, home as string);
    return { ...change(before, recorded), lastStream: stream, lastSequence: sequence };
  },
};

function newQueue(tenant: string, id: string, home: string): QueueRow {
  return {
    tenant,
    id,
    home,
    settings: null,
    deletedAt: null,
    queued: 0,
    answered: 0,
    answeredWithinServiceLevel: 0,
    abandoned: 0,
    reaped: 0,
    sumWaitMs: 0,
    lastStream: '',
    lastSequence: 0,
  };
}

function change(row: QueueRow, { event }: RecordedEvent): QueueRow {
  switch (event.type) {
    case 'meridian.queue.created.v1':
    case 'meridian.queue.updated.v1':
      return { ...row, settings: event.data.settings, deletedAt: null };
    case 'meridian.queue.deleted.v1':
      return { ...row, deletedAt: new Date(event.time) };
    case 'meridian.contact.queued.v1':
      return { ...row, queued: row.queued + 1 };
    case 'meridian.contact.dequeued.v1':
      return leave(row, event.data);
    default:
      return row;
  }
}

function leave(row: QueueRow, { reason, waitedMs }: ContactDequeued): QueueRow {
  switch (reason) {
    case 'TO_AGENT': {
      const inTime = waitedMs <= (row.settings?.serviceLevelMs ?? defaultServiceLevelMs) ? 1 : 0;
      return {
        ...row,
        answered: row.answered + 1,
        answeredWithinServiceLevel: row.answeredWithinServiceLevel + inTime,
        sumWaitMs: row.sumWaitMs + waitedMs,
      };
    }
    case 'GAVE_UP':
      return { ...row, abandoned: row.abandoned + 1 };
    case 'REAPED':
      return { ...row, reaped: row.reaped + 1 };
    default:
      return row;
  }
}

/** What is counted of a queue. */
export type QueueTotals = Pick<
  QueueRow,
  'queued' | 'answered' | 'answeredWithinServiceLevel' | 'abandoned' | 'reaped' | 'sumWaitMs'
>;

/** What is computed from a queue's totals. */
export interface QueueFigures {
  /**
   * Answered within the service level, of all who were answered or gave up: 0 to 1. Null while
   * there is none. (The usual definition; contacts that a watchdog took out do not count.)
   */
  readonly serviceLevel: number | null;
  /** Average speed of answer: the mean wait of those answered, in ms. Null while there is none. */
  readonly averageSpeedOfAnswerMs: number | null;
}

export function figuresOf(totals: QueueTotals): QueueFigures {
  const { answered, answeredWithinServiceLevel, abandoned, sumWaitMs } = totals;
  const counted = answered + abandoned;
  return {
    serviceLevel: counted === 0 ? null : answeredWithinServiceLevel / counted,
    averageSpeedOfAnswerMs: answered === 0 ? null : sumWaitMs / answered,
  };
}
