import { readEntry, type LogMessage } from '@meridian/journal';
import { NetworkLog, type SimulatedMesh, type World } from '@meridian/testing';
import { eventStream, type EventEnvelope } from '@meridian/wire';

/** The wait before somebody whose stream has ended goes elsewhere, in ms. */
const reconnectMs = 1_000;

/**
 * Those of one region who watch what is decided, over one stream that they resume at another
 * region's edge when theirs is dead: at the place in each region's entries where it ended.
 */
class Audience {
  readonly #world: World;
  readonly #mesh: SimulatedMesh;
  readonly #home: string;
  readonly #see: (event: EventEnvelope) => void;
  readonly #positions = new Map<string, number>();
  #connections = 0;

  constructor(
    world: World,
    mesh: SimulatedMesh,
    home: string,
    see: (event: EventEnvelope) => void,
  ) {
    this.#world = world;
    this.#mesh = mesh;
    this.#home = home;
    this.#see = see;
  }

  connect(name: string): void {
    this.#connections += 1;
    const connection = this.#connections;
    const random = this.#world.random.fork(`audience/${this.#home}#${connection}`);
    const site = this.#mesh.region(name);
    const goElsewhere = (): void => {
      this.#world.after(reconnectMs, () => {
        const up = this.#mesh.regions.filter(({ isUp }) => isUp).map((region) => region.name);
        if (up.length === 0) goElsewhere();
        else this.connect(up.includes(this.#home) ? this.#home : random.pick(up));
      });
    };
    if (!site.isUp) {
      goElsewhere();
      return;
    }
    const log = new NetworkLog(this.#world, `audience.${this.#home}`, random, {
      site,
      onLost: () => {
        void log.close();
        goElsewhere();
      },
    });
    if (name !== this.#home) this.#world.count('watchers that went to another region');
    for (const region of this.#mesh.regions) {
      const stream = eventStream(region.name);
      log.follow(
        stream,
        {
          after: this.#positions.get(stream) ?? 0,
          onFailure: (error) => this.#world.fail(error),
        },
        (message) => this.#take(message),
      );
    }
  }

  #take(message: LogMessage): void {
    this.#positions.set(message.stream, message.sequence);
    for (const event of readEntry(message).events) this.#see(event);
  }
}

/** Lets those of one region watch. @param see told of each event, in the order of each stream */
export function watch(
  world: World,
  mesh: SimulatedMesh,
  home: string,
  see: (event: EventEnvelope) => void,
): void {
  new Audience(world, mesh, home, see).connect(home);
}
