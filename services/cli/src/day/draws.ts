import { seeded, type Random } from '@meridian/core';

/** What a random value is for: one purpose, one source, so that no draw disturbs another. */
export type DrawPurpose =
  | 'answer'
  | 'arrival'
  | 'breaks'
  | 'ivr'
  | 'patience'
  | 'priority'
  | 'reaction'
  | 'service'
  | 'shift'
  | 'skills'
  | 'type';

/**
 * The source for one purpose of one contact, agent or offer. It depends on nothing but its
 * three keys, so the order in which things are drawn cannot matter.
 */
export function drawFor(seed: string, id: string, purpose: DrawPurpose): Random {
  return seeded(`${purpose}/${seed}/${id}`);
}
