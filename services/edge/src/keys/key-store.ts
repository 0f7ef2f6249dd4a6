import { setTimeout as delay } from 'node:timers/promises';
import { Kvm, type KV, type KvEntry } from '@nats-io/kv';
import { LogUnavailable } from '@meridian/journal';
import type { NatsConnection } from '@nats-io/nats-core';
import { readKey, type ApiKey } from '../domain/key.ts';
import type { KeyRing } from './key-ring.ts';

/** Where keys are kept for good. */
export interface KeyStore {
  /** Keeps a new key. @returns false when there is one of this id */
  create(key: ApiKey): Promise<boolean>;
  /** Marks a key as revoked. Done twice it stays as it is. */
  revoke(id: string, revokedAt: string): Promise<void>;
  close(): Promise<void>;
}

/** How often a revocation is tried when another edge writes the same key meanwhile. */
const attemptsLimit = 8;
/** NATS: another revision was first (known, and not known which). */
const wrongLastSequence = [10_071, 10_164];
const watchAgainAfterMs = 250;

/**
 * Opens the bucket `KEYS_<region>` and fills the ring from it, now and with every later change.
 * Resolves once the ring holds what the bucket held at the time of the call.
 * @param onFailure told each time the watch ends by itself; it is begun again
 */
export async function openKeyStore(
  nats: NatsConnection,
  region: string,
  ring: KeyRing,
  onFailure: (error: unknown) => void,
  replicas = 1,
): Promise<KeyStore> {
  const bucket = await openBucket(nats, `KEYS_${region}`, replicas);
  const store = new BucketKeyStore(bucket, ring, onFailure);
  await store.open();
  return store;
}

async function openBucket(nats: NatsConnection, name: string, replicas: number): Promise<KV> {
  const manager = new Kvm(nats);
  const bucket = await manager.open(name, { allow_direct: true });
  try {
    await bucket.status();
    return bucket;
  } catch {
    return manager.create(name, {
      history: 1,
      replicas,
      description: 'API keys: ids, hashes, scopes',
    });
  }
}

class BucketKeyStore implements KeyStore {
  readonly #bucket: KV;
  readonly #ring: KeyRing;
  readonly #onFailure: (error: unknown) => void;
  #watch: Awaited<ReturnType<KV['watch']>> | undefined;
  #closed = false;

  constructor(bucket: KV, ring: KeyRing, onFailure: (error: unknown) => void) {
    this.#bucket = bucket;
    this.#ring = ring;
    this.#onFailure = onFailure;
  }

  async open(): Promise<void> {
    const first = await this.#watchOnce();
    void this.#watchForEver(first.ended);
    await first.filled;
  }

  /** Watches until the watch ends by itself. `filled` resolves once it has told what there was. */
  async #watchOnce(): Promise<{ readonly filled: Promise<void>; readonly ended: Promise<void> }> {
    const filled = Promise.withResolvers<void>();
    const watch = await this.#bucket.watch({});
    this.#watch = watch;
    const { values } = await this.#bucket.status();
    if (values === 0) filled.resolve();
    const ended = (async () => {
      for await (const entry of watch) {
        this.#take(entry);
        if (entry.delta === 0) filled.resolve();
      }
      filled.reject(new Error('The watch on the API keys ended before it told what there is.'));
    })();
    ended.catch((error: unknown) => filled.reject(error as Error));
    filled.promise.catch(() => {});
    return { filled: filled.promise, ended };
  }

  async #watchForEver(ended: Promise<void>): Promise<void> {
    let current = ended;
    while (!this.#closed) {
      try {
        await current;
        if (this.#closed) return;
        this.#onFailure(new Error('The watch on the API keys ended; it is begun again.'));
      } catch (error) {
        if (!this.#closed) this.#onFailure(error);
      }
      await delay(watchAgainAfterMs, undefined, { ref: false });
      current = this.#closed ? current : this.#watchOnce().then((watch) => watch.ended);
    }
  }

  async create(key: ApiKey): Promise<boolean> {
    try {
      await this.#bucket.create(key.id, JSON.stringify(key));
    } catch (error) {
      if (isConflict(error)) return false;
      throw unavailable(error);
    }
    this.#ring.put(key);
    return true;
  }

  async revoke(id: string, revokedAt: string): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const entry = await this.#bucket.get(id);
        const key = entry === null ? undefined : readKey(entry.string());
        if (entry === null || key === undefined || key.revokedAt !== undefined) return;
        const revoked = { ...key, revokedAt };
        await this.#bucket.update(id, JSON.stringify(revoked), entry.revision);
        this.#ring.put(revoked);
        return;
      } catch (error) {
        if (!isConflict(error) || attempt === attemptsLimit) throw unavailable(error);
      }
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#watch?.stop();
  }

  #take(entry: KvEntry): void {
    const key = entry.operation === 'PUT' ? readKey(entry.string()) : undefined;
    if (key === undefined || key.id !== entry.key) this.#ring.remove(entry.key);
    else this.#ring.put(key);
  }
}

function isConflict(error: unknown): boolean {
  return wrongLastSequence.includes((error as { code: number }).code);
}

function unavailable(error: unknown): LogUnavailable {
  return new LogUnavailable('The API keys cannot be written.', 'Try it again.', { cause: error });
}
