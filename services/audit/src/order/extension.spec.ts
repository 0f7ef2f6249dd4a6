import { describe, expect, it } from '@jest/globals';
import { Ranks, segmentLength } from '@meridian/proof';
import { extensionOf, rangeLimit, type StreamEnd } from './extension.ts';

const nobody = (): boolean => false;
let drawn = 0;
const newKey = (): string => `key ${(drawn += 1)}`;
const ends = (all: Record<string, number>): StreamEnd[] =>
  Object.entries(all).map(([stream, sequence]) => ({ stream, sequence }));

describe('What comes next in the order', () => {
  it('is what every stream has beyond it, requests first', () => {
    drawn = 0;
    const ranks = new Ranks();
    const first = extensionOf(
      ranks,
      ends({ EV_us: 2, EV_eu: 3, IN_us: 0, IN_eu: 4 }),
      nobody,
      newKey,
    );
    expect(first).toEqual({
      afterRank: 0,
      ranges: [
        { stream: 'IN_eu', after: 0, upTo: 4 },
        { stream: 'EV_eu', after: 0, upTo: 3 },
        { stream: 'EV_us', after: 0, upTo: 2 },
      ],
      keys: [
        { stream: 'IN_eu', segment: 0, key: 'key 1' },
        { stream: 'EV_eu', segment: 0, key: 'key 2' },
        { stream: 'EV_us', segment: 0, key: 'key 3' },
      ],
    });
    for (const range of first?.ranges ?? []) ranks.append(range);
    expect(extensionOf(ranks, ends({ EV_eu: 3, IN_eu: 5 }), nobody, newKey)).toEqual({
      afterRank: 9,
      ranges: [{ stream: 'IN_eu', after: 4, upTo: 5 }],
    });
  });

  it('is nothing where nothing came, or only what the audit wrote itself', () => {
    const ranks = new Ranks();
    ranks.append({ stream: 'EV_eu', after: 0, upTo: 5 });
    expect(extensionOf(ranks, ends({ EV_eu: 5, IN_eu: 0 }), nobody, newKey)).toBeUndefined();
    // A copy that was mended may end earlier for a while.
    expect(extensionOf(ranks, ends({ EV_eu: 4 }), nobody, newKey)).toBeUndefined();
    const isOwn = (_: string, sequence: number): boolean => sequence < 8;
    expect(extensionOf(ranks, ends({ EV_eu: 7 }), isOwn, newKey)).toBeUndefined();
    expect(extensionOf(ranks, ends({ EV_eu: 8 }), isOwn, newKey)?.ranges).toEqual([
      { stream: 'EV_eu', after: 5, upTo: 8 },
    ]);
  });

  it('has a key for each segment that begins in it, and is bounded', () => {
    const ranks = new Ranks();
    const many = extensionOf(ranks, ends({ IN_eu: 3 * rangeLimit }), nobody, newKey);
    expect(many?.ranges).toEqual([{ stream: 'IN_eu', after: 0, upTo: rangeLimit }]);
    expect(many?.keys?.map(({ segment }) => segment)).toEqual(
      Array.from({ length: 16 }, (_, segment) => segment),
    );
    ranks.append({ stream: 'IN_eu', after: 0, upTo: segmentLength - 1 });
    const last = extensionOf(ranks, ends({ IN_eu: segmentLength }), nobody, newKey);
    expect(last).not.toHaveProperty('keys');
    const next = extensionOf(ranks, ends({ IN_eu: segmentLength + 1 }), nobody, newKey);
    expect(next?.keys?.map(({ segment }) => segment)).toEqual([1]);
  });
});
