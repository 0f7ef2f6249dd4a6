import { Kvm, type KV } from '@nats-io/kv';
import { LogUnavailable, type Log } from '@meridian/journal';
import { followKeys, readKey, type ApiKey, type KeyRing } from '@meridian/keys';
import type { NatsConnection } from '@nats-io/nats-core';

/** Where keys are kept for good. */
export interface KeyStore {
  /** Keeps a new key. @returns false when there is one of this id */
  create(key: ApiKey): Promise<boolean>;
  /** Marks a key of any region as revoked. Done twice it stays as it is. */
  revoke(key: ApiKey, revokedAt: string): Promise<void>;
  close(): Promise<void>;
}

export interface KeyStoreOptions {
  readonly nats: NatsConnection;
  readonly log: Log;
  readonly region: string;
  readonly regions: readonly string[];
  /** Told when keys can no longer be followed. */
  readonly onFailure: (error: unknown) => void;
}

/** How often a revocation is tried when another edge writes the same key meanwhile. */
const attemptsLimit = 8;
/** NATS: another revision was first (known, and not known which). */
const wrongLastSequence = [10_071, 10_164];

/**
 * Opens the bucket `KEYS_<region>` and fills the ring from it and from those of the other regions, now
 * and with every later change. Resolves once the ring holds what the own bucket held at the time of
 * the call.
 */
export async function openKeyStore(ring: KeyRing, options: KeyStoreOptions): Promise<KeyStore> {
  const { nats, log, region, regions, onFailure } = options;
  const bucket = await openBucket(nats, `KEYS_${region}`);
  const followed = followKeys(log, region, regions, { ring, onFailure });
  await followed.known;
  return new BucketKeyStore(bucket, region, ring, () => followed.close());
}

async function openBucket(nats: NatsConnection, name: string): Promise<KV> {
  const manager = new Kvm(nats);
  const bucket = await manager.open(name, { allow_direct: true });
  try {
    await bucket.status();
    return bucket;
  } catch {
    return manager.create(name, { history: 1, description: 'API keys: ids, hashes, scopes' });
  }
}

class BucketKeyStore implements KeyStore {
  readonly #bucket: KV;
  readonly #region: string;
  readonly #ring: KeyRing;
  readonly close: () => Promise<void>;

  constructor(bucket: KV, region: string, ring: KeyRing, close: () => Promise<void>) {
    this.#bucket = bucket;
    this.#region = region;
    this.#ring = ring;
    this.close = close;
  }

  async create(key: ApiKey): Promise<boolean> {
    try {
      await this.#bucket.create(key.id, JSON.stringify(key));
    } catch (error) {
      if (isConflict(error)) return false;
      throw unavailable(error);
    }
    this.#ring.put({ region: this.#region, name: key.id }, key);
    return true;
  }

  async revoke(key: ApiKey, revokedAt: string): Promise<void> {
    const kept = this.#ring.placeOf(key);
    if (kept === undefined) return;
    if (kept.region !== this.#region) {
      // Its own region may be away: what this one says counts in all.
      return this.#put(`${key.id}.${kept.region}`, { ...key, revokedAt });
    }
    for (let attempt = 1; ; attempt += 1) {
      try {
        const entry = await this.#bucket.get(key.id);
        const known = entry === null ? undefined : readKey(entry.string());
        if (entry === null || known === undefined || known.revokedAt !== undefined) return;
        const revoked = { ...known, revokedAt };
        await this.#bucket.update(key.id, JSON.stringify(revoked), entry.revision);
        this.#ring.put({ region: this.#region, name: key.id }, revoked);
        return;
      } catch (error) {
        if (!isConflict(error) || attempt === attemptsLimit) throw unavailable(error);
      }
    }
  }

  async #put(name: string, key: ApiKey): Promise<void> {
    try {
      await this.#bucket.put(name, JSON.stringify(key));
    } catch (error) {
      throw unavailable(error);
    }
    this.#ring.put({ region: this.#region, name }, key);
  }
}

function isConflict(error: unknown): boolean {
  return wrongLastSequence.includes((error as { code: number }).code);
}

function unavailable(error: unknown): LogUnavailable {
  return new LogUnavailable('The API keys cannot be written.', 'Try it again.', { cause: error });
}
