import { and, asc, countDistinct, eq, inArray, notInArray, or } from 'drizzle-orm';
import type { Reader } from '../read-api/index.ts';
import { sealed } from '../projections/index.ts';

/** How many contacts are named at most; all are counted. */
export const namedContactsLimit = 1_000;
/** How many other keys are named at most. */
const linkedLimit = 100;

/** What is sealed with some keys. */
export interface Sealed {
  readonly contacts: number;
  /** The first of them, by their ids. */
  readonly contactIds: readonly string[];
  /** Streams of clients' own, `custom-<name>`. */
  readonly streams: readonly string[];
}

/** Another key, and what it has in common. */
export interface Linked {
  readonly keyId: string;
  /** `contact`: sealed in the same contact; `chain`: in a contact of the same chain. */
  readonly by: 'contact' | 'chain';
  readonly contacts: number;
}

const ofKeys = (tenant: string, keyIds: readonly string[]) =>
  and(eq(sealed.tenant, tenant), inArray(sealed.keyId, [...keyIds]));

/** What is sealed with keys, in every home, as far as the read models have come. */
export async function sealedWith(
  reader: Reader,
  tenant: string,
  keyIds: readonly string[],
): Promise<Sealed> {
  if (keyIds.length === 0) return { contacts: 0, contactIds: [], streams: [] };
  const ofEntity = (entity: string) => and(ofKeys(tenant, keyIds), eq(sealed.entity, entity));
  const [counted] = await reader
    .select({ contacts: countDistinct(sealed.subject) })
    .from(sealed)
    .where(ofEntity('contact'));
  const subjectsOf = (entity: string) =>
    reader
      .selectDistinct({ subject: sealed.subject })
      .from(sealed)
      .where(ofEntity(entity))
      .orderBy(asc(sealed.subject))
      .limit(namedContactsLimit);
  const contacts = await subjectsOf('contact');
  const streams = await subjectsOf('custom');
  return {
    contacts: counted?.contacts ?? 0,
    contactIds: contacts.map(({ subject }) => subject),
    streams: streams.map(({ subject }) => `custom-${subject}`),
  };
}

/** The keys that some contacts are sealed with. */
export async function keysOfContacts(
  reader: Reader,
  tenant: string,
  contactIds: readonly string[],
): Promise<string[]> {
  if (contactIds.length === 0) return [];
  const rows = await reader
    .selectDistinct({ keyId: sealed.keyId })
    .from(sealed)
    .where(
      and(
        eq(sealed.tenant, tenant),
        eq(sealed.entity, 'contact'),
        inArray(sealed.subject, [...contactIds]),
      ),
    )
    .orderBy(asc(sealed.keyId));
  return rows.map(({ keyId }) => keyId);
}

/** The other keys in the same contacts, or in contacts of the same chains: who else may be the same person. */
export async function linkedTo(
  reader: Reader,
  tenant: string,
  keyIds: readonly string[],
): Promise<Linked[]> {
  if (keyIds.length === 0) return [];
  const mine = reader
    .select({ subject: sealed.subject })
    .from(sealed)
    .where(and(ofKeys(tenant, keyIds), eq(sealed.entity, 'contact')));
  const chains = reader
    .select({ correlationId: sealed.correlationId })
    .from(sealed)
    .where(and(ofKeys(tenant, keyIds), eq(sealed.entity, 'contact')));
  const others = await reader
    .select({ keyId: sealed.keyId, contacts: countDistinct(sealed.subject) })
    .from(sealed)
    .where(
      and(
        eq(sealed.tenant, tenant),
        eq(sealed.entity, 'contact'),
        notInArray(sealed.keyId, [...keyIds]),
        or(inArray(sealed.subject, mine), inArray(sealed.correlationId, chains)),
      ),
    )
    .groupBy(sealed.keyId)
    .orderBy(asc(sealed.keyId))
    .limit(linkedLimit);
  const inContacts = new Set(
    (
      await reader
        .selectDistinct({ keyId: sealed.keyId })
        .from(sealed)
        .where(
          and(
            eq(sealed.tenant, tenant),
            inArray(sealed.keyId, others.length === 0 ? [''] : others.map(({ keyId }) => keyId)),
            inArray(sealed.subject, mine),
          ),
        )
    ).map(({ keyId }) => keyId),
  );
  return others.map(({ keyId, contacts }) => ({
    keyId,
    by: inContacts.has(keyId) ? 'contact' : 'chain',
    contacts,
  }));
}
