import type { Edges } from '../commands/edges.ts';
import { EdgeRefusal } from '../fault.ts';
import type { ContactAnswer } from '../commands/contact.ts';

/** What one edge says of an identity: `POST /v1/privacy/subjects`. */
export interface SubjectAnswer {
  readonly region: string;
  readonly keys: readonly {
    readonly id: string;
    readonly region: string;
    readonly regions: readonly string[];
    readonly createdAt: string;
  }[];
  readonly contacts: number;
  readonly contactIds: readonly string[];
  readonly streams: readonly string[];
  readonly linked: readonly {
    readonly keyId: string;
    readonly by: 'contact' | 'chain';
    readonly contacts: number;
  }[];
  readonly holds: readonly string[];
  readonly contactsKnown: boolean;
}

/** What all edges together say. */
export interface Subject {
  readonly keys: readonly (SubjectAnswer['keys'][number] & {
    /** The first edge that holds it: it is asked to have it destroyed. */
    readonly heldBy: string;
  })[];
  readonly contacts: number;
  readonly contactIds: readonly string[];
  readonly streams: readonly string[];
  readonly linked: SubjectAnswer['linked'];
  readonly holds: readonly string[];
  /** Whether the read models of any edge could be asked: else contacts and links are not known. */
  readonly contactsKnown: boolean;
}

/** @throws EdgeRefusal, EdgeUnreachable */
export async function findSubject(edges: Edges, identity: string): Promise<Subject> {
  const answers = await Promise.all(
    edges.there.map(({ client }) =>
      client.post<SubjectAnswer>('/v1/privacy/subjects', { identity }),
    ),
  );
  const keys = new Map<string, Subject['keys'][number]>();
  for (const answer of answers) {
    for (const key of answer.keys) {
      if (!keys.has(key.id)) keys.set(key.id, { ...key, heldBy: answer.region });
    }
  }
  const sorted = (all: readonly string[]): string[] => [...new Set(all)].toSorted();
  const linked = new Map(answers.flatMap((one) => one.linked).map((one) => [one.keyId, one]));
  return {
    keys: [...keys.values()],
    contacts: Math.max(0, ...answers.map((one) => one.contacts)),
    contactIds: sorted(answers.flatMap((one) => one.contactIds)),
    streams: sorted(answers.flatMap((one) => one.streams)),
    linked: [...linked.values()].filter(({ keyId }) => !keys.has(keyId)),
    holds: sorted(answers.flatMap((one) => one.holds)),
    contactsKnown: answers.some((one) => one.contactsKnown),
  };
}

/** A sealed text, and what it said while its key was there. */
export interface Sample {
  readonly sealed: string;
  readonly clear: string | undefined;
}

/** How many contacts are read for what is sealed in them. */
export const sampleLimit = 100;
const openLimit = 1_000;

/**
 * The sealed texts in the first contacts of a subject, opened where the key may: what must be found
 * nowhere afterwards.
 */
export async function samplesOf(edges: Edges, { keys, contactIds }: Subject): Promise<Sample[]> {
  const [edge] = edges.there;
  if (edge === undefined) return [];
  const sealed = new Set<string>();
  for (const id of contactIds.slice(0, sampleLimit)) {
    const contact = await edge.client.get<ContactAnswer>(`/v1/contacts/${encodeURIComponent(id)}`);
    for (const { id: keyId } of keys) {
      const pattern = new RegExp(`sealed:1:${keyId}:[A-Za-z0-9_-]+`, 'g');
      for (const [text] of JSON.stringify(contact).matchAll(pattern)) sealed.add(text);
    }
  }
  const values = [...sealed].slice(0, openLimit);
  const found = new Map<string, string>();
  for (const { client } of edges.there) {
    const opened = await openValues(client, values);
    values.forEach((value, place) => {
      const text = opened?.[place];
      if (text !== undefined) found.set(value, text);
    });
  }
  return values.map((value) => ({ sealed: value, clear: found.get(value) }));
}

/** The clear text of each value that opens; undefined when the key may not ask. */
export async function openValues(
  client: Edges['there'][number]['client'],
  values: readonly string[],
): Promise<(string | undefined)[] | undefined> {
  if (values.length === 0) return [];
  try {
    const answer = await client.post<{ values: readonly { readonly text?: string }[] }>(
      '/v1/personal/open',
      { values },
    );
    return answer.values.map(({ text }) => text);
  } catch (error) {
    if (error instanceof EdgeRefusal && error.status === 403) return undefined;
    throw error;
  }
}
