import { seeded } from '@meridian/core';
import { describe, expect, test } from '@jest/globals';
import { DayFault } from './fault.ts';
import { checkRingRules, defaultRingRules, reactToOffer, type Offer } from './ring.ts';

const offers: Offer[] = Array.from({ length: 20_000 }, (_, index) => ({
  agentId: `A${index % 20}`,
  contactId: `contact-${Math.floor(index / 4)}`,
  ordinal: 1 + (index % 4),
}));

describe('the reaction to an offer', () => {
  const reactions = offers.map((offer) => reactToOffer('seed', offer, defaultRingRules));
  const shareOf = (kind: string): number =>
    reactions.filter((reaction) => reaction.kind === kind).length / reactions.length;

  test('does not depend on the order of asking', () => {
    const order = seeded('order').shuffle(offers.map((_, index) => index));
    const again: unknown[] = [];
    for (const index of order) {
      again[index] = reactToOffer('seed', offers[index]!, defaultRingRules);
    }
    expect(again).toStrictEqual(reactions);
  });

  test('differs by seed, agent, contact and ordinal', () => {
    const one: Offer = { agentId: 'A1', contactId: 'contact-1', ordinal: 1 };
    const others = [
      reactToOffer('other', one, defaultRingRules),
      reactToOffer('seed', { ...one, agentId: 'A2' }, defaultRingRules),
      reactToOffer('seed', { ...one, contactId: 'contact-2' }, defaultRingRules),
      reactToOffer('seed', { ...one, ordinal: 2 }, defaultRingRules),
      reactToOffer('seed', one, defaultRingRules),
    ];
    expect(new Set(others.map((reaction) => JSON.stringify(reaction))).size).toBe(5);
  });

  test('misses and rejects at the given rates', () => {
    // Four standard errors of a share in 20,000 offers.
    expect(Math.abs(shareOf('MISSES') - 0.02)).toBeLessThan(0.004);
    expect(Math.abs(shareOf('REJECTS') - 0.01)).toBeLessThan(0.003);
  });

  test('comes after 1 to 3 seconds, uniformly, to the millisecond', () => {
    const times = reactions.flatMap((one) => (one.kind === 'MISSES' ? [] : [one.answerSeconds]));
    expect(Math.min(...times)).toBeGreaterThanOrEqual(1);
    expect(Math.max(...times)).toBeLessThanOrEqual(3);
    const mean = times.reduce((sum, time) => sum + time, 0) / times.length;
    expect(Math.abs(mean - 2)).toBeLessThan(0.02);
    expect(times.every((time) => Number.isInteger(Math.round(time * 1e6) / 1e3))).toBe(true);
  });

  test('can be made certain', () => {
    const one: Offer = { agentId: 'A1', contactId: 'contact-1', ordinal: 1 };
    const rules = { ...defaultRingRules, shortestAnswerSeconds: 2, longestAnswerSeconds: 2 };
    const sure = { ...rules, missedOfferRate: 0, rejectRate: 0 };
    expect(reactToOffer('x', one, sure)).toStrictEqual({ kind: 'ANSWERS', answerSeconds: 2 });
    expect(reactToOffer('x', one, { ...sure, rejectRate: 1 }).kind).toBe('REJECTS');
    expect(reactToOffer('x', one, { ...sure, missedOfferRate: 1 }).kind).toBe('MISSES');
  });
});

test.each([
  { missedOfferRate: -0.1 },
  { missedOfferRate: 0.6, rejectRate: 0.5 },
  { rejectRate: NaN },
  { shortestAnswerSeconds: -1 },
  { shortestAnswerSeconds: 4 },
])('rules out of range are refused: %j', (rules) => {
  expect(() => checkRingRules({ ...defaultRingRules, ...rules })).toThrow(DayFault);
});
