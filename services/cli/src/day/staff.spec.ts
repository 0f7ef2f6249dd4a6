import { describe, expect, test } from '@jest/globals';
import type { Call, ContactType } from './call.ts';
import { DayFault } from './fault.ts';
import { coveredMs, mergeIntervals, overlapMs } from './intervals.ts';
import { inferStaff, levelOf } from './staff.ts';

const minute = 60_000;

function servedCall(
  agent: string | null,
  type: ContactType,
  startMinute: number,
  minutes: number,
): Call {
  return {
    line: 2,
    arrivalAt: startMinute * minute,
    type,
    priority: 0,
    customer: null,
    ivrSeconds: 0,
    queued: false,
    waitSeconds: 0,
    outcome: 'SERVED',
    serviceStartedAt: startMinute * minute,
    serviceSeconds: minutes * 60,
    agent,
  };
}

describe('shifts', () => {
  const shiftsOf = (...services: [number, number][]): number[][] =>
    inferStaff(services.map(([start, minutes]) => servedCall('A01', 'PS', start, minutes)))
      .agents.flatMap((agent) => agent.shifts)
      .map((shift) => [shift.signInAt / minute, shift.signOutAt / minute]);

  test('join services up to 30 minutes apart, no further', () => {
    expect(shiftsOf([100, 5], [135, 5])).toStrictEqual([[100, 140]]);
    expect(shiftsOf([100, 5], [135.001, 5])).toStrictEqual([
      [100, 105],
      [135.001, 140.001],
    ]);
  });

  test('do not depend on the order, and end with the longest of overlapping services', () => {
    expect(shiftsOf([110, 1], [100, 50], [175, 5])).toStrictEqual([[100, 180]]);
  });

  test('last at least a minute', () => {
    expect(shiftsOf([100, 0])).toStrictEqual([[100, 101]]);
  });

  test('follow another gap when told', () => {
    const calls = [servedCall('A01', 'PS', 0, 1), servedCall('A01', 'PS', 20, 1)];
    expect(inferStaff(calls, 10).agents[0]?.shifts.length).toBe(2);
  });
});

describe('skills', () => {
  test('are the types served, with their share of the calls as level', () => {
    const calls = [
      ...[0, 1, 2, 3, 4, 5].map((start) => servedCall('A02', 'NW', start, 1)),
      ...[6, 7, 8].map((start) => servedCall('A02', 'PS', start, 1)),
      servedCall('A02', 'IN', 9, 1),
      servedCall('A01', 'PS', 0, 1),
    ];
    expect(inferStaff(calls).agents.map(({ id, skills }) => [id, skills])).toStrictEqual([
      ['A01', [{ skill: 'PS', level: 5 }]],
      [
        'A02',
        [
          { skill: 'PS', level: 2 },
          { skill: 'IN', level: 1 },
          { skill: 'NW', level: 3 },
        ],
      ],
    ]);
  });

  test('of a type that no named agent served belong to everybody at level 1', () => {
    const left: Call = { ...servedCall(null, 'TT', 5, 0), outcome: 'LEFT_IN_IVR' };
    const unnamed = servedCall(null, 'PE', 6, 1);
    const staff = inferStaff([servedCall('A01', 'PS', 0, 1), left, unnamed]);
    expect(staff.adoptedTypes).toStrictEqual(['PE', 'TT']);
    expect(staff.unnamedServices).toBe(1);
    expect(staff.agents[0]?.skills).toStrictEqual([
      { skill: 'PS', level: 5 },
      { skill: 'PE', level: 1 },
      { skill: 'TT', level: 1 },
    ]);
  });

  test('have levels that change above each fifth', () => {
    const levels = [1, 20, 21, 40, 41, 60, 61, 80, 81, 100].map((calls) => levelOf(calls, 100));
    expect(levels).toStrictEqual([1, 1, 2, 2, 3, 3, 4, 4, 5, 5]);
  });
});

test('a day whose services name nobody is refused', () => {
  expect(() => inferStaff([servedCall(null, 'PS', 0, 1)])).toThrow(DayFault);
});

test('stretches of time are merged, measured and intersected', () => {
  const stretch = (startAt: number, endAt: number) => ({ startAt, endAt });
  expect(mergeIntervals([stretch(5, 8), stretch(0, 2), stretch(2, 3)])).toStrictEqual([
    stretch(0, 3),
    stretch(5, 8),
  ]);
  expect(coveredMs([stretch(0, 10), stretch(2, 4), stretch(8, 12)])).toBe(12);
  expect(overlapMs([stretch(0, 10), stretch(20, 30)], [stretch(5, 25), stretch(6, 7)])).toBe(10);
  expect(overlapMs([], [stretch(0, 1)])).toBe(0);
});
