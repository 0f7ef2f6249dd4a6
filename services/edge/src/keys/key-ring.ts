import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import { formatToken, parseToken, type ApiKey, type Scope } from '../domain/key.ts';

const noHash = Buffer.alloc(32);

/** SHA-256 of a secret, in hexadecimal. */
export function hashSecret(secret: string): string {
  return hash('sha256', secret, 'hex');
}

/** All keys of the region, in memory, as every edge holds them. */
export class KeyRing {
  readonly #keys = new Map<string, { readonly key: ApiKey; readonly hash: Buffer }>();

  get size(): number {
    return this.#keys.size;
  }

  put(key: ApiKey): void {
    this.#keys.set(key.id, { key, hash: Buffer.from(key.hash, 'hex') });
  }

  remove(id: string): void {
    this.#keys.delete(id);
  }

  get(id: string): ApiKey | undefined {
    return this.#keys.get(id)?.key;
  }

  /** The keys of a tenant, the oldest first. */
  ofTenant(tenant: string): ApiKey[] {
    return [...this.#keys.values()]
      .map(({ key }) => key)
      .filter((key) => key.tenant === tenant)
      .sort((a, b) =>
        a.createdAt === b.createdAt ? (a.id < b.id ? -1 : 1) : a.createdAt < b.createdAt ? -1 : 1,
      );
  }

  /**
   * The key that a token belongs to; undefined when there is none or it was revoked. Takes the
   * same time whether the id or the secret is wrong.
   */
  authenticate(token: string): ApiKey | undefined {
    const presented = parseToken(token);
    if (presented === undefined) return undefined;
    const known = this.#keys.get(presented.id);
    const equal = timingSafeEqual(
      hash('sha256', presented.secret, 'buffer'),
      known?.hash ?? noHash,
    );
    return equal && known !== undefined && known.key.revokedAt === undefined
      ? known.key
      : undefined;
  }
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
