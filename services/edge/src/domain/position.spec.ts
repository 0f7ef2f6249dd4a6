import { describe, expect, it } from '@jest/globals';
import { seeded } from '@meridian/core';
import { after, formatBefore, parseVector } from './position.ts';

const streams = ['EV_ap', 'EV_eu', 'EV_us'];

describe('vectors of places', () => {
  it.each([
    ['EV_eu:12.0,EV_us:77', { EV_eu: { sequence: 12, index: 0 }, EV_us: { sequence: 77 } }],
    ['EV_us:77.1', { EV_us: { sequence: 77, index: 1 } }],
    [
      'EV_us:0,EV_ap:3,EV_eu:1.2',
      { EV_us: { sequence: 0 }, EV_ap: { sequence: 3 }, EV_eu: { sequence: 1, index: 2 } },
    ],
  ])('%s is one', (text, expected) => {
    expect(Object.fromEntries(parseVector(streams, text) ?? [])).toEqual(expected);
  });

  it.each([
    '',
    ',',
    'EV_eu',
    'EV_eu:',
    'EV_eu:x',
    'EV_eu:-1',
    'EV_eu:1.',
    'EV_eu:1.0.0',
    'EV_eu:0.0',
    'EV_eu:1,',
    ',EV_eu:1',
    'EV_eu:1,EV_eu:2',
    'EV_xx:1',
    'EV_eu:1 ',
    'EV_eu:1;EV_us:1',
    'EV_eu:1234567890123456',
    'EV_eu:1.1234567',
    'EV_ap:1,EV_eu:1,EV_us:1,EV_ap:1',
    `${'EV_eu:1,'.repeat(10_000)}EV_us:1`,
  ])('%j is none', (text) => {
    expect(parseVector(streams, text)).toBeUndefined();
  });

  it('go on with the next event, or the next entry', () => {
    expect(after({ sequence: 12, index: 0 })).toEqual({ sequence: 12, index: 1 });
    expect(after({ sequence: 12 })).toEqual({ sequence: 13, index: 0 });
    expect(formatBefore('EV_eu', { sequence: 1, index: 0 })).toBe('EV_eu:0');
    expect(formatBefore('EV_eu', { sequence: 13, index: 2 })).toBe('EV_eu:13.1');
  });

  it('say of any place to go on from what is read as that place', () => {
    const random = seeded('places');
    for (let count = 0; count < 1_000; count += 1) {
      const next = {
        sequence: 1 + Math.floor(random.next() * 1e9),
        index: Math.floor(random.next() * 4),
      };
      const place = parseVector(['EV_eu'], formatBefore('EV_eu', next))?.get('EV_eu');
      expect(after(place ?? { sequence: -1 })).toEqual(next);
    }
  });
});
