import { describe, expect, test } from '@jest/globals';
import { seeded, type Random } from './random.ts';

const draws = <T>(count: number, draw: () => T): T[] => Array.from({ length: count }, draw);
const five = (random: Random): number[] => draws(5, () => random.next());
const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

describe('known vectors: a seed gives the same for ever', () => {
  test('uniform, in units of 2^-32', () => {
    const random = seeded('meridian');
    expect(draws(3, () => random.next() * 2 ** 32)).toEqual([500004015, 1747964121, 2359945092]);
    expect(seeded('x').fork('y').next() * 2 ** 32).toBe(3449624646);
  });

  test('integers, a shuffle, an exponential, a normal', () => {
    const random = seeded(42);
    expect(draws(8, () => random.int(100))).toEqual([88, 76, 70, 85, 6, 35, 43, 11]);
    expect(seeded('deck').shuffle(['a', 'b', 'c', 'd', 'e']).join('')).toBe('cdaeb');
    expect(seeded('e').exponential(1_000)).toBeCloseTo(979.4799446867318, 9);
    expect(seeded('n').normal()).toBeCloseTo(3.190536721449049, 12);
  });
});

describe('seeds', () => {
  test('the same seed repeats, another does not, a number is its text', () => {
    const from = (seed: string | number): number[] => five(seeded(seed));
    expect(from('x')).toEqual(from('x'));
    expect(from('x')).not.toEqual(from('y'));
    expect(from(7)).toEqual(from('7'));
  });

  test('a fork is independent of what was drawn before and disturbs nothing', () => {
    const [plain, forked] = [seeded('x'), seeded('x')];
    forked.next();
    const fork = forked.fork('purpose');
    plain.next();
    expect(five(fork)).toEqual(five(seeded('x').fork('purpose')));
    expect(five(forked)).toEqual(five(plain));
    expect(five(seeded('x').fork('a'))).not.toEqual(five(seeded('x').fork('b')));
  });
});

describe('distributions, within five standard errors', () => {
  const random = seeded('distributions');
  const count = 20_000;
  const within = (value: number, expected: number, error: number): void =>
    expect(Math.abs(value - expected)).toBeLessThan((5 * error) / Math.sqrt(count));

  test('uniform', () => {
    const values = draws(count, () => random.next());
    expect(Math.min(...values)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...values)).toBeLessThan(1);
    within(mean(values), 0.5, Math.sqrt(1 / 12));
  });

  test('integers reach every value and no other', () => {
    const counts = [0, 0, 0, 0, 0];
    for (const value of draws(count, () => random.int(5))) counts[value] = (counts[value] ?? 0) + 1;
    expect(counts).toHaveLength(5);
    for (const each of counts) within(each / count, 0.2, 0.4);
  });

  test('exponential and normal', () => {
    within(mean(draws(count, () => random.exponential(30))), 30, 30);
    const normal = draws(count, () => random.normal());
    within(mean(normal), 0, 1);
    within(mean(normal.map((value) => value * value)), 1, Math.sqrt(2));
  });

  test('a shuffle keeps the items, leaves the list alone, and has no favourite', () => {
    const items = [1, 2, 3, 4];
    const firsts = draws(count, () => {
      const shuffled = random.shuffle(items);
      if (shuffled.reduce((sum, item) => sum + 10 ** item, 0) !== 11_110) {
        throw new Error(`Lost: ${shuffled.join()}`);
      }
      return shuffled[0] as number;
    });
    expect(items).toEqual([1, 2, 3, 4]);
    for (const item of items) {
      within(firsts.filter((first) => first === item).length / count, 0.25, Math.sqrt(3) / 4);
    }
  });
});

test.each([0, -1, Number.NaN])('an integer below %p is refused', (limit) => {
  expect(() => seeded(1).int(limit)).toThrow(RangeError);
});

test('nothing can be picked from an empty list', () => {
  expect(() => seeded(1).pick([])).toThrow(/list is empty/);
  expect(seeded(1).shuffle([])).toEqual([]);
  expect(seeded(1).pick(['only'])).toBe('only');
});
