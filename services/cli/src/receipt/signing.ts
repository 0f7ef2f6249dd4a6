import { createPublicKey, sign, verify } from 'node:crypto';
import type { SigningKey } from '@meridian/proof';
import { usageFault } from '../fault.ts';
import { canonicalJson } from './canonical.ts';
import { inconsistenciesOf } from './consistency.ts';
import { receiptFormat, type Receipt } from './receipt.ts';

export { ensureSigningKey, keyListFile, type SigningKey } from '@meridian/proof';

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
 * (and a pinned one, when given), that its counts add up and its verdicts follow from its figures.
 * @param pinned the public keys of which the signer must have one, 32 bytes in base64url each
 * @throws CommandFault (usage) when the text is no signed receipt at all
 */
export function verifyReceipt(text: string, ...pinned: string[]): Verification {
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
  if (pinned.length > 0 && !pinned.includes(signature.publicKey)) {
    const keys = pinned.join(' or ');
    problems.push(`It is signed with the key ${signature.publicKey}, not with ${keys}.`);
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
