import { createHash } from 'node:crypto';
import { seeded } from '@meridian/core';
import type { Routing } from '@meridian/routing';
import type { Sessions } from '@meridian/sessions';
import { drawMeshFaults, SimulatedMesh, World, type MeshFaults } from '@meridian/testing';
import { eventStream, intakeStream } from '@meridian/wire';
import { startMs } from '../scenario.ts';
import { checkMesh, type MeshProblem } from './check.ts';
import type { Clients } from './clients.ts';
import { duplicateWindowMs, populate } from './people.ts';
import type { MeshPlant } from './plants.ts';
import { drawMeshScenario, regions } from './scenario.ts';
import { startServices, type MeshServices } from './services.ts';
import { Watch } from './watch.ts';

export interface MeshSimulationOptions {
  /** Everything that happens comes from it. */
  readonly seed: number;
  /** How many contacts there are in all regions together; 12 when absent. */
  readonly contacts?: number;
  /** What goes wrong; drawn when absent. */
  readonly faults?: MeshFaults;
  /** A bug on purpose. */
  readonly plant?: MeshPlant;
  /** Told when all is over, to look at what became of it. */
  readonly onEnd?: (services: MeshServices) => void;
}

export interface MeshSimulationResult {
  readonly seed: number;
  /** SHA-256 over all streams of all regions, in hex: two runs of one seed have the same. */
  readonly digest: string;
  readonly problems: readonly MeshProblem[];
  readonly faults: MeshFaults;
  /** How often each thing happened that is worth counting. */
  readonly counts: Readonly<Record<string, number>>;
  readonly contacts: number;
  readonly requests: number;
  readonly entries: number;
  /** How much time passed in the world, in ms. */
  readonly logTimeMs: number;
}

/** How long nothing must have been stored before the world counts as come to rest, in ms. */
const restMs = 12_000;
/** What is due later than this from now is not waited for, in ms. */
const patienceMs = 600_000;
/** When the world must have come to rest after the last fault, in ms. */
const restLimitMs = 1_800_000;
const stepMs = 2_000;

const nodeNames = ['sessions', 'routing', 'recovery', 'edge'] as const;

/** Runs one mesh to its end and checks it. */
export async function simulateMesh(options: MeshSimulationOptions): Promise<MeshSimulationResult> {
  const { seed, contacts = 12 } = options;
  const random = seeded(`mesh/${seed}`);
  const scenario = drawMeshScenario(random.fork('scenario'), contacts);
  const faults =
    options.faults ??
    drawMeshFaults(random.fork('faults'), {
      regions,
      nodes: regions.flatMap((region) => nodeNames.map((name) => `${region}.${name}`)),
      outside: regions.map((region) => `audience.${region}`),
      fromMs: startMs,
      toMs: scenario.horizonMs,
    });
  const world = new World({ seed: `world/${seed}`, startMs, plan: faults.processes });
  const mesh = new SimulatedMesh(world, {
    regions,
    streamsOf: (region) => [intakeStream(region), eventStream(region)],
    faults,
    duplicateWindowMs,
  });
  const { plant = {} } = options;
  const services = startServices(world, mesh, { watch: new Watch(world), plant });
  const clients = populate(services, scenario);
  await world.run(scenario.horizonMs);
  const unrest = await untilRest(services, clients, scenario.horizonMs);
  const problems = await checkMesh(services, clients, unrest);
  options.onEnd?.(services);
  return {
    seed,
    digest: digestOf(mesh),
    problems,
    faults,
    counts: world.counts,
    contacts: scenario.customers.length,
    requests: clients.acknowledged.length,
    entries: regions.reduce(
      (sum, region) => sum + mesh.region(region).log.messages(eventStream(region)).length,
      0,
    ),
    logTimeMs: world.now() - startMs,
  };
}

/**
 * Runs on until nothing is stored any more and nothing is due soon.
 * @returns why it did not come to that, if so
 */
async function untilRest(
  { world, mesh, sessions, routing }: MeshServices,
  clients: Clients,
  fromMs: number,
): Promise<string | undefined> {
  const stored = (): number =>
    mesh.regions.reduce(
      (sum, { name, log }) =>
        sum + log.messages(intakeStream(name)).length + log.messages(eventStream(name)).length,
      0,
    );
  const nextDueMs = (): number => {
    const desks = [...sessions.values(), ...routing.values()]
      .filter(({ instance }) => instance.alive)
      .flatMap(({ keepers }): (Sessions | Routing)[] =>
        [...keepers.values()].filter(({ isOpen }) => isOpen).map(({ desk }) => desk),
      );
    return Math.min(...desks.map((desk) => desk.nextDueMs() ?? Infinity));
  };
  const isWhole = (): boolean =>
    mesh.regions.every(
      ({ isUp, nodes }) =>
        isUp &&
        nodes.every(
          ({ instances }) => instances.length > 0 && instances.every(({ gate }) => !gate.isHeld),
        ),
    );
  let last = -1;
  let lastMs = world.now();
  // Until then somebody may still hang up.
  const earliestMs = fromMs + 30_000;
  for (;;) {
    await world.run(world.now() + stepMs);
    const nowMs = world.now();
    const count = stored();
    if (count !== last || !isWhole()) [last, lastMs] = [count, nowMs];
    const isQuiet = nowMs - lastMs >= restMs && nowMs >= earliestMs && clients.underWay === 0;
    if (isQuiet && mesh.isLevel && nextDueMs() > nowMs + patienceMs) return undefined;
    if (nowMs > fromMs + restLimitMs) {
      return (
        `the last message was stored ${nowMs - lastMs} ms ago, ${clients.underWay} requests are ` +
        `under way, the copies are ${mesh.isLevel ? 'level' : 'not level'}, something is due in ` +
        `${nextDueMs() - nowMs} ms`
      );
    }
  }
}

const headerNames = ['Nats-Msg-Id', 'Nats-Expected-Last-Subject-Sequence', 'Meridian-Consumed'];

function digestOf({ regions: all }: SimulatedMesh): string {
  const hash = createHash('sha256');
  for (const { log } of all) {
    for (const stream of regions.flatMap((name) => [intakeStream(name), eventStream(name)])) {
      for (const message of log.messages(stream)) {
        hash.update(
          JSON.stringify([
            stream,
            message.sequence,
            message.subject,
            message.storedAtMs,
            headerNames.map((name) => message.header(name) ?? ''),
            message.text(),
          ]),
        );
      }
    }
  }
  return hash.digest('hex');
}
