import type {
  Candidate,
  Channel,
  Exclusion,
  ExclusionReason,
  SkillRequirement,
  Strategy,
} from '@meridian/wire';
import { openCount, type Agent } from './agent.ts';
import { listedCandidatesLimit, listedExclusionsLimit } from './limits.ts';

/** What a contact asks of an agent. */
export interface Demand {
  readonly contactId: string;
  readonly channel: Channel;
  /** The queue's requirements and the contact's own, each skill once. */
  readonly requirements: readonly SkillRequirement[];
}

/** Who was chosen and why; `agentId` is undefined when nobody could be. */
export interface Choice {
  readonly agentId: string | undefined;
  /** The first few, best first. */
  readonly candidates: readonly Candidate[];
  readonly candidateCount: number;
  readonly exclusions: readonly Exclusion[];
}

/** All requirements of both lists, each skill once; of one asked for twice the higher level counts. */
export function mergeRequirements(
  queue: readonly SkillRequirement[],
  contact: readonly SkillRequirement[],
): readonly SkillRequirement[] {
  if (contact.length === 0 && queue.length <= 1) return queue;
  if (queue.length === 0 && contact.length === 1) return contact;
  const levels = new Map<string, number>();
  for (const { skill, minimumLevel } of [...queue, ...contact]) {
    levels.set(skill, Math.max(minimumLevel, levels.get(skill) ?? 0));
  }
  return [...levels].map(([skill, minimumLevel]) => ({ skill, minimumLevel }));
}

/**
 * Why an agent cannot be offered a contact now; undefined when it can. The first reason in this
 * order counts: presence, channel, capacity, skills, declined.
 */
export function exclusionOf(agent: Agent, demand: Demand): ExclusionReason | undefined {
  if (agent.presence !== 'AVAILABLE' || agent.isSigningOut) return 'NOT_AVAILABLE';
  const limit = agent.capacities.get(demand.channel) ?? 0;
  if (limit === 0) return 'NO_CHANNEL';
  if (agent.open.size > 0 && openCount(agent, demand.channel) >= limit) return 'AT_CAPACITY';
  let isTooLow = false;
  for (const { skill, minimumLevel } of demand.requirements) {
    const level = agent.skills.get(skill);
    if (level === undefined) return 'SKILL_MISSING';
    if (level < minimumLevel) isTooLow = true;
  }
  if (isTooLow) return 'SKILL_TOO_LOW';
  return agent.declined.has(demand.contactId) ? 'DECLINED' : undefined;
}

/** The sum of the agent's levels in the skills asked for. */
export function levelSum(agent: Agent, requirements: readonly SkillRequirement[]): number {
  let sum = 0;
  for (const { skill } of requirements) sum += agent.skills.get(skill) ?? 0;
  return sum;
}

/**
 * Whether `a` comes before `b`: by the strategy, then longest idle, then the smaller id. Total:
 * two different agents never tie.
 */
function comesBefore(
  a: Agent,
  b: Agent,
  strategy: Strategy,
  requirements: readonly SkillRequirement[],
): boolean {
  if (strategy === 'MOST_SKILLED') {
    const difference = levelSum(a, requirements) - levelSum(b, requirements);
    if (difference !== 0) return difference > 0;
  }
  if (a.idleSinceMs !== b.idleSinceMs) return a.idleSinceMs < b.idleSinceMs;
  return a.id < b.id;
}

/**
 * Chooses who serves a contact among all agents, and says why the others do not.
 * @param agents of the partition, each once, in any order
 * @param nowMs the moment of the choice, in epoch ms
 */
export function choose(
  agents: Iterable<Agent>,
  demand: Demand,
  strategy: Strategy,
  nowMs: number,
): Choice {
  const best: Agent[] = [];
  let candidateCount = 0;
  const excluded = new Map<ExclusionReason, { count: number; agentIds: string[] }>();
  for (const agent of agents) {
    if (agent.sessionId === undefined) continue;
    const reason = exclusionOf(agent, demand);
    if (reason !== undefined) {
      noteExclusion(excluded, reason, agent.id);
      continue;
    }
    candidateCount += 1;
    let place = best.length;
    while (
      place > 0 &&
      comesBefore(agent, best[place - 1] as Agent, strategy, demand.requirements)
    ) {
      place -= 1;
    }
    if (place < listedCandidatesLimit) {
      best.splice(place, 0, agent);
      if (best.length > listedCandidatesLimit) best.pop();
    }
  }
  return {
    agentId: best[0]?.id,
    candidates: best.map((agent) => ({
      agentId: agent.id,
      levelSum: levelSum(agent, demand.requirements),
      idleMs: nowMs - agent.idleSinceMs,
    })),
    candidateCount,
    exclusions: [...excluded]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([reason, entry]) => ({ reason, ...entry })),
  };
}

/** Counts an excluded agent, keeping the few smallest ids so that any order gives the same list. */
function noteExclusion(
  excluded: Map<ExclusionReason, { count: number; agentIds: string[] }>,
  reason: ExclusionReason,
  agentId: string,
): void {
  const entry = excluded.get(reason);
  if (entry === undefined) {
    excluded.set(reason, { count: 1, agentIds: [agentId] });
    return;
  }
  entry.count += 1;
  const { agentIds } = entry;
  let place = agentIds.length;
  while (place > 0 && agentId < (agentIds[place - 1] as string)) place -= 1;
  if (place === listedExclusionsLimit) return;
  agentIds.splice(place, 0, agentId);
  if (agentIds.length > listedExclusionsLimit) agentIds.pop();
}
