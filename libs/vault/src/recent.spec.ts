import { expect, it } from '@jest/globals';
import { Recent } from './recent.ts';

it('holds what was used last, and no more than its limit', () => {
  const recent = new Recent<string, number>(2);
  recent.set('a', 1);
  recent.set('b', 2);
  expect(recent.get('a')).toBe(1);
  recent.set('c', 3);
  expect([...recent.entries()]).toEqual([
    ['a', 1],
    ['c', 3],
  ]);
  recent.set('a', 4);
  recent.delete('c');
  expect([recent.size, recent.get('a'), recent.get('b')]).toEqual([1, 4, undefined]);
});
