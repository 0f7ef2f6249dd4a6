import { describe, expect, it } from '@jest/globals';
import { seeded } from '@meridian/core';
import { Ranks, type StreamPlace } from './ranks.ts';

describe('Ranks', () => {
  it('are those of a plain list, both ways', () => {
    const random = seeded('ranks');
    const streams = ['IN_eu', 'EV_eu', 'IN_us', 'EV_us'];
    const ranks = new Ranks();
    const list: StreamPlace[] = [];
    const ends = new Map<string, number>();
    for (let round = 0; round < 300; round += 1) {
      const stream = random.pick(streams);
      const after = ends.get(stream) ?? 0;
      const upTo = after + 1 + random.int(9);
      ranks.append({ stream, after, upTo });
      ends.set(stream, upTo);
      for (let sequence = after + 1; sequence <= upTo; sequence += 1) {
        list.push({ stream, sequence });
      }
    }
    expect(ranks.size).toBe(list.length);
    expect(list.map((_, rank) => ranks.placeOf(rank))).toEqual(list);
    expect(list.map(({ stream, sequence }) => ranks.rankOf(stream, sequence))).toEqual(
      list.map((_, rank) => rank),
    );
    for (const stream of streams) {
      expect(ranks.end(stream)).toBe(ends.get(stream));
      expect(ranks.rankOf(stream, 0)).toBeUndefined();
      expect(ranks.rankOf(stream, ranks.end(stream) + 1)).toBeUndefined();
    }
    expect([-1, list.length, 0.5].map((rank) => ranks.placeOf(rank))).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    for (let round = 0; round < 200; round += 1) {
      const from = random.int(list.length);
      const to = from + random.int(60);
      const read = [...ranks.runs(from, to)].flatMap((run) =>
        Array.from({ length: run.to - run.from + 1 }, (_, index) => ({
          rank: run.rank + index,
          place: { stream: run.stream, sequence: run.from + index },
        })),
      );
      const wanted = list.slice(from, to).map((place, index) => ({ rank: from + index, place }));
      expect(read).toEqual(wanted);
    }
  });

  it('keep one range for what goes on', () => {
    const ranks = new Ranks();
    for (let at = 0; at < 1_000; at += 1) {
      ranks.append({ stream: 'EV_eu', after: at, upTo: at + 1 });
    }
    expect(ranks.ranges).toBe(1);
    expect(ranks.rankOf('EV_eu', 1_000)).toBe(999);
  });

  it('refuse a gap, a repeat and nothing', () => {
    const ranks = new Ranks();
    ranks.append({ stream: 'EV_eu', after: 0, upTo: 5 });
    for (const [after, upTo] of [
      [6, 7],
      [4, 7],
      [5, 5],
      [0, 5],
    ] as const) {
      expect(() => ranks.append({ stream: 'EV_eu', after, upTo })).toThrow(RangeError);
    }
    expect(ranks.size).toBe(5);
    expect(new Ranks().placeOf(0)).toBeUndefined();
    expect([...new Ranks().runs(0, 5)]).toEqual([]);
  });
});
