import { createCipheriv, createDecipheriv, createHmac, hkdfSync } from 'node:crypto';
import { timingSafeEqual } from 'node:crypto';
import { sealedParts } from '@meridian/wire';

const cipher = 'aes-256-gcm';
const nonceBytes = 12;
const tagBytes = 16;
/** The length of a key, in bytes. */
export const keyBytes = 32;

/** What is known of a key besides its bytes. */
export interface KeyFacts {
  readonly keyId: string;
  readonly tenant: string;
  /** The region that made it. */
  readonly region: string;
  /** The regions that may hold it, sorted. */
  readonly residency: readonly string[];
  /** The keyed hash of whose it is; `_` for the key that identities of a tenant are hashed with. */
  readonly identity: string;
  /** RFC 3339. */
  readonly createdAt: string;
}

/**
 * What opening comes to. `other-key`: it was sealed under another key; `damaged`: it was changed, or
 * was sealed for another tenant; `malformed`: it is no sealed text.
 */
export type Opened =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly reason: 'malformed' | 'other-key' | 'damaged' };

/**
 * The key of a data subject. AES-256-GCM under a key derived by HKDF-SHA-256 (label `meridian seal`);
 * the nonce is the first 12 bytes of HMAC-SHA-256 of the clear text under a second one (label
 * `meridian nonce`), so that equal texts have equal sealed texts. Additional data: `<tenant> LF <key id>`.
 * The bytes of the key show up in no property, text or JSON of it.
 */
export class SubjectKey implements KeyFacts {
  readonly keyId: string;
  readonly tenant: string;
  readonly region: string;
  readonly residency: readonly string[];
  readonly identity: string;
  readonly createdAt: string;
  readonly #sealKey: Buffer;
  readonly #nonceKey: Buffer;
  readonly #additional: Buffer;

  /** @param bytes 32 of them; they are not kept @throws RangeError when they are not 32 */
  constructor(facts: KeyFacts, bytes: Uint8Array) {
    if (bytes.length !== keyBytes) {
      throw new RangeError(`The key ${facts.keyId} has ${bytes.length} bytes, not ${keyBytes}.`);
    }
    this.keyId = facts.keyId;
    this.tenant = facts.tenant;
    this.region = facts.region;
    this.residency = facts.residency;
    this.identity = facts.identity;
    this.createdAt = facts.createdAt;
    this.#sealKey = derive(bytes, 'meridian seal');
    this.#nonceKey = derive(bytes, 'meridian nonce');
    this.#additional = Buffer.from(`${facts.tenant}\n${facts.keyId}`);
  }

  /** The sealed text of a text; the same for the same text. */
  seal(text: string): string {
    const clear = Buffer.from(text);
    const nonce = this.#nonceOf(clear);
    const sealing = createCipheriv(cipher, this.#sealKey, nonce, { authTagLength: tagBytes });
    sealing.setAAD(this.#additional);
    const body = [nonce, sealing.update(clear), sealing.final(), sealing.getAuthTag()];
    return `sealed:1:${this.keyId}:${Buffer.concat(body).toString('base64url')}`;
  }

  /** Opens a sealed text, or says why not; the reason tells nothing of what is in it. */
  open(sealed: string): Opened {
    const parts = sealedParts(sealed);
    if (parts === undefined) return { ok: false, reason: 'malformed' };
    if (parts.keyId !== this.keyId) return { ok: false, reason: 'other-key' };
    const body = Buffer.from(parts.body, 'base64url');
    // More than one text stands for the same bytes: only the one that sealing gives counts.
    if (body.toString('base64url') !== parts.body) return { ok: false, reason: 'malformed' };
    const nonce = body.subarray(0, nonceBytes);
    const opening = createDecipheriv(cipher, this.#sealKey, nonce, { authTagLength: tagBytes });
    opening.setAAD(this.#additional);
    opening.setAuthTag(body.subarray(-tagBytes));
    let clear: Buffer;
    try {
      const within = body.subarray(nonceBytes, -tagBytes);
      clear = Buffer.concat([opening.update(within), opening.final()]);
    } catch {
      return { ok: false, reason: 'damaged' };
    }
    if (!timingSafeEqual(this.#nonceOf(clear), nonce)) return { ok: false, reason: 'damaged' };
    return { ok: true, text: clear.toString() };
  }

  /** The facts alone. */
  toJSON(): KeyFacts {
    const { keyId, tenant, region, residency, identity, createdAt } = this;
    return { keyId, tenant, region, residency, identity, createdAt };
  }

  #nonceOf(clear: Buffer): Buffer {
    return createHmac('sha256', this.#nonceKey).update(clear).digest().subarray(0, nonceBytes);
  }
}

function derive(bytes: Uint8Array, label: string): Buffer {
  return Buffer.from(hkdfSync('sha256', bytes, '', label, keyBytes));
}
