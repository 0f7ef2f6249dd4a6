import { seeded } from '@meridian/core';
import { describe, expect, test } from '@jest/globals';
import { compareFigures } from './compare.ts';
import { quantile, summarise, type ContactSample } from './summary.ts';

const second = 1000;
const untouched = {
  queuedAt: null,
  connectedAt: null,
  endedAt: null,
  talkSeconds: 0,
  wrapUpSeconds: 0,
};

function served(waitSeconds: number, talkSeconds: number, wrapUpSeconds: number): ContactSample {
  const connectedAt = 1000 + waitSeconds * second;
  const endedAt = connectedAt + talkSeconds * second;
  return { outcome: 'SERVED', queuedAt: 1000, connectedAt, endedAt, talkSeconds, wrapUpSeconds };
}

function abandoned(waitSeconds: number): ContactSample {
  return { ...untouched, outcome: 'ABANDONED', queuedAt: 0, endedAt: waitSeconds * second };
}

describe('a day', () => {
  const contacts: ContactSample[] = [
    served(0, 90, 10),
    served(20, 180, 20),
    served(20.5, 50, 0),
    { ...served(0, 40, 10), queuedAt: null },
    abandoned(5),
    abandoned(15),
    { ...untouched, outcome: 'LEFT_IN_IVR', endedAt: 3000 },
    { ...untouched, outcome: 'UNFINISHED', queuedAt: 0 },
  ];
  const hours = (startHour: number, endHour: number) => ({
    startAt: startHour * 3_600_000,
    endAt: endHour * 3_600_000,
  });
  const agents = [
    { signedIn: [hours(0, 4), hours(6, 8)], busy: [hours(1, 2), hours(1.5, 3), hours(5, 7)] },
    { signedIn: [hours(2, 6)], busy: [] },
  ];

  test('in figures', () => {
    expect(summarise({ contacts, agents })).toStrictEqual({
      contacts: 8,
      served: 4,
      abandoned: 2,
      leftInIvr: 1,
      unfinished: 1,
      queued: 6,
      abandonedShare: 2 / 6,
      serviceLevelOfServed: 3 / 4,
      serviceLevelOfOffered: 3 / 6,
      averageSpeedOfAnswerSeconds: 40.5 / 4,
      waitP50Seconds: 0,
      waitP99Seconds: 20.5,
      averageAbandonSeconds: 10,
      averageHandleSeconds: 100,
      handleP50Seconds: 50,
      agents: 2,
      signedInHours: 10,
      occupancy: 0.3,
    });
  });

  test('without anybody has no shares and no means', () => {
    const figures = summarise({ contacts: [], agents: [] });
    expect(Object.values(figures).filter((figure) => figure === null).length).toBe(10);
    expect(Object.values(figures).filter((figure) => figure === 0).length).toBe(8);
  });

  test('is compared figure by figure, each of them once', () => {
    const ours = summarise({ contacts, agents });
    const real = summarise({ contacts: contacts.slice(0, 1), agents });
    const rows = compareFigures(real, ours);
    const names = rows.map((row) => row.name).toSorted();
    expect(names).toStrictEqual(Object.keys(ours).toSorted());
    expect(rows[1]).toStrictEqual({
      name: 'served',
      label: 'Served',
      unit: 'count',
      real: 1,
      ours: 4,
    });
  });
});

describe('the exact quantile', () => {
  test('is one of the values, by nearest rank', () => {
    const values = Array.from({ length: 100 }, (_, index) => 100 - index);
    const found = [0, 0.01, 0.011, 0.07, 0.5, 0.99, 0.991, 1].map((at) => quantile(values, at));
    expect(found).toStrictEqual([1, 1, 2, 7, 50, 99, 100, 100]);
    expect(quantile([], 0.5)).toBeNull();
    expect(quantile([3, 1, 2], 0.5)).toBe(2);
    expect(() => quantile([1], 1.1)).toThrow(RangeError);
  });

  test.each([1, 2, 3, 4, 5, 6, 7, 8])('has its share at or below it, seed %i', (seed) => {
    const random = seeded(seed);
    const values = Array.from({ length: 1 + random.int(200) }, () => random.int(50));
    const before = [...values];
    for (let share = 0.005; share < 1; share += 0.0131) {
      const found = quantile(values, share) ?? NaN;
      const notAbove = values.filter((value) => value <= found).length;
      const below = values.filter((value) => value < found).length;
      expect(notAbove).toBeGreaterThanOrEqual(share * values.length - 1e-9);
      expect(below).toBeLessThan(share * values.length);
    }
    expect(values).toStrictEqual(before);
  });
});
