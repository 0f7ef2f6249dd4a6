import { createPublicKey, sign, verify } from 'node:crypto';
import { usageFault } from '../fault.ts';
import { canonicalJson, type SigningKey } from '../receipt/index.ts';

/** What an edge says of an erasure: `GET /v1/privacy/erasures/{id}`. */
export interface ErasureAnswer {
  readonly id: string;
  readonly state: 'BLOCKED' | 'REQUESTED' | 'ERASED';
  readonly keys: readonly { readonly id: string; readonly regions: readonly string[] }[];
  readonly contacts: number;
  readonly reason: string;
  readonly requestedBy: string | null;
  readonly requestedAt: string | null;
  readonly erasedAt: string | null;
  readonly holds: readonly string[];
  readonly regions: readonly {
    readonly region: string;
    readonly destroyed: number | null;
    readonly absent: number | null;
    readonly at: string | null;
  }[];
}

/** What was shown after an erasure, without the identity. */
export interface Certificate {
  readonly format: 'meridian.erasure-certificate.v1';
  readonly erasures: readonly ErasureAnswer[];
  /** The regions whose edges were asked afterwards, and what they still could open. */
  readonly opened: readonly {
    readonly region: string;
    readonly keys: number;
    readonly tried: number;
    readonly opened: number;
  }[];
  /** What the folders were searched for and what was found there; null when none was named. */
  readonly search: {
    readonly folders: readonly string[];
    readonly files: number;
    readonly bytes: number;
    readonly unread: readonly string[];
    readonly texts: number;
    readonly findings: readonly { readonly file: string; readonly offset: number }[];
  } | null;
  readonly at: string;
}

interface SignedCertificate {
  readonly certificate: Certificate;
  readonly signature: {
    readonly algorithm: 'Ed25519';
    readonly region: string;
    readonly publicKey: string;
    readonly value: string;
  };
}

const signedBytes = (region: string, certificate: unknown): Buffer =>
  Buffer.from(canonicalJson({ region, certificate }));

/** Signs as drill receipts are signed. @returns canonical JSON, the text of the file */
export function signCertificate(
  certificate: Certificate,
  { region, privateKey, publicKey }: SigningKey,
): string {
  const value = sign(null, signedBytes(region, certificate), privateKey).toString('base64url');
  const signature = { algorithm: 'Ed25519', region, publicKey, value } as const;
  return canonicalJson({ certificate, signature } satisfies SignedCertificate);
}

export interface CheckedCertificate {
  readonly problems: readonly string[];
  readonly certificate: Certificate;
  readonly signedBy: { readonly region: string; readonly publicKey: string };
}

/**
 * Checks a certificate: its text, its signature, and that what it says is of an erasure that is whole.
 * @param pinned the public keys of which the signer must have one, 32 bytes in base64url each
 * @throws CommandFault (usage) when the text is no certificate at all
 */
export function checkCertificate(text: string, pinned: readonly string[]): CheckedCertificate {
  const signed = parse(text);
  const { certificate, signature } = signed;
  const { region, publicKey } = signature;
  const problems: string[] = [];
  if (canonicalJson(signed) !== text.replace(/\r?\n$/, '')) {
    problems.push('The text is not the canonical JSON (RFC 8785) of what it says.');
  }
  if (signature.algorithm !== 'Ed25519' || !isSigned(signed)) {
    problems.push('The signature does not fit: the certificate is not what was signed.');
  }
  if (pinned.length > 0 && !pinned.includes(publicKey)) {
    problems.push(`It is signed with the key ${publicKey}, not with ${pinned.join(' or ')}.`);
  }
  problems.push(...shortcomings(certificate));
  return { problems, certificate, signedBy: { region, publicKey } };
}

/** Why it is no proof of an erasure, a sentence each. */
export function shortcomings({ erasures, opened, search }: Certificate): string[] {
  const silent = erasures.flatMap(({ id, keys, regions }) => {
    const saying = new Set(regions.filter(({ at }) => at !== null).map(({ region }) => region));
    return keys.flatMap((key) =>
      key.regions
        .filter((region) => !saying.has(region))
        .map((region) => `${region} has not confirmed that it holds no key of ${id}.`),
    );
  });
  return [
    ...erasures
      .filter(({ state }) => state !== 'ERASED')
      .map(({ id, state }) => `The erasure ${id} is ${state}, not ERASED.`),
    ...new Set(silent),
    ...opened
      .filter((one) => one.opened > 0 || one.keys > 0)
      .map((one) => `${one.region} still held ${one.keys} keys and opened ${one.opened} values.`),
    ...(search?.findings ?? []).map(
      ({ file, offset }) => `${file} holds it in the clear, at ${offset}.`,
    ),
    ...(search?.unread ?? []).map((one) => `Not searched: ${one}`),
  ];
}

function isSigned({ certificate, signature }: SignedCertificate): boolean {
  const { region, publicKey, value } = signature;
  try {
    const key = createPublicKey({
      key: { kty: 'OKP', crv: 'Ed25519', x: publicKey },
      format: 'jwk',
    });
    return verify(null, signedBytes(region, certificate), key, Buffer.from(value, 'base64url'));
  } catch {
    return false;
  }
}

function parse(text: string): SignedCertificate {
  try {
    const { certificate, signature } = JSON.parse(text) as Partial<SignedCertificate>;
    if (certificate?.format === 'meridian.erasure-certificate.v1' && signature !== undefined) {
      return { certificate, signature };
    }
  } catch {
    // Said below.
  }
  throw usageFault(
    'It is no certificate of an erasure: `certificate` and `signature` are missing.',
  );
}
