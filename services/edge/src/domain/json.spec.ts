import { describe, expect, it } from '@jest/globals';
import { mayHoldPrototypeKey, nestsWithin, prototypeKey, sameJson } from './json.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('nestsWithin', () => {
  it.each([
    ['1', 0, true],
    ['[]', 1, true],
    ['[]', 0, false],
    ['[[1],{"a":2}]', 2, true],
    ['[[1],{"a":[]}]', 2, false],
    ['"[[[["', 0, true],
    ['["\\"[[[",1]', 1, true],
    ['["\\\\",[]]', 1, false],
    ['[[[[', 3, false],
    [']]]][', 1, true],
  ])('%s within %i: %s', (text, limit, expected) => {
    expect(nestsWithin(bytes(text), limit)).toBe(expected);
  });
});

describe('prototypeKey', () => {
  it.each([
    ['{"a":1}', undefined],
    ['{"__proto__":1}', '/__proto__'],
    ['{"a":[0,{"__proto__":{}}]}', '/a/1/__proto__'],
    ['{"a/b":{"\\u005f_proto__":1}}', '/a~1b/__proto__'],
    ['"__proto__"', undefined],
  ])('%s: %s', (text, expected) => {
    expect(prototypeKey(JSON.parse(text))).toBe(expected);
    if (expected !== undefined) expect(mayHoldPrototypeKey(text)).toBe(true);
  });
});

describe('sameJson', () => {
  it.each([
    [1, 1, true],
    [1, '1', false],
    [null, {}, false],
    [[], {}, false],
    [{ a: 1, b: 2 }, { b: 2, a: 1 }, true],
    [{ a: 1 }, { a: 1, b: 2 }, false],
    [{ a: 1 }, { a: 1, b: [], c: {} }, true],
    [{ a: '' }, {}, false],
    [[], [{}], false],
    [[1, 2], [2, 1], false],
    [{ a: [{ b: null }] }, { a: [{ b: null }] }, true],
    [{ toString: 1 }, { a: 1 }, false],
  ])('%j and %j: %s', (left, right, expected) => {
    expect(sameJson(left, right)).toBe(expected);
    expect(sameJson(right, left)).toBe(expected);
  });
});
