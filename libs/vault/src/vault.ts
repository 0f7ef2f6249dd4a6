import type { SubjectKey } from './subject-key.ts';

/** What became of a key in one stream. */
export interface DestroyedKey {
  readonly keyId: string;
  /** `VAULT_<region>`: the own stream, or a mirror held here. */
  readonly stream: string;
  /** Whether this stream held it. */
  readonly wasThere: boolean;
  /** Whether it is not there now: looked up anew after it was deleted. */
  readonly isGone: boolean;
}

/**
 * The keys of data subjects that a region holds: its own, which it makes, and those of other regions
 * whose vaults it mirrors. An identity is what a request names as customer; only a keyed hash of it
 * is kept.
 */
export interface Vault {
  readonly region: string;

  /**
   * This region's key of a data subject, made when there is none yet. Whoever asks at the same time,
   * in whatever process, ends with one key.
   * @param residency the regions that may hold the tenant's keys, this one among them; it counts when
   *   a key is made
   * @throws RangeError when this region is not in the residency set
   * @throws LogUnavailable when the vault does not answer
   */
  keyFor(tenant: string, identity: string, residency: readonly string[]): Promise<SubjectKey>;

  /**
   * All keys of a data subject that are held here: at most one of each region.
   * @throws LogUnavailable
   */
  keysOf(tenant: string, identity: string): Promise<SubjectKey[]>;

  /** One key; undefined when none of this id is held here. @throws LogUnavailable */
  keyById(tenant: string, keyId: string): Promise<SubjectKey | undefined>;

  /**
   * Deletes keys from the own stream and from the mirrors held here, their bytes overwritten, and
   * forgets them, in every process of the region. Repeating it is safe; a mirror that was behind
   * may get a key later, so that it should be repeated until the mirrors have caught up.
   * @returns one for each key and stream
   * @throws LogUnavailable when any of it is not known to be done
   */
  destroy(tenant: string, keyIds: readonly string[]): Promise<DestroyedKey[]>;

  /** Drops keys from this process's memory; what the streams hold stays. */
  forget(keyIds: readonly string[]): void;

  close(): Promise<void>;
}
