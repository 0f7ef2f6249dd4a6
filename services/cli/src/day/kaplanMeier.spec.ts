import { seeded } from '@meridian/core';
import { describe, expect, test } from '@jest/globals';
import { DayFault } from './fault.ts';
import { fitSurvival, type Observation } from './kaplanMeier.ts';

const gaveUp = (seconds: number): Observation => ({ seconds, gaveUp: true });
const censored = (seconds: number): Observation => ({ seconds, gaveUp: false });

// Remission times of 21 patients, the textbook example of the estimator: E. J. Freireich et al.,
// Blood 21 (1963), 699-716; worked in D. Collett, "Modelling Survival Data in Medical Research".
const remissions = [
  ...[6, 6, 6, 7, 10, 13, 16, 22, 23].map(gaveUp),
  ...[6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35].map(censored),
];

function randomObservations(seed: string, size: number, censoring: number): Observation[] {
  const random = seeded(seed);
  return Array.from({ length: size }, () => ({
    seconds: Math.floor(random.exponential(100)),
    gaveUp: random.next() >= censoring,
  }));
}

describe('the textbook example', () => {
  const curve = fitSurvival(remissions);

  test('has its steps', () => {
    const expected = [
      [6, 21, 3, 18 / 21],
      [7, 17, 1, (18 / 21) * (16 / 17)],
      [10, 15, 1, 0.7529],
      [13, 12, 1, 0.6902],
      [16, 11, 1, 0.6275],
      [22, 7, 1, 0.5378],
      [23, 6, 1, 0.4482],
    ];
    const found = curve.steps.map((step) => [step.seconds, step.atRisk, step.events]);
    expect(found).toStrictEqual(expected.map((step) => step.slice(0, 3)));
    for (const [index, step] of curve.steps.entries()) {
      expect(step.survival).toBeCloseTo(expected[index]![3]!, 4);
    }
  });

  test('is right-continuous between and at the steps', () => {
    expect(curve.survival(0)).toBe(1);
    expect(curve.survival(5.999)).toBe(1);
    expect(curve.survival(6)).toBe(18 / 21);
    expect(curve.survival(6.5)).toBe(18 / 21);
    expect(curve.survival(23)).toBe(curve.steps.at(-1)!.survival);
  });

  test('has its median at 23 and an exponential tail with the hazard of the last steps', () => {
    expect(curve.quantile(0.5)).toBe(23);
    expect(curve.quantile(0)).toBe(0);
    // Steps 22 and 23 are the last quarter, measured from 16: 2 hang-ups in
    // 6 + 7 (gave up) + 1 + 3 + 4 + 9 + 16 + 16 + 18 + 19 (censored) = 99 s.
    expect(curve.tailHazardPerSecond).toBeCloseTo(2 / 99, 12);
    const end = curve.steps.at(-1)!.survival;
    expect(curve.survival(33)).toBeCloseTo(end * Math.exp((-2 / 99) * 10), 12);
    expect(curve.survival(curve.quantile(0.9))).toBeCloseTo(0.1, 12);
  });

  test('is drawn beyond what was already waited', () => {
    expect(curve.drawBeyond(0, 0)).toBe(6);
    expect(curve.drawBeyond(0, 6)).toBe(7);
    expect(curve.drawBeyond(0.5, 0)).toBe(23);
    // S(22) is 0.5378 and S(23) is 5/6 of it: above 1/6 the draw lies in the tail.
    expect(curve.drawBeyond(0.16, 22)).toBe(23);
    expect(curve.drawBeyond(0.17, 22)).toBeGreaterThan(23);
    expect(curve.drawBeyond(0.5, 40)).toBeCloseTo(40 + Math.LN2 * 49.5, 9);
  });
});

test('censoring at the time of an event counts as at risk there', () => {
  expect(fitSurvival([gaveUp(5), censored(5), gaveUp(9)]).steps).toStrictEqual([
    { seconds: 5, atRisk: 3, events: 1, survival: 2 / 3 },
    { seconds: 9, atRisk: 1, events: 1, survival: 0 },
  ]);
});

test('a curve that reached 0 has its tail only for waits beyond the end', () => {
  const curve = fitSurvival([gaveUp(5), gaveUp(9)]);
  expect(curve.quantile(0.999_999)).toBe(9);
  expect(curve.drawBeyond(0.999_999, 5)).toBe(9);
  expect([curve.drawBeyond(0.499_999, 0), curve.drawBeyond(0.5, 0)]).toStrictEqual([5, 9]);
  expect(curve.survival(10)).toBe(0);
  expect(curve.drawBeyond(0.5, 9)).toBeCloseTo(9 + Math.LN2 * 4, 9);
});

test('when nobody gave up after a wait, patience beyond the steps has no end', () => {
  const never = fitSurvival([censored(5), censored(9)]);
  expect([never.survival(100), never.quantile(0.1), never.drawBeyond(0, 3)]).toStrictEqual([
    1,
    Infinity,
    Infinity,
  ]);
  const atOnce = fitSurvival([gaveUp(0), censored(9)]);
  expect([atOnce.survival(0), atOnce.quantile(0.3), atOnce.drawBeyond(0.3, 0)]).toStrictEqual([
    0.5,
    0,
    Infinity,
  ]);
});

test('observations and draws out of range are refused', () => {
  expect(() => fitSurvival([])).toThrow(DayFault);
  expect(() => fitSurvival([gaveUp(-1)])).toThrow('An observed wait is -1 s.');
  expect(() => fitSurvival([gaveUp(NaN)])).toThrow(DayFault);
  const curve = fitSurvival(remissions);
  expect(() => curve.quantile(1)).toThrow(RangeError);
  expect(() => curve.drawBeyond(1, 0)).toThrow(RangeError);
  expect(() => curve.drawBeyond(0.5, -1)).toThrow(RangeError);
});

describe.each(['a', 'b', 'c', 'd', 'e'])('for the random observations of seed %s', (seed) => {
  test('without censoring it is the empirical survival', () => {
    const all = randomObservations(seed, 200, 0);
    const curve = fitSurvival(all);
    for (let seconds = 0; seconds < 400; seconds += 7) {
      const longer = all.filter((one) => one.seconds > seconds).length;
      expect(curve.survival(seconds)).toBeCloseTo(longer / 200, 12);
    }
  });

  test('it falls from at most 1, and the order of the observations does not matter', () => {
    const all = randomObservations(seed, 300, 0.6);
    const curve = fitSurvival(all);
    let before = 1;
    for (let seconds = 0; seconds < 2000; seconds += 3) {
      expect(curve.survival(seconds)).toBeLessThanOrEqual(before);
      before = curve.survival(seconds);
    }
    expect(fitSurvival(seeded(seed).shuffle(all)).steps).toStrictEqual(curve.steps);
  });

  test('the quantile is the first time at which the share is reached', () => {
    const curve = fitSurvival(randomObservations(seed, 300, 0.6));
    for (let share = 0.013; share < 1; share += 0.0171) {
      const seconds = curve.quantile(share);
      expect(1 - curve.survival(seconds)).toBeGreaterThanOrEqual(share - 1e-12);
      expect(1 - curve.survival(seconds - 1e-6)).toBeLessThan(share + 1e-6);
    }
  });

  test('draws beyond a wait exceed it and follow the curve given that wait', () => {
    const curve = fitSurvival(randomObservations(seed, 300, 0.6));
    for (const waited of [0, 30, 150, 5000]) {
      const draws = Array.from({ length: 2000 }, (_, index) =>
        curve.drawBeyond((index + 0.5) / 2000, waited),
      );
      expect(draws.every((draw) => draw > waited)).toBe(true);
      for (const later of [10, 60, 200].map((more) => waited + more)) {
        const longer = draws.filter((draw) => draw > later).length / 2000;
        const expected = curve.survival(later) / curve.survival(waited);
        if (waited < 5000) expect(Math.abs(longer - expected)).toBeLessThan(0.001);
      }
    }
  });
});
