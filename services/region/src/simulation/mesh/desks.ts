import { earliest } from '@meridian/core';
import {
  DeskKeeper,
  followLedger,
  type Desk,
  type DeskState,
  type Journal,
  type Ledger,
  type Log,
} from '@meridian/journal';
import type { Leases } from '@meridian/nest';
import { Routing } from '@meridian/routing';
import { Sessions } from '@meridian/sessions';
import type { Instance, SimulatedRegion, Task, World } from '@meridian/testing';
import { simulatedLeases } from './leases.ts';
import { openSources, type Reading } from './sources.ts';

/** What a service is for one home. */
interface TimedDesk extends Desk {
  nextDueMs(): number | undefined;
  fireDue(now: number): Promise<void>;
}

/** What differs between the services. */
interface ServiceSpec<D extends TimedDesk> {
  readonly name: string;
  readonly own: readonly string[];
  readonly create: (journal: Journal, instance: Instance) => D;
  readonly reading: (desk: D, home: string, regions: readonly string[]) => Reading;
}

/** A keeper, to be looked at. */
export type KeptDesk<D> = Pick<DeskKeeper<never>, 'home' | 'state' | 'isOpen' | 'deciding'> & {
  readonly desk: D;
};

/** A service of one region while it lives: a desk for every home. */
export interface LivingService<D> {
  readonly instance: Instance;
  readonly ledger: Ledger;
  readonly leases: Leases;
  readonly keepers: ReadonlyMap<string, KeptDesk<D>>;
}

/** What the checks and the faults on purpose want of the hosts. */
export interface DeskHooks {
  /** The log as the services have it. */
  readonly log: (log: Log, instance: Instance) => Log;
  readonly leases: (leases: Leases) => Leases;
  readonly ledger: (ledger: Ledger) => Ledger;
  readonly onState: (state: DeskState, desk: DeskPlace) => void;
}

export interface DeskPlace {
  readonly service: string;
  readonly region: string;
  readonly home: string;
  readonly epoch: number;
  readonly atMs: number;
}

/** The wait before timers that could not be fired are fired again, in ms. */
const fireAgainMs = 250;

export const sessionsSpec: ServiceSpec<Sessions> = {
  name: 'sessions',
  own: ['*.contact.*'],
  create: (journal, { now, random, wait }) => new Sessions({ journal, now, random, wait }),
  reading: (desk, home, regions) => ({
    requests: [`${home}.contact.*`],
    onRequest: (message, from) => desk.onRequest(message, from),
    decisions: new Map(regions.map((of) => [of, ['*.routing.*']])),
    onDecision: (message, from) => desk.onRouting(message, from),
  }),
};

export const routingSpec: ServiceSpec<Routing> = {
  name: 'routing',
  own: ['*.routing.*'],
  create: (journal, { now, random, wait }) => new Routing({ journal, now, random, wait }),
  reading: (desk, home, regions) => ({
    requests: [`${home}.reservation.*`, `${home}.agent.*`, '*.queue.*'],
    onRequest: (message, from) => desk.onRequest(message, from),
    decisions: new Map(
      regions.map((of) => [of, of === home ? ['*.contact.*'] : ['*.contact.*', '*.routing.*']]),
    ),
    onDecision: (message, from) => desk.onDecision(message, from),
  }),
};

/** Starts one service of a region in the world; `living` has its instances while they live. */
export function startService<D extends TimedDesk>(
  world: World,
  region: SimulatedRegion,
  regions: readonly string[],
  spec: ServiceSpec<D>,
  living: Map<Instance, LivingService<D>>,
  hooks: DeskHooks,
): void {
  region.node(spec.name, async (instance) => {
    const log = hooks.log(instance.log, instance);
    const onFailure = (error: unknown): void => instance.fail(error);
    const followed = followLedger(log, regions, onFailure, { wait: instance.wait });
    await followed.caughtUp();
    const ledger = hooks.ledger(followed.ledger);
    const keepers = new Map<string, KeptDesk<D>>();
    const leases = hooks.leases(
      simulatedLeases(region, instance, spec.name, () => decidingOf(keepers)),
    );
    const timer = new DeskTimer(instance, keepers);
    for (const home of regions) {
      const keeper: DeskKeeper<D> = new DeskKeeper<D>({
        log,
        ledger,
        grants: leases,
        region: region.name,
        home,
        service: spec.name,
        own: spec.own,
        create: (journal) => spec.create(journal, instance),
        open: (desk, starts) =>
          Promise.resolve(
            openSources({
              instance,
              log,
              ledger,
              regions,
              reading: spec.reading(desk, home, regions),
              starts,
              onMoved: () => timer.touch(),
            }),
          ),
        onState: (state) => {
          const epoch = ledger.current(home).epoch;
          const place = { service: spec.name, region: region.name, home, epoch };
          hooks.onState(state, { ...place, atMs: world.now() });
          leases.tell();
          timer.touch();
        },
        onFailure,
        wait: instance.wait,
      });
      keepers.set(home, keeper);
    }
    living.set(instance, { instance, ledger, leases, keepers });
  });
}

function decidingOf(keepers: ReadonlyMap<string, KeptDesk<Desk>>): Record<string, number> {
  const all: Record<string, number> = {};
  for (const { home, deciding } of keepers.values()) {
    if (deciding !== undefined) all[home] = deciding;
  }
  return all;
}

/** Fires what is due at the desks that are open. */
class DeskTimer {
  readonly #instance: Instance;
  readonly #keepers: ReadonlyMap<string, KeptDesk<TimedDesk>>;
  #task: Task | undefined;
  #isFiring = false;

  constructor(instance: Instance, keepers: ReadonlyMap<string, KeptDesk<TimedDesk>>) {
    this.#instance = instance;
    this.#keepers = keepers;
  }

  touch(): void {
    if (this.#isFiring) return;
    this.#instance.cancel(this.#task);
    const due = this.#nextDueMs();
    if (due === undefined) return;
    const delayMs = Math.max(0, due - this.#instance.now());
    this.#task = this.#instance.after(delayMs, () => this.#fire(due));
  }

  #open(): readonly TimedDesk[] {
    return [...this.#keepers.values()].filter(({ isOpen }) => isOpen).map(({ desk }) => desk);
  }

  #nextDueMs(): number | undefined {
    return earliest(this.#open().map((desk) => desk.nextDueMs()));
  }

  #fire(due: number): void {
    const now = this.#instance.now();
    if (now < due) {
      // A clock that runs fast is early.
      this.touch();
      return;
    }
    this.#isFiring = true;
    const again = (): void => {
      this.#task = this.#instance.after(fireAgainMs, () => {
        this.#isFiring = false;
        this.touch();
      });
    };
    Promise.all(this.#open().map((desk) => desk.fireDue(now))).then(() => {
      if (this.#nextDueMs() === due) {
        again();
        return;
      }
      this.#isFiring = false;
      this.touch();
    }, again);
  }
}
