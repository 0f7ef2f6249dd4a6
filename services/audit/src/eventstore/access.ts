import type { Metadata } from '@grpc/grpc-js';
import { allows, bearerToken, type ApiKey } from '@meridian/keys';
import { accessDenied, unauthenticated } from './faults.ts';

/** Whom a call comes from: what is to be known of the API key. */
export type Caller = Pick<ApiKey, 'id' | 'tenant' | 'scopes'>;

/** The API keys of the mesh. */
export interface Keys {
  /** Whose a token is; undefined when it is nobody's, or was revoked. */
  authenticate(token: string): Caller | undefined;
}

export interface AccessOptions {
  readonly keys: Keys;
  /**
   * The token for calls that bear none, on loopback without TLS only: the official clients keep their
   * credentials to themselves there.
   */
  readonly loopbackToken?: () => string | undefined;
}

const basicPattern = /^basic +([A-Za-z0-9+/=]+) *$/i;

/**
 * Whom a call comes from, by its credentials: an API key as the password, whatever the user's name, or
 * as a bearer token.
 * @throws CallRefused without a key that is good, or when that does not allow what is asked for
 */
export function callerOf(
  metadata: Metadata,
  needed: 'read' | 'publish',
  { keys, loopbackToken }: AccessOptions,
): Caller {
  const [given] = metadata.get('authorization');
  const token = given === undefined ? loopbackToken?.() : tokenOf(String(given));
  if (token === undefined) {
    throw unauthenticated(
      'The call bears no API key: give one as the password (any user name), over TLS.',
    );
  }
  const caller = keys.authenticate(token);
  if (caller === undefined) {
    throw unauthenticated('The API key is not known, or was revoked.');
  }
  if (!allows(caller, needed)) {
    throw accessDenied(`The API key ${caller.id} has not the scope ${needed}.`);
  }
  return caller;
}

function tokenOf(header: string): string | undefined {
  const [, basic] = basicPattern.exec(header) ?? [];
  if (basic === undefined) return bearerToken(header);
  const pair = Buffer.from(basic, 'base64').toString();
  const colon = pair.indexOf(':');
  return colon === -1 ? undefined : pair.slice(colon + 1);
}
