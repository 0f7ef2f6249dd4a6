import type { Channel, Strategy } from '@meridian/wire';

/**
 * Who serves whom, by brute force and in the words of the issue alone: no code, type or helper of
 * the routing is used here.
 */
export interface Desk {
  readonly id: string;
  readonly isSignedIn: boolean;
  readonly isSigningOut: boolean;
  readonly presence: string;
  readonly levels: Readonly<Record<string, number>>;
  readonly limits: Readonly<Record<string, number>>;
  /** How many contacts of each channel are open. */
  readonly open: Readonly<Record<string, number>>;
  readonly declined: readonly string[];
  /** When the agent last signed in, became available or was freed. */
  readonly freeSinceMs: number;
}

export interface Caller {
  readonly id: string;
  readonly queue: string;
  readonly channel: Channel;
  readonly priority: number;
  /** Each skill with the level asked for; a skill may be there twice. */
  readonly asks: readonly (readonly [skill: string, level: number])[];
  readonly joinedMs: number;
}

export interface Line {
  readonly asks: readonly (readonly [skill: string, level: number])[];
  readonly strategy: Strategy;
  readonly ageingMs: number;
}

/** Why not, in the order in which the reasons count; undefined when the agent may be chosen. */
export function whyNot(desk: Desk, caller: Caller, line: Line): string | undefined {
  const asked = [...line.asks, ...caller.asks];
  if (desk.presence !== 'AVAILABLE' || desk.isSigningOut) return 'NOT_AVAILABLE';
  if (!(caller.channel in desk.limits)) return 'NO_CHANNEL';
  if ((desk.open[caller.channel] ?? 0) >= (desk.limits[caller.channel] as number)) {
    return 'AT_CAPACITY';
  }
  if (asked.some(([skill]) => !(skill in desk.levels))) return 'SKILL_MISSING';
  if (asked.some(([skill, level]) => (desk.levels[skill] as number) < level)) {
    return 'SKILL_TOO_LOW';
  }
  return desk.declined.includes(caller.id) ? 'DECLINED' : undefined;
}

/** The sum of the agent's levels in the skills asked for, each counted once. */
export function skillOf(desk: Desk, caller: Caller, line: Line): number {
  const asked = new Set([...line.asks, ...caller.asks].map(([skill]) => skill));
  return [...asked].reduce((sum, name) => sum + (desk.levels[name] ?? 0), 0);
}

/** Everybody who may serve the caller, best first. */
export function candidates(desks: readonly Desk[], caller: Caller, line: Line): Desk[] {
  const skill = (desk: Desk): number => skillOf(desk, caller, line);
  return desks
    .filter((desk) => desk.isSignedIn && whyNot(desk, caller, line) === undefined)
    .toSorted(
      (a, b) =>
        (line.strategy === 'MOST_SKILLED' ? skill(b) - skill(a) : 0) ||
        a.freeSinceMs - b.freeSinceMs ||
        (a.id < b.id ? -1 : 1),
    );
}

/** How many agents are left out for which reason. */
export function exclusions(
  desks: readonly Desk[],
  caller: Caller,
  line: Line,
): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const desk of desks) {
    const reason = desk.isSignedIn ? whyNot(desk, caller, line) : undefined;
    if (reason !== undefined) counts[reason] = (counts[reason] ?? 0) + 1;
  }
  return counts;
}

/** Whom a freed agent is offered, one after the other until there is no room or nobody left. */
export function served(
  desk: Desk,
  callers: readonly Caller[],
  lines: Readonly<Record<string, Line>>,
): string[] {
  const order = callers
    .filter((caller) => caller.queue in lines)
    .map((caller) => ({ caller, line: lines[caller.queue] as Line }))
    .map((one) => ({
      ...one,
      rankMs: one.caller.joinedMs - one.caller.priority * one.line.ageingMs,
    }))
    .toSorted(
      (a, b) =>
        a.rankMs - b.rankMs ||
        a.caller.joinedMs - b.caller.joinedMs ||
        (a.caller.id < b.caller.id ? -1 : 1),
    );
  const open: Record<string, number> = { ...desk.open };
  const ids: string[] = [];
  for (const { caller, line } of order) {
    if (whyNot({ ...desk, open }, caller, line) !== undefined) continue;
    open[caller.channel] = (open[caller.channel] ?? 0) + 1;
    ids.push(caller.id);
  }
  return ids;
}
