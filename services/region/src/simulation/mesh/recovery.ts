import { followLedger, LogFault, type LogMessage } from '@meridian/journal';
import {
  Keeper,
  Orphans,
  Records,
  settingsOf,
  type Comparison,
  type Every,
  type Position,
  type Settings,
} from '@meridian/recovery';
import type { Instance, SimulatedMesh, SimulatedRegion, Task } from '@meridian/testing';
import { eventStream } from '@meridian/wire';
import { beatOf } from './beat.ts';
import { compareWithPeers } from './compare.ts';
import { controlOf } from './control.ts';
import { tellWhatIsHeld } from './held.ts';
import type { Oversight } from './desks.ts';
import { simulatedLeases } from './leases.ts';
import { regions } from './scenario.ts';

/** Looks are this much rarer than those of a real process, to spare time. */
const slower = 8;
const workEveryMs = 1_000;

/** Calls back periodically, as long as the process lives. */
function everyOf(instance: Instance): Every {
  return (periodMs, run) => {
    let task: Task;
    const again = (): void => {
      task = instance.after(periodMs * slower, () => {
        again();
        run();
      });
    };
    again();
    return () => instance.cancel(task);
  };
}

/** Follows where the copies of all regions' decisions end. */
async function followEnds(instance: Instance): Promise<Readonly<Record<string, Position>>> {
  const { log } = instance;
  const positions: Record<string, Position> = {};
  const hold = (region: string, sequence: number, last: LogMessage | undefined): void => {
    positions[region] = {
      sequence,
      ...(last === undefined ? {} : { storedAtMs: last.storedAtMs }),
    };
  };
  for (const region of regions) {
    const stream = eventStream(region);
    const sequence = await log.lastSequence(stream);
    hold(region, sequence, sequence === 0 ? undefined : await log.get(stream, sequence));
    log.follow(stream, { after: sequence, onFailure: (error) => instance.fail(error) }, (message) =>
      hold(region, message.sequence, message),
    );
  }
  return positions;
}

/** Accounts for what was decided beyond a seal, in the homes that the region decides for. */
async function accountForOrphans(
  mesh: SimulatedMesh,
  region: SimulatedRegion,
  instance: Instance,
  keeper: Keeper,
  { watch }: Oversight,
): Promise<void> {
  const onFailure = (error: unknown): void => {
    // It is tried again.
    if (!(error instanceof LogFault) || !error.retryable) instance.fail(error);
  };
  const log = watch.over(instance.log, instance);
  const followed = followLedger(log, regions, onFailure, { wait: instance.wait });
  await followed.caughtUp();
  const { ledger } = followed;
  const epochOf = (home: string): number | undefined => keeper.epochOf(home);
  const records = new Records({ log, region: region.name, ledger, epochOf });
  simulatedLeases(region, instance, 'recovery', () => records.deciding());
  const orphans = new Orphans({
    log,
    regions,
    ledger,
    records,
    epochOf,
    onAccounted: (_home, fate) => mesh.world.count(`orphans ${fate.replace('_', ' ')}`),
    onFailure,
    wallMs: instance.now,
  });
  orphans.open();
  const work = async (): Promise<void> => {
    await orphans.work();
    instance.after(workEveryMs, () => void work());
  };
  await work();
}

/** Starts a region's recovery in the world. */
export function startRecovery(
  mesh: SimulatedMesh,
  region: SimulatedRegion,
  oversight: Oversight,
): void {
  const { plant } = oversight;
  const compare = async (instance: Instance): Promise<Comparison> => {
    if (plant.opensWithoutComparing === true) return 'whole';
    const outcome = await compareWithPeers(mesh, region, instance);
    if (outcome === 'mending') mesh.world.count('re-imports');
    return outcome;
  };
  region.node('recovery', async (instance) => {
    const { gate, log, now, monotonicMs, random } = instance;
    const client = mesh.control.client(region.name, gate, random.fork('control'));
    const own = settingsOf({
      region: region.name,
      regions,
      instance: `${region.name}-${instance.number}`,
    });
    const settings: Settings = plant.settings?.(own) ?? own;
    tellWhatIsHeld(mesh, region, instance);
    const positions = await followEnds(instance);
    const keeper = new Keeper({
      settings,
      log,
      control: controlOf(client),
      beat: beatOf(region, instance),
      positions: () => positions,
      compare: () => compare(instance),
      monotonicMs,
      wallMs: now,
      every: everyOf(instance),
      onReport: ({ what }) => mesh.world.count(`recovery: ${what}`),
      onFailure: (error) => instance.fail(error),
    });
    await keeper.open();
    await accountForOrphans(mesh, region, instance, keeper, oversight);
  });
}
