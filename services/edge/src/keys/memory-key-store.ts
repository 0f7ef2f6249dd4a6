import type { KeyRing } from './key-ring.ts';
import type { KeyStore } from './key-store.ts';

/** Keys that live as long as the process: for one that runs on a log in memory. */
export function memoryKeyStore(ring: KeyRing): KeyStore {
  return {
    create(key) {
      if (ring.get(key.id) !== undefined) return Promise.resolve(false);
      ring.put(key);
      return Promise.resolve(true);
    },
    revoke(id, revokedAt) {
      const key = ring.get(id);
      if (key !== undefined && key.revokedAt === undefined) ring.put({ ...key, revokedAt });
      return Promise.resolve();
    },
    close: () => Promise.resolve(),
  };
}
