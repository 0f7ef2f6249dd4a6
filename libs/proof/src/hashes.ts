import { hash } from 'node:crypto';

/** How long every hash here is, in bytes: SHA-256. */
export const hashLength = 32;

const nodeInput = Buffer.alloc(1 + 2 * hashLength, 0x01);

/** The hash of a leaf: SHA-256(0x00 ‖ entry). RFC 6962, section 2.1. */
export function leafHash(entry: Uint8Array): Buffer {
  const input = Buffer.allocUnsafe(1 + entry.length);
  input[0] = 0x00;
  input.set(entry, 1);
  return hash('sha256', input, 'buffer');
}

/** The hash of an inner node: SHA-256(0x01 ‖ left ‖ right). RFC 6962, section 2.1. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  nodeInput.set(left, 1);
  nodeInput.set(right, 1 + hashLength);
  return hash('sha256', nodeInput, 'buffer');
}

/** The root of a tree without leaves: SHA-256 of nothing. */
export const emptyRoot: Uint8Array = hash('sha256', '', 'buffer');
