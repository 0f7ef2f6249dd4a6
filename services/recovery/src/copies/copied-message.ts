import { createHash } from 'node:crypto';

/** A message of a stream as a copy of it holds it. */
export interface CopiedMessage {
  readonly sequence: number;
  readonly subject: string;
  /** When its origin stored it, as the server writes it: RFC 3339 with nanoseconds. */
  readonly storedAt: string;
  /** Name and value of each header in the order stored. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly data: Uint8Array;
}

/**
 * The hash of everything up to a message: SHA-256 over the hash before it, then sequence, subject,
 * stored time and headers as lines of JSON, then the data.
 * @param before the hash up to the message before, or the seed of the chunk
 */
export function hashAfter(before: string, message: CopiedMessage): string {
  const { sequence, subject, storedAt, headers, data } = message;
  return createHash('sha256')
    .update(`${before}\n${JSON.stringify([sequence, subject, storedAt, headers])}\n`)
    .update(data)
    .digest('hex');
}

/** The hash where a message should be that cannot be read. */
export function hashAfterMissing(before: string, sequence: number): string {
  return createHash('sha256').update(`${before}\nmissing ${sequence}`).digest('hex');
}

export function areEqual(one: CopiedMessage, other: CopiedMessage): boolean {
  return hashAfter('', one) === hashAfter('', other);
}
