import type { DayPlan } from '../day/index.ts';

/** When the first thing of a day happens: a sign-in or an arrival, epoch ms. */
export function startOf({ agents, contacts }: Pick<DayPlan, 'agents' | 'contacts'>): number {
  let startAt = Infinity;
  for (const { shifts } of agents) {
    for (const { signInAt } of shifts) startAt = Math.min(startAt, signInAt);
  }
  for (const { arrivalAt } of contacts) startAt = Math.min(startAt, arrivalAt);
  return startAt;
}

/** The same day, so much later; draws depend on ids and stay the same. */
export function movePlan(plan: DayPlan, byMs: number): DayPlan {
  if (byMs === 0) return plan;
  return {
    ...plan,
    agents: plan.agents.map((agent) => ({
      ...agent,
      shifts: agent.shifts.map(({ signInAt, signOutAt }) => ({
        signInAt: signInAt + byMs,
        signOutAt: signOutAt + byMs,
      })),
    })),
    contacts: plan.contacts.map((contact) => ({
      ...contact,
      arrivalAt: contact.arrivalAt + byMs,
    })),
  };
}
