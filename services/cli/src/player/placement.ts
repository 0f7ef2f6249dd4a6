import { seeded, unreachable } from '@meridian/core';
import type { DayPlan } from '../day/index.ts';
import type { Action } from './action.ts';
import type { SeenEvent } from './edge.ts';
import type { RunNames } from './names.ts';

/**
 * Where customers and agents of a day are, among several regions: each contact enters the region
 * that a hash of its id in the plan says, agents are dealt out evenly in the order of theirs. What
 * has begun is at home where its first event says, whoever decides for that home.
 */
export class Placement {
  readonly #regions: readonly string[];
  readonly #names: RunNames;
  readonly #agents = new Map<string, string>();
  readonly #seen = new Map<string, string>();

  /** @param regions none or one: then nothing is said of regions */
  constructor(plan: Pick<DayPlan, 'agents'>, names: RunNames, regions: readonly string[]) {
    this.#regions = regions.length > 1 ? regions : [];
    this.#names = names;
    const draws = plan.agents.map(({ id }) => ({ id, draw: seeded(`agent-region/${id}`).next() }));
    const dealt = draws.toSorted((a, b) => a.draw - b.draw || (a.id < b.id ? -1 : 1));
    for (const [index, { id }] of dealt.entries()) {
      const region = this.#regions[index % this.#regions.length];
      if (region !== undefined) this.#agents.set(id, region);
    }
  }

  /** Takes note of where something is at home. */
  see({ type, subject, region }: SeenEvent): void {
    if (this.#regions.length === 0) return;
    const entity = type.split('.')[1];
    if (entity === 'contact' || entity === 'agent' || entity === 'reservation') {
      this.#seen.set(`${entity}/${subject}`, region);
    }
  }

  /** Where what an action is about is at home, or is to enter; undefined in a region alone. */
  homeOf({ kind, subject }: Pick<Action, 'kind' | 'subject'>): string | undefined {
    switch (kind) {
      case 'CONFIGURE_QUEUE':
        return this.#regions[0];
      case 'SIGN_IN':
      case 'SIGN_OUT':
      case 'COME_BACK':
        return this.#seen.get(`agent/${subject}`) ?? this.#agents.get(subject);
      case 'ACCEPT':
      case 'REJECT':
        return this.#seen.get(`reservation/${subject}`);
      case 'ARRIVE':
      case 'LEAVE_IVR':
      case 'LOSE_PATIENCE':
      case 'HANG_UP':
      case 'COMPLETE_WRAP_UP':
        return this.#seen.get(`contact/${subject}`) ?? this.#entryOf(subject);
      default:
        return unreachable(kind);
    }
  }

  #entryOf(contactId: string): string | undefined {
    const planned = this.#names.planned(contactId);
    if (planned === undefined || this.#regions.length === 0) return undefined;
    return this.#regions[seeded(`contact-region/${planned.id}`).int(this.#regions.length)];
  }
}
