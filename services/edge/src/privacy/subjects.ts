import { isDatabaseAway } from '@meridian/readmodel';
import { holdsOn } from '@meridian/privacy';
import type { SubjectKey } from '@meridian/vault';
import { Refusal } from '../domain/problem.ts';
import { orRefuse } from '../http/log-fault.ts';
import { readAt, type Reader } from '../read-api/index.ts';
import { keysOfContacts, linkedTo, sealedWith, type Linked, type Sealed } from './queries.ts';
import type { PrivacyParts } from './parts.ts';

/** What is sealed with some keys, and whose else it may be. */
interface Found extends Sealed {
  readonly linked: readonly Linked[];
}

const nothing: Found = { contacts: 0, contactIds: [], streams: [], linked: [] };

/**
 * Asks the read models; undefined where none are kept, they are not there yet, or the database is away.
 */
async function asked<T>(
  { models }: Pick<PrivacyParts, 'models'>,
  query: (reader: Reader) => Promise<T>,
): Promise<T | undefined> {
  if (models?.isReady !== true) return undefined;
  const names = [...models.projectors.values()].map(({ name }) => name);
  try {
    return (await readAt(models.database, names, query)).result;
  } catch (error) {
    if (isDatabaseAway(error)) return undefined;
    throw error;
  }
}

/** What the routes answer of keys: contacts, links, holds. */
export async function subjectView(
  parts: PrivacyParts,
  tenant: string,
  keys: readonly SubjectKey[],
): Promise<Record<string, unknown>> {
  const keyIds = keys.map(({ keyId }) => keyId);
  const found = await asked(parts, async (reader) => ({
    ...(await sealedWith(reader, tenant, keyIds)),
    linked: await linkedTo(reader, tenant, keyIds),
  }));
  const { contacts, contactIds, streams, linked } = found ?? nothing;
  return {
    region: parts.region,
    keys: keys.map(({ keyId, region, residency, createdAt }) => {
      return { id: keyId, region, regions: residency, createdAt };
    }),
    contacts,
    contactIds,
    streams,
    linked,
    holds: holdsOn(parts.privacy.of(tenant), keyIds),
    contactsKnown: found !== undefined,
  };
}

/** How many contacts are sealed with keys; 0 where that cannot be asked. */
export async function contactsOf(
  parts: PrivacyParts,
  tenant: string,
  keyIds: readonly string[],
): Promise<number> {
  return (await asked(parts, (reader) => sealedWith(reader, tenant, keyIds)))?.contacts ?? 0;
}

/** The keys that contacts are sealed with. @throws Refusal 503 where that cannot be asked */
export async function keysIn(
  parts: PrivacyParts,
  tenant: string,
  contactIds: readonly string[],
): Promise<readonly string[]> {
  if (contactIds.length === 0) return [];
  const keyIds = await asked(parts, (reader) => keysOfContacts(reader, tenant, contactIds));
  if (keyIds !== undefined) return keyIds;
  throw new Refusal(
    'read-models-unavailable',
    'The keys of contacts are found in the read models, which do not answer. Name key ids, or try again.',
  );
}

/** Keys by their ids. @throws Refusal 404 naming those that are not held here */
export async function keysById(
  { vault, region }: PrivacyParts,
  tenant: string,
  keyIds: readonly string[],
): Promise<SubjectKey[]> {
  const keys = await orRefuse(Promise.all(keyIds.map((id) => vault.keyById(tenant, id))));
  const missing = keyIds.filter((_, place) => keys[place] === undefined);
  if (missing.length === 0) return keys.filter((key) => key !== undefined);
  throw new Refusal(
    'not-found',
    `Region ${region} holds no key ${missing.join(', ')}. Ask a region that may hold it, or it was destroyed.`,
  );
}
