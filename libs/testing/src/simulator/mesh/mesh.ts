import type { World } from '../world.ts';
import { ControlStore } from './control-store.ts';
import { noMeshFaults, type MeshFaults } from './faults.ts';
import { Links } from './links.ts';
import { SimulatedRegion } from './region.ts';
import { Replication } from './replication.ts';

export interface SimulatedMeshOptions {
  readonly regions: readonly string[];
  /** The streams of a region that every other region mirrors. */
  readonly streamsOf: (region: string) => readonly string[];
  readonly faults?: MeshFaults;
  /** How long a log knows a message id, in ms; 2 minutes as a server does. */
  readonly duplicateWindowMs?: number;
}

/** How much a region's monotonic clock runs too fast or too slow, at most. */
const driftLimit = 0.01;

/** Regions in one world: each with a log of its own and copies of the others', joined by links. */
export class SimulatedMesh {
  readonly world: World;
  readonly regions: readonly SimulatedRegion[];
  readonly links: Links;
  readonly control: ControlStore;
  readonly #streams: readonly string[];
  readonly #replications = new Map<string, Replication[]>();

  constructor(world: World, options: SimulatedMeshOptions) {
    const { regions, streamsOf, faults = noMeshFaults, duplicateWindowMs = 120_000 } = options;
    this.world = world;
    const random = world.random.fork('mesh');
    this.regions = regions.map(
      (name) =>
        new SimulatedRegion(world, name, {
          drift: (2 * random.next() - 1) * driftLimit,
          beatLoss: faults.beatLoss,
          duplicateWindowMs,
          onStored: (stream) => this.#wake(stream),
        }),
    );
    this.links = new Links(world, regions, faults, (name) => this.region(name).isUp);
    this.control = new ControlStore(world, this.links, regions, faults);
    this.#streams = regions.flatMap(streamsOf);
    for (const from of this.regions) {
      for (const stream of streamsOf(from.name)) {
        const others = this.regions.filter((region) => region !== from);
        this.#replications.set(
          stream,
          others.map((to) => new Replication(world, this.links, stream, from, to)),
        );
      }
    }
    this.#plan(faults);
  }

  /** @throws RangeError when there is no such region */
  region(name: string): SimulatedRegion {
    const found = this.regions.find((region) => region.name === name);
    if (found === undefined) throw new RangeError(`There is no region ${name} in this mesh.`);
    return found;
  }

  /** Whether every region's copy of every stream is as long as the original. */
  get isLevel(): boolean {
    return this.#streams.every(
      (stream) => new Set(this.regions.map(({ log }) => log.messages(stream).length)).size === 1,
    );
  }

  #plan({ losses, cuts, slowLinks, pauses, control }: MeshFaults): void {
    const { world } = this;
    for (const { atMs, region, downMs, lostMessages } of losses) {
      world.at(atMs, () => this.#lose(region, downMs, lostMessages));
    }
    for (const { fromMs, toMs } of cuts) {
      world.at(fromMs, () => world.count('links cut'));
      world.at(toMs, () => this.wakeAll());
    }
    for (const { fromMs } of slowLinks) world.at(fromMs, () => world.count('links slow'));
    for (const { fromMs } of control) world.at(fromMs, () => world.count('control store ill'));
    for (const { atMs, node, forMs } of pauses) {
      world.at(atMs, () => {
        for (const { nodes } of this.regions) {
          nodes.find(({ name }) => name === node)?.pause(forMs);
        }
      });
    }
  }

  #lose(name: string, downMs: number, lostMessages: number): void {
    const region = this.region(name);
    if (!region.isUp) return;
    this.world.count('regions killed');
    region.die();
    const random = this.world.random.fork(`loss/${name}/${this.world.now()}`);
    this.world.after(downMs, () => {
      region.comeBack(this.#streams, () => (lostMessages === 0 ? 0 : random.int(lostMessages + 1)));
      this.wakeAll();
    });
  }

  /** Something may come through again: everything that waits for it tries. */
  wakeAll(): void {
    for (const stream of this.#replications.keys()) this.#wake(stream);
    this.control.tell();
  }

  #wake(stream: string): void {
    for (const replication of this.#replications.get(stream) ?? []) replication.wake();
  }
}
