import { describe, expect, it } from '@jest/globals';
import { seeded } from '@meridian/core';
import { Ring } from './ring.ts';

describe('Ring', () => {
  it('keeps the last entries and says from where on it is whole', () => {
    const ring = new Ring<{ sequence: number; size: number }>(5, { entries: 3, bytes: 100 });
    expect([ring.first, ring.next, ring.at(5)]).toEqual([5, 5, undefined]);
    for (const sequence of [5, 7, 8, 12]) ring.push({ sequence, size: 10 });
    expect([ring.first, ring.next, ring.count]).toEqual([6, 13, 3]);
    expect([6, 7, 8, 9, 12, 13].map((sequence) => ring.at(sequence)?.sequence)).toEqual([
      7,
      7,
      8,
      12,
      12,
      undefined,
    ]);
  });

  it('drops by size, and keeps one that alone is too large', () => {
    const ring = new Ring<{ sequence: number; size: number }>(1, { entries: 10, bytes: 100 });
    ring.push({ sequence: 1, size: 60 });
    ring.push({ sequence: 2, size: 60 });
    expect([ring.first, ring.count]).toEqual([2, 1]);
    ring.push({ sequence: 3, size: 1_000 });
    expect([ring.first, ring.next, ring.count]).toEqual([3, 4, 1]);
  });

  it('refuses what does not come in order', () => {
    const ring = new Ring<{ sequence: number; size: number }>(4, { entries: 2, bytes: 100 });
    expect(() => ring.push({ sequence: 3, size: 1 })).toThrow(
      'Entry 3 was pushed, but 4 is the next one at least.',
    );
  });

  it('finds what a plain list finds', () => {
    const random = seeded('ring');
    const ring = new Ring<{ sequence: number; size: number }>(1, { entries: 7, bytes: 200 });
    const all: { sequence: number; size: number }[] = [];
    let sequence = 0;
    for (let step = 0; step < 2_000; step += 1) {
      sequence += 1 + random.int(3);
      all.push({ sequence, size: random.int(90) });
      ring.push(all.at(-1) as { sequence: number; size: number });
      const asked = ring.first + random.int(ring.next - ring.first + 2);
      expect(ring.at(asked)).toBe(all.find((entry) => entry.sequence >= asked));
    }
  });
});
