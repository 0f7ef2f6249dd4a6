import { describe, expect, test } from '@jest/globals';
import { DueTimes } from './due-times.ts';
import { Heap } from './heap.ts';
import { seeded } from './random.ts';

describe('a heap', () => {
  test('does as a sorted list does, under random operations', () => {
    for (let seed = 0; seed < 200; seed += 1) {
      const random = seeded(`heap ${seed}`);
      const heap = new Heap<number>((a, b) => a < b);
      const list: number[] = [];
      for (let turn = 0; turn < 200; turn += 1) {
        if (random.next() < 0.6) {
          const item = random.int(50);
          heap.push(item);
          list.push(item);
          list.sort((a, b) => a - b);
        } else if (heap.pop() !== list.shift()) {
          throw new Error(`Seed ${seed}, turn ${turn}: not the smallest came out.`);
        }
        if (heap.size !== list.length || heap.peek() !== list[0]) {
          throw new Error(`Seed ${seed}, turn ${turn}.`);
        }
      }
    }
  });

  test('is empty at first', () => {
    const heap = new Heap<number>((a, b) => a < b);
    expect([heap.size, heap.peek(), heap.pop(), heap.size]).toEqual([0, undefined, undefined, 0]);
  });
});

describe('due times', () => {
  test('do as a plain map does, under random operations', () => {
    for (let seed = 0; seed < 100; seed += 1) {
      const random = seeded(`due ${seed}`);
      const due = new DueTimes();
      const map = new Map<string, number>();
      for (let turn = 0; turn < 300; turn += 1) {
        const key = `k${random.int(12)}`;
        if (random.next() < 0.25) {
          due.set(key, undefined);
          map.delete(key);
        } else {
          const at = random.int(40);
          due.set(key, at);
          map.set(key, at);
        }
        const now = random.int(45);
        const order = [...map].toSorted(([a, one], [b, two]) => one - two || (a < b ? -1 : 1));
        const [actual, expected] = [
          [due.size, due.next(), due.due(now)],
          [map.size, order[0]?.[1], order.filter(([, at]) => at <= now).map(([name]) => name)],
        ];
        if (JSON.stringify(actual) !== JSON.stringify(expected)) {
          expect([seed, turn, actual]).toEqual([seed, turn, expected]);
        }
      }
    }
  });

  test('asking does not clear', () => {
    const due = new DueTimes();
    due.set('a', 5);
    expect([due.due(5), due.due(5), due.due(4), due.next(), due.size]).toEqual([
      ['a'],
      ['a'],
      [],
      5,
      1,
    ]);
  });
});
