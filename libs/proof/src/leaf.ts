import { createHmac, hash } from 'node:crypto';
import { leafHash } from './hashes.ts';

/** How many sequences of a stream share a key for their salts. */
export const segmentLength = 65_536;

/** The headers that a leaf commits to, in this order; others mean nothing to Meridian. */
export const leafHeaders = [
  'Nats-Msg-Id',
  'Nats-Expected-Last-Subject-Sequence',
  'Meridian-Consumed',
  'Meridian-Epoch',
  'traceparent',
] as const;

/** A stored message, as far as its leaf is about it. */
export interface StoredMessage {
  readonly stream: string;
  readonly sequence: number;
  readonly subject: string;
  readonly storedAtMs: number;
  /** A header's value; undefined when absent. */
  header(name: string): string | undefined;
  /** The stored bytes, or their text in UTF-8. */
  readonly data: Uint8Array | string;
}

/** What a leaf says of a message, without the message itself. */
export interface LeafEntry {
  readonly stream: string;
  readonly sequence: number;
  readonly subject: string;
  readonly storedAtMs: number;
  /** The salted hash of headers and data, 32 bytes. */
  readonly payloadHash: Uint8Array;
}

/** The segment of a sequence, from 0 on: the sequences 1 to 65,536 are in segment 0. */
export const segmentOf = (sequence: number): number => Math.floor((sequence - 1) / segmentLength);

/** The salt of one message: HMAC-SHA-256(key of its segment, sequence in decimal). */
export function saltOf(key: Uint8Array, sequence: number): Buffer {
  return createHmac('sha256', key).update(String(sequence)).digest();
}

/**
 * The salted hash of headers and data: SHA-256(salt ‖ length of the headers in 4 bytes, the highest
 * first ‖ the headers as `name: value` and a line feed each, in the order of `leafHeaders` ‖ data).
 */
export function payloadHash(
  salt: Uint8Array,
  message: Pick<StoredMessage, 'header' | 'data'>,
): Buffer {
  let lines = '';
  for (const name of leafHeaders) {
    const value = message.header(name);
    if (value !== undefined) lines += `${name}: ${value}\n`;
  }
  const headers = Buffer.from(lines);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(headers.length);
  const { data } = message;
  const bytes = typeof data === 'string' ? Buffer.from(data) : data;
  return hash('sha256', Buffer.concat([salt, length, headers, bytes]), 'buffer');
}

/**
 * The bytes of a leaf: stream, sequence, subject and stored time (epoch ms), each with a line feed
 * after it, and the payload's hash. None of the texts can hold a line feed.
 */
export function leafBytes({
  stream,
  sequence,
  subject,
  storedAtMs,
  payloadHash,
}: LeafEntry): Buffer {
  return Buffer.concat([
    Buffer.from(`${stream}\n${sequence}\n${subject}\n${storedAtMs}\n`),
    payloadHash,
  ]);
}

/** The hash of a message's leaf under the key of its segment. */
export function messageLeaf(key: Uint8Array, message: StoredMessage): Buffer {
  const { stream, sequence, subject, storedAtMs } = message;
  const hash = payloadHash(saltOf(key, sequence), message);
  return leafHash(leafBytes({ stream, sequence, subject, storedAtMs, payloadHash: hash }));
}
