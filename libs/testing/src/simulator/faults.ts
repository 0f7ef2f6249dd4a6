import type { Random } from '@meridian/core';

/** A node dies with all that it had in memory and is started again `downMs` later. */
export interface Crash {
  readonly atMs: number;
  readonly node: string;
  readonly downMs: number;
}

/** A second instance is started while the first still lives; the first dies `overlapMs` later. */
export interface Zombie {
  readonly atMs: number;
  readonly node: string;
  readonly overlapMs: number;
}

/** A time during which a node's way to the log is bad; each figure is a probability. */
export interface Trouble {
  readonly fromMs: number;
  readonly toMs: number;
  readonly node: string;
  /** An append is not stored and gets no answer. */
  readonly refuse: number;
  /** An append is stored and gets no answer. */
  readonly loseAnswer: number;
  /** An append gets no answer, and arrives long after that. */
  readonly late: number;
  /** A read gets no answer. */
  readonly refuseRead: number;
  /** The mean of what is added to each way through the network, in ms. */
  readonly slowMs: number;
}

/** What goes wrong, and when: plain data, drawn before the world begins. */
export interface FaultPlan {
  readonly crashes: readonly Crash[];
  readonly zombies: readonly Zombie[];
  readonly troubles: readonly Trouble[];
}

export const noFaults: FaultPlan = { crashes: [], zombies: [], troubles: [] };

export interface FaultPlanOptions {
  /** The nodes that may crash. */
  readonly nodes: readonly string[];
  /** Those outside that do not crash, but whose network may fail too. */
  readonly outside?: readonly string[];
  readonly fromMs: number;
  /** No fault begins or lasts after this, but for a node that is down. */
  readonly toMs: number;
  /** The mean time between two faults of one kind on one node, in ms. */
  readonly meanBetweenMs: number;
}

/** Draws a schedule of faults: about a third of the worlds have no zombies, a tenth nothing at all. */
export function drawFaults(random: Random, options: FaultPlanOptions): FaultPlan {
  const { nodes, outside = [], fromMs, toMs, meanBetweenMs } = options;
  if (random.next() < 0.1) return noFaults;
  const withZombies = random.next() < 0.65;
  const moments = (node: string, kind: string): readonly [number[], Random] => {
    const own = random.fork(`${node}/${kind}`);
    const found: number[] = [];
    for (let at = fromMs; ;) {
      at += Math.ceil(own.exponential(meanBetweenMs));
      if (at >= toMs) return [found, own];
      found.push(at);
    }
  };
  const zombies = !withZombies
    ? []
    : nodes.flatMap((node) => {
        const [found, own] = moments(node, 'zombie');
        return found.map((atMs): Zombie => ({
          atMs,
          node,
          overlapMs: 1 + Math.ceil(own.exponential(8_000)),
        }));
      });
  const troubles = [...nodes, ...outside].flatMap((node) => {
    const [found, own] = moments(node, 'trouble');
    return found.map((atMs): Trouble => trouble(own, node, atMs, toMs));
  });
  const crashes = nodes.flatMap((node) => {
    const [found, own] = moments(node, 'crash');
    // A node in trouble is often restarted in the midst of it.
    const amidst = troubles
      .filter((one) => one.node === node && own.next() < 0.4)
      .map((one) => one.fromMs + Math.ceil(own.next() * (one.toMs - one.fromMs)));
    return [...found, ...amidst].map((atMs): Crash => ({ atMs, node, downMs: downMs(own) }));
  });
  return { crashes, zombies, troubles };
}

/** Mostly a quick restart, now and then a long absence. */
function downMs(random: Random): number {
  return 1 + Math.ceil(random.exponential(random.next() < 0.8 ? 300 : 15_000));
}

function trouble(random: Random, node: string, fromMs: number, toMs: number): Trouble {
  const chance = (): number => (random.next() < 0.5 ? 0 : random.next() * 0.5);
  return {
    fromMs,
    toMs: Math.min(toMs, fromMs + Math.ceil(random.exponential(10_000))),
    node,
    refuse: chance(),
    loseAnswer: chance(),
    late: chance(),
    refuseRead: chance(),
    slowMs: random.next() < 0.5 ? 0 : Math.ceil(random.exponential(300)),
  };
}

/** The trouble that a node has at a moment; that which began last when there are several. */
export function troubleAt(plan: FaultPlan, node: string, atMs: number): Trouble | undefined {
  return plan.troubles.findLast(
    (one) => one.node === node && one.fromMs <= atMs && atMs < one.toMs,
  );
}
