import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureSigningKey, signReceipt, type Receipt } from '@meridian/cli';

/** A receipt that was signed. */
export interface SignedReceipt {
  /** Canonical JSON: what the file holds and the log keeps. */
  readonly text: string;
  /** The region whose key it is: who decides for the home that was lost. */
  readonly region: string;
  readonly file: string;
}

/**
 * Signs a receipt with the key of the region that decides for the home now, and writes it.
 * @param home where the checkout keeps what it runs with: the keys are in `keys`
 * @param out the folder for the file
 */
export function signAndWrite(receipt: Receipt, home: string, out: string): SignedReceipt {
  const { id, ownership, parameters } = receipt;
  const region = ownership[parameters.home ?? '']?.at(-1)?.owner ?? parameters.regions[0] ?? '';
  const text = signReceipt(receipt, ensureSigningKey(join(home, 'keys'), region));
  mkdirSync(out, { recursive: true });
  const file = join(out, `${id}.json`);
  writeFileSync(file, `${text}\n`);
  return { text, region, file };
}

/** What `POST /v1/drills` takes. */
export function drillRecord(
  { id, passed, exercise, startedAt, endedAt }: Receipt,
  { text }: SignedReceipt,
): Readonly<Record<string, unknown>> {
  return { id, receipt: text, passed, exercise, startedAt, endedAt };
}
