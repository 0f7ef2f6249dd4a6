import { writeFile } from 'node:fs/promises';
import { makeKey, type KeyRing } from '@meridian/keys';
import type { KeyStore } from './key-store.ts';

/** The id of the key that a development region makes for itself; there can be one only. */
const developmentId = 'development';
export const developmentTenant = 'demo';

export interface BootstrapOptions {
  /** RFC 3339. */
  readonly now: string;
  /** Where to write the token, with mode 0600. */
  readonly file?: string | undefined;
  /** Shows the token, once. */
  readonly show: (line: string) => void;
}

/**
 * Makes one admin key for the tenant `demo` when the region has no key at all. Among several edges
 * that start at once, one makes it.
 * @returns the token; undefined when nothing was made
 */
export async function makeFirstKey(
  ring: KeyRing,
  store: KeyStore,
  options: BootstrapOptions,
): Promise<string | undefined> {
  if (ring.ownSize > 0) return undefined;
  const { key, token } = makeKey({
    id: developmentId,
    tenant: developmentTenant,
    scopes: ['admin'],
    label: 'development',
    createdAt: options.now,
  });
  if (!(await store.create(key))) return undefined;
  if (options.file !== undefined && options.file !== '') {
    await writeFile(options.file, `${token}\n`, { mode: 0o600 });
  }
  options.show(`API key for development (tenant ${key.tenant}, admin), shown only now: ${token}`);
  return token;
}
