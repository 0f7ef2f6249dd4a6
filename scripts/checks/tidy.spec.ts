import { describe, expect, it } from '@jest/globals';
import { tidiness } from './tidy.ts';

const count = (text: string) => {
  const { problems, warnings } = tidiness([{ path: 'a.ts', text }]);
  return [problems.length, warnings.length];
};

describe('tidy', () => {
  it.each([
    [100, [0, 0]],
    [101, [0, 1]],
    [120, [0, 1]],
    [121, [1, 0]],
  ])('%d columns', (columns, expected) => {
    expect(count(`${'é'.repeat(columns)}\n`)).toEqual(expected);
  });

  it.each([
    [300, [0, 0]],
    [301, [0, 1]],
    [500, [0, 1]],
    [501, [1, 0]],
  ])('%d lines', (lines, expected) => {
    expect(count('x\n'.repeat(lines))).toEqual(expected);
  });
});
