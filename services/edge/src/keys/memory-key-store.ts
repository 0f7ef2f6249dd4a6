import type { KeyRing } from '@meridian/keys';
import type { KeyStore } from './key-store.ts';

/** Keys that live as long as the process: for one that runs on a log in memory. */
export function memoryKeyStore(ring: KeyRing, region: string): KeyStore {
  const placeOf = (id: string) => ({ region, name: id });
  return {
    create(key) {
      if (ring.placeOf(key) !== undefined) return Promise.resolve(false);
      ring.put(placeOf(key.id), key);
      return Promise.resolve(true);
    },
    revoke(key, revokedAt) {
      if (ring.placeOf(key) !== undefined) ring.put(placeOf(key.id), { ...key, revokedAt });
      return Promise.resolve();
    },
    close: () => Promise.resolve(),
  };
}
