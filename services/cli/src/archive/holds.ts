import { OwnershipLedger } from '../check/ledger.ts';
import { parseAggregate, readEvents } from '../check/raw.ts';
import { epochIn } from '../verify/learn.ts';
import { entriesOf, type LogCopy } from '../verify/source.ts';

/**
 * Which holds are in force for a tenant's data, by their ids; undefined where that cannot be seen:
 * a key of another tenant is given nothing of it.
 */
export type HoldsOf = (tenant: string) => Promise<readonly string[] | undefined>;

const placed = 'meridian.privacy.hold_placed.v1';
const released = 'meridian.privacy.hold_released.v1';

interface Step {
  readonly tenant: string;
  readonly id: string;
  readonly isPlaced: boolean;
  readonly counts: () => boolean;
  readonly order: readonly [epoch: number, sequence: number];
}

/**
 * The holds as a copy of the log has them. What lies beyond a seal may place a hold and does not
 * release one. Reads all decisions.
 */
export function holdsOfLog(copy: LogCopy): HoldsOf {
  let known: Promise<ReadonlyMap<string, readonly string[]>> | undefined;
  return async (tenant) => (await (known ??= readHolds(copy))).get(tenant);
}

async function readHolds(copy: LogCopy): Promise<Map<string, string[]>> {
  const ledger = new OwnershipLedger();
  const steps: Step[] = [];
  const holds = new Map<string, Set<string>>();
  for (const stream of copy.streams.filter((one) => one.startsWith('EV_'))) {
    for await (const entry of entriesOf(copy, stream)) {
      ledger.learn(entry);
      const aggregate = parseAggregate(entry.subject);
      if (aggregate !== undefined && !holds.has(aggregate.tenant)) {
        holds.set(aggregate.tenant, new Set());
      }
      if (aggregate?.entity !== 'privacy') continue;
      if (!entry.data.includes('meridian.privacy.hold_')) continue;
      const { home, region, tenant } = aggregate;
      const epoch = epochIn(entry);
      const counts = (): boolean =>
        ledger.verdict(home, epoch, region, entry.sequence) === 'counts';
      for (const { type, data } of readEvents(entry)) {
        if (type !== placed && type !== released) continue;
        const order = [epoch, entry.sequence] as const;
        const id = String(data['holdId']);
        steps.push({ tenant, id, isPlaced: type === placed, counts, order });
      }
    }
  }
  for (const { tenant, id, isPlaced, counts } of steps.toSorted(
    ({ order: [a, b] }, { order: [c, d] }) => a - c || b - d,
  )) {
    if (isPlaced) holds.get(tenant)?.add(id);
    else if (counts()) holds.get(tenant)?.delete(id);
  }
  return new Map([...holds].map(([tenant, ids]) => [tenant, [...ids].toSorted()]));
}
