import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from '@meridian/journal';
import type { FollowedPrivacy } from '@meridian/privacy';
import type { Vault } from '@meridian/vault';
import type { AccessBook } from '../access/index.ts';
import type { Readable } from '../read-api/index.ts';

/** What the routes about persons' data are made of. */
export interface PrivacyParts {
  readonly log: Log;
  readonly region: string;
  readonly regions: readonly string[];
  readonly privacy: FollowedPrivacy;
  readonly vault: Vault;
  readonly access: AccessBook;
  /** Undefined where the read models are not kept: then contacts are not found. */
  readonly models?: Readable;
  /** RFC 3339, by the clock of the log. */
  readonly now: () => string;
}

/** How long an answer waits for the decision on what it has stored, in ms. */
const decisionWaitMs = 3_000;

/** Waits until what was asked for is decided as far as is seen here; false when it takes longer. */
export async function untilDecided(
  privacy: FollowedPrivacy,
  isSo: () => boolean,
): Promise<boolean> {
  if (isSo()) return true;
  const changed = Promise.withResolvers<boolean>();
  const end = privacy.onChange(() => {
    if (isSo()) changed.resolve(true);
  });
  try {
    return await Promise.race([changed.promise, delay(decisionWaitMs, false, { ref: false })]);
  } finally {
    end();
  }
}
