import { deepStrictEqual } from 'node:assert/strict';
import {
  seeded,
  step,
  type Context,
  type Decider,
  type Rejection,
  type Step,
} from '@meridian/core';

/** An event of the past, with the moment of its decision (epoch ms) or at that of the one before. */
export type PastEvent<Event> = Event | readonly [event: Event, atMs: number];

/** When and by which randomness the command is decided. */
export interface When {
  /** Epoch ms; that of the last event of the past when absent, 0 without a past. */
  readonly at?: number;
  /** The epoch of the ownership; none is given when absent. */
  readonly epoch?: number;
  /** Of the decision's randomness; `specify` when absent. */
  readonly seed?: string | number;
}

/** What may be said of the state, after what was said of the answer. */
export interface AndState<State> {
  /**
   * The state after the command, exactly. A state that hides something in a class is refused:
   * take `thenView` there.
   */
  thenState(expected: State): AndState<State>;
  /** What a view of the state shows after the command, exactly. */
  thenView<View>(view: (state: State) => View, expected: View): AndState<State>;
}

/** What may be said of the answer. Each method throws an AssertionError unless it is just so. */
export interface Answer<State, Event, R extends Rejection> extends AndState<State> {
  /** These events, consequences included, in this order, field for field. At least one. */
  then(...expected: readonly [Event, ...Event[]]): AndState<State>;
  /** The very rejection: its code and all of its facts. */
  thenRejected(expected: R): AndState<State>;
  /** Accepted, and there is nothing to do. */
  thenNothing(): AndState<State>;
}

export interface Given<State, Event, Command, R extends Rejection> {
  when(command: Command, when?: When): Answer<State, Event, R>;
}

export interface Specification<State, Event, Command, R extends Rejection> extends Given<
  State,
  Event,
  Command,
  R
> {
  given(...past: readonly PastEvent<Event>[]): Given<State, Event, Command, R>;
}

/**
 * Specifies a decider by example: `specify(decider).given(events).when(command).then(events)`.
 * Everything is compared exactly: the order, no field more or less (a field that is `undefined` is
 * not one that is absent), the very rejection with its facts. Given / when / then after emmett's
 * DeciderSpecification.
 */
export function specify<State, Event, Command, R extends Rejection>(
  decider: Decider<State, Event, Command, R>,
): Specification<State, Event, Command, R> {
  const given = (...past: readonly PastEvent<Event>[]): Given<State, Event, Command, R> => ({
    when: (command, when = {}) => decideOn(decider, past, command, when),
  });
  return { given, ...given() };
}

function decideOn<State, Event, Command, R extends Rejection>(
  decider: Decider<State, Event, Command, R>,
  past: readonly PastEvent<Event>[],
  command: Command,
  when: When,
): Answer<State, Event, R> {
  let state = decider.initial();
  let atMs = 0;
  for (const entry of past) {
    const [event, eventAtMs] = isTimed(entry) ? entry : [entry, atMs];
    atMs = eventAtMs;
    state = decider.evolve(state, event, atMs);
  }
  const context: Context = {
    now: when.at ?? atMs,
    random: seeded(when.seed ?? 'specify'),
    ...(when.epoch === undefined ? {} : { epoch: when.epoch }),
  };
  return answer(step(decider, state, command, context), `deciding ${show(command)}`);
}

function isTimed<Event>(entry: PastEvent<Event>): entry is readonly [Event, number] {
  return Array.isArray(entry);
}

function show(value: unknown): string {
  return JSON.stringify(value);
}

function answer<State, Event, R extends Rejection>(
  outcome: Step<State, Event, R>,
  doing: string,
): Answer<State, Event, R> {
  const events = (): readonly Event[] => {
    if (!outcome.accepted) {
      fail(`${doing}: rejected with ${show(outcome.rejection)}, not accepted.`);
    }
    return outcome.events;
  };
  const and: AndState<State> = {
    thenState(expected) {
      const hidden = hiding(outcome.state) ?? hiding(expected);
      if (hidden !== undefined) {
        fail(
          `${doing}: thenState cannot see into the ${hidden} of the state.\n` +
            'Say with thenView what is to be compared.',
        );
      }
      same(outcome.state, expected, `the state after ${doing}`);
      return and;
    },
    thenView(view, expected) {
      same(view(outcome.state), expected, `the view of the state after ${doing}`);
      return and;
    },
  };
  return {
    ...and,
    // oxlint-disable-next-line unicorn/no-thenable -- a specification that is returned as a promise fails
    then(...expected) {
      if (expected.length === 0) fail(`${doing}: then() names no event; say thenNothing().`);
      const decided = events();
      for (const event of decided) storable(event, doing);
      same(decided, expected, `the events of ${doing}`);
      return and;
    },
    thenNothing() {
      same(events(), [], `the events of ${doing}`);
      return and;
    },
    thenRejected(expected) {
      if (outcome.accepted) fail(`${doing}: accepted with ${show(outcome.events)}, not rejected.`);
      same(outcome.rejection, expected, `the rejection of ${doing}`);
      return and;
    },
  };
}

function fail(message: string): never {
  throw new Error(message);
}

/** Compares exactly; the error shows both. */
function same(actual: unknown, expected: unknown, what: string): void {
  try {
    deepStrictEqual(actual, expected);
  } catch (error) {
    throw new Error(`Not what was specified: ${what}.\n${(error as Error).message}`, {
      cause: error,
    });
  }
}

/** An event is what the log gives back: a field that is `undefined` would be lost there. */
function storable(event: unknown, doing: string): void {
  const stored: unknown = JSON.parse(JSON.stringify(event) ?? 'null');
  same(event, stored, `an event of ${doing}, as the log would give it back`);
}

/** The name of the first class in `value` whose content a comparison may not see. */
function hiding(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const prototype: unknown = Object.getPrototypeOf(value);
  const parts =
    value instanceof Map
      ? [...value.keys(), ...value.values()]
      : value instanceof Set
        ? [...value]
        : Array.isArray(value) || prototype === Object.prototype || prototype === null
          ? Object.values(value)
          : undefined;
  if (parts === undefined) {
    return (value.constructor as { name?: string } | undefined)?.name ?? 'object';
  }
  for (const part of parts) {
    const found = hiding(part);
    if (found !== undefined) return found;
  }
  return undefined;
}
