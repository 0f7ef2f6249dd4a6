import { followLedger, Ledger } from '@meridian/journal';
import { atRisk, HeldWatch } from './durability/held-watch.ts';
import { DurabilityMetrics } from './durability/metrics.ts';
import type { EdgeParts } from './edge.ts';
import { Homes } from './homes/homes.ts';
import { RecoveryWatch } from './regions/recovery-watch.ts';

/** What an edge knows of the other regions. */
export interface Mesh {
  readonly ledger: Ledger;
  /** The ledger where it can say anything: among several regions. */
  readonly counting: { readonly ledger?: Ledger };
  /** Resolves once the ledger knows what the local copies held. @throws LogFault */
  readonly ledgerKnown: () => Promise<void>;
  readonly homes: Homes;
  readonly held: HeldWatch;
  readonly recovery: RecoveryWatch;
  close(): Promise<void>;
}

/** Opens it; with a region that is alone there is little to know. */
export function openMesh({
  log,
  region,
  regions,
  beat,
  config,
  registry,
  onFault,
}: EdgeParts): Mesh {
  const followed = regions.length > 1 ? followLedger(log, regions, onFault) : undefined;
  const ledger = followed?.ledger ?? new Ledger();
  let known: Promise<void> | undefined;
  const ledgerKnown = (): Promise<void> => {
    known ??= Promise.resolve(followed?.caughtUp()).catch((error: unknown) => {
      known = undefined;
      throw error;
    });
    return known;
  };
  const homes = new Homes({ log, ledger, ledgerKnown, region, regions, onFault });
  const held: HeldWatch = new HeldWatch({
    beat,
    region,
    regions,
    waitMs: config.durabilityWaitMs,
    ...(registry === undefined || regions.length === 1
      ? {}
      : { metrics: new DurabilityMetrics(registry, () => atRisk(log, region, held.held)) }),
  });
  const recovery = new RecoveryWatch(beat, regions);
  return {
    ledger,
    counting: followed === undefined ? {} : { ledger },
    ledgerKnown,
    homes,
    held,
    recovery,
    async close() {
      recovery.close();
      held.close();
      await homes.close();
      await followed?.close();
    },
  };
}
