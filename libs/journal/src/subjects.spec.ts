import { describe, expect, it } from '@jest/globals';
import {
  compileFilters,
  covers,
  disjointFilters,
  hasWildcard,
  matchesFilter,
  overlap,
} from './subjects.ts';

describe('filters', () => {
  it.each([
    ['a.b', 'a.b', true],
    ['a.b', 'a.c', false],
    ['a.*', 'a.b', true],
    ['a.*', 'a.b.c', false],
    ['a.>', 'a.b.c', true],
    ['a.>', 'a', false],
    ['a.>', 'ab.c', false],
    ['>', 'a', true],
    ['*.b.>', 'a.b.c', true],
    ['*.b.>', 'a.b', false],
    ['*', 'a', true],
    ['*', 'a.b', false],
    ['a.b*', 'a.b*', true],
    ['a.b*', 'a.bc', false],
  ])('%s and the subject %s: %s', (filter, subject, expected) => {
    expect(matchesFilter(filter, subject)).toBe(expected);
  });

  it('mean everything when there are none', () => {
    expect(compileFilters(undefined)('a.b')).toBe(true);
    expect(compileFilters([])('a.b')).toBe(true);
    expect(compileFilters(['b', 'a.*'])('a.b')).toBe(true);
    expect(compileFilters(['b', 'c'])('a.b')).toBe(false);
  });

  it('have a wildcard only as a whole token', () => {
    expect(['a', 'a*.b', 'a.>b', 'a.*', '>', '*.a', 'a.>'].map(hasWildcard)).toEqual([
      false,
      false,
      false,
      true,
      true,
      true,
      true,
    ]);
  });

  it.each([
    ['a.>', 'a.b', true],
    ['a.>', 'a.>', true],
    ['a.>', '>', false],
    ['a.*', 'a.>', false],
    ['*.b', 'a.b', true],
    ['a.*', 'a.b.c', false],
    ['a', 'a.b', false],
    ['a.b', 'a.*', false],
  ])('%s covers %s: %s', (outer, inner, expected) => {
    expect(covers(outer, inner)).toBe(expected);
  });

  it.each([
    ['a.*', '*.b', true],
    ['a.>', 'a', false],
    ['a.>', '*.b.c', true],
    ['a.b', 'a.c', false],
    ['a.*', 'a.*.c', false],
    ['a.b', 'a.b', true],
  ])('%s and %s overlap: %s', (left, right, expected) => {
    expect(overlap(left, right)).toBe(expected);
    expect(overlap(right, left)).toBe(expected);
  });

  it('become disjoint where that is possible', () => {
    expect(disjointFilters(['a.b', 'a.*', 'c', 'c'])).toEqual(['a.*', 'c']);
    expect(disjointFilters(['a.*', '*.b'])).toBeUndefined();
    expect(disjointFilters([])).toEqual([]);
  });
});
