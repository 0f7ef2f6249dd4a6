import { expect, test } from '@jest/globals';
import { seeded } from './random.ts';
import { fromTimestamp, toTimestamp } from './timestamp.ts';
import { unreachable } from './unreachable.ts';

test.each([
  [0, '1970-01-01T00:00:00.000Z'],
  [-1, '1969-12-31T23:59:59.999Z'],
  [951_782_400_000, '2000-02-29T00:00:00.000Z'],
  [1_769_847_300_250, '2026-01-31T08:15:00.250Z'],
  [253_402_300_799_999, '9999-12-31T23:59:59.999Z'],
])('%d is %s', (epochMs, timestamp) => {
  expect(toTimestamp(epochMs)).toBe(timestamp);
  expect(fromTimestamp(timestamp)).toBe(epochMs);
});

test('texts come back, and sort as the times do', () => {
  const random = seeded('timestamps');
  const times = Array.from({ length: 2_000 }, () => Math.floor(random.next() * 4e12));
  expect(times.map((each) => fromTimestamp(toTimestamp(each)))).toEqual(times);
  const sorted = times.toSorted((a, b) => a - b);
  expect(times.map(toTimestamp).toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0))).toEqual(
    sorted.map(toTimestamp),
  );
});

test('zones and fewer or more decimals are read', () => {
  expect(fromTimestamp('1970-01-01T01:00:00+01:00')).toBe(0);
  expect(fromTimestamp('1970-01-01T00:00:00.5Z')).toBe(500);
  expect(fromTimestamp('1970-01-01T00:00:00.123456789Z')).toBe(123);
  expect(fromTimestamp('yesterday')).toBeNaN();
});

test('what is no time is refused', () => {
  expect(() => toTimestamp(Number.NaN)).toThrow(RangeError);
});

test('an unforeseen value is named', () => {
  expect(() => unreachable({ type: 'new' } as never)).toThrow(/\{"type":"new"\}/);
});
