import { setTimeout as delay } from 'node:timers/promises';
import { LogUnavailable } from '@meridian/journal';
import type { FollowedPrivacy } from '@meridian/privacy';
import type { Vault } from '@meridian/vault';
import { Opening, type RecordAccess } from './opening.ts';
import { Sealing, type ResidencyOf } from './sealing.ts';

/** How long a request waits for an edge that starts to know what was decided, in ms. */
const knownWaitMs = 5_000;

export interface PersonalParts {
  readonly vault: Vault;
  /** What was decided about persons' data. */
  readonly privacy: Pick<FollowedPrivacy, 'of' | 'residencyOf' | 'caughtUp'>;
  readonly recordAccess: RecordAccess;
}

/** What seals what comes in, and what opens it again. */
export function openPersonal({ vault, privacy, recordAccess }: PersonalParts): {
  readonly sealing: Sealing;
  readonly opening: Opening;
} {
  const residencyOf: ResidencyOf = (tenant) => privacy.residencyOf(tenant);
  const erasedKeys = (tenant: string): string[] =>
    [...privacy.of(tenant).erasures.values()].flatMap(({ state, keys }) =>
      state === 'BLOCKED' ? [] : keys.map(({ id }) => id),
    );
  let known: Promise<void> | undefined;
  const privacyKnown = (): Promise<void> => {
    known ??= privacy.caughtUp().catch((error: unknown) => {
      known = undefined;
      throw error;
    });
    return inTime(known);
  };
  return {
    sealing: new Sealing({ vault, residencyOf, residencyKnown: privacyKnown }),
    opening: new Opening({
      vault,
      residencyOf,
      erasedKeys,
      erasedKnown: privacyKnown,
      recordAccess,
    }),
  };
}

/** @throws LogUnavailable */
async function inTime(known: Promise<void>): Promise<void> {
  const ended = new AbortController();
  const late = delay(knownWaitMs, true, { ref: false, signal: ended.signal }).catch(() => false);
  const isLate = await Promise.race([known.then(() => false), late]).finally(() => ended.abort());
  if (!isLate) return;
  throw new LogUnavailable(
    `What was decided about persons is not known here after ${knownWaitMs} ms.`,
    'The edge has just started, or the home of these decisions is changing its owner: try again.',
  );
}
