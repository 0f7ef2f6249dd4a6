import type { Ledger, Log } from '@meridian/journal';
import type { ProgressReport } from '@meridian/nest';
import type { BlastRadius } from '../domain/failover-plan.ts';
import type { MeshFacts } from '../domain/mesh-view.ts';
import { atRisk, type HeldWatch } from '../durability/held-watch.ts';
import type { RecoveryWatch } from './recovery-watch.ts';

/** What the routes about regions are made of. */
export interface RegionParts {
  readonly log: Log;
  readonly region: string;
  readonly regions: readonly string[];
  readonly ledger: Ledger;
  readonly ledgerKnown: () => Promise<void>;
  readonly held: HeldWatch;
  readonly recovery: RecoveryWatch;
  readonly gate: { readonly intakeOpen: boolean };
  readonly leaseMs: number;
  /** What the region's services report of how far they have read. */
  readonly progress: () => ReadonlyMap<string, ProgressReport>;
  /** Who lives at a home; undefined where the read models are not kept. */
  readonly radiusOf?: (home: string) => Promise<BlastRadius | undefined>;
  /** The sets of regions of those tenants that have one. */
  readonly residency?: () => ReadonlyMap<string, readonly string[]>;
  /** The real time, RFC 3339. */
  readonly now: () => string;
}

/** How the mesh is at this moment. @throws LogFault */
export async function factsOf(parts: RegionParts): Promise<MeshFacts> {
  const { log, region, regions, ledger, held, recovery, gate } = parts;
  await parts.ledgerKnown();
  return {
    region,
    regions,
    epochs: (home) => ledger.epochs(home),
    heard: recovery.heard(),
    atRisk: held.held.alone ? {} : await atRisk(log, region, held.held),
    intakeOpen: gate.intakeOpen,
  };
}

/**
 * How many messages of a home's intake the services of this region have not settled: at most, since
 * a sequence may be another home's.
 */
export async function intakeBehind(
  { log, progress }: Pick<RegionParts, 'log' | 'progress'>,
  home: string,
): Promise<number> {
  const reads = [...progress().values()].flatMap((report) => report.reads);
  const own = reads.filter(
    ({ filter }) => filter.startsWith('in.') && filter.split('.')[3] === home,
  );
  const behind = await Promise.all(
    own.map(async ({ stream, filter, position }) =>
      Math.max(0, (await log.lastSequence(stream, filter)) - position),
    ),
  );
  return behind.reduce((sum, count) => sum + count, 0);
}
