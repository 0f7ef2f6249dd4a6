import type { Ledger, Log } from '@meridian/journal';
import { FollowedPrivacy } from '@meridian/privacy';
import { memoryVault, openVault } from '@meridian/vault';
import type { NatsConnection } from '@nats-io/nats-core';
import type { Logger } from 'pino';
import type { SealedContentParts } from './writing/sealed-content.ts';

export interface FollowPersonalOptions {
  readonly log: Log;
  readonly ledger: Ledger;
  readonly region: string;
  readonly regions: readonly string[];
  /** Absent in a process that runs on a log in memory. */
  readonly nats: NatsConnection | undefined;
  readonly own: Pick<Logger, 'error'>;
}

export interface FollowedPersonal extends SealedContentParts {
  close(): Promise<void>;
}

/**
 * Opens the region's vault, and follows what is decided about persons' data: resolves when what is
 * held here of that is known.
 * @throws LogFault
 */
export async function followPersonal({
  log,
  ledger,
  region,
  regions,
  nats,
  own,
}: FollowPersonalOptions): Promise<FollowedPersonal> {
  const vault =
    nats === undefined ? memoryVault(region) : await openVault({ nats, region, regions });
  const privacy = new FollowedPrivacy({
    log,
    ledger,
    regions,
    onFailure: (error) =>
      own.error({ err: error }, 'What is decided about persons can no longer be followed.'),
  });
  /** By tenant, until something is decided. */
  const erased = new Map<string, ReadonlySet<string>>();
  privacy.onChange(() => erased.clear());
  const erasedOf = (tenant: string): ReadonlySet<string> => {
    const known = erased.get(tenant) ?? new Set(erasedKeys(privacy, tenant));
    erased.set(tenant, known);
    return known;
  };
  await privacy.caughtUp();
  return {
    vault,
    residencyOf: (tenant) => privacy.residencyOf(tenant),
    isErased: (tenant, keyId) => erasedOf(tenant).has(keyId),
    async close() {
      await privacy.close();
      await vault.close();
    },
  };
}

const erasedKeys = (privacy: FollowedPrivacy, tenant: string): string[] =>
  [...privacy.of(tenant).erasures.values()].flatMap(({ state, keys }) =>
    state === 'BLOCKED' ? [] : keys.map(({ id }) => id),
  );
