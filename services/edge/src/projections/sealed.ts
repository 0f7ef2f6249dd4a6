import type { ListProjection } from '@meridian/readmodel';
import { sealedParts, sealedTexts } from '@meridian/vault';
import { bigint, index, integer, pgTable, primaryKey, text } from 'drizzle-orm/pg-core';

/** Which key each sealed text of the log is under: what an erasure makes unreadable. */
export const sealed = pgTable(
  'sealed',
  {
    tenant: text('tenant').notNull(),
    keyId: text('key_id').notNull(),
    home: text('home').notNull(),
    stream: text('stream').notNull(),
    sequence: bigint('sequence', { mode: 'number' }).notNull(),
    index: integer('index').notNull(),
    /** What the event is about: a contact, or a stream of a client's own. */
    entity: text('entity').notNull(),
    subject: text('subject').notNull(),
    /** The chain of contacts that it belongs to. */
    correlationId: text('correlation_id').notNull(),
  },
  (table) => [
    primaryKey({
      columns: [table.tenant, table.keyId, table.stream, table.sequence, table.index],
    }),
    index('sealed_by_subject').on(table.tenant, table.entity, table.subject),
    index('sealed_by_chain').on(table.tenant, table.correlationId),
  ],
);

export type SealedRow = typeof sealed.$inferSelect;

export const sealedProjection: ListProjection<typeof sealed> = {
  table: sealed,
  rows({ stream, sequence, index: place, event, text: stored }) {
    const keyIds = new Set(sealedTexts(stored).map((one) => sealedParts(one)?.keyId));
    const entity = event.id.split('.')[1] ?? '';
    return [...keyIds]
      .filter((keyId) => keyId !== undefined)
      .map((keyId) => ({
        tenant: event.tenant,
        keyId,
        home: event.region,
        stream,
        sequence,
        index: place,
        entity,
        subject: event.subject,
        correlationId: event.correlationid,
      }));
  },
};
