import { describe, expect, it } from '@jest/globals';
import { formatPlaces, parsePlaces } from './places.ts';

describe('places', () => {
  it.each([
    [undefined, {}, {}],
    ['', {}, {}],
    ['IN_eu=12', { IN_eu: 12 }, {}],
    ['IN_eu=12/9', { IN_eu: 12 }, { IN_eu: 9 }],
    ['IN_eu=12/9,EV_us.eu=40,IN_us=/7', { IN_eu: 12, 'EV_us.eu': 40 }, { IN_eu: 9, IN_us: 7 }],
  ])('reads %j', (text, consumed, settled) => {
    expect(parsePlaces(text)).toEqual({ consumed, settled });
  });

  it('states what is settled of every source, or of those alone that are asked for', () => {
    const settled = { IN_eu: 9, IN_us: 7, 'EV_us.eu': 3 };
    expect(formatPlaces({ IN_eu: 12 }, settled)).toBe('IN_eu=12/9,IN_us=/7,EV_us.eu=/3');
    expect(formatPlaces({ IN_eu: 12 }, settled, { IN_eu: 12 })).toBe('IN_eu=12/9');
    expect(formatPlaces({ IN_ap: 5 }, settled, {})).toBe('IN_ap=5');
    expect(formatPlaces({}, {})).toBe('');
  });

  it('reads back what it wrote', () => {
    const consumed = { IN_eu: 12, 'EV_us.eu': 1 };
    const settled = { IN_eu: 9, IN_ap: 0 };
    expect(parsePlaces(formatPlaces(consumed, settled))).toEqual({ consumed, settled });
  });
});
