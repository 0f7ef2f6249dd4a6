import type { Random } from '@meridian/core';
import {
  drawScenario,
  startMs,
  type AgentPlan,
  type CustomerPlan,
  type QueuePlan,
} from '../scenario.ts';

/** The regions of the simulated mesh. */
export const regions = ['eu', 'us', 'ap'] as const;

const secondMs = 1_000;
/** How long customers come in: a few times as long as it takes to fail over, so that much is under way. */
const shortestMs = 50 * secondMs;
const longestMs = 140 * secondMs;

/** Somebody outside, and the region whose edge they go to while it answers. */
export type Homed<Plan> = Plan & { readonly home: string };

/** Somebody asks for a home to be decided elsewhere. */
export interface Move {
  readonly atMs: number;
  readonly home: string;
  readonly to: string;
}

export interface MeshScenario {
  /** No fault and no new contact after this, in epoch ms. */
  readonly horizonMs: number;
  readonly customers: readonly Homed<CustomerPlan>[];
  readonly agents: readonly Homed<AgentPlan>[];
  readonly queues: readonly QueuePlan[];
  readonly moves: readonly Move[];
}

/**
 * Draws a stretch of a contact centre's day across the regions. Every customer leaves in the end:
 * the world need not go on until the last watchdog has barked.
 * @param contacts how many there are in all regions together
 */
export function drawMeshScenario(random: Random, contacts: number): MeshScenario {
  const spanMs = shortestMs + random.int(longestMs - shortestMs);
  const day = drawScenario(random.fork('day'), contacts, spanMs);
  const { horizonMs, customers, agents, queues } = day;
  const uneven = random.next() < 0.3;
  const home = (index: number, who: string): string => {
    const own = random.fork(`${who}/${index}`);
    // Now and then one region has nearly all of them: its neighbours help out.
    return uneven && own.next() < 0.8 ? regions[0] : own.pick(regions);
  };
  return {
    horizonMs,
    customers: customers.map((plan, index) => ({
      ...plan,
      home: home(index, 'customer'),
      exit: plan.exit === 'STAY' ? 'LEAVE' : plan.exit,
      patienceMs: Math.min(plan.patienceMs, 90 * secondMs),
      endsBy: plan.endsBy === 'NOBODY' ? 'AGENT' : plan.endsBy,
    })),
    agents: agents.map((plan, index) => ({
      ...plan,
      home: uneven ? (regions[1 + (index % 2)] as string) : home(index, 'agent'),
    })),
    queues,
    moves: Array.from({ length: random.next() < 0.5 ? 0 : 1 + random.int(4) }, () => ({
      atMs: startMs + Math.ceil(random.next() * (horizonMs - startMs)),
      home: random.pick(regions),
      to: random.pick(regions),
    })),
  };
}
