import { isSignedBy, keysOf, parseCheckpoint, parseNote, withKey } from '@meridian/proof';
import type { PublicKeys } from '../verify/signatures.ts';
import type { ArchivedCheckpoint } from './manifest.ts';

/** What does not hold, and where it is seen first. */
export interface ArchiveFault {
  /** The archive, by its folder. */
  readonly archive: string;
  /** The stream, or the part of the archive. */
  readonly stream: string;
  readonly sequence: number;
  readonly rank?: number;
  readonly what: string;
}

/** What was deleted, by its record. */
export interface ArchivedDeletion {
  readonly record: string;
  readonly tenant: string;
  readonly before: string;
  readonly reason: string;
  readonly region: string;
  readonly messages: number;
}

export interface ArchiveVerdict {
  readonly ok: boolean;
  readonly archives: number;
  /** From the first rank to before the last one. */
  readonly ranks: { readonly from: number; readonly to: number };
  readonly messages: number;
  readonly deleted: readonly ArchivedDeletion[];
  /** Who signed the last checkpoint. */
  readonly signedBy: readonly string[];
  readonly keys: PublicKeys;
  /** Files that no archive names. */
  readonly strays: readonly string[];
  readonly faults: readonly ArchiveFault[];
}

export const base64url = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');

/** A region's second key stands under `eu+2`. */
const regionsIn = (keys: PublicKeys): string[] => [
  ...new Set(Object.keys(keys).map((name) => name.split('+')[0] as string)),
];

/** The keys of both lists. */
export function mergedKeys(keys: PublicKeys, more: PublicKeys): PublicKeys {
  let merged = keys;
  for (const region of regionsIn(more)) {
    for (const key of keysOf(more, region)) merged = withKey(merged, region, key);
  }
  return merged;
}

/** Who of the keys signed a checkpoint; a text says what is wrong with it. */
export function signersOf(
  { size, root, headsRoot, note }: ArchivedCheckpoint,
  home: string,
  keys: PublicKeys,
): readonly string[] | string {
  const parsed = parseNote(note);
  const said = parsed === undefined ? undefined : parseCheckpoint(parsed.text);
  if (parsed === undefined || said === undefined) return `The checkpoint of ${size} is no note.`;
  const isSame =
    said.origin === `meridian/${home}` &&
    said.size === size &&
    base64url(said.root) === root &&
    base64url(said.headsRoot) === headsRoot;
  if (!isSame) return `The note of the checkpoint of ${size} is not of what the manifest says.`;
  const signers = regionsIn(keys).filter((region) =>
    keysOf(keys, region).some((key) => isSignedBy(parsed, `meridian/${region}`, key)),
  );
  return signers.length > 0 ? signers : `No known key signed the checkpoint of ${size}.`;
}
