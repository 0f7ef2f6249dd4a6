import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NoteSigner } from './note.ts';

/** Region to public key, 32 bytes in base64url each; see `keysOf` for further keys of a region. */
export type KeyList = Readonly<Record<string, string>>;

/** What the keys are published as, beside the private ones. */
export const keyListFile = 'receipt-keys.json';

/** The key by which a region signs. */
export interface SigningKey {
  readonly region: string;
  readonly privateKey: KeyObject;
  /** 32 bytes in base64url. */
  readonly publicKey: string;
  /** Keys that were published for the region before, when this one was made although there were any. */
  readonly besides: readonly string[];
}

/** The name under which a region signs. */
export const signerName = (region: string): string => `meridian/${region}`;

/** All keys of a region on a list: the first stands under its name, further ones under `eu+2`, `eu+3`. */
export function keysOf(list: KeyList, region: string): string[] {
  return Object.keys(list)
    .filter((name) => name === region || name.startsWith(`${region}+`))
    .toSorted((a, b) => numberOf(a) - numberOf(b))
    .map((name) => list[name] as string);
}

/** The list with a key of a region, which stays a further one where the region has others. */
export function withKey(list: KeyList, region: string, publicKey: string): KeyList {
  const known = keysOf(list, region);
  if (known.includes(publicKey)) return list;
  let number = known.length + 1;
  while (number > 1 && Object.hasOwn(list, `${region}+${number}`)) number += 1;
  return { ...list, [number === 1 ? region : `${region}+${number}`]: publicKey };
}

const numberOf = (name: string): number => Number(name.split('+')[1] ?? 1);

/**
 * The key by which a region signs receipts and checkpoints: made once, and kept in `folder` readable by
 * its owner only (`<region>-receipts.pem`, PKCS 8). The list of public keys, `receipt-keys.json`, is
 * beside it. A key that was published is never taken off that list: where the private one was lost, the
 * new one is listed as a further key, and `besides` names the older ones.
 * @throws Error naming the file when it holds no Ed25519 key
 */
export function ensureSigningKey(folder: string, region: string): SigningKey {
  const file = join(folder, `${region}-receipts.pem`);
  if (!existsSync(file)) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const { privateKey } = generateKeyPairSync('ed25519');
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
    writeFileSync(file, pem, { mode: 0o600, flag: 'wx' });
  }
  const key = readSigningKey(file);
  const listFile = join(folder, keyListFile);
  const list = existsSync(listFile) ? (JSON.parse(readFileSync(listFile, 'utf8')) as KeyList) : {};
  const listed = withKey(list, region, key.publicKey);
  const isListed = listed === list;
  if (!isListed) writeFileSync(listFile, `${JSON.stringify(listed, null, 2)}\n`);
  return { region, ...key, besides: isListed ? [] : keysOf(list, region) };
}

function readSigningKey(file: string): Pick<SigningKey, 'privateKey' | 'publicKey'> {
  try {
    const privateKey = createPrivateKey(readFileSync(file, 'utf8'));
    const publicKey = createPublicKey(privateKey).export({ format: 'jwk' }).x;
    if (privateKey.asymmetricKeyType !== 'ed25519' || publicKey === undefined) {
      throw new TypeError(`a key of type ${privateKey.asymmetricKeyType}`);
    }
    return { privateKey, publicKey };
  } catch (cause) {
    throw new Error(
      `${file} holds no Ed25519 key.\nPut the right one there, or remove it to have a new one made.`,
      { cause },
    );
  }
}

/** The signer of a region's notes: its signing key under the name that notes bear. */
export function ensureSigner(folder: string, region: string): NoteSigner & SigningKey {
  return { name: signerName(region), ...ensureSigningKey(folder, region) };
}
