import { earliest } from '@meridian/core';
import { DeskKeeper, followLedger, type Desk, type Journal, type Ledger } from '@meridian/journal';
import type { Desks, Leases } from '@meridian/nest';
import { Lender, Routing } from '@meridian/routing';
import { Sessions } from '@meridian/sessions';
import type { Instance, SimulatedRegion, Task } from '@meridian/testing';
import { simulatedLeases } from './leases.ts';
import type { MeshPlant } from './plants.ts';
import { openSources, type Reading } from './sources.ts';
import type { Watch } from './watch.ts';

/** What a service is for one home. */
interface TimedDesk extends Desk {
  nextDueMs(): number | undefined;
  fireDue(now: number): Promise<void>;
}

/** Something that a service does when it is due. */
interface DueWork {
  /** In epoch ms. */
  readonly next: () => number | undefined;
  readonly fire: (now: number) => Promise<void>;
}

/** A service as its shell sets it up, at the start of each life. */
interface SetUp<D> {
  readonly create: (journal: Journal) => D;
  /** Beside what is due at the desks. */
  readonly work?: DueWork;
}

/** What differs between the services. */
interface ServiceSpec<D extends TimedDesk> {
  readonly name: string;
  readonly own: readonly string[];
  /** @param touch to be called when something has become due */
  readonly setUp: (instance: Instance, desks: Desks<D>, touch: () => void) => SetUp<D>;
  readonly reading: (desk: D, home: string, regions: readonly string[]) => Reading;
}

/** What sees more than any process can, and a fault on purpose. */
export interface Oversight {
  readonly watch: Watch;
  readonly plant: MeshPlant;
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

/** The wait before timers that could not be fired are fired again, in ms. */
const fireAgainMs = 250;

export const sessionsSpec: ServiceSpec<Sessions> = {
  name: 'sessions',
  own: ['*.contact.*'],
  setUp: ({ now, random, wait }) => ({
    create: (journal) => new Sessions({ journal, now, random, wait }),
  }),
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
  setUp: ({ now, random, wait }, desks, touch) => {
    const lender = new Lender(now);
    lender.keeps(desks);
    lender.onDue(touch);
    return {
      create: (journal) =>
        new Routing({ journal, now, random, wait, onMoved: () => lender.moved() }),
      work: { next: () => lender.nextDueMs(), fire: () => lender.fire() },
    };
  },
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
  region: SimulatedRegion,
  regions: readonly string[],
  spec: ServiceSpec<D>,
  living: Map<Instance, LivingService<D>>,
  { watch, plant }: Oversight,
): void {
  region.node(spec.name, async (instance) => {
    const seen = watch.over(instance.log, instance);
    const log = plant.log?.(seen, spec.name) ?? seen;
    const onFailure = (error: unknown): void => instance.fail(error);
    const followed = followLedger(log, regions, onFailure, { wait: instance.wait });
    await followed.caughtUp();
    const ledger = plant.ledger?.(followed.ledger, region) ?? followed.ledger;
    const keepers = new Map<string, KeptDesk<D>>();
    const asked = simulatedLeases(region, instance, spec.name, () => decidingOf(keepers));
    const leases = plant.leases?.(asked) ?? asked;
    const timer = new DeskTimer(instance, keepers);
    const { create, work } = spec.setUp(instance, desksOf(keepers), () => timer.touch());
    if (work !== undefined) timer.add(work);
    for (const home of regions) {
      const keeper: DeskKeeper<D> = new DeskKeeper<D>({
        log,
        ledger,
        grants: leases,
        region: region.name,
        home,
        service: spec.name,
        own: spec.own,
        create,
        open: (desk, starts, epoch) => {
          watch.opened(home, epoch);
          const sources = openSources({
            instance,
            log,
            ledger,
            regions,
            reading: spec.reading(desk, home, regions),
            starts,
            onMoved: (message) => {
              watch.handled(spec.name, message, { home, epoch });
              timer.touch();
            },
            ...(plant.positionOf === undefined ? {} : { positionOf: plant.positionOf }),
          });
          return Promise.resolve(sources);
        },
        onState: () => {
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

/** The desks of a service, as its shell hands them out. */
function desksOf<D>(keepers: ReadonlyMap<string, KeptDesk<D>>): Desks<D> {
  return {
    open(home) {
      const keeper = keepers.get(home);
      if (keeper?.isOpen !== true) throw new Error(`There is no open desk for home ${home}.`);
      return keeper.desk;
    },
    allOpen: () =>
      [...keepers].filter(([, { isOpen }]) => isOpen).map(([home, { desk }]) => [home, desk]),
    all: () => [...keepers].map(([home, { desk }]) => [home, desk]),
  };
}

/** Fires what is due: at the desks that are open, and what else there is. */
class DeskTimer {
  readonly #instance: Instance;
  readonly #work: DueWork[];
  #task: Task | undefined;
  #isFiring = false;

  constructor(instance: Instance, keepers: ReadonlyMap<string, KeptDesk<TimedDesk>>) {
    this.#instance = instance;
    const open = (): TimedDesk[] =>
      [...keepers.values()].filter(({ isOpen }) => isOpen).map(({ desk }) => desk);
    this.#work = [
      {
        next: () => earliest(open().map((desk) => desk.nextDueMs())),
        fire: async (now) => {
          await Promise.all(open().map((desk) => desk.fireDue(now)));
        },
      },
    ];
  }

  add(work: DueWork): void {
    this.#work.push(work);
  }

  touch(): void {
    if (this.#isFiring) return;
    this.#instance.cancel(this.#task);
    const due = earliest(this.#work.map(({ next }) => next()));
    if (due === undefined) return;
    const delayMs = Math.max(0, due - this.#instance.now());
    this.#task = this.#instance.after(delayMs, () => this.#fire());
  }

  #fire(): void {
    const now = this.#instance.now();
    const due = this.#work.filter(({ next }) => (next() ?? Infinity) <= now);
    if (due.length === 0) {
      // A clock that runs fast is early.
      this.touch();
      return;
    }
    this.#isFiring = true;
    void this.#fireAll(due, now);
  }

  async #fireAll(due: readonly DueWork[], now: number): Promise<void> {
    const before = due.map((work) => work.next());
    const ends = await Promise.allSettled(due.map((work) => work.fire(now)));
    // A home that went elsewhere meanwhile is no fault of its timer.
    const isWell = ends.every(({ status }) => status === 'fulfilled');
    const isStuck = due.some((work, index) => work.next() === before[index]);
    this.#instance.after(isWell && !isStuck ? 0 : fireAgainMs, () => {
      this.#isFiring = false;
      this.touch();
    });
  }
}
