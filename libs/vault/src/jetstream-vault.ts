import {
  jetstream,
  JetStreamApiError,
  jetstreamManager,
  type JetStreamClient,
  type JetStreamManager,
  type StoredMsg,
} from '@nats-io/jetstream';
import type { NatsConnection, Subscription } from '@nats-io/nats-core';
import { LogFault, LogUnavailable, streamNames } from '@meridian/journal';
import { identifierPattern } from '@meridian/wire';
import { hashIdentity, hashKeyIdentity } from './identity.ts';
import {
  identityFilter,
  keyFilter,
  keySubject,
  madeAtMs,
  makeRecord,
  mayBeOf,
  readRecord,
  writeRecord,
  type KeyRecord,
} from './key-record.ts';
import { Recent } from './recent.ts';
import { SubjectKey } from './subject-key.ts';
import type { DestroyedKey, Vault } from './vault.ts';

/** The most keys that a process keeps in memory; about 2 KB each. */
export const cachedKeysLimit = 10_000;
/** The most tenants whose keys for hashing identities are kept in memory. */
const cachedTenantsLimit = 1_000;
/** How far the clock of who made a key and that of its server may be apart, in ms. */
const clockSlackMs = 600_000;
const keyIdPattern = /^[0-9a-f]{32}$/;
const STREAM_NOT_FOUND = 10_059;
const MESSAGE_NOT_FOUND = 10_037;
/** Another writer was first: known which sequence it had, and not known. */
const wrongLastSequence = [10_071, 10_164];

export interface VaultOptions {
  readonly nats: NatsConnection;
  readonly region: string;
  /** All regions of the mesh: of the others, the vaults mirrored here are read. */
  readonly regions: readonly string[];
  /** The time for new keys, in epoch ms. Default the machine's. */
  readonly now?: () => number;
}

interface Found {
  readonly sequence: number;
  readonly record: KeyRecord;
}

/** Opens the vault of a region on its JetStream. @throws LogUnavailable */
export async function openVault(options: VaultOptions): Promise<Vault> {
  const manager = await answered(options.region, () =>
    jetstreamManager(options.nats, { checkAPI: false }),
  );
  return new JetStreamVault(options, manager);
}

class JetStreamVault implements Vault {
  readonly region: string;
  readonly #nats: NatsConnection;
  readonly #regions: readonly string[];
  readonly #now: () => number;
  readonly #manager: JetStreamManager;
  readonly #client: JetStreamClient;
  readonly #keys = new Recent<string, SubjectKey>(cachedKeysLimit);
  /** Own keys by `<tenant>.<hashed identity>`. */
  readonly #keyIds = new Recent<string, string>(cachedKeysLimit);
  /** Own keys for hashing, by tenant. */
  readonly #hashKeys = new Recent<string, Uint8Array>(cachedTenantsLimit);
  readonly #making = new Map<string, Promise<KeyRecord>>();
  readonly #told: Subscription;
  /** Rises with whatever is forgotten: what was read before is not remembered after it. */
  #forgotten = 0;

  constructor({ nats, region, regions, now = Date.now }: VaultOptions, manager: JetStreamManager) {
    this.region = region;
    this.#nats = nats;
    this.#regions = [region, ...regions.filter((one) => one !== region)];
    this.#now = now;
    this.#manager = manager;
    this.#client = jetstream(nats);
    this.#told = nats.subscribe(forgetSubject(region), {
      callback: (error, message) => {
        if (error === null) this.forget(message.string().split(' '));
      },
    });
    void this.#clearOnReconnect();
  }

  async keyFor(
    tenant: string,
    identity: string,
    residency: readonly string[],
  ): Promise<SubjectKey> {
    checkTenant(tenant);
    if (!residency.includes(this.region)) {
      throw new RangeError(
        `Keys of ${tenant} may be held in ${residency.join(', ')} only, not in ${this.region}.`,
      );
    }
    const hashed = hashIdentity(await this.#ownHashKey(tenant, residency), identity);
    const known = this.#keyIds.get(`${tenant}.${hashed}`);
    const cached = known === undefined ? undefined : this.#keys.get(`${tenant}.${known}`);
    if (cached !== undefined) return cached;
    const before = this.#forgotten;
    return this.#remember(await this.#ownRecord(tenant, hashed, residency), before);
  }

  async keysOf(tenant: string, identity: string): Promise<SubjectKey[]> {
    checkTenant(tenant);
    const before = this.#forgotten;
    const perRegion = await Promise.all(
      this.#regions.map(async (origin) => {
        // More than one where the region lost its vault once and began another.
        const hashKeys = await this.#findAll(
          origin,
          identityFilter(origin, tenant, hashKeyIdentity),
        );
        const found: Found[] = [];
        for (const { record } of hashKeys) {
          const hashed = hashIdentity(record.bytes, identity);
          found.push(...(await this.#findAll(origin, identityFilter(origin, tenant, hashed))));
        }
        return found;
      }),
    );
    return perRegion.flat().map(({ record }) => this.#remember(record, before));
  }

  async keyById(tenant: string, keyId: string): Promise<SubjectKey | undefined> {
    checkTenant(tenant);
    if (!keyIdPattern.test(keyId)) return undefined;
    const cached = this.#keys.get(`${tenant}.${keyId}`);
    if (cached !== undefined) return cached;
    const before = this.#forgotten;
    for (const origin of this.#regions.filter((one) => mayBeOf(one, keyId))) {
      const message = await this.#readKey(origin, tenant, keyId);
      if (typeof message === 'object') return this.#remember(recordOf(origin, message), before);
    }
    return undefined;
  }

  async destroy(tenant: string, keyIds: readonly string[]): Promise<DestroyedKey[]> {
    checkTenant(tenant);
    this.#tellToForget(keyIds);
    const destroyed: DestroyedKey[] = [];
    for (const keyId of keyIds) {
      if (!keyIdPattern.test(keyId)) continue;
      for (const origin of this.#regions) {
        const one = await this.#destroyIn(origin, tenant, keyId);
        if (one !== undefined) destroyed.push(one);
      }
    }
    // Whoever read a key while it was being deleted has it again.
    this.#tellToForget(keyIds);
    return destroyed;
  }

  forget(keyIds: readonly string[]): void {
    this.#forgotten += 1;
    const gone = new Set(keyIds);
    for (const [name, { keyId }] of this.#keys.entries()) {
      if (gone.has(keyId)) this.#keys.delete(name);
    }
    for (const [name, keyId] of this.#keyIds.entries()) {
      if (gone.has(keyId)) this.#keyIds.delete(name);
    }
  }

  async close(): Promise<void> {
    this.#told.unsubscribe();
    this.#clear();
  }

  /** Undefined where there is no such stream: the vault of that region is not mirrored here yet. */
  async #destroyIn(
    origin: string,
    tenant: string,
    keyId: string,
  ): Promise<DestroyedKey | undefined> {
    const { vault: stream } = streamNames(origin);
    const message = mayBeOf(origin, keyId) ? await this.#readKey(origin, tenant, keyId) : undefined;
    if (message === 'no stream') return undefined;
    if (message === undefined) return { keyId, stream, wasThere: false, isGone: true };
    const { seq: sequence } = message;
    await answered(this.region, async () => {
      try {
        await this.#manager.streams.deleteMessage(stream, sequence, true);
      } catch (error) {
        // Somebody else deleted it meanwhile.
        if (!hasCode(error, MESSAGE_NOT_FOUND)) throw error;
      }
    });
    const isGone = (await this.#readKey(origin, tenant, keyId)) === undefined;
    return { keyId, stream, wasThere: true, isGone };
  }

  /** This region's key for hashing identities of a tenant, made when there is none. */
  async #ownHashKey(tenant: string, residency: readonly string[]): Promise<Uint8Array> {
    const known = this.#hashKeys.get(tenant);
    if (known !== undefined) return known;
    const { bytes } = await this.#ownRecord(tenant, hashKeyIdentity, residency);
    this.#hashKeys.set(tenant, bytes);
    return bytes;
  }

  /** The own key under a hashed identity; those who ask at the same time share the work. */
  #ownRecord(tenant: string, hashed: string, residency: readonly string[]): Promise<KeyRecord> {
    const name = `${tenant}.${hashed}`;
    const making = this.#making.get(name);
    if (making !== undefined) return making;
    const made = this.#findOrMake(tenant, hashed, residency).finally(() =>
      this.#making.delete(name),
    );
    this.#making.set(name, made);
    return made;
  }

  async #findOrMake(
    tenant: string,
    hashed: string,
    residency: readonly string[],
  ): Promise<KeyRecord> {
    const { region } = this;
    const filter = identityFilter(region, tenant, hashed);
    for (;;) {
      const found = await this.#find(region, filter);
      if (found !== undefined) return found.record;
      const record = makeRecord({ tenant, region, residency, identity: hashed }, this.#now());
      if (await this.#create(record, filter)) return record;
    }
  }

  /** @returns false when there is a key of this identity already */
  async #create(record: KeyRecord, filter: string): Promise<boolean> {
    return answered(this.region, async () => {
      try {
        await this.#client.publish(keySubject(record), writeRecord(record), {
          expect: { lastSubjectSequence: 0, lastSubjectSequenceSubject: filter },
        });
        return true;
      } catch (error) {
        if (wrongLastSequence.some((code) => hasCode(error, code))) return false;
        throw error;
      }
    });
  }

  async #find(origin: string, filter: string, after = 0): Promise<Found | undefined> {
    const message = await this.#read(origin, filter, after);
    if (message === undefined || message === 'no stream') return undefined;
    return { sequence: message.seq, record: recordOf(origin, message) };
  }

  async #findAll(origin: string, filter: string): Promise<Found[]> {
    const found: Found[] = [];
    for (let next = await this.#find(origin, filter); next !== undefined;) {
      found.push(next);
      next = await this.#find(origin, filter, next.sequence);
    }
    return found;
  }

  /**
   * The message of a key: looked for from when its id says that it was made, as a filter for ids has
   * to go through all messages, and from the first one only where it is not found there.
   */
  async #readKey(origin: string, tenant: string, keyId: string) {
    const filter = keyFilter(origin, tenant, keyId);
    const near = await this.#sequenceAt(origin, madeAtMs(keyId) - clockSlackMs);
    const found = near > 1 ? await this.#read(origin, filter, near - 1) : undefined;
    return found ?? this.#read(origin, filter, 0);
  }

  /** The first sequence that was stored at a time or after it, as far as any replica knows; or 1. */
  #sequenceAt(origin: string, timeMs: number): Promise<number> {
    const { vault: stream } = streamNames(origin);
    return answered(this.region, async () => {
      const start_time = new Date(timeMs);
      const next_by_subj = `vault.${origin}.>`;
      try {
        const query = { start_time, next_by_subj };
        return (await this.#manager.direct.getMessage(stream, query))?.seq ?? 1;
      } catch {
        // Where there is nothing from then on, or no such stream, the leader is asked all the same.
        return 1;
      }
    });
  }

  /** Asks the stream's leader, not any replica: what was stored or deleted before is seen. */
  #read(origin: string, filter: string, after: number) {
    const { vault: stream } = streamNames(origin);
    return answered(this.region, async () => {
      try {
        const query = { seq: after + 1, next_by_subj: filter };
        return (await this.#manager.streams.getMessage(stream, query)) ?? undefined;
      } catch (error) {
        if (hasCode(error, MESSAGE_NOT_FOUND)) return undefined;
        if (hasCode(error, STREAM_NOT_FOUND) && origin !== this.region) return 'no stream' as const;
        throw error;
      }
    });
  }

  /** @param before what had been forgotten when the record began to be read */
  #remember(record: KeyRecord, before: number): SubjectKey {
    const { tenant, keyId, identity, region, bytes } = record;
    const key = new SubjectKey(record, bytes);
    if (before === this.#forgotten) {
      this.#keys.set(`${tenant}.${keyId}`, key);
      if (region === this.region) this.#keyIds.set(`${tenant}.${identity}`, keyId);
    }
    return key;
  }

  #tellToForget(keyIds: readonly string[]): void {
    this.forget(keyIds);
    this.#nats.publish(forgetSubject(this.region), keyIds.join(' '));
  }

  /** What was told while the connection was away was not heard. */
  async #clearOnReconnect(): Promise<void> {
    for await (const { type } of this.#nats.status()) if (type === 'reconnect') this.#clear();
  }

  #clear(): void {
    this.#forgotten += 1;
    for (const held of [this.#keys, this.#keyIds, this.#hashKeys]) held.clear();
  }
}

/** @throws CorruptEntry */
function recordOf(origin: string, message: StoredMsg): KeyRecord {
  const { seq: sequence, subject } = message;
  const { vault: stream } = streamNames(origin);
  return readRecord({ stream, sequence, subject, text: message.string() });
}

/** All processes of a region that hold keys listen here. */
const forgetSubject = (region: string): string => `forget.${region}.keys`;

function checkTenant(tenant: string): void {
  if (identifierPattern.test(tenant)) return;
  throw new RangeError(
    `The tenant is ${JSON.stringify(tenant)}; it must be a name of A-Z a-z 0-9 _ -.`,
  );
}

const hasCode = (error: unknown, code: number): boolean =>
  error instanceof JetStreamApiError && error.code === code;

/** @throws LogUnavailable when JetStream does not answer, or not what it should */
async function answered<T>(region: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof LogFault) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new LogUnavailable(
      `The vault of ${region} does not answer: ${reason}.`,
      'Check that its JetStream runs and has the streams of this release; trying again is safe.',
      { cause },
    );
  }
}
