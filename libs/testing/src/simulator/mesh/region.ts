import { memoryLog, type MemoryLog } from '@meridian/journal';
import type { SimulatedNode, Start } from '../node.ts';
import type { Connection, Site } from '../site.ts';
import type { World } from '../world.ts';
import { Beats } from './beats.ts';

export interface RegionOptions {
  readonly drift: number;
  readonly beatLoss: number;
  readonly duplicateWindowMs: number;
  readonly onStored: (stream: string) => void;
}

/** One region: a store that outlives its processes, its beats, its clock. */
export class SimulatedRegion implements Site {
  readonly name: string;
  readonly log: MemoryLog;
  readonly beats: Beats;
  readonly drift: number;
  readonly nodes: SimulatedNode[] = [];
  readonly #world: World;
  readonly #connections = new Set<Connection>();
  #isUp = true;

  constructor(world: World, name: string, options: RegionOptions) {
    const { drift, beatLoss, duplicateWindowMs, onStored } = options;
    this.#world = world;
    this.name = name;
    this.drift = drift;
    this.beats = new Beats(world, name, beatLoss);
    this.log = memoryLog({
      now: world.now,
      duplicateWindow: { ms: duplicateWindowMs },
      onStored,
    });
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  connect(connection: Connection): void {
    this.#connections.add(connection);
  }

  disconnect(connection: Connection): void {
    this.#connections.delete(connection);
  }

  /** A process of this region. Its name in plans is `<region>.<name>`. */
  node(name: string, start: Start): SimulatedNode {
    const node = this.#world.node(`${this.name}.${name}`, start, this);
    this.nodes.push(node);
    return node;
  }

  /** Everything dies at once; nothing is answered until `comeBack`. */
  die(): void {
    this.#isUp = false;
    for (const node of this.nodes) node.dieAll();
    // Who is lost may connect again elsewhere at once.
    const lost = [...this.#connections];
    this.#connections.clear();
    for (const connection of lost) connection.lost();
  }

  /**
   * The store is there again and the processes start.
   * @param lost how many messages at the end of a stream the store has forgotten
   */
  comeBack(streams: readonly string[], lost: (stream: string) => number): void {
    for (const stream of streams) {
      const { length } = this.log.messages(stream);
      const left = Math.max(0, length - lost(stream));
      if (left === length) continue;
      this.#world.count('messages lost with the power', length - left);
      this.log.truncate(stream, left);
    }
    this.#isUp = true;
    for (const node of this.nodes) node.start();
  }
}
