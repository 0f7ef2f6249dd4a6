import { describe, expect, test } from '@jest/globals';
import { accept, fold, reject, step, type Decider } from './decider.ts';
import { seeded } from './random.ts';

type Event = { readonly by: number };
interface Refusal {
  readonly code: 'ODD';
  readonly facts: { readonly by: number };
}

/** Adds even numbers; each sum above a limit takes it down by ten, in steps. */
const decider: Decider<{ total: number; lastMs: number }, Event, number, Refusal> = {
  initial: () => ({ total: 0, lastMs: 0 }),
  evolve: (state, { by }, timeMs) => {
    state.total += by;
    state.lastMs = timeMs;
    return state;
  },
  decide: (_, by) =>
    by === 0 ? accept() : by % 2 === 0 ? accept({ by }) : reject({ code: 'ODD', facts: { by } }),
  consequences: ({ total }) => (total > 100 ? [{ by: -10 }, { by: -10 }] : []),
};
const context = { now: 7, random: seeded(1) };

describe('step', () => {
  test('folds what was decided, at the time of the decision', () => {
    expect(step(decider, decider.initial(), 4, context)).toStrictEqual({
      accepted: true,
      state: { total: 4, lastMs: 7 },
      events: [{ by: 4 }],
    });
  });

  test('follows the consequences to the end, in order', () => {
    expect(step(decider, decider.initial(), 130, context)).toStrictEqual({
      accepted: true,
      state: { total: 90, lastMs: 7 },
      events: [{ by: 130 }, { by: -10 }, { by: -10 }, { by: -10 }, { by: -10 }],
    });
  });

  test('shows the consequences the state and all events so far', () => {
    const seen: [number, number][] = [];
    const watched: typeof decider = {
      ...decider,
      consequences: (state, events, given) => {
        expect(given).toBe(context);
        seen.push([state.total, events.length]);
        return decider.consequences?.(state, events, given) ?? [];
      },
    };
    step(watched, watched.initial(), 130, context);
    expect(seen).toEqual([
      [130, 1],
      [110, 3],
      [90, 5],
    ]);
  });

  test('of nothing to do, and of a rejection, nothing follows', () => {
    const state = { total: 200, lastMs: 1 };
    expect(step(decider, state, 0, context)).toStrictEqual({ accepted: true, state, events: [] });
    expect(step(decider, state, 3, context)).toStrictEqual({
      accepted: false,
      state,
      rejection: { code: 'ODD', facts: { by: 3 } },
    });
    expect(state).toStrictEqual({ total: 200, lastMs: 1 });
  });

  test('ends consequences that never end', () => {
    const runaway: typeof decider = { ...decider, consequences: () => [{ by: 1 }] };
    expect(() => step(runaway, runaway.initial(), 2, context)).toThrow(
      /did not end after 10000 rounds/,
    );
  });
});

test('fold takes the events in order', () => {
  const order: number[] = [];
  const evolve = (sum: number, { by }: Event, timeMs: number): number => {
    order.push(by);
    return sum + by * timeMs;
  };
  expect(fold({ evolve }, 1, [{ by: 2 }, { by: 3 }], 10)).toBe(51);
  expect(order).toEqual([2, 3]);
});
