import {
  epochOf,
  meshTenant,
  readEntry,
  StreamMissing,
  type Ledger,
  type Log,
} from '@meridian/journal';
import { eventStream, parseSubject } from '@meridian/wire';
import type { MeshEvent } from '../domain/failovers.ts';

/**
 * Reads the mesh's own events of one kind of aggregate from the local copies of all regions'
 * streams. They are few, and found by their subjects, so nothing of them is kept here.
 * @param entity `ownership` or `drill`
 * @throws LogFault
 */
export async function readMeshEvents(
  {
    log,
    ledger,
    regions,
  }: { readonly log: Log; readonly ledger: Ledger; readonly regions: readonly string[] },
  entity: string,
): Promise<MeshEvent[]> {
  const parts = await Promise.all(
    regions.map((region) =>
      readRegion(log, ledger, region, entity).catch((error: unknown) => {
        // Another region's copy that was not made yet holds nothing.
        if (error instanceof StreamMissing) return [];
        throw error;
      }),
    ),
  );
  return parts.flat();
}

async function readRegion(
  log: Log,
  ledger: Ledger,
  region: string,
  entity: string,
): Promise<MeshEvent[]> {
  const found: MeshEvent[] = [];
  const stream = eventStream(region);
  const filters = [`ev.${region}.*.${meshTenant}.${entity}.*`];
  for await (const batch of log.replayBatches(stream, { filters })) {
    for (const message of batch) {
      const { sequence, subject } = message;
      const home = parseSubject(subject)?.home ?? region;
      if (ledger.verdict(home, epochOf(message), region, sequence) === 'orphan') continue;
      for (const event of readEntry(message).events) {
        found.push({ event: event as MeshEvent['event'], at: `${stream}:${sequence}` });
      }
    }
  }
  return found;
}
