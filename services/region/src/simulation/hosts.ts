import { journalOf, type Log, type LogMessage } from '@meridian/journal';
import { Routing } from '@meridian/routing';
import { Sessions } from '@meridian/sessions';
import type { CheckpointOf, Instance, SimulatedNode, Task, World } from '@meridian/testing';
import { eventStream, intakeStream } from '@meridian/wire';
import { region } from './scenario.ts';

/** A fault of a service on purpose, to see whether it is found; absent parts are as they should be. */
export interface Plant {
  /** The log as the services' journals and start-ups see it. */
  readonly log?: (log: Log) => Log;
  /** Whether this life of a service fires its timers. */
  readonly firesTimers?: (instance: Instance) => boolean;
  readonly checkpointOf?: CheckpointOf;
}

/** The services of one region in the world, and what their living instances have in memory. */
export interface Region {
  readonly nodes: readonly SimulatedNode[];
  readonly sessions: ReadonlyMap<Instance, Sessions>;
  readonly routing: ReadonlyMap<Instance, Routing>;
  readonly handled: Handled;
}

/** By service and name of what it follows: the messages of which the handling came to its end. */
export type Handled = ReadonlyMap<
  string,
  {
    readonly stream: string;
    readonly filters: readonly string[];
    readonly sequences: ReadonlySet<number>;
  }
>;

interface Service {
  nextDueMs(): number | undefined;
  fireDue(now: number): Promise<void>;
}

/** The wait before a timer that is still due after it was fired is fired again, in ms. */
const stillDueMs = 50;

/** Fires what is due, as long as the instance lives. */
class Timer {
  readonly #instance: Instance;
  readonly #service: Service;
  #task: Task | undefined;
  #isFiring = false;

  constructor(instance: Instance, service: Service) {
    this.#instance = instance;
    this.#service = service;
  }

  /** Looks again at what is due next. */
  touch(): void {
    if (this.#isFiring) return;
    this.#instance.cancel(this.#task);
    const next = this.#service.nextDueMs();
    this.#task =
      next === undefined
        ? undefined
        : this.#instance.after(Math.max(0, next - this.#instance.now()), () => this.#fire(next));
  }

  #fire(due: number): void {
    this.#isFiring = true;
    const fired = (): void => {
      this.#isFiring = false;
      if (this.#service.nextDueMs() === due) {
        this.#task = this.#instance.after(stillDueMs, () => this.#fire(due));
      } else this.touch();
    };
    this.#service
      .fireDue(this.#instance.now())
      .then(fired, (error: unknown) => this.#instance.fail(error));
  }
}

async function absorb(
  log: Log,
  entity: string,
  take: (message: LogMessage) => void,
): Promise<void> {
  const filters = [`ev.${region}.${region}.*.${entity}.*`];
  for await (const batch of log.replayBatches(eventStream(region), { filters })) {
    batch.forEach(take);
  }
}

/** Starts sessions and routing in the world, each as its shell does. */
export function startRegion(world: World, plant: Plant): Region {
  const sessions = new Map<Instance, Sessions>();
  const routing = new Map<Instance, Routing>();
  const handled = new Map<
    string,
    { stream: string; filters: readonly string[]; sequences: Set<number> }
  >();
  const open = (service: string, instance: Instance) => {
    const log = plant.log?.(instance.log) ?? instance.log;
    const { now, random, wait } = instance;
    const journal = journalOf(log, { region, home: region, service, epoch: 1 });
    return {
      log,
      options: { journal, now, random, wait, onConflict: () => world.count('conflicts') },
    };
  };
  const run = (instance: Instance, name: string, service: Service, follows: Follows): void => {
    const timer = new Timer(instance, service);
    const firesTimers = plant.firesTimers?.(instance) ?? true;
    for (const { handle, ...following } of follows) {
      const key = `${name}.${following.name}`;
      const { sequences } = handled.get(key) ?? { sequences: new Set<number>() };
      handled.set(key, { ...following, sequences });
      instance.follow(following, async (message) => {
        await handle(message);
        sequences.add(message.sequence);
        if (firesTimers) timer.touch();
      });
    }
    if (firesTimers) timer.touch();
  };
  const nodes = [
    world.node('sessions', async (instance) => {
      const { log, options } = open('sessions', instance);
      const service = new Sessions(options);
      await absorb(log, 'contact', (message) => service.absorb(message));
      sessions.set(instance, service);
      run(instance, 'sessions', service, sessionsFollows(service));
    }),
    world.node('routing', async (instance) => {
      const { log, options } = open('routing', instance);
      const service = new Routing(options);
      await absorb(log, 'routing', (message) => service.absorb(message));
      service.ready();
      routing.set(instance, service);
      run(instance, 'routing', service, routingFollows(service));
    }),
  ];
  if (plant.checkpointOf !== undefined) {
    for (const node of nodes) node.checkpointOf = plant.checkpointOf;
  }
  return { nodes, sessions, routing, handled };
}

type Follows = readonly {
  readonly name: string;
  readonly stream: string;
  readonly filters: readonly string[];
  readonly handle: (message: LogMessage) => Promise<unknown>;
}[];

function sessionsFollows(service: Sessions): Follows {
  return [
    {
      name: 'requests',
      stream: intakeStream(region),
      filters: [`in.${region}.*.${region}.contact.*`],
      handle: (message) => service.onRequest(message),
    },
    {
      name: 'routing',
      stream: eventStream(region),
      filters: [`ev.${region}.${region}.*.routing.*`],
      handle: (message) => service.onRouting(message),
    },
  ];
}

function routingFollows(service: Routing): Follows {
  return [
    {
      name: 'requests',
      stream: intakeStream(region),
      filters: ['reservation', 'agent', 'queue'].map(
        (entity) => `in.${region}.*.${region}.${entity}.*`,
      ),
      handle: (message) => service.onRequest(message),
    },
    {
      name: 'contacts',
      stream: eventStream(region),
      filters: [`ev.${region}.${region}.*.contact.*`],
      handle: (message) => service.onDecision(message),
    },
  ];
}
