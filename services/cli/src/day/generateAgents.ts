import { contactTypes, type ContactType } from './call.ts';
import { drawFor } from './draws.ts';
import type { PlannedAgent } from './plan.ts';
import type { AgentSkill, Shift, SkillLevel } from './staff.ts';

/** When a centre is open and how busy each of its hours is. */
export interface OpenHours {
  readonly openingHour: number;
  /** One weight for each hour from the opening to the closing. */
  readonly hourlyArrivals: readonly number[];
}

/** Time from the first sign-in to the last sign-out, and off in between, in minutes. */
export const shiftMinutes = 480;
export const breakMinutes = 30;

/** Every how many agents one serves the type; the first two and last two serve all of them. */
const everyHowManyAgents: Readonly<Record<ContactType, number>> = {
  PS: 1,
  NW: 1,
  TT: 1,
  NE: 2,
  PE: 3,
  IN: 3,
};

/** The hour of the day by which a share of the day's contacts has arrived. */
function hourAt(share: number, { openingHour, hourlyArrivals }: OpenHours): number {
  let left = share * hourlyArrivals.reduce((sum, weight) => sum + weight, 0);
  for (const [index, weight] of hourlyArrivals.entries()) {
    if (left < weight) return openingHour + index + left / weight;
    left -= weight;
  }
  return openingHour + hourlyArrivals.length;
}

/**
 * Two halves around a break: it ends before the middle for every other agent and starts after it
 * for the rest, so that neighbours do not leave together. Within an hour of the middle.
 */
function shiftsOf(seed: string, id: string, index: number, startAt: number): Shift[] {
  const withinMinutes = drawFor(seed, id, 'breaks').int(31);
  const offsetMinutes = index % 2 === 0 ? withinMinutes - 60 : withinMinutes;
  const breakAt = startAt + (shiftMinutes / 2 + offsetMinutes) * 60_000;
  return [
    { signInAt: startAt, signOutAt: breakAt },
    { signInAt: breakAt + breakMinutes * 60_000, signOutAt: startAt + shiftMinutes * 60_000 },
  ];
}

function skillsOf(seed: string, id: string, index: number, agents: number): AgentSkill[] {
  const random = drawFor(seed, id, 'skills');
  const levels = contactTypes.map((skill) => ({
    skill,
    level: (1 + random.int(5)) as SkillLevel,
  }));
  const edge = index < 2 || index >= agents - 2;
  return levels.filter(({ skill }) => edge || index % everyHowManyAgents[skill] === 0);
}

/**
 * Agents in shifts of eight hours around the arrivals: the middle of the shift of agent k of n
 * lies where the share (k + 1/2) / n of the day's contacts has arrived, give or take 15 minutes,
 * and the shift is moved into the opening hours. Specialists are spread evenly over the day.
 */
export function generateAgents(
  seed: string,
  agents: number,
  midnightAt: number,
  hours: OpenHours,
): PlannedAgent[] {
  const firstMinute = hours.openingHour * 60;
  const lastMinute = firstMinute + hours.hourlyArrivals.length * 60 - shiftMinutes;
  const width = Math.max(2, String(agents).length);
  return Array.from({ length: agents }, (_, index) => {
    const number = String(index + 1).padStart(width, '0');
    const id = `agent-${number}`;
    const jitterMinutes = drawFor(seed, id, 'shift').int(31) - 15;
    const middle = hourAt((index + 0.5) / agents, hours) * 60 + jitterMinutes;
    const start = Math.round(middle - shiftMinutes / 2);
    const startMinute = Math.min(lastMinute, Math.max(firstMinute, start));
    return {
      id,
      name: `Agent ${number}`,
      skills: skillsOf(seed, id, index, agents),
      shifts: shiftsOf(seed, id, index, midnightAt + startMinute * 60_000),
    };
  });
}
