import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { usageFault } from '../fault.ts';
import { canonicalJson } from './canonical.ts';
import { inconsistenciesOf } from './consistency.ts';
import { receiptFormat, type Receipt } from './receipt.ts';

/** A receipt and who vouches for it. */
export interface SignedReceipt {
  readonly receipt: Receipt;
  readonly signature: {
    readonly algorithm: 'Ed25519';
    /** The region whose key it is. */
    readonly region: string;
    /** The 32 bytes of the public key in base64url. */
    readonly publicKey: string;
    /** 64 bytes in base64url, over the canonical JSON of `receipt` and the region. */
    readonly value: string;
  };
}

export interface SigningKey {
  readonly region: string;
  readonly privateKey: KeyObject;
  /** 32 bytes in base64url. */
  readonly publicKey: string;
}

/** What the keys are published as, beside the receipts: region to public key. */
export const keyListFile = 'receipt-keys.json';

/**
 * The key by which a region signs receipts: made once, and kept in `folder` readable by its owner
 * only (`<region>-receipts.pem`, PKCS 8). The list of public keys, `receipt-keys.json`, is beside it.
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
  const key = readSigningKey(file, region);
  const listFile = join(folder, keyListFile);
  const list = existsSync(listFile)
    ? (JSON.parse(readFileSync(listFile, 'utf8')) as Record<string, string>)
    : {};
  if (list[region] !== key.publicKey) {
    const keys = { ...list, [region]: key.publicKey };
    writeFileSync(listFile, `${JSON.stringify(keys, null, 2)}\n`);
  }
  return key;
}

function readSigningKey(file: string, region: string): SigningKey {
  try {
    const privateKey = createPrivateKey(readFileSync(file, 'utf8'));
    const publicKey = createPublicKey(privateKey).export({ format: 'jwk' }).x;
    if (privateKey.asymmetricKeyType !== 'ed25519' || publicKey === undefined) {
      throw new TypeError(`a key of type ${privateKey.asymmetricKeyType}`);
    }
    return { region, privateKey, publicKey };
  } catch (cause) {
    throw new Error(
      `${file} holds no Ed25519 key.\nRemove it to have a new one made, or put the right one there.`,
      { cause },
    );
  }
}

const signedBytes = (region: string, receipt: unknown): Buffer =>
  Buffer.from(canonicalJson({ region, receipt }));

/** Signs a receipt. @returns canonical JSON: the file's text, and what is kept on the log */
export function signReceipt(
  receipt: Receipt,
  { region, privateKey, publicKey }: SigningKey,
): string {
  const value = sign(null, signedBytes(region, receipt), privateKey).toString('base64url');
  const signed: SignedReceipt = {
    receipt,
    signature: { algorithm: 'Ed25519', region, publicKey, value },
  };
  return canonicalJson(signed);
}

export interface Verification {
  readonly ok: boolean;
  /** What is wrong, a sentence each. */
  readonly problems: readonly string[];
  readonly signedBy: { readonly region: string; readonly publicKey: string };
  readonly receipt: Receipt;
}

/**
 * Checks a signed receipt: that its text is canonical, that the signature is that of the key it names
 * (and of the pinned one, when given), that its counts add up and its verdicts follow from its figures.
 * @param pinned the public key that the signer must have, 32 bytes in base64url
 * @throws CommandFault (usage) when the text is no signed receipt at all
 */
export function verifyReceipt(text: string, pinned?: string): Verification {
  const signed = parseSigned(text);
  const { receipt, signature } = signed;
  const problems: string[] = [];
  if (canonicalJson(signed) !== text.replace(/\r?\n$/, '')) {
    problems.push('The text is not the canonical JSON (RFC 8785) of what it says.');
  }
  if (signature.algorithm !== 'Ed25519') {
    problems.push(`The signature's algorithm is ${JSON.stringify(signature.algorithm)}.`);
  } else if (!isSignedBy(signed)) {
    problems.push('The signature does not fit: the receipt is not what was signed.');
  }
  if (pinned !== undefined && signature.publicKey !== pinned) {
    problems.push(`It is signed with the key ${signature.publicKey}, not with ${pinned}.`);
  }
  const format: string = receipt.format;
  if (format !== receiptFormat) {
    problems.push(`Its format is ${JSON.stringify(format)}; this is for ${receiptFormat}.`);
  } else problems.push(...readably(receipt));
  const { region, publicKey } = signature;
  return { ok: problems.length === 0, problems, signedBy: { region, publicKey }, receipt };
}

/** A receipt from elsewhere may lack parts: that is a problem of it, not of the program. */
function readably(receipt: Receipt): string[] {
  try {
    return inconsistenciesOf(receipt);
  } catch (error) {
    return [`Parts of the receipt are missing or of another kind (${(error as Error).message}).`];
  }
}

function isSignedBy({ receipt, signature }: SignedReceipt): boolean {
  const { region, publicKey, value } = signature;
  try {
    const key = createPublicKey({
      key: { kty: 'OKP', crv: 'Ed25519', x: publicKey },
      format: 'jwk',
    });
    return verify(null, signedBytes(region, receipt), key, Buffer.from(value, 'base64url'));
  } catch {
    return false;
  }
}

function parseSigned(text: string): SignedReceipt {
  try {
    const { receipt, signature } = JSON.parse(text) as Partial<SignedReceipt>;
    if (typeof receipt === 'object' && typeof signature === 'object') {
      return JSON.parse(text) as SignedReceipt;
    }
  } catch {
    // Said below.
  }
  throw usageFault('It is no signed receipt: a JSON object with `receipt` and `signature`.');
}
