import { contactTypes, type Call, type ContactType } from './call.ts';
import { DayFault } from './fault.ts';
import { mergeIntervals, type Interval } from './intervals.ts';

/** 1 (20 % of an agent's calls or fewer) to 5 (more than 80 %). */
export type SkillLevel = 1 | 2 | 3 | 4 | 5;

export interface AgentSkill {
  /** The contact type it is for. */
  readonly skill: ContactType;
  readonly level: SkillLevel;
}

export interface Shift {
  /** Epoch ms. */
  readonly signInAt: number;
  /** Epoch ms, after signInAt. */
  readonly signOutAt: number;
}

export interface StaffMember {
  readonly id: string;
  /** In the order of `contactTypes`. */
  readonly skills: readonly AgentSkill[];
  /** Rising and apart. */
  readonly shifts: readonly Shift[];
}

export interface Staff {
  /** In the order of their ids. */
  readonly agents: readonly StaffMember[];
  /** Services whose agent the log does not name: their work is in the day, nobody's shift is. */
  readonly unnamedServices: number;
  /** Types that no named agent served: everybody has the skill for them, at level 1. */
  readonly adoptedTypes: readonly ContactType[];
}

/** An agent idle for longer than this had signed out in between, in minutes. */
export const shiftGapMinutes = 30;
/** A shift lasts at least this long, in seconds: one service can be of 0. Below the gap. */
export const shortestShiftSeconds = 60;

/** The stretch of time in which an agent served one call. */
export function serviceInterval(call: Call): Interval {
  const startAt = call.serviceStartedAt;
  return { startAt, endAt: startAt + call.serviceSeconds * 1000 };
}

/** ceil(5 x share of the agent's calls), 1 to 5. */
export function levelOf(calls: number, allCalls: number): SkillLevel {
  const level = Math.ceil((5 * calls) / allCalls);
  return Math.min(5, Math.max(1, level)) as SkillLevel;
}

function skillsOf(calls: readonly Call[], adopted: readonly ContactType[]): AgentSkill[] {
  const skills: AgentSkill[] = [];
  for (const skill of contactTypes) {
    const served = calls.filter((call) => call.type === skill).length;
    if (served > 0) skills.push({ skill, level: levelOf(served, calls.length) });
    else if (adopted.includes(skill)) skills.push({ skill, level: 1 });
  }
  return skills;
}

function shiftsOf(calls: readonly Call[], gapMs: number): Shift[] {
  const shortestMs = shortestShiftSeconds * 1000;
  return mergeIntervals(calls.map(serviceInterval), gapMs).map(({ startAt, endAt }) => ({
    signInAt: startAt,
    signOutAt: Math.max(endAt, startAt + shortestMs),
  }));
}

/**
 * Who worked when and on what, from who served when. An agent's services no more than `gapMinutes`
 * apart are one shift: sign-in at the first service's start, sign-out at the last one's end. A
 * skill for each type the agent served, its level by the type's share of the agent's calls.
 * @param gapMinutes at least 1
 * @throws DayFault when no service names its agent
 */
export function inferStaff(calls: readonly Call[], gapMinutes = shiftGapMinutes): Staff {
  const served = calls.filter((call) => call.outcome === 'SERVED');
  const callsByAgent = new Map<string, Call[]>();
  for (const call of served) {
    if (call.agent === null) continue;
    const own = callsByAgent.get(call.agent) ?? [];
    own.push(call);
    callsByAgent.set(call.agent, own);
  }
  if (callsByAgent.size === 0) {
    throw new DayFault('No served call names its agent.', 'Choose a day on which agents served.');
  }
  const named = served.filter((call) => call.agent !== null);
  const adoptedTypes = contactTypes.filter(
    (type) => calls.some((call) => call.type === type) && !named.some((call) => call.type === type),
  );
  const agents = [...callsByAgent]
    .sort(([one], [two]) => (one < two ? -1 : 1))
    .map(([id, own]) => ({
      id,
      skills: skillsOf(own, adoptedTypes),
      shifts: shiftsOf(own, gapMinutes * 60_000),
    }));
  return { agents, unnamedServices: served.length - named.length, adoptedTypes };
}
