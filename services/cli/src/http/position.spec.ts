import { describe, expect, it } from '@jest/globals';
import { isAfter, parseEventPosition, writerOf } from './position.ts';

describe('the position of an event', () => {
  it.each([
    ['EV_eu:41.2', undefined, { stream: 'EV_eu', sequence: 41, index: 2 }],
    ['EV_ap:5,EV_eu:41.2,EV_us:77', undefined, { stream: 'EV_eu', sequence: 41, index: 2 }],
    ['EV_eu:41.2,EV_us:77.1', 'us', { stream: 'EV_us', sequence: 77, index: 1 }],
    ['EV_eu:41.2,EV_us:77.1', 'eu', { stream: 'EV_eu', sequence: 41, index: 2 }],
    ['EV_eu:41.2,EV_us:77.1', 'ap', undefined],
    ['EV_eu:41', undefined, undefined],
    ['EV_eu:41.2,', undefined, undefined],
    ['EV_eu:41.2,x', undefined, undefined],
    ['', undefined, undefined],
  ])('of %s written by %s', (text, writer, expected) => {
    expect(parseEventPosition(text, writer)).toEqual(expected);
  });

  it('comes after another of its stream, and after any of another', () => {
    const at = (stream: string, sequence: number, index: number) => ({ stream, sequence, index });
    expect(isAfter(at('EV_eu', 2, 0), at('EV_eu', 1, 9))).toBe(true);
    expect(isAfter(at('EV_eu', 2, 0), at('EV_eu', 2, 0))).toBe(false);
    expect(isAfter(at('EV_us', 1, 0), at('EV_eu', 2, 0))).toBe(true);
    expect(isAfter(at('EV_us', 1, 0), undefined)).toBe(true);
  });

  it('was written by the region in the source', () => {
    expect([writerOf({ source: '/us/routing' }), writerOf({})]).toEqual(['us', undefined]);
  });
});
