import {
  DeskKeeper,
  type Desk,
  type DeskSources,
  type DeskState,
  type Journal,
  type Log,
  type Positions,
} from '@meridian/journal';
import type { Logger } from 'pino';
import type { Homes } from './homes.ts';
import type { Leases } from './leases.ts';
import type { ReadState } from './progress.ts';

/** How a service keeps its desks. */
export interface DesksSpec<D extends Desk> {
  /** The subjects of its own aggregates after `ev.<region>.<home>.`, such as `*.contact.*`. */
  readonly own: readonly string[];
  /** The homes that there are desks for; every one when absent. */
  readonly homes?: readonly string[];
  /** A desk that knows nothing yet. */
  readonly create: (home: string, journal: Journal) => D;
  /** What is due at a desk while it is open; each home's is fired by itself: none waits for another. */
  readonly timer?: {
    /** For messages. */
    readonly name: string;
    /** As `Timer.next` and `Timer.fire`, of one desk. */
    next(desk: D): number | undefined;
    fire(desk: D, now: number): Promise<void>;
  };
}

/** A service's desks, one for each home. */
export interface Desks<D> {
  /** The desk of a home while it is open. @throws Error while it is not */
  open(home: string): D;
  /** The homes decided here now, with their desks. */
  allOpen(): readonly (readonly [home: string, desk: D])[];
  /** Every home's desk, open or warm; read only. */
  all(): readonly (readonly [home: string, desk: D])[];
}

export interface DeskSetOptions<D extends Desk> extends Omit<DesksSpec<D>, 'homes'> {
  readonly service: string;
  readonly region: string;
  readonly log: Log;
  readonly homes: Homes;
  /** The homes that there are desks for. */
  readonly desksOf: readonly string[];
  readonly leases: Leases;
  readonly logger: Logger;
  readonly openSources: (home: string, starts: Positions, epoch: number) => Promise<DeskSources>;
  readonly onFailure: (error: unknown) => void;
  readonly onMoved: () => void;
}

/** Keeps a service's desks: one keeper for each home of the mesh. */
export class DeskSet<D extends Desk> implements Desks<D> {
  readonly #options: DeskSetOptions<D>;
  readonly #keepers = new Map<string, DeskKeeper<D>>();
  #isMoving = false;

  constructor(options: DeskSetOptions<D>) {
    this.#options = options;
    options.homes.decides(options.service, () => this.#deciding());
  }

  /** Begins; resolves once every desk has caught up with what is held here, and those granted decide. */
  async begin(): Promise<void> {
    const { homes, desksOf, log, leases, region, service, own, create, logger } = this.#options;
    const { openSources, onFailure, onMoved } = this.#options;
    for (const home of desksOf) {
      const keeper: DeskKeeper<D> = new DeskKeeper<D>({
        log,
        ledger: homes.ledger,
        grants: leases,
        region,
        home,
        service,
        own,
        create: (journal) => create(home, journal),
        open: (_desk, starts, epoch) => openSources(home, starts, epoch),
        onAbsorbed: () => this.#absorbed(),
        onState: (state) => {
          if (state !== 'opening') logger.info({ home }, sentenceOf(service, home, state));
          leases.tell();
          onMoved();
        },
        onFailure,
      });
      this.#keepers.set(home, keeper);
    }
    await Promise.all([...this.#keepers.values()].map((keeper) => keeper.settled()));
  }

  open(home: string): D {
    const keeper = this.#keepers.get(home);
    if (keeper === undefined || (keeper.state !== 'open' && keeper.state !== 'opening')) {
      throw new Error(`${this.#options.service} has no open desk for home ${home}.`);
    }
    return keeper.desk;
  }

  /** The desk of a home while it decides; undefined while it does not. */
  whileOpen(home: string): D | undefined {
    const keeper = this.#keepers.get(home);
    return keeper?.isOpen === true ? keeper.desk : undefined;
  }

  allOpen(): (readonly [string, D])[] {
    return [...this.#keepers]
      .filter(([, keeper]) => keeper.isOpen)
      .map(([home, keeper]) => [home, keeper.desk] as const);
  }

  all(): (readonly [string, D])[] {
    return [...this.#keepers].map(([home, keeper]) => [home, keeper.desk] as const);
  }

  /** How far the desks that are not open have read, for progress. */
  get state(): ReadState {
    const { own } = this.#options;
    const reads = [...this.#keepers.values()].flatMap(({ home, follower }) => {
      if (follower === undefined) return [];
      const { stream, position } = follower;
      const region = stream.slice('EV_'.length);
      return own.map((filter) => ({ stream, filter: `ev.${region}.${home}.${filter}`, position }));
    });
    const isTurning = [...this.#keepers.values()].some((keeper) => keeper.isTurning);
    return { reads, pending: false, isTurning };
  }

  async close(): Promise<void> {
    await Promise.all([...this.#keepers.values()].map((keeper) => keeper.close()));
  }

  /** Tells once for all that is absorbed in one turn, after the followers have counted it. */
  #absorbed(): void {
    if (this.#isMoving) return;
    this.#isMoving = true;
    setImmediate(() => {
      this.#isMoving = false;
      this.#options.onMoved();
    });
  }

  #deciding(): Record<string, number> {
    const all: Record<string, number> = {};
    for (const { home, deciding } of this.#keepers.values()) {
      if (deciding !== undefined) all[home] = deciding;
    }
    return all;
  }
}

function sentenceOf(service: string, home: string, state: DeskState): string {
  if (state === 'open') return `${service} decides for home ${home}.`;
  if (state === 'paused') return `${service} has no lease on home ${home} and waits.`;
  if (state === 'following') return `${service} follows home ${home}, which is decided elsewhere.`;
  return `${service} has closed its desk for home ${home}.`;
}
