import type { ContactState, StateDuration } from '@meridian/wire';
import type { Known, Life } from './contact.ts';

/** The contact in another state from now on. */
export function enter<State extends Known['state']>(
  contact: Known,
  state: State,
  timeMs: number,
): Life & { state: State } {
  return { ...contact, state, sinceMs: timeMs, spent: spentUntil(contact, timeMs) };
}

function spentUntil(contact: Known, timeMs: number): Map<ContactState, number> {
  const spent = new Map(contact.spent);
  spent.set(contact.state, (spent.get(contact.state) ?? 0) + timeMs - contact.sinceMs);
  return spent;
}

/** The time in each state until now; what a contact's end states, adding up to its duration. */
export function durations(contact: Known, nowMs: number): StateDuration[] {
  return [...spentUntil(contact, nowMs)].map(([state, durationMs]) => ({ state, durationMs }));
}
