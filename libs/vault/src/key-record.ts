import { hash, randomBytes } from 'node:crypto';
import { toTimestamp } from '@meridian/core';
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

/** A new key. `nowMs` is epoch ms. */
export function makeRecord(facts: Omit<KeyFacts, 'keyId' | 'createdAt'>, nowMs: number): KeyRecord {
  return {
    ...facts,
    residency: facts.residency.toSorted(),
    keyId: makeKeyId(facts.region, nowMs),
    createdAt: toTimestamp(nowMs),
    bytes: randomBytes(keyBytes),
  };
}

/** The part of a key's id that says in which region's vault it is, or in which of very few. */
const tagOf = (region: string): string => hash('sha256', region, 'hex').slice(0, 4);

/**
 * 32 hexadecimal digits: 4 that tell the region, 12 of the time in epoch ms, and 16 that are random.
 * Region and time, which the log has too, are where a vault looks first.
 */
function makeKeyId(region: string, nowMs: number): string {
  const time = nowMs.toString(16).padStart(12, '0');
  return `${tagOf(region)}${time}${randomBytes(8).toString('hex')}`;
}

/** Whether a key of this id can be in the vault of a region. */
export const mayBeOf = (region: string, keyId: string): boolean => keyId.startsWith(tagOf(region));

/** When a key was made, by its id: epoch ms. */
export const madeAtMs = (keyId: string): number => Number.parseInt(keyId.slice(4, 16), 16);

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
