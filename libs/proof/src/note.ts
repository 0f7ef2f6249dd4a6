import { createPrivateKey, createPublicKey, hash, sign, verify, type KeyObject } from 'node:crypto';

const ed25519 = 0x01;
const keyIdLength = 4;
const signatureLength = 64;
const dash = '\u2014';
const keyName = /^[^\s+]+$/u;

/** Who signs notes: a name and a key. */
export interface NoteSigner {
  /** Without blanks and `+`. */
  readonly name: string;
  readonly privateKey: KeyObject;
  /** 32 bytes in base64url. */
  readonly publicKey: string;
}

/** One signature line of a note. */
export interface NoteSignature {
  readonly name: string;
  /** 4 bytes that name the key, and the signature. */
  readonly value: Buffer;
}

/** A text and who vouches for it. */
export interface Note {
  /** Ends with a line feed. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

/**
 * A signer of notes from its private key.
 * @param pem PKCS 8, of an Ed25519 key: the form in which the keys of the receipts are kept
 * @throws TypeError when it is no such key, RangeError when the name cannot be written
 */
export function noteSigner(name: string, pem: string): NoteSigner {
  if (!keyName.test(name)) {
    throw new RangeError(`The name ${JSON.stringify(name)} cannot be that of a key.`);
  }
  const privateKey = createPrivateKey(pem);
  const publicKey = createPublicKey(privateKey).export({ format: 'jwk' }).x;
  if (privateKey.asymmetricKeyType !== 'ed25519' || publicKey === undefined) {
    throw new TypeError(
      `The key of ${name} is of type ${privateKey.asymmetricKeyType}, not ed25519.`,
    );
  }
  return { name, privateKey, publicKey };
}

/** The first 4 bytes of SHA-256(name ‖ line feed ‖ 0x01 ‖ public key): C2SP signed-note. */
export function keyId(name: string, publicKey: string): Buffer {
  const named = Buffer.from(`${name}\n`);
  const key = Buffer.concat([named, Buffer.of(ed25519), Buffer.from(publicKey, 'base64url')]);
  return hash('sha256', key, 'buffer').subarray(0, keyIdLength);
}

/** Signs a note's text. @throws RangeError when it is empty or does not end with a line feed */
export function signNote(text: string, { name, privateKey, publicKey }: NoteSigner): NoteSignature {
  if (!text.endsWith('\n') || text.includes('\n\n')) {
    throw new RangeError('The text of a note ends with a line feed and has no empty line.');
  }
  const signature = sign(null, Buffer.from(text), privateKey);
  return { name, value: Buffer.concat([keyId(name, publicKey), signature]) };
}

/** One signature as the line that stands in a note, its line feed among it. */
export const signatureLine = ({ name, value }: NoteSignature): string =>
  `${dash} ${name} ${value.toString('base64')}\n`;

/** A note as it is written: the text, an empty line, a line for each signature (C2SP signed-note). */
export function formatNote({ text, signatures }: Note): string {
  return `${text}\n${signatures.map(signatureLine).join('')}`;
}

/** Reads a note. @returns undefined when it is none */
export function parseNote(note: string): Note | undefined {
  const end = note.lastIndexOf('\n\n');
  if (end === -1 || !note.endsWith('\n')) return undefined;
  const signatures: NoteSignature[] = [];
  for (const line of note.slice(end + 2, -1).split('\n')) {
    const [mark, name, value, ...rest] = line.split(' ');
    if (mark !== dash || !name || !value || rest.length > 0) return undefined;
    signatures.push({ name, value: Buffer.from(value, 'base64') });
  }
  return { text: note.slice(0, end + 1), signatures };
}

/**
 * Whether a note bears the signature of a key.
 * @param publicKey 32 bytes in base64url
 */
export function isSignedBy({ text, signatures }: Note, name: string, publicKey: string): boolean {
  const id = keyId(name, publicKey);
  return signatures.some(({ name: signer, value }) => {
    if (signer !== name || value.length !== keyIdLength + signatureLength) return false;
    if (!value.subarray(0, keyIdLength).equals(id)) return false;
    try {
      const key = createPublicKey({
        key: { kty: 'OKP', crv: 'Ed25519', x: publicKey },
        format: 'jwk',
      });
      return verify(null, Buffer.from(text), key, value.subarray(keyIdLength));
    } catch {
      return false;
    }
  });
}
