import { hash } from 'node:crypto';
import type { WireUuid } from './messages.ts';

const uuidPattern = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

const format = (hex: string): string =>
  [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join(
    '-',
  );

/** The UUID (RFC 9562, version 8) of a name: the first bits of its SHA-256. The same for ever. */
export function uuidOf(name: string): string {
  const hex = hash('sha256', name, 'hex');
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 3) | 8).toString(16);
  return format(`${hex.slice(0, 12)}8${hex.slice(13, 16)}${variant}${hex.slice(17, 32)}`);
}

/** A UUID as it came over the wire, in lower case; undefined when it is none. */
export function readUuid(uuid: WireUuid | undefined): string | undefined {
  if (uuid?.structured !== undefined) {
    const { mostSignificantBits, leastSignificantBits } = uuid.structured;
    return format(hexOf(mostSignificantBits) + hexOf(leastSignificantBits));
  }
  const text = uuid?.string?.toLowerCase();
  return text !== undefined && uuidPattern.test(text) ? text : undefined;
}

/** A UUID as it goes over the wire. */
export function writeUuid(uuid: string, structured: boolean): WireUuid {
  if (!structured) return { string: uuid };
  const hex = uuid.replaceAll('-', '');
  return {
    structured: {
      mostSignificantBits: signed(hex.slice(0, 16)),
      leastSignificantBits: signed(hex.slice(16, 32)),
    },
  };
}

const hexOf = (bits: number | string): string =>
  BigInt.asUintN(64, BigInt(bits)).toString(16).padStart(16, '0');

const signed = (hex: string): string => BigInt.asIntN(64, BigInt(`0x${hex}`)).toString();
