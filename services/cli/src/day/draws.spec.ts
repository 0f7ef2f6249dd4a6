import { describe, expect, test } from '@jest/globals';
import { drawFor } from './draws.ts';

const size = 20_000;
const ids = Array.from({ length: size }, (_, index) => `contact-${index}`);
const service = ids.map((id) => drawFor('seed', id, 'service').next());
const patience = ids.map((id) => drawFor('seed', id, 'patience').next());

/** Of uniform values; four standard errors are 4 / sqrt(20,000) = 0.0283. */
function correlation(one: readonly number[], two: readonly number[]): number {
  const products = one.map((value, index) => (value - 0.5) * ((two[index] ?? 0.5) - 0.5));
  return (12 * products.reduce((sum, value) => sum + value, 0)) / size;
}

describe('first draws over many keys', () => {
  test('are uniform (Kolmogorov-Smirnov at 0.1 %)', () => {
    for (const values of [service, patience]) {
      const sorted = values.toSorted((one, two) => one - two);
      const distances = sorted.map((value, index) => Math.abs(value - (index + 0.5) / size));
      expect(Math.max(...distances) * Math.sqrt(size)).toBeLessThan(1.95);
    }
  });

  test('tell nothing of other purposes, neighbours and seeds', () => {
    const other = ids.map((id) => drawFor('seed2', id, 'service').next());
    expect(Math.abs(correlation(service, patience))).toBeLessThan(0.0283);
    expect(Math.abs(correlation(service, [...service.slice(1), 0.5]))).toBeLessThan(0.0283);
    expect(Math.abs(correlation(service, other))).toBeLessThan(0.0283);
  });

  test('are the same again for the same key', () => {
    expect(drawFor('seed', 'contact-7', 'service').next()).toBe(service[7]);
  });
});
