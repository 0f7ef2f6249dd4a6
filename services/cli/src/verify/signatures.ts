import {
  checkpointText,
  isSignedBy,
  keysOf,
  parseCheckpoint,
  parseNote,
  withKey,
  type KeyList,
} from '@meridian/proof';
import type { Fault, Learned, LoggedCheckpoint } from './learn.ts';

/** The content of `receipt-keys.json`. */
export type PublicKeys = KeyList;

/** What one key signed. */
export interface KeyUse {
  readonly region: string;
  readonly publicKey: string;
  /** How many checkpoints, and the sizes of the first and the last of them. */
  readonly checkpoints: number;
  readonly first: number;
  readonly last: number;
}

export interface Signatures {
  /** Who signed each checkpoint besides its owner, by its size. */
  readonly cosigners: ReadonlyMap<number, readonly string[]>;
  /** The keys that were used; a region's second one stands under `eu+2`. */
  readonly keys: PublicKeys;
  /** What each key signed, in the order in which they were first used. */
  readonly uses: readonly KeyUse[];
  readonly faults: readonly Fault[];
}

/**
 * Checks all signatures: each checkpoint's text says what its entry says, and is signed with the key
 * that it names.
 * @param pinned the keys that the regions must have, and the only ones that count; undefined takes
 * the keys that the log names, of which a region may have several: one was lost, or replaced
 */
export function checkSignatures(
  { checkpoints, cosignatures, home }: Learned,
  pinned?: PublicKeys,
): Signatures {
  let keys: PublicKeys = { ...pinned };
  const uses = new Map<string, KeyUse>();
  const noteUse = ({
    region,
    publicKey,
    size,
  }: Pick<KeyUse, 'region' | 'publicKey'> & { size: number }): void => {
    const name = `${region} ${publicKey}`;
    const use = uses.get(name) ?? { region, publicKey, checkpoints: 0, first: size, last: size };
    uses.set(name, { ...use, checkpoints: use.checkpoints + 1, last: Math.max(use.last, size) });
  };
  const faults: Fault[] = [];
  const cosigners = new Map<number, string[]>();
  const isKnown = (one: {
    region: string;
    publicKey: string;
    stream: string;
    sequence: number;
  }) => {
    if (pinned === undefined) keys = withKey(keys, one.region, one.publicKey);
    const known = keysOf(keys, one.region);
    if (known.includes(one.publicKey)) return true;
    const { stream, sequence, region, publicKey } = one;
    const instead =
      known.length === 0 ? 'and is not on the list of keys' : `not with ${known.join(' or ')}`;
    const what = `${region} signed with the key ${publicKey}, ${instead}.`;
    faults.push({ stream, sequence, what });
    return false;
  };
  const bySize = new Map(checkpoints.map((one) => [one.size, one]));
  for (const one of checkpoints) {
    if (!isKnown(one)) continue;
    const why = wrongWith(one, home);
    if (why === undefined) noteUse(one);
    else faults.push({ stream: one.stream, sequence: one.sequence, what: why });
  }
  for (const one of cosignatures) {
    const checkpoint = bySize.get(one.size);
    // Of a checkpoint that lies beyond what was exported, or of a region that is not asked for.
    if (checkpoint === undefined) continue;
    if (pinned !== undefined && keysOf(pinned, one.region).length === 0) continue;
    if (!isKnown(one)) continue;
    const note = parseNote(checkpoint.note + one.signature);
    if (note === undefined || !isSignedBy(note, `meridian/${one.region}`, one.publicKey)) {
      const { stream, sequence, region, size } = one;
      const what = `The signature of ${region} for the checkpoint of ${size} does not hold.`;
      faults.push({ stream, sequence, what });
    } else {
      cosigners.set(one.size, [...(cosigners.get(one.size) ?? []), one.region]);
      noteUse(one);
    }
  }
  return { cosigners, keys, uses: [...uses.values()], faults };
}

function wrongWith(one: LoggedCheckpoint, home: string): string | undefined {
  const bytes = (text: string): Buffer => Buffer.from(text, 'base64url');
  const note = parseNote(one.note);
  const text = checkpointText({
    origin: `meridian/${home}`,
    size: one.size,
    root: bytes(one.root),
    headsRoot: bytes(one.headsRoot),
  });
  if (note?.text !== text || parseCheckpoint(text) === undefined) {
    return `The note of the checkpoint of ${one.size} is not of what its entry says.`;
  }
  return isSignedBy(note, `meridian/${one.region}`, one.publicKey)
    ? undefined
    : `The signature of ${one.region} for the checkpoint of ${one.size} does not hold.`;
}

/** A checkpoint that somebody kept, and who signed it. */
export interface KeptNote {
  readonly note: string;
  readonly size: number;
  readonly root: Uint8Array;
  readonly headsRoot: Uint8Array;
  readonly origin: string;
  /** The names under which it is signed, with keys that are given or that the log names. */
  readonly signers: readonly string[];
}

/**
 * Reads a checkpoint's note. @returns undefined when it is none
 * @param keys with which a signature counts
 */
export function readKeptNote(note: string, keys: PublicKeys): KeptNote | undefined {
  const parsed = parseNote(note);
  const checkpoint = parsed && parseCheckpoint(parsed.text);
  if (parsed === undefined || checkpoint === undefined) return undefined;
  const regions = [...new Set(Object.keys(keys).map((name) => name.split('+')[0] as string))];
  const signers = regions.filter((region) =>
    keysOf(keys, region).some((key) => isSignedBy(parsed, `meridian/${region}`, key)),
  );
  return { note, ...checkpoint, signers };
}
