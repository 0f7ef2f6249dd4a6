import { hash, timingSafeEqual } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Kvm, type KvEntry } from '@nats-io/kv';
import type { NatsConnection } from '@nats-io/nats-core';
import type { Caller, Keys, Scope } from './access.ts';

const tokenPattern = /^mk_([a-z0-9]{4,32})_([A-Za-z0-9_-]{43})$/;
const hashPattern = /^[0-9a-f]{64}$/;
const scopes: readonly unknown[] = ['publish', 'read', 'admin'];
const noHash = Buffer.alloc(32);
const watchAgainAfterMs = 250;

interface KnownKey {
  readonly caller: Caller;
  /** SHA-256 of the secret. */
  readonly hash: Buffer;
}

/** The API keys that the region's edges keep in the bucket `KEYS_<region>`: followed, never written. */
export class KeyWatch implements Keys {
  readonly #keys = new Map<string, KnownKey>();
  readonly #nats: NatsConnection;
  readonly #bucket: string;
  readonly #onFailure: (error: unknown) => void;
  #watch: { stop(): void } | undefined;
  #isClosed = false;

  /** @param onFailure told each time the watch ends by itself; it is begun again */
  constructor(nats: NatsConnection, region: string, onFailure: (error: unknown) => void) {
    this.#nats = nats;
    this.#bucket = `KEYS_${region}`;
    this.#onFailure = onFailure;
    void this.#watchForEver();
  }

  /** Takes the same time whether the id or the secret is wrong. */
  authenticate(token: string): Caller | undefined {
    const [, id, secret] = tokenPattern.exec(token) ?? [];
    if (id === undefined || secret === undefined) return undefined;
    const known = this.#keys.get(id);
    const isSame = timingSafeEqual(hash('sha256', secret, 'buffer'), known?.hash ?? noHash);
    return isSame ? known?.caller : undefined;
  }

  close(): void {
    this.#isClosed = true;
    this.#watch?.stop();
  }

  /** The bucket is made by the first edge: until then there is none, and no key either. */
  async #watchForEver(): Promise<void> {
    let isMissing = false;
    while (!this.#isClosed) {
      try {
        const bucket = await new Kvm(this.#nats).open(this.#bucket, { allow_direct: true });
        const watch = await bucket.watch({});
        this.#watch = watch;
        isMissing = false;
        if (this.#isClosed) watch.stop();
        for await (const entry of watch) this.#take(entry);
      } catch (error) {
        if (!isMissing && !this.#isClosed) this.#onFailure(error);
        isMissing = true;
      }
      await delay(watchAgainAfterMs, undefined, { ref: false });
    }
  }

  #take(entry: KvEntry): void {
    const known = entry.operation === 'PUT' ? readKey(entry.string()) : undefined;
    if (known === undefined || known.caller.id !== entry.key) this.#keys.delete(entry.key);
    else this.#keys.set(entry.key, known);
  }
}

/** A stored key; undefined when the text is none, or one that was revoked. */
export function readKey(text: string): KnownKey | undefined {
  let value: Record<string, unknown> | null;
  try {
    value = JSON.parse(text) as Record<string, unknown> | null;
  } catch {
    return undefined;
  }
  const { id, tenant, scopes: given, hash: hex, revokedAt } = value ?? {};
  if (typeof id !== 'string' || typeof tenant !== 'string' || revokedAt !== undefined) {
    return undefined;
  }
  if (typeof hex !== 'string' || !hashPattern.test(hex) || !Array.isArray(given)) return undefined;
  if (!given.every((scope) => scopes.includes(scope))) return undefined;
  return { caller: { id, tenant, scopes: given as Scope[] }, hash: Buffer.from(hex, 'hex') };
}
