import { drawFor } from './draws.ts';
import { DayFault } from './fault.ts';

/** How agents react to an offer. */
export interface RingRules {
  /** Share of offers that an agent lets ring until they time out, 0 to 1. */
  readonly missedOfferRate: number;
  /** Share of offers that an agent turns down, 0 to 1. */
  readonly rejectRate: number;
  /** An agent who reacts does so after a uniform time in [shortest, longest], in seconds. */
  readonly shortestAnswerSeconds: number;
  readonly longestAnswerSeconds: number;
}

export const defaultRingRules: RingRules = {
  missedOfferRate: 0.02,
  rejectRate: 0.01,
  shortestAnswerSeconds: 1,
  longestAnswerSeconds: 3,
};

/** One offer of a contact to an agent. */
export interface Offer {
  readonly agentId: string;
  readonly contactId: string;
  /** 1 for the contact's first reservation, 2 for its second, and so on. */
  readonly ordinal: number;
}

/** What the agent does with it; MISSES does nothing at all. Seconds from the offer. */
export type RingReaction =
  | { readonly kind: 'ANSWERS'; readonly answerSeconds: number }
  | { readonly kind: 'REJECTS'; readonly answerSeconds: number }
  | { readonly kind: 'MISSES' };

/**
 * Checks the rules.
 * @throws DayFault for a rate outside 0 to 1, rates that add up to more than 1, or a time range
 * that is negative or upside down
 */
export function checkRingRules(rules: RingRules): void {
  const { missedOfferRate, rejectRate, shortestAnswerSeconds, longestAnswerSeconds } = rules;
  if (!(missedOfferRate >= 0 && rejectRate >= 0 && missedOfferRate + rejectRate <= 1)) {
    throw new DayFault(
      `missedOfferRate is ${missedOfferRate} and rejectRate is ${rejectRate}.`,
      'Give two shares of at least 0 that add up to at most 1.',
    );
  }
  if (!(shortestAnswerSeconds >= 0 && shortestAnswerSeconds <= longestAnswerSeconds)) {
    throw new DayFault(
      `Answers take from ${shortestAnswerSeconds} to ${longestAnswerSeconds} s.`,
      'Give a range of at least 0 seconds, the shorter time first.',
    );
  }
}

/**
 * The reaction to an offer: a function of the seed and the offer alone, so asking twice, late or
 * in another order gives the same.
 */
export function reactToOffer(seed: string, offer: Offer, rules: RingRules): RingReaction {
  const id = `${offer.contactId}/${offer.ordinal}/${offer.agentId}`;
  const random = drawFor(seed, id, 'answer');
  const choice = random.next();
  if (choice < rules.missedOfferRate) return { kind: 'MISSES' };
  const range = rules.longestAnswerSeconds - rules.shortestAnswerSeconds;
  const milliseconds = Math.round((rules.shortestAnswerSeconds + random.next() * range) * 1000);
  const kind = choice < rules.missedOfferRate + rules.rejectRate ? 'REJECTS' : 'ANSWERS';
  return { kind, answerSeconds: milliseconds / 1000 };
}
