import { randomBytes } from 'node:crypto';
import { CorruptEntry } from '@meridian/journal';
import { keyBytes, type KeyFacts } from './subject-key.ts';

/** A key with its bytes, as a vault's stream holds it. */
export interface KeyRecord extends KeyFacts {
  readonly bytes: Uint8Array;
}

/** What a message of a vault's stream is. */
interface StoredKey {
  readonly stream: string;
  readonly sequence: number;
  readonly subject: string;
  readonly text: string;
}

/** A new key with an id of its own: both random. `createdAt` is RFC 3339. */
export function makeRecord(
  facts: Omit<KeyFacts, 'keyId' | 'residency'> & { readonly residency: readonly string[] },
): KeyRecord {
  return {
    ...facts,
    residency: facts.residency.toSorted(),
    keyId: randomBytes(16).toString('hex'),
    bytes: randomBytes(keyBytes),
  };
}

/** `vault.<region>.<residency>.<tenant>.<identity>.<key id>`. */
export function keySubject({ region, residency, tenant, identity, keyId }: KeyFacts): string {
  return `vault.${region}.${residency.join('-')}.${tenant}.${identity}.${keyId}`;
}

/** Every key of an identity in the vault of a region, whatever its residency. */
export const identityFilter = (region: string, tenant: string, identity: string): string =>
  `vault.${region}.*.${tenant}.${identity}.*`;

/** A key by its id, in the vault of a region. */
export const keyFilter = (region: string, tenant: string, keyId: string): string =>
  `vault.${region}.*.${tenant}.*.${keyId}`;

/** The message that keeps a key. */
export function writeRecord({ bytes, createdAt }: KeyRecord): string {
  return JSON.stringify({ key: Buffer.from(bytes).toString('base64url'), createdAt });
}

/** @throws CorruptEntry when the message is no key; what it holds is not shown */
export function readRecord({ stream, sequence, subject, text }: StoredKey): KeyRecord {
  const [, region = '', residency = '', tenant = '', identity = '', keyId = ''] =
    subject.split('.');
  const value = parsed(text);
  const bytes =
    typeof value.key === 'string' ? Buffer.from(value.key, 'base64url') : Buffer.alloc(0);
  if (bytes.length !== keyBytes || keyId === '') {
    throw new CorruptEntry(stream, sequence, `it is no key of a data subject (${subject}).`);
  }
  const createdAt = typeof value.createdAt === 'string' ? value.createdAt : '';
  return { region, residency: residency.split('-'), tenant, identity, keyId, createdAt, bytes };
}

function parsed(text: string): { readonly key?: unknown; readonly createdAt?: unknown } {
  try {
    return Object(JSON.parse(text)) as object;
  } catch {
    // The parser's own message would show what it holds.
    return {};
  }
}
