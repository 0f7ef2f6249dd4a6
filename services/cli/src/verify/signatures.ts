import { checkpointText, isSignedBy, parseCheckpoint, parseNote } from '@meridian/proof';
import type { Fault, Learned, LoggedCheckpoint } from './learn.ts';

/** Region to public key, 32 bytes in base64url: the content of `receipt-keys.json`. */
export type PublicKeys = Readonly<Record<string, string>>;

export interface Signatures {
  /** Who signed each checkpoint besides its owner, by its size. */
  readonly cosigners: ReadonlyMap<number, readonly string[]>;
  /** The keys that were used, by region. */
  readonly keys: PublicKeys;
  readonly faults: readonly Fault[];
}

/**
 * Checks all signatures: each checkpoint's text says what its entry says, and is signed with the key
 * that it names; one region signs with one key.
 * @param pinned the keys that the regions must have, and the only ones that count; undefined takes
 * the first key of each region that is met
 */
export function checkSignatures(
  { checkpoints, cosignatures, home }: Learned,
  pinned?: PublicKeys,
): Signatures {
  const keys: Record<string, string> = { ...pinned };
  const faults: Fault[] = [];
  const cosigners = new Map<number, string[]>();
  const isKnown = (one: {
    region: string;
    publicKey: string;
    stream: string;
    sequence: number;
  }) => {
    if (pinned === undefined && !Object.hasOwn(keys, one.region)) keys[one.region] = one.publicKey;
    const known = Object.hasOwn(keys, one.region) ? keys[one.region] : undefined;
    if (known === one.publicKey) return true;
    const { stream, sequence, region, publicKey } = one;
    const instead = known === undefined ? 'and is not on the list of keys' : `not with ${known}`;
    const what = `${region} signed with the key ${publicKey}, ${instead}.`;
    faults.push({ stream, sequence, what });
    return false;
  };
  const bySize = new Map(checkpoints.map((one) => [one.size, one]));
  for (const one of checkpoints) {
    const why = isKnown(one) ? wrongWith(one, home) : undefined;
    if (why !== undefined) {
      faults.push({ stream: one.stream, sequence: one.sequence, what: why });
    }
  }
  for (const one of cosignatures) {
    const checkpoint = bySize.get(one.size);
    // Of a checkpoint that lies beyond what was exported, or of a region that is not asked for.
    if (checkpoint === undefined) continue;
    if (pinned !== undefined && !Object.hasOwn(pinned, one.region)) continue;
    if (!isKnown(one)) continue;
    const note = parseNote(checkpoint.note + one.signature);
    if (note === undefined || !isSignedBy(note, `meridian/${one.region}`, one.publicKey)) {
      const { stream, sequence, region, size } = one;
      const what = `The signature of ${region} for the checkpoint of ${size} does not hold.`;
      faults.push({ stream, sequence, what });
    } else cosigners.set(one.size, [...(cosigners.get(one.size) ?? []), one.region]);
  }
  return { cosigners, keys, faults };
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
