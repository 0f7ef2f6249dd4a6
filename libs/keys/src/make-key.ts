import { hash, randomBytes } from 'node:crypto';
import { formatToken, type ApiKey, type Scope } from './api-key.ts';

/** SHA-256 of a secret, in hexadecimal. */
export function hashSecret(secret: string): string {
  return hash('sha256', secret, 'hex');
}

export interface KeyToMake {
  readonly tenant: string;
  readonly scopes: readonly Scope[];
  readonly label: string;
  /** RFC 3339. */
  readonly createdAt: string;
  /** By default 12 random hexadecimal digits. */
  readonly id?: string;
}

/** Makes a key with a secret of 32 random bytes. The token is shown once and kept nowhere. */
export function makeKey({ id = randomBytes(6).toString('hex'), ...rest }: KeyToMake): {
  readonly key: ApiKey;
  readonly token: string;
} {
  const secret = randomBytes(32).toString('base64url');
  return { key: { id, hash: hashSecret(secret), ...rest }, token: formatToken({ id, secret }) };
}
