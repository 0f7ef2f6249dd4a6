import type { World } from '../world.ts';
import type { Links } from './links.ts';
import type { SimulatedRegion } from './region.ts';

/** How many messages are under way at once. */
const batchLimit = 200;
/** From this many on a mirror counts as having fallen behind. */
const behindFrom = 20;

/**
 * Keeps one region's copy of another's stream: the same messages in the same order, as they come
 * through. One batch is under way at a time; what is lost on the way is sent again after the heal.
 */
export class Replication {
  readonly #world: World;
  readonly #links: Links;
  readonly #stream: string;
  readonly #from: SimulatedRegion;
  readonly #to: SimulatedRegion;
  #isUnderWay = false;

  constructor(
    world: World,
    links: Links,
    stream: string,
    from: SimulatedRegion,
    to: SimulatedRegion,
  ) {
    this.#world = world;
    this.#links = links;
    this.#stream = stream;
    this.#from = from;
    this.#to = to;
  }

  /** There may be something to send: it was stored, the link is whole again, a region is back. */
  wake(): void {
    if (this.#isUnderWay || !this.#links.isOpen(this.#from.name, this.#to.name)) return;
    const held = this.#to.log.messages(this.#stream).length;
    const batch = this.#from.log.messages(this.#stream).slice(held, held + batchLimit);
    if (batch.length === 0) return;
    if (batch.length > behindFrom) this.#world.count('mirrors that caught up');
    this.#isUnderWay = true;
    this.#world.after(this.#links.delayMs(this.#from.name, this.#to.name), () => {
      this.#isUnderWay = false;
      if (!this.#links.isOpen(this.#from.name, this.#to.name)) return;
      const { log } = this.#to;
      for (const message of batch) {
        // A store that came back short meanwhile waits for what it lacks.
        if (message.sequence === log.messages(this.#stream).length + 1) log.place(message);
      }
      this.wake();
    });
  }
}
