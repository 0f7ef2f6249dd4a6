/**
 * What an API key allows; `admin` implies `publish` and `read`. Who sees personal texts in the clear
 * is always named: nothing implies `personal`.
 */
export type Scope = 'publish' | 'read' | 'admin' | 'personal';

export const scopes: readonly Scope[] = ['publish', 'read', 'admin', 'personal'];

/** An API key as it is kept: never its secret. */
export interface ApiKey {
  readonly id: string;
  /** SHA-256 of the secret, in hexadecimal. */
  readonly hash: string;
  /** The only tenant whose events the key publishes and sees. */
  readonly tenant: string;
  readonly scopes: readonly Scope[];
  readonly label: string;
  /** RFC 3339. */
  readonly createdAt: string;
  /** RFC 3339; present once the key is worth nothing any more. */
  readonly revokedAt?: string;
}

/** What a request shows: `mk_<id>_<secret>`. */
export interface PresentedKey {
  readonly id: string;
  readonly secret: string;
}

const tokenPattern = /^mk_([a-z0-9]{4,32})_([A-Za-z0-9_-]{43})$/;
const bearerPattern = /^bearer +(\S+) *$/i;

/** The token of an `Authorization` header; undefined when it is no bearer token. */
export function bearerToken(header: string | undefined): string | undefined {
  return header === undefined ? undefined : bearerPattern.exec(header)?.[1];
}

/** Takes a token apart; undefined when it has not the form of one. */
export function parseToken(token: string): PresentedKey | undefined {
  const [, id, secret] = tokenPattern.exec(token) ?? [];
  return id === undefined || secret === undefined ? undefined : { id, secret };
}

/** Writes a token. */
export function formatToken({ id, secret }: PresentedKey): string {
  return `mk_${id}_${secret}`;
}

/** Whether a key allows what needs a scope. */
export function allows(key: Pick<ApiKey, 'scopes'>, scope: Scope): boolean {
  return key.scopes.includes(scope) || (scope !== 'personal' && key.scopes.includes('admin'));
}

/** A key as its owner may see it: without the hash. */
export type VisibleKey = Omit<ApiKey, 'hash'>;

export function visible({ hash: _, ...rest }: ApiKey): VisibleKey {
  return rest;
}

const isText = (value: unknown): value is string => typeof value === 'string';

/** A stored key; undefined when the text is none. */
export function readKey(text: string): ApiKey | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const {
    id,
    hash,
    tenant,
    scopes: given,
    label,
    createdAt,
    revokedAt,
  } = value as Record<string, unknown>;
  if (!isText(id) || !isText(hash) || !/^[0-9a-f]{64}$/.test(hash) || !isText(tenant)) {
    return undefined;
  }
  if (!Array.isArray(given) || !given.every((scope) => scopes.includes(scope as Scope))) {
    return undefined;
  }
  return {
    id,
    hash,
    tenant,
    scopes: given as Scope[],
    label: isText(label) ? label : '',
    createdAt: isText(createdAt) ? createdAt : '',
    // Whatever it is, a key that says that it was revoked is worth nothing.
    ...(revokedAt === undefined ? {} : { revokedAt: isText(revokedAt) ? revokedAt : '' }),
  };
}
