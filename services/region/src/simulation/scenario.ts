import type { Random } from '@meridian/core';
import type { ChannelCapacity, QueueSettings, SkillLevel, SkillRequirement } from '@meridian/wire';

/** 2 March 2026, 08:00 UTC: when every simulated day begins. */
export const startMs = Date.UTC(2026, 2, 2, 8);
export const region = 'eu';
export const tenant = 'demo';

const secondMs = 1_000;
const minuteMs = 60 * secondMs;

export interface CustomerPlan {
  readonly id: string;
  readonly arrivesMs: number;
  readonly channel: 'VOICE' | 'CHAT';
  readonly flow: string | undefined;
  /** From arriving to leaving the IVR. */
  readonly ivrMs: number;
  readonly exit: 'QUEUE' | 'LEAVE' | 'STAY';
  readonly queueId: string;
  readonly priority: number;
  readonly requirements: readonly SkillRequirement[];
  readonly patienceMs: number;
  /** Hangs up at this time after arriving, whatever happens then. */
  readonly impulseMs: number | undefined;
  readonly leavesWhenOffered: boolean;
  readonly talkMs: number;
  readonly endsBy: 'CUSTOMER' | 'AGENT' | 'NOBODY';
  /** When facts about the contact are published, after arriving. */
  readonly attributesMs: readonly number[];
}

export type Step =
  | { readonly atMs: number; readonly kind: 'sign_in' | 'supersede' | 'sign_out' | 'available' }
  | { readonly atMs: number; readonly kind: 'away'; readonly reason: string };

export interface AgentPlan {
  readonly id: string;
  readonly skills: readonly SkillLevel[];
  readonly capacities: readonly ChannelCapacity[];
  readonly steps: readonly Step[];
  /** The seed of what the agent does when it happens. */
  readonly habits: string;
}

export interface QueuePlan {
  readonly id: string;
  /** Each setting and when it is published. */
  readonly settings: readonly { readonly atMs: number; readonly settings: QueueSettings }[];
}

export interface Scenario {
  /** No fault and no new contact after this, in epoch ms. */
  readonly horizonMs: number;
  readonly customers: readonly CustomerPlan[];
  readonly agents: readonly AgentPlan[];
  readonly queues: readonly QueuePlan[];
}

/** A queue that nobody configures: its contacts wait in vain. */
const unknownQueue = 'forgotten';
const configuredQueues = ['support', 'sales'] as const;
/** All queues that a contact may be in. */
export const queueIds: readonly string[] = [...configuredQueues, unknownQueue];

/**
 * Draws a stretch of a contact centre's day: about seven contacts an agent in ten minutes.
 * @param span how long it is in ms, whatever comes of that
 */
export function drawScenario(random: Random, contacts: number, span?: number): Scenario {
  const agentCount = 2 + random.int(2 + Math.ceil(contacts / 8));
  const usualMs = (contacts / agentCount) * 80 * secondMs * (0.5 + random.next());
  const spanMs = span ?? Math.max(2 * minuteMs, usualMs);
  const horizonMs = Math.ceil(startMs + spanMs);
  return {
    horizonMs,
    customers: Array.from({ length: contacts }, (_, index) =>
      customer(random.fork(`customer/${index}`), `c${index + 1}`, spanMs),
    ),
    agents: Array.from({ length: agentCount }, (_, index) =>
      agent(random.fork(`agent/${index}`), `a${index + 1}`, spanMs),
    ),
    queues: configuredQueues.map((id) => queue(random.fork(`queue/${id}`), id, spanMs)),
  };
}

function customer(random: Random, id: string, spanMs: number): CustomerPlan {
  const chance = (probability: number): boolean => random.next() < probability;
  return {
    id,
    arrivesMs: startMs + Math.ceil(random.next() * spanMs),
    channel: chance(0.7) ? 'VOICE' : 'CHAT',
    flow: chance(0.8) ? 'main' : undefined,
    ivrMs: Math.ceil(random.exponential(8 * secondMs)),
    exit: chance(0.9) ? 'QUEUE' : chance(0.8) ? 'LEAVE' : 'STAY',
    queueId: chance(0.03) ? unknownQueue : random.pick(configuredQueues),
    priority: chance(0.15) ? 1 + random.int(3) : 0,
    requirements: chance(0.15)
      ? [{ skill: random.pick(['german', 'billing']), minimumLevel: 1 + random.int(4) }]
      : [],
    patienceMs: chance(0.03) ? Infinity : Math.ceil(random.exponential(2 * minuteMs)),
    impulseMs: chance(0.08) ? Math.ceil(random.exponential(40 * secondMs)) : undefined,
    leavesWhenOffered: chance(0.06),
    talkMs: Math.ceil(random.exponential(30 * secondMs)),
    endsBy: chance(0.6) ? 'CUSTOMER' : chance(0.95) ? 'AGENT' : 'NOBODY',
    attributesMs: chance(0.2) ? [1, 2, 3].map(() => Math.ceil(random.exponential(minuteMs))) : [],
  };
}

function agent(random: Random, id: string, spanMs: number): AgentPlan {
  const steps: Step[] = [
    { atMs: startMs + Math.ceil(random.exponential(spanMs / 10)), kind: 'sign_in' },
  ];
  let atMs = steps[0]?.atMs as number;
  for (let count = 0; count < 40; count += 1) {
    atMs += Math.ceil(random.exponential(spanMs / 6));
    if (atMs > startMs + spanMs) break;
    const backMs = atMs + Math.ceil(random.exponential(20 * secondMs));
    const kind = random.pick(['away', 'away', 'sign_out', 'supersede'] as const);
    if (kind === 'away') {
      steps.push(
        { atMs, kind, reason: random.pick(['break', 'meal', 'training']) },
        { atMs: backMs, kind: 'available' },
      );
    } else if (kind === 'sign_out') steps.push({ atMs, kind }, { atMs: backMs, kind: 'sign_in' });
    else steps.push({ atMs, kind });
    atMs = backMs;
  }
  if (random.next() < 0.3) steps.push({ atMs: atMs + Math.ceil(spanMs / 4), kind: 'sign_out' });
  const skills = ['german', 'billing', 'sales']
    .filter(() => random.next() < 0.6)
    .map((skill) => ({ skill, level: 1 + random.int(5) }));
  return {
    id,
    skills,
    capacities: [
      { channel: 'VOICE', limit: 1 },
      ...(random.next() < 0.7 ? [{ channel: 'CHAT' as const, limit: 1 + random.int(3) }] : []),
    ],
    steps,
    habits: `habits/${id}`,
  };
}

function queue(random: Random, id: string, spanMs: number): QueuePlan {
  const settings = (): QueueSettings => ({
    requirements: random.next() < 0.2 ? [{ skill: 'sales', minimumLevel: 1 }] : [],
    strategy: random.pick(['LONGEST_IDLE', 'MOST_SKILLED']),
    offerTtlMs: (5 + random.int(20)) * secondMs,
    ageingMsPerLevel: (1 + random.int(90)) * secondMs,
    serviceLevelMs: 20 * secondMs,
  });
  const changes = Array.from(
    { length: random.int(4) },
    () => startMs + Math.ceil(random.next() * spanMs),
  );
  return {
    id,
    settings: [startMs, ...changes.toSorted((a, b) => a - b)].map((atMs) => ({
      atMs,
      settings: settings(),
    })),
  };
}
