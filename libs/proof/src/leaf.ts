import { hash } from 'node:crypto';
import { leafHash } from './hashes.ts';

/** How many sequences of a stream share a key for their salts. */
export const segmentLength = 65_536;

/**
 * The headers that a leaf commits to, in this order; others mean nothing to Meridian. What an append
 * expected (`Nats-Expected-…`) is no part of the message: servers leave it out of their mirrors.
 */
export const leafHeaders = [
  'Nats-Msg-Id',
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

/** The blocks of HMAC (RFC 2104) for a key of 32 bytes: SHA-256 takes 64 at a time. */
interface Pads {
  readonly inner: Buffer;
  readonly outer: Buffer;
}
const blockLength = 64;
const known = new WeakMap<Uint8Array, Pads>();

function padsOf(key: Uint8Array): Pads {
  let pads = known.get(key);
  if (pads === undefined) {
    if (key.length > blockLength) throw new RangeError(`A key of ${key.length} bytes is too long.`);
    const padded = Buffer.alloc(blockLength);
    padded.set(key);
    pads = {
      inner: Buffer.from(padded.map((byte) => byte ^ 0x36)),
      outer: Buffer.concat([padded.map((byte) => byte ^ 0x5c), Buffer.alloc(32)]),
    };
    known.set(key, pads);
  }
  return pads;
}

/** The salt of one message: HMAC-SHA-256(key of its segment, sequence in decimal). */
export function saltOf(key: Uint8Array, sequence: number): Buffer {
  // In two calls: a Hmac object costs several times as much, and there is one a message.
  const { inner, outer } = padsOf(key);
  const decimal = String(sequence);
  const first = Buffer.allocUnsafe(blockLength + decimal.length);
  first.set(inner);
  first.write(decimal, blockLength, 'latin1');
  outer.set(hash('sha256', first, 'buffer'), blockLength);
  return hash('sha256', outer, 'buffer');
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
  const { data } = message;
  const headersLength = Buffer.byteLength(lines);
  const from = salt.length + 4 + headersLength;
  const length = typeof data === 'string' ? Buffer.byteLength(data) : data.length;
  const bytes = Buffer.allocUnsafe(from + length);
  bytes.set(salt);
  bytes.writeUInt32BE(headersLength, salt.length);
  bytes.write(lines, salt.length + 4);
  if (typeof data === 'string') bytes.write(data, from);
  else bytes.set(data, from);
  return hash('sha256', bytes, 'buffer');
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
