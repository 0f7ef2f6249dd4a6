import type { FollowedPrivacy } from '@meridian/privacy';
import type { Vault } from '@meridian/vault';
import { Opening, type RecordAccess } from './opening.ts';
import { Sealing, type ResidencyOf } from './sealing.ts';

export interface PersonalParts {
  readonly vault: Vault;
  /** What was decided about persons' data. */
  readonly privacy: Pick<FollowedPrivacy, 'of' | 'residencyOf'>;
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
  return {
    sealing: new Sealing({ vault, residencyOf }),
    opening: new Opening({ vault, residencyOf, erasedKeys, recordAccess }),
  };
}
