import { streamNames } from '@meridian/journal';
import { hashIdentity, hashKeyIdentity } from './identity.ts';
import { makeRecord, type KeyRecord } from './key-record.ts';
import { SubjectKey } from './subject-key.ts';
import type { DestroyedKey, Vault } from './vault.ts';

/** What the regions of a mesh in memory hold: by region, stream and key id. */
type Held = Map<string, Map<string, Map<string, KeyRecord>>>;

/** Vaults of a mesh in memory, whose mirrors have everything at once. */
export function memoryVaults(regions: readonly string[]): ReadonlyMap<string, Vault> {
  const held: Held = new Map(
    regions.map((region) => [
      region,
      new Map(regions.map((origin) => [streamNames(origin).vault, new Map()])),
    ]),
  );
  return new Map(regions.map((region) => [region, new MemoryVault(region, held)]));
}

/** The vault of a region that is alone, in memory. */
export function memoryVault(region: string): Vault {
  return memoryVaults([region]).get(region) as Vault;
}

class MemoryVault implements Vault {
  readonly region: string;
  readonly #held: Held;

  constructor(region: string, held: Held) {
    this.region = region;
    this.#held = held;
  }

  async keyFor(
    tenant: string,
    identity: string,
    residency: readonly string[],
  ): Promise<SubjectKey> {
    if (!residency.includes(this.region)) {
      throw new RangeError(
        `Keys of ${tenant} may be held in ${residency.join(', ')} only, not in ${this.region}.`,
      );
    }
    const { bytes: hashKey } = this.#own(tenant, hashKeyIdentity, residency);
    const record = this.#own(tenant, hashIdentity(hashKey, identity), residency);
    return new SubjectKey(record, record.bytes);
  }

  async keysOf(tenant: string, identity: string): Promise<SubjectKey[]> {
    return this.#streams().flatMap(([, keys]) => {
      const mine = [...keys.values()].filter((record) => record.tenant === tenant);
      const hashKey = mine.find((record) => record.identity === hashKeyIdentity);
      if (hashKey === undefined) return [];
      const hashed = hashIdentity(hashKey.bytes, identity);
      return mine
        .filter((record) => record.identity === hashed)
        .map((record) => new SubjectKey(record, record.bytes));
    });
  }

  async keyById(tenant: string, keyId: string): Promise<SubjectKey | undefined> {
    for (const [, keys] of this.#streams()) {
      const record = keys.get(keyId);
      if (record?.tenant === tenant) return new SubjectKey(record, record.bytes);
    }
    return undefined;
  }

  async destroy(tenant: string, keyIds: readonly string[]): Promise<DestroyedKey[]> {
    return keyIds.flatMap((keyId) =>
      this.#streams().map(([stream, keys]) => {
        const wasThere = keys.get(keyId)?.tenant === tenant && keys.delete(keyId);
        return { keyId, stream, wasThere, isGone: true };
      }),
    );
  }

  /** Nothing is remembered besides what is held. */
  forget(): void {}

  async close(): Promise<void> {}

  #streams(): [stream: string, keys: Map<string, KeyRecord>][] {
    return [...(this.#held.get(this.region) ?? [])];
  }

  #own(tenant: string, identity: string, residency: readonly string[]): KeyRecord {
    const { vault: stream } = streamNames(this.region);
    const own = this.#held.get(this.region)?.get(stream);
    const found = [...(own?.values() ?? [])].find(
      (record) => record.tenant === tenant && record.identity === identity,
    );
    if (found !== undefined) return found;
    const made = makeRecord({ tenant, region: this.region, residency, identity }, Date.now());
    for (const holder of residency) this.#held.get(holder)?.get(stream)?.set(made.keyId, made);
    return made;
  }
}
