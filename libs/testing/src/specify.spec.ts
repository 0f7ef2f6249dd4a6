import { describe, expect, test } from '@jest/globals';
import { accept, reject, type Decider } from '@meridian/core';
import { specify } from './specify.ts';

interface Counter {
  readonly total: number;
  readonly lastAtMs: number;
  readonly seen: Set<string>;
}
type Event = { readonly type: 'added'; readonly by: number; readonly note?: string | undefined };
type Command =
  | { readonly type: 'add'; readonly by: number; readonly note?: string | undefined }
  | { readonly type: 'add_twice'; readonly by: number }
  | { readonly type: 'draw' }
  | { readonly type: 'wait' };
interface Refusal {
  readonly code: 'TOO_MUCH';
  readonly facts: Readonly<Record<string, unknown>>;
}

const counter: Decider<Counter, Event, Command, Refusal> = {
  initial: () => ({ total: 0, lastAtMs: -1, seen: new Set() }),
  evolve: ({ total, seen }, { by }, timeMs) => ({
    total: total + by,
    lastAtMs: timeMs,
    seen: new Set([...seen, `${by}`]),
  }),
  decide: ({ total, lastAtMs }, command, { now, random }) => {
    switch (command.type) {
      case 'add':
        if (total + command.by > 10) {
          return reject({ code: 'TOO_MUCH', facts: { total, by: command.by } });
        }
        return accept({ ...command, type: 'added' as const });
      case 'add_twice':
        return accept(
          { type: 'added' as const, by: command.by },
          { type: 'added' as const, by: command.by + 1 },
        );
      case 'draw':
        return accept({ type: 'added' as const, by: random.int(1_000_000) });
      default:
        return now > lastAtMs ? accept({ type: 'added' as const, by: now - lastAtMs }) : accept();
    }
  },
};
const withConsequence: typeof counter = {
  ...counter,
  consequences: ({ total }) => (total % 2 === 1 ? [{ type: 'added', by: 1 }] : []),
};

const added = (by: number): Event => ({ type: 'added', by });
const add = (by: number): Command => ({ type: 'add', by });
const refusal: Refusal = { code: 'TOO_MUCH', facts: { total: 8, by: 5 } };

describe('holds', () => {
  test('events in order, rejection with facts, nothing, state', () => {
    specify(counter).when(add(3)).then(added(3));
    specify(counter)
      .when({ type: 'add_twice', by: 2 })
      .then(added(2), added(3))
      .thenState({ total: 5, lastAtMs: 0, seen: new Set(['3', '2']) });
    specify(counter)
      .given(added(8))
      .when(add(5))
      .thenRejected(refusal)
      .thenView(({ total }) => total, 8);
    specify(counter)
      .given([added(1), 50])
      .when({ type: 'wait' })
      .thenNothing();
  });

  test('times of the past, of the command, and the seed', () => {
    specify(counter)
      .given([added(1), 50], added(2))
      .when({ type: 'wait' }, { at: 53 })
      .then(added(3))
      .thenState({ total: 6, lastAtMs: 53, seen: new Set(['1', '2', '3']) });
    const draw = (seed: string) => () =>
      specify(counter).when({ type: 'draw' }, { seed }).then(added(-1));
    expect(draw('a')).toThrow(/added/);
    const drawn = (seed: string): string => {
      try {
        draw(seed)();
      } catch (error) {
        return (error as Error).message;
      }
      return '';
    };
    expect(drawn('a')).toBe(drawn('a'));
    expect(drawn('a')).not.toBe(drawn('b'));
  });

  test('consequences belong to the answer', () => {
    specify(withConsequence).when(add(3)).then(added(3), added(1));
    expect(() => specify(withConsequence).when(add(3)).then(added(3))).toThrow(
      /Not what was specified/,
    );
  });
});

describe('fails', () => {
  const twice = (): ReturnType<
    ReturnType<typeof specify<Counter, Event, Command, Refusal>>['when']
  > => specify(counter).when({ type: 'add_twice', by: 2 });

  test.each<[string, () => unknown]>([
    ['an event too many', () => twice().then(added(2))],
    ['an event missing', () => twice().then(added(2), added(3), added(4))],
    ['another order', () => twice().then(added(3), added(2))],
    ['another value', () => specify(counter).when(add(3)).then(added(4))],
    [
      'another type of value',
      () =>
        specify(counter)
          .when(add(3))
          .then(added('3' as unknown as number)),
    ],
    [
      'an undeclared field',
      () => specify(counter).when({ type: 'add', by: 3, note: 'x' }).then(added(3)),
    ],
    [
      'a field missing',
      () =>
        specify(counter)
          .when(add(3))
          .then({ ...added(3), note: 'x' }),
    ],
    [
      'undefined for absent',
      () =>
        specify(counter)
          .when(add(3))
          .then({ ...added(3), note: undefined }),
    ],
    [
      'absent for undefined',
      () => specify(counter).when({ type: 'add', by: 3, note: undefined }).then(added(3)),
    ],
    [
      'events for nothing',
      () =>
        specify(counter)
          .given([added(1), 5])
          .when({ type: 'wait' })
          .then(added(1)),
    ],
    ['nothing for events', () => specify(counter).when(add(3)).thenNothing()],
    ['accepted for rejected', () => specify(counter).when(add(3)).thenRejected(refusal)],
    ['rejected for accepted', () => specify(counter).given(added(8)).when(add(5)).then(added(5))],
    ['rejected for nothing', () => specify(counter).given(added(8)).when(add(5)).thenNothing()],
    [
      'another code',
      () =>
        specify(counter)
          .given(added(8))
          .when(add(5))
          .thenRejected({ ...refusal, code: 'OTHER' as 'TOO_MUCH' }),
    ],
    [
      'a fact missing',
      () =>
        specify(counter)
          .given(added(8))
          .when(add(5))
          .thenRejected({ code: 'TOO_MUCH', facts: { total: 8 } }),
    ],
    [
      'a fact too many',
      () =>
        specify(counter)
          .given(added(8))
          .when(add(5))
          .thenRejected({ code: 'TOO_MUCH', facts: { ...refusal.facts, more: undefined } }),
    ],
    [
      'another state',
      () =>
        specify(counter)
          .when(add(3))
          .thenState({ total: 3, lastAtMs: 0, seen: new Set(['4']) }),
    ],
    [
      'a state of more',
      () =>
        specify(counter)
          .when(add(3))
          .thenState({ total: 3, lastAtMs: 0, seen: new Set(['3']), more: undefined } as Counter),
    ],
    [
      'another view',
      () =>
        specify(counter)
          .when(add(3))
          .thenView(({ total }) => total, 4),
    ],
    [
      'another past',
      () =>
        specify(counter)
          .given(added(1))
          .when(add(3))
          .thenView(({ total }) => total, 3),
    ],
  ])('%s', (_, wrong) => {
    expect(wrong).toThrow(/^(?:Not what was specified: |deciding \{)/);
  });

  test('an event that the log would not give back, even when it is expected so', () => {
    expect(() =>
      specify(counter)
        .when({ type: 'add', by: 3, note: undefined })
        .then({ type: 'added', by: 3, note: undefined }),
    ).toThrow(/as the log would give it back/);
  });

  test('then() without an event', () => {
    const bare = twice() as unknown as { then(): unknown };
    expect(() => bare.then()).toThrow(/names no event/);
  });

  test('a state that hides what it holds', () => {
    class Opaque {
      readonly #secret: number;
      constructor(secret: number) {
        this.#secret = secret;
      }
      get secret(): number {
        return this.#secret;
      }
    }
    const opaque: Decider<{ inner: Map<string, Opaque> }, Event, Command, Refusal> = {
      initial: () => ({ inner: new Map([['a', new Opaque(1)]]) }),
      evolve: (state) => state,
      decide: () => accept(),
    };
    const answer = specify(opaque).when({ type: 'wait' });
    expect(() => answer.thenState({ inner: new Map([['a', new Opaque(2)]]) })).toThrow(
      /cannot see into the Opaque/,
    );
    answer.thenView(({ inner }) => inner.get('a')?.secret, 1);
  });

  test('a specification awaited by mistake', async () => {
    await expect(Promise.resolve(specify(counter).when(add(3)))).rejects.toThrow(
      /Not what was specified/,
    );
  });

  test('the message names the command and shows both sides', () => {
    expect(() => specify(counter).when(add(3)).then(added(4))).toThrow(
      /deciding \{"type":"add","by":3\}[\s\S]*by: 3[\s\S]*by: 4/,
    );
  });
});
