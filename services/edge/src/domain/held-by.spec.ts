import { describe, expect, it } from '@jest/globals';
import { seeded } from '@meridian/core';
import { HeldBy, type Waited } from './held-by.ts';

const stream = 'IN_eu';

describe('what other regions hold', () => {
  it('is nothing until they have said something', () => {
    const held = new HeldBy(['us', 'ap']);
    expect([held.heldAt('mirrored', stream), held.heldAt('all', stream)]).toEqual([0, 0]);
    expect(held.reached(stream, 1)).toBe('region');
    expect(held.knows('us', stream)).toBe(false);
    held.report('us', { IN_eu: 7, EV_eu: 3 });
    expect(held.knows('us', stream)).toBe(true);
    expect([held.heldAt('mirrored', stream), held.heldAt('all', stream)]).toEqual([7, 0]);
    held.report('ap', { IN_eu: 5 });
    expect([held.heldAt('mirrored', stream), held.heldAt('all', stream)]).toEqual([7, 5]);
    expect([5, 6, 7, 8].map((sequence) => held.reached(stream, sequence))).toEqual([
      'all',
      'mirrored',
      'mirrored',
      'region',
    ]);
    expect(held.heldAt('mirrored', 'EV_eu')).toBe(3);
  });

  it('is what they said last, also where that is less', () => {
    const held = new HeldBy(['us']);
    held.report('us', { IN_eu: 7 });
    held.report('us', { IN_eu: 2 });
    expect(held.reached(stream, 3)).toBe('region');
  });

  it('is not told by a region that is none of them', () => {
    const held = new HeldBy(['us']);
    held.report('eu', { IN_eu: 7 });
    held.report('xx', { IN_eu: 7 });
    expect(held.heldAt('mirrored', stream)).toBe(0);
  });

  it('is never reached by a region that is alone', () => {
    const held = new HeldBy([]);
    const answers: string[] = [];
    held.wait('all', stream, 1, () => answers.push('all'));
    held.report('us', { IN_eu: 9 });
    expect([held.alone, held.reached(stream, 1), answers]).toEqual([true, 'region', []]);
  });
});

describe('who waits', () => {
  it('is answered at once when it is held already', () => {
    const held = new HeldBy(['us']);
    held.report('us', { IN_eu: 7 });
    const answers: number[] = [];
    held.wait('mirrored', stream, 7, () => answers.push(7));
    held.wait('mirrored', stream, 8, () => answers.push(8));
    expect(answers).toEqual([7]);
    expect(held.waiting('mirrored')).toBe(1);
  });

  it('is answered in the order of the sequences, then of the calls', () => {
    const held = new HeldBy(['us', 'ap']);
    const answers: string[] = [];
    const wait = (level: Waited, sequence: number, name: string): void => {
      held.wait(level, stream, sequence, () => answers.push(name));
    };
    wait('mirrored', 9, 'm9');
    wait('mirrored', 3, 'm3');
    wait('all', 2, 'a2');
    wait('mirrored', 3, 'm3 again');
    wait('mirrored', 1, 'm1');
    held.report('us', { IN_eu: 4 });
    expect(answers).toEqual(['m1', 'm3', 'm3 again']);
    held.report('ap', { IN_eu: 2, EV_eu: 100 });
    expect(answers).toEqual(['m1', 'm3', 'm3 again', 'a2']);
    held.report('ap', { IN_eu: 9 });
    expect(answers).toEqual(['m1', 'm3', 'm3 again', 'a2', 'm9']);
    expect([held.waiting('mirrored'), held.waiting('all')]).toEqual([0, 0]);
  });

  it('is not answered once it has given up', () => {
    const held = new HeldBy(['us']);
    const answers: number[] = [];
    const giveUp = held.wait('mirrored', stream, 1, () => answers.push(1));
    held.wait('mirrored', stream, 2, () => answers.push(2));
    giveUp();
    giveUp();
    expect(held.waiting('mirrored')).toBe(1);
    held.report('us', { IN_eu: 2 });
    giveUp();
    expect(answers).toEqual([2]);
    expect(held.waiting('mirrored')).toBe(0);
  });

  it.each([1, 2, 3, 4, 5])('agrees with a plain list of waiters, seed %i', (seed) => {
    const random = seeded(String(seed));
    const below = (limit: number): number => Math.floor(random.next() * limit);
    const held = new HeldBy(['us', 'ap']);
    const plain: { level: Waited; sequence: number; name: number; giveUp: () => void }[] = [];
    const position: Record<string, number> = { us: 0, ap: 0 };
    let answers: number[] = [];
    for (let name = 0; name < 3_000; name += 1) {
      const move = below(10);
      if (move < 6) {
        const level: Waited = below(2) === 0 ? 'mirrored' : 'all';
        const sequence = Math.max(position['us'] ?? 0, position['ap'] ?? 0) + 1 + below(50);
        const giveUp = held.wait(level, stream, sequence, () => answers.push(name));
        plain.push({ level, sequence, name, giveUp });
      } else if (move < 9 && plain.length > 0) {
        plain.splice(below(plain.length), 1)[0]?.giveUp();
      } else {
        const region = below(2) === 0 ? 'us' : 'ap';
        position[region] = (position[region] ?? 0) + below(40);
        answers = [];
        held.report(region, { IN_eu: position[region] ?? 0 });
        const [low = 0, high = 0] = Object.values(position).sort((a, b) => a - b);
        const due = (level: Waited): number[] =>
          plain
            .filter((one) => one.level === level)
            .filter(({ sequence }) => sequence <= (level === 'all' ? low : high))
            .sort((a, b) => a.sequence - b.sequence || a.name - b.name)
            .map((one) => one.name);
        const expected = [...due('mirrored'), ...due('all')];
        expect(answers).toEqual(expected);
        for (const gone of expected) {
          plain.splice(
            plain.findIndex((one) => one.name === gone),
            1,
          );
        }
      }
      expect(held.waiting('mirrored') + held.waiting('all')).toBe(plain.length);
    }
  });
});
