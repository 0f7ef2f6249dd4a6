import { hash, timingSafeEqual } from 'node:crypto';
import { parseToken, type ApiKey } from './api-key.ts';

/** Where a key is kept: the region whose bucket it is, and its name there. */
export interface KeyPlace {
  readonly region: string;
  readonly name: string;
}

interface Record {
  readonly place: KeyPlace;
  readonly key: ApiKey;
  readonly hash: Buffer;
}

const noHash = Buffer.alloc(32);

/**
 * The keys of all regions, in memory, as every edge holds them. Two regions may have made keys of the
 * same id: they are told apart by their secrets. A key is worth nothing once any region says so.
 */
export class KeyRing {
  readonly #region: string;
  readonly #byId = new Map<string, Record[]>();

  /** @param region whose own keys come first where several have an id */
  constructor(region: string) {
    this.#region = region;
  }

  /** How many records there are that this region keeps. */
  get ownSize(): number {
    return this.#records().filter(({ place }) => place.region === this.#region).length;
  }

  put(place: KeyPlace, key: ApiKey): void {
    this.remove(place);
    const record = { place, key, hash: Buffer.from(key.hash, 'hex') };
    const known = this.#byId.get(key.id);
    if (known === undefined) this.#byId.set(key.id, [record]);
    else known.push(record);
  }

  remove({ region, name }: KeyPlace): void {
    const [id = name] = name.split('.');
    const rest = (this.#byId.get(id) ?? []).filter(
      ({ place }) => place.region !== region || place.name !== name,
    );
    if (rest.length > 0) this.#byId.set(id, rest);
    else this.#byId.delete(id);
  }

  /** The key of an id that a tenant has, this region's own where several regions made one. */
  get(id: string, tenant: string): ApiKey | undefined {
    const known = (this.#byId.get(id) ?? []).filter(({ key }) => key.tenant === tenant);
    const [first] = known.toSorted((a, b) => this.#rank(a) - this.#rank(b));
    return first === undefined ? undefined : inForce(first, known).key;
  }

  /** Where a key is kept that is not revoked there. */
  placeOf({ id, hash: hex }: ApiKey): KeyPlace | undefined {
    return this.#byId.get(id)?.find(({ key }) => key.hash === hex && key.revokedAt === undefined)
      ?.place;
  }

  /** The keys of a tenant, the oldest first. */
  ofTenant(tenant: string): ApiKey[] {
    const records = this.#records().filter(({ key }) => key.tenant === tenant);
    const byHash = Map.groupBy(records, ({ key }) => `${key.id} ${key.hash}`);
    return [...byHash.values()]
      .map((same) => inForce(same[0] as Record, same).key)
      .toSorted((a, b) =>
        a.createdAt === b.createdAt ? (a.id < b.id ? -1 : 1) : a.createdAt < b.createdAt ? -1 : 1,
      );
  }

  /**
   * The key that a token belongs to; undefined when there is none or it was revoked. Takes the
   * same time whether the id or the secret is wrong.
   */
  authenticate(token: string): ApiKey | undefined {
    const presented = parseToken(token);
    if (presented === undefined) return undefined;
    const secretHash = hash('sha256', presented.secret, 'buffer');
    const known = this.#byId.get(presented.id);
    if (known === undefined) {
      timingSafeEqual(secretHash, noHash);
      return undefined;
    }
    const same = known.filter((record) => timingSafeEqual(secretHash, record.hash));
    const [first] = same;
    const key = first === undefined ? undefined : inForce(first, same).key;
    return key?.revokedAt === undefined ? key : undefined;
  }

  #records(): Record[] {
    return [...this.#byId.values()].flat();
  }

  #rank({ place }: Record): number {
    return place.region === this.#region ? 0 : 1;
  }
}

/** Of the records of a key the one that says that it was revoked, if there is one. */
function inForce(record: Record, all: readonly Record[]): Record {
  const { hash: hex } = record.key;
  return all.find(({ key }) => key.hash === hex && key.revokedAt !== undefined) ?? record;
}
