import { usageFault } from '../fault.ts';

const unitsMs: Readonly<Record<string, number>> = {
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};
const unitsBytes: Readonly<Record<string, number>> = { K: 1_024, M: 1_048_576, G: 1_073_741_824 };

/** Reads `90d`, `36h`, `2w` or `30m` into ms. @throws CommandFault (usage) */
export function parseAge(name: string, text: string): number {
  const [, count, unit = ''] = /^(\d{1,6})([mhdw])$/.exec(text) ?? [];
  const ms = unitsMs[unit];
  if (count !== undefined && ms !== undefined) return Number(count) * ms;
  throw usageFault(`--${name} is ${JSON.stringify(text)}.\nGive an age such as 90d, 36h or 2w.`);
}

/** Reads `256M`, `1G`, `500K` or bytes. @throws CommandFault (usage) */
export function parseSize(name: string, text: string): number {
  const [, count, unit] = /^(\d{1,12})([KMG]?)$/.exec(text) ?? [];
  const size = Number(count) * (unit === '' ? 1 : (unitsBytes[unit ?? ''] ?? Number.NaN));
  if (Number.isSafeInteger(size) && size > 0) return size;
  throw usageFault(`--${name} is ${JSON.stringify(text)}.\nGive a size such as 256M or 1G.`);
}

/** Reads a time, RFC 3339, into epoch ms. @throws CommandFault (usage) */
export function parseTime(name: string, text: string): number {
  const ms = Date.parse(text);
  if (Number.isFinite(ms)) return ms;
  throw usageFault(
    `--${name} is ${JSON.stringify(text)}.\nGive a time such as 2026-03-02T08:00:00Z.`,
  );
}

/** The reason for an access, as a header can bear it. @throws CommandFault (usage) */
export function checkReason(text: string): string {
  if (/^[\x20-\x7e]{1,1000}$/.test(text)) return text;
  throw usageFault('--reason must be 1 to 1000 characters of printable ASCII.');
}
