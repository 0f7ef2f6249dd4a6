import { createHmac } from 'node:crypto';

/** Under which identity the key is kept that a tenant's identities are hashed with. */
export const hashKeyIdentity = '_';

/** An identity as it is hashed: NFKC, lower case, without white space around it. */
export function normalIdentity(identity: string): string {
  return identity.normalize('NFKC').toLowerCase().normalize('NFKC').trim();
}

/** HMAC-SHA-256 of the normal form under a tenant's key of one region, in base64url: 43 characters. */
export function hashIdentity(hashKey: Uint8Array, identity: string): string {
  return createHmac('sha256', hashKey).update(normalIdentity(identity)).digest('base64url');
}
