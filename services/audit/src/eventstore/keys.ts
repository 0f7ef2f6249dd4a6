import type { Log } from '@meridian/journal';
import { followKeys, KeyRing, type FollowedKeys } from '@meridian/keys';
import type { Caller, Keys } from './access.ts';
import { unavailable } from './faults.ts';

/** The API keys that the edges of all regions keep: followed, never written. */
export class KeyWatch implements Keys {
  readonly #ring: KeyRing;
  readonly #followed: FollowedKeys;
  #isKnown = false;

  /**
   * @param log that holds the buckets' streams
   * @param onFailure told when a bucket can no longer be followed
   */
  constructor(
    log: Log,
    region: string,
    regions: readonly string[],
    onFailure: (error: unknown) => void,
  ) {
    this.#ring = new KeyRing(region);
    this.#followed = followKeys(log, region, regions, { ring: this.#ring, onFailure });
    void this.#followed.known.then(
      () => {
        this.#isKnown = true;
      },
      () => {},
    );
  }

  /**
   * Takes the same time whether the id or the secret is wrong.
   * @throws CallRefused (UNAVAILABLE) while the keys are being read: clients end at a key that is
   * refused, and come again here
   */
  authenticate(token: string): Caller | undefined {
    if (!this.#isKnown) throw unavailable('The API keys of the region are being read; try again.');
    return this.#ring.authenticate(token);
  }

  close(): Promise<void> {
    return this.#followed.close();
  }
}
