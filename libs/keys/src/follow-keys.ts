import { PatientFollower, streamNames, type Log, type LogMessage } from '@meridian/journal';
import { readKey } from './api-key.ts';
import type { KeyRing } from './key-ring.ts';

/** The keys of all regions, being followed. */
export interface FollowedKeys {
  /** Resolves once the ring holds what this region's own bucket held when it was opened. */
  readonly known: Promise<void>;
  close(): Promise<void>;
}

/**
 * Fills a ring from the buckets `KEYS_<region>` of all regions, now and with every later change: this
 * region's own, and its mirrors of the others'. One that is not there is waited for.
 * @param log of this region, which holds the buckets' streams
 * @param onFailure told when a bucket can no longer be followed
 */
export function followKeys(
  log: Log,
  region: string,
  regions: readonly string[],
  { ring, onFailure }: { readonly ring: KeyRing; readonly onFailure: (error: unknown) => void },
): FollowedKeys {
  const followers = new Map(
    [region, ...regions.filter((one) => one !== region)].map((one) => {
      const { keys } = streamNames(one);
      const prefix = `$KV.${keys.slice('KV_'.length)}.`;
      const take = (message: LogMessage): void => {
        const place = { region: one, name: message.subject.slice(prefix.length) };
        const isGone = message.header('KV-Operation') !== undefined;
        const key = isGone ? undefined : readKey(message.text());
        // A name is the key's id; a revocation of another region's has that region after it.
        if (key !== undefined && place.name.split('.')[0] === key.id) ring.put(place, key);
        else ring.remove(place);
      };
      return [one, new PatientFollower(log, keys, { after: 0, onFailure }, take)] as const;
    }),
  );
  const known = followers.get(region)?.caughtUp() ?? Promise.resolve();
  known.catch(onFailure);
  return {
    known,
    async close() {
      await Promise.all([...followers.values()].map((one) => one.close()));
    },
  };
}
