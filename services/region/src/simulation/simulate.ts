import { createHash } from 'node:crypto';
import { seeded } from '@meridian/core';
import { readEntry, type LogMessage } from '@meridian/journal';
import { drawFaults, NetworkLog, World, type FaultPlan } from '@meridian/testing';
import { eventStream, intakeStream, type ContactEvent, type DomainEvent } from '@meridian/wire';
import { agentConcerned, agentsOf } from './agents.ts';
import { checkWorld, type Problem } from './check.ts';
import { customersOf } from './customers.ts';
import { startRegion, type Plant, type Region } from './hosts.ts';
import { compareMemory } from './memory.ts';
import { Publisher } from './publisher.ts';
import { drawScenario, region, startMs, type Scenario } from './scenario.ts';

export interface SimulationOptions {
  /** Everything that happens comes from it. */
  readonly seed: number;
  /** How many contacts there are; 40 when absent. */
  readonly contacts?: number;
  /** A bug on purpose. */
  readonly plant?: Plant;
}

export interface SimulationResult {
  readonly seed: number;
  /** SHA-256 over all streams, in hex: two runs of one seed have the same. */
  readonly digest: string;
  readonly problems: readonly Problem[];
  /** The faults as they were drawn. */
  readonly plan: FaultPlan;
  /** How often each kind of fault struck, and what came of it. */
  readonly counts: Readonly<Record<string, number>>;
  readonly contacts: number;
  readonly requests: number;
  readonly entries: number;
  readonly events: number;
  readonly reservations: number;
  /** How much time passed in the world, in ms. */
  readonly logTimeMs: number;
}

/** How long the log knows a message id in the world, in ms: short, so that repeats outlive it. */
const windowMs = 20_000;
/** Every watchdog has barked by then, after the last fault, in ms. */
const afterHorizonMs = 96 * 3_600_000;
/** How often memory is compared with the log while the world runs. */
const comparisons = 4;

/** Runs one world to its end and checks it. */
export async function simulate(options: SimulationOptions): Promise<SimulationResult> {
  const { seed, contacts = 40, plant = {} } = options;
  const random = seeded(`simulation/${seed}`);
  const scenario = drawScenario(random.fork('scenario'), contacts);
  const plan = drawFaults(random.fork('faults'), {
    nodes: ['sessions', 'routing'],
    outside: ['publishers', 'watchers'],
    fromMs: startMs,
    toMs: scenario.horizonMs,
    meanBetweenMs: (scenario.horizonMs - startMs) / 4,
  });
  const world = new World({ seed: `world/${seed}`, startMs, plan, duplicateWindowMs: windowMs });
  const publisher = new Publisher(world, windowMs, scenario.horizonMs);
  const services = startRegion(world, plant);
  peopleOf(scenario, world, publisher);
  const problems: Problem[] = [];
  for (let count = 0; count < comparisons; count += 1) {
    const atMs = startMs + random.next() * (scenario.horizonMs - startMs);
    world.at(atMs, () => void compareNow(world, services, problems));
  }
  const cameToRest = await world.run(scenario.horizonMs + afterHorizonMs);
  if (!cameToRest) {
    problems.push({
      rule: 'ended',
      detail: 'the world had not come to rest 96 hours after the last fault',
    });
  }
  const { problems: found, result } = await checkWorld(world, services, publisher.acknowledged);
  problems.push(...found);
  return {
    seed,
    digest: await digestOf(world),
    problems,
    plan,
    counts: world.counts,
    contacts: result.contacts,
    requests: publisher.acknowledged.length,
    entries: result.entries,
    events: result.events,
    reservations: result.reservations,
    logTimeMs: world.now() - startMs,
  };
}

async function compareNow(world: World, services: Region, problems: Problem[]): Promise<void> {
  const at = new Date(world.now()).toISOString();
  for (const difference of await compareMemory(world.log, services, false)) {
    problems.push({ rule: 'memory', detail: `at ${at} ${difference}` });
  }
}

/** Customers, agents and an administrator, who see the decisions through a network of their own. */
function peopleOf(
  { customers, agents, queues }: Scenario,
  world: World,
  publisher: Publisher,
): void {
  const customersById = customersOf(customers, world, publisher);
  const agentsById = agentsOf(agents, world, publisher);
  for (const { id: subject, settings } of queues) {
    for (const { atMs, settings: each } of settings) {
      world.at(atMs, () =>
        publisher.publish('admin', {
          type: 'meridian.queue.configure.v1',
          subject,
          data: { settings: each },
        }),
      );
    }
  }
  const network = new NetworkLog(world, 'watchers', world.random.fork('watchers'));
  const watch = (filter: string, see: (event: DomainEvent) => void): void => {
    network.follow(
      eventStream(region),
      { after: 0, filters: [filter], onFailure: (error) => world.fail(error) },
      (message) => {
        for (const event of readEntry(message).events) see(event as unknown as DomainEvent);
      },
    );
  };
  watch(`ev.${region}.${region}.*.contact.*`, (event) =>
    customersById.get(event.subject)?.see(event as ContactEvent),
  );
  watch(`ev.${region}.${region}.>`, (event) =>
    agentsById.get(agentConcerned(event) ?? '')?.see(event),
  );
}

const headerNames = ['Nats-Msg-Id', 'Nats-Expected-Last-Subject-Sequence', 'Meridian-Consumed'];

async function digestOf(world: World): Promise<string> {
  const hash = createHash('sha256');
  const add = (message: LogMessage): void => {
    const headers = headerNames.map((name) => message.header(name) ?? '');
    hash.update(
      JSON.stringify([
        message.stream,
        message.sequence,
        message.subject,
        message.storedAtMs,
        headers,
        message.text(),
      ]),
    );
  };
  for (const stream of [intakeStream(region), eventStream(region)]) {
    for await (const batch of world.log.replayBatches(stream)) batch.forEach(add);
  }
  return hash.digest('hex');
}
