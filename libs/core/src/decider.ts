import type { Random } from './random.ts';

/** What the world hands to a decision: time and randomness are arguments, never read. */
export interface Context {
  /** The moment of the decision, in whole epoch milliseconds of the log's clock. */
  readonly now: number;
  /** Seeded randomness; the same seed gives the same decision. */
  readonly random: Random;
  /** The epoch of the ownership under which it is decided; 1 when absent. */
  readonly epoch?: number;
}

/** A refused command is data: a code from a closed list and the facts that led to it. */
export interface Rejection {
  readonly code: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

/** What `decide` answers: the events to store (none when nothing is left to do), or a rejection. */
export type Decision<Event, R extends Rejection = Rejection> =
  | { readonly accepted: true; readonly events: readonly Event[] }
  | { readonly accepted: false; readonly rejection: R };

/** The events of an accepted command, in order. */
export function accept<Event>(...events: Event[]): { accepted: true; events: readonly Event[] } {
  return { accepted: true, events };
}

/** A refused command, with its code and facts. */
export function reject<R extends Rejection>(rejection: R): { accepted: false; rejection: R } {
  return { accepted: false, rejection };
}

/**
 * One aggregate: how it starts, what an event does to it, what a command leads to.
 * After Jérémie Chassaing's decider (2021), with one addition, `consequences`.
 *
 * `evolve` owns the state it is given and may change it in place; nobody else keeps a reference.
 * `decide` and `consequences` only read.
 */
export interface Decider<State, Event, Command, R extends Rejection = Rejection> {
  /** The state before the first event; a fresh value at each call. */
  initial(): State;
  /**
   * The state after one more event, decided at `timeMs` (epoch milliseconds, the event's `time`).
   * Total: it never refuses what the log holds.
   */
  evolve(state: State, event: Event, timeMs: number): State;
  /** The events a command leads to. A repeated command decides nothing. */
  decide(state: State, command: Command, context: Context): Decision<Event, R>;
  /**
   * What must follow at once from the events decided so far, in the same entry of the log. Called
   * with the state after them, again with what it added, until it adds nothing.
   */
  consequences?(state: State, events: readonly Event[], context: Context): readonly Event[];
}

/** How many rounds of consequences one command may cause before it counts as a runaway. */
const consequenceRoundsLimit = 10_000;

/** The outcome of one command on a state: the new state, and all events, consequences included. */
export type Step<State, Event, R extends Rejection> =
  | { readonly accepted: true; readonly state: State; readonly events: readonly Event[] }
  | { readonly accepted: false; readonly state: State; readonly rejection: R };

/**
 * Decides one command, folds its events into the state and follows the consequences to the end.
 * @throws Error when consequences do not come to an end (a fault of the decider).
 */
export function step<State, Event, Command, R extends Rejection>(
  decider: Decider<State, Event, Command, R>,
  state: State,
  command: Command,
  context: Context,
): Step<State, Event, R> {
  const decision = decider.decide(state, command, context);
  if (!decision.accepted) return { accepted: false, state, rejection: decision.rejection };
  let current = fold(decider, state, decision.events, context.now);
  if (decider.consequences === undefined || decision.events.length === 0) {
    return { accepted: true, state: current, events: decision.events };
  }
  const events = [...decision.events];
  for (let round = 0; ; round += 1) {
    if (round === consequenceRoundsLimit) {
      throw new Error(`The consequences of one command did not end after ${round} rounds.`);
    }
    const more = decider.consequences(current, events, context);
    if (more.length === 0) return { accepted: true, state: current, events };
    current = fold(decider, current, more, context.now);
    events.push(...more);
  }
}

/** The state after all of `events`, in order, decided at `timeMs`. */
export function fold<State, Event>(
  decider: Pick<Decider<State, Event, never, never>, 'evolve'>,
  state: State,
  events: Iterable<Event>,
  timeMs: number,
): State {
  let current = state;
  for (const event of events) current = decider.evolve(current, event, timeMs);
  return current;
}
