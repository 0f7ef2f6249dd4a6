import type { Random } from '@meridian/core';
import { drawFaults, noFaults, type FaultPlan } from '../faults.ts';

/** A region dies whole and comes back `downMs` later. */
export interface RegionLoss {
  readonly atMs: number;
  readonly region: string;
  readonly downMs: number;
  /**
   * How many messages of each stream, at most, its store has forgotten then: those not synced
   * when the power went. 0 when it was only the processes that died.
   */
  readonly lostMessages: number;
}

/** What a fault of a link concerns: the streams' way alone, or that of the control store too. */
export type LinkScope = 'streams' | 'all';

/** Nothing comes through from one region to another. */
export interface Cut {
  readonly fromMs: number;
  readonly toMs: number;
  readonly from: string;
  readonly to: string;
  readonly scope: LinkScope;
}

/** What goes from one region to another takes longer, by a mean. */
export interface SlowLink {
  readonly fromMs: number;
  readonly toMs: number;
  readonly from: string;
  readonly to: string;
  readonly slowMs: number;
}

/** A process stands still, as after SIGSTOP. */
export interface Pause {
  readonly atMs: number;
  readonly node: string;
  readonly forMs: number;
}

/** A time during which a region's way to the control store is bad; probabilities. */
export interface ControlTrouble {
  readonly fromMs: number;
  readonly toMs: number;
  readonly region: string;
  /** A call does not arrive. */
  readonly refuse: number;
  /** A call arrives, and its answer does not. */
  readonly loseAnswer: number;
  /** A call arrives long after its caller has given up. */
  readonly late: number;
  /** The mean of what is added to each way, in ms. */
  readonly slowMs: number;
}

/** What goes wrong in a mesh, and when: plain data, drawn before the world begins. */
export interface MeshFaults {
  readonly processes: FaultPlan;
  readonly losses: readonly RegionLoss[];
  readonly cuts: readonly Cut[];
  readonly slowLinks: readonly SlowLink[];
  readonly pauses: readonly Pause[];
  readonly control: readonly ControlTrouble[];
  /** How likely a beat within a region is lost. */
  readonly beatLoss: number;
}

export const noMeshFaults: MeshFaults = {
  processes: noFaults,
  losses: [],
  cuts: [],
  slowLinks: [],
  pauses: [],
  control: [],
  beatLoss: 0,
};

export interface MeshFaultsOptions {
  readonly regions: readonly string[];
  /** The nodes that may crash and stand still. */
  readonly nodes: readonly string[];
  /** Those outside that do not crash, but whose network may fail too. */
  readonly outside?: readonly string[];
  readonly fromMs: number;
  /** No fault begins after this, and none but a region's absence lasts longer. */
  readonly toMs: number;
}

/** Draws what goes wrong: mostly one to four incidents between regions, and some among processes. */
export function drawMeshFaults(random: Random, options: MeshFaultsOptions): MeshFaults {
  const { fromMs, toMs } = options;
  const incidents = new Incidents(random.fork('incidents'), options);
  if (random.next() < 0.05) return noMeshFaults;
  const count = random.next() < 0.1 ? 0 : 1 + random.int(4);
  for (let index = 0; index < count; index += 1) incidents.draw();
  const withProcesses = random.next() < 0.6;
  return {
    ...incidents.drawn,
    processes: withProcesses
      ? drawFaults(random.fork('processes'), {
          ...options,
          meanBetweenMs: (toMs - fromMs) * (0.7 + 2 * random.next()),
        })
      : noFaults,
    beatLoss: random.next() < 0.5 ? 0 : random.next() * 0.2,
  };
}

/** Incidents, each of a kind drawn at its moment. */
class Incidents {
  readonly drawn = {
    losses: [] as RegionLoss[],
    cuts: [] as Cut[],
    slowLinks: [] as SlowLink[],
    pauses: [] as Pause[],
    control: [] as ControlTrouble[],
  };
  readonly #random: Random;
  readonly #options: MeshFaultsOptions;

  constructor(random: Random, options: MeshFaultsOptions) {
    this.#random = random;
    this.#options = options;
  }

  draw(): void {
    const { regions, nodes, fromMs, toMs } = this.#options;
    const random = this.#random;
    const atMs = fromMs + Math.floor(random.next() * (toMs - fromMs));
    const endMs = Math.min(toMs, atMs + this.#spanMs());
    const during = { fromMs: atMs, toMs: endMs };
    const scope: LinkScope = random.next() < 0.7 ? 'all' : 'streams';
    const [one, other] = random.shuffle(regions) as [string, string];
    const kind = random.pick([
      ...(['loss', 'loss', 'isolate', 'isolate'] as const),
      ...(['cut', 'cut one way', 'slow', 'fall behind', 'pause', 'control'] as const),
    ]);
    switch (kind) {
      case 'loss':
        this.drawn.losses.push({
          atMs,
          region: one,
          downMs: this.#spanMs(),
          lostMessages: random.next() < 0.35 ? 1 + random.int(12) : 0,
        });
        break;
      case 'isolate':
        for (const peer of regions.filter((region) => region !== one)) {
          this.#cut({ ...during, scope }, one, peer);
        }
        break;
      case 'cut':
        this.#cut({ ...during, scope }, one, other);
        break;
      case 'cut one way':
        this.drawn.cuts.push({ ...during, scope, from: one, to: other });
        break;
      case 'slow': {
        const slowMs = 200 + Math.ceil(random.exponential(2_000));
        this.drawn.slowLinks.push({ ...during, from: one, to: other, slowMs });
        break;
      }
      case 'fall behind':
        // The copies of a region fall behind, and then it is gone.
        for (const peer of regions.filter((region) => region !== one)) {
          const slowMs = 500 + Math.ceil(random.exponential(2_000));
          this.drawn.slowLinks.push({
            fromMs: atMs - 10_000,
            toMs: endMs,
            from: one,
            to: peer,
            slowMs,
          });
        }
        if (random.next() < 0.5) {
          this.drawn.losses.push({ atMs, region: one, downMs: this.#spanMs(), lostMessages: 0 });
        } else {
          for (const peer of regions.filter((region) => region !== one)) {
            this.#cut({ ...during, scope: 'all' }, one, peer);
          }
        }
        break;
      case 'pause':
        this.drawn.pauses.push({
          atMs,
          node: random.pick(nodes),
          forMs: Math.ceil(random.exponential(8_000)),
        });
        break;
      case 'control':
        this.drawn.control.push({ ...during, region: one, ...this.#controlTrouble() });
        break;
      default:
        kind satisfies never;
    }
  }

  #cut(during: Omit<Cut, 'from' | 'to'>, one: string, other: string): void {
    this.drawn.cuts.push({ ...during, from: one, to: other }, { ...during, from: other, to: one });
  }

  #controlTrouble(): Omit<ControlTrouble, 'fromMs' | 'toMs' | 'region'> {
    const random = this.#random;
    const chance = (): number => (random.next() < 0.4 ? 0 : random.next() * 0.6);
    return {
      refuse: chance(),
      loseAnswer: chance(),
      late: chance(),
      slowMs: random.next() < 0.4 ? 0 : Math.ceil(random.exponential(random.pick([500, 3_000]))),
    };
  }

  /** Often about as long as a lease, now and then much longer. */
  #spanMs(): number {
    const random = this.#random;
    return 500 + Math.ceil(random.exponential(random.next() < 0.4 ? 6_000 : 30_000));
  }
}
