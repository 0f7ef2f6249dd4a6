import { fromTimestamp, step, type Context, type Decider, type Rejection } from '@meridian/core';
import {
  emptyHead,
  type AggregateId,
  type Cause,
  type EventToEncode,
  type Head,
} from '@meridian/wire';
import { LogFault, WrongLastSequence } from './errors.ts';
import { headAfter, readEntry, type Entry, type EntryToAppend, type Journal } from './journal.ts';
import type { LogMessage } from './log.ts';
import { pause } from './pause.ts';

/** The least that every domain event says. */
export interface DomainEvent {
  readonly type: string;
  readonly subject: string;
  readonly data: unknown;
}

/** What became of one command. */
export type Outcome<Event, R extends Rejection = Rejection> =
  /** Stored, or nothing was left to do (`events` is empty). */
  | { readonly kind: 'decided'; readonly events: readonly Event[]; readonly sequence: number }
  | { readonly kind: 'rejected'; readonly rejection: R };

/** One command and where it came from. */
export interface Request<Command> {
  readonly aggregate: AggregateId;
  readonly command: Command;
  readonly cause: Cause;
  /**
   * The source that the command comes from and its place there. Commands of one source must come
   * in order; one before the last that was decided into the aggregate decides nothing.
   */
  readonly from?: { readonly source: string; readonly sequence: number };
}

/** An aggregate held in memory. */
interface Warm<State> {
  readonly aggregate: AggregateId;
  state: State;
  head: Head;
  /** What its events were caused by: a repeated request is recognised by it. */
  readonly causes: Set<string>;
  /** The place of the last message decided into it, by source. */
  consumed: Record<string, number>;
  /** When its last event was decided, epoch ms: its time stands still rather than go back. */
  atMs: number;
  /** The commands of one aggregate run one after the other. */
  tail: Promise<unknown>;
  waiting: number;
}

/** An aggregate in memory, at the end of its history as far as it is known here. */
export interface Settled<State> {
  readonly aggregate: AggregateId;
  readonly state: State;
  readonly head: Head;
}

export interface AggregatesOptions<State, Event extends DomainEvent, Command, R extends Rejection> {
  readonly journal: Journal;
  readonly decider: Decider<State, Event, Command, R>;
  /** The clock and randomness of each decision. */
  readonly context: () => Context;
  /** Whether an aggregate is over: it leaves the memory then and is loaded again when needed. */
  readonly isOver?: (state: State) => boolean;
  /** Whether a command can only begin an aggregate: it is tried without loading first. */
  readonly begins?: (command: Command) => boolean;
  /** How many aggregates are kept in memory; the least recently used leave first. */
  readonly warmLimit?: number;
  /** Told of every state that is stored, loaded or absorbed; keep no reference to it. */
  readonly onState?: (aggregate: AggregateId, state: State) => void;
  /** Told of every conflict with another writer. */
  readonly onConflict?: (aggregate: AggregateId) => void;
  /** The wait before an append or load without an answer is tried again, in ms. */
  readonly retryDelayMs?: number;
  /** Waits; given by the simulator, real time otherwise. */
  readonly wait?: (delayMs: number) => Promise<void>;
}

/** A decision before it is stored: an outcome where nothing is to be stored, else the events. */
type Decided<Event, R extends Rejection> =
  | { readonly outcome: Outcome<Event, R> }
  | {
      readonly outcome?: undefined;
      readonly events: readonly Event[];
      readonly toStore: readonly EventToEncode[];
    };

/** How often a decision is tried again after another writer was first. */
const attemptsLimit = 16;
const warmLimitDefault = 100_000;
const retryDelayDefaultMs = 250;

/**
 * Many aggregates of one kind, decided in memory and stored one entry a decision. Commands of one
 * aggregate run in the order of the calls; those of different aggregates run at the same time.
 */
export class Aggregates<
  State,
  Event extends DomainEvent,
  Command,
  R extends Rejection = Rejection,
> {
  readonly #options: AggregatesOptions<State, Event, Command, R>;
  readonly #warm = new Map<string, Warm<State>>();
  readonly #warmLimit: number;

  constructor(options: AggregatesOptions<State, Event, Command, R>) {
    this.#options = options;
    this.#warmLimit = options.warmLimit ?? warmLimitDefault;
  }

  /** How many aggregates are in memory. */
  get warmCount(): number {
    return this.#warm.size;
  }

  /** Those in memory for which nothing is being decided, each as it is at its head; read only. */
  *settled(): Iterable<Settled<State>> {
    for (const { aggregate, state, head, waiting } of this.#warm.values()) {
      if (waiting === 0) yield { aggregate, state, head };
    }
  }

  /**
   * Loads or finds the aggregate, decides, stores, and tries again when another writer was first.
   * A request whose cause already led to events of this aggregate decides nothing. While the log
   * does not answer it tries again, for ever, and later commands of the aggregate wait.
   * @throws LogFault that no retry cures, and whatever the decider throws
   */
  execute(request: Request<Command>): Promise<Outcome<Event, R>> {
    const { tenant, id } = request.aggregate;
    const key = `${tenant}.${id}`;
    let warm = this.#warm.get(key);
    if (warm === undefined) {
      this.#makeRoom();
      warm = this.#cold(request.aggregate);
      this.#warm.set(key, warm);
    } else if (this.#warm.size * 2 > this.#warmLimit) {
      // To the end of the map: the last to leave. It costs something, and matters when it is full.
      this.#warm.delete(key);
      this.#warm.set(key, warm);
    }
    const held = warm;
    held.waiting += 1;
    const run = (): Promise<Outcome<Event, R>> => this.#run(key, held, request);
    const result = held.waiting > 1 ? held.tail.then(run, run) : this.#now(key, held, request);
    held.tail = result;
    return result;
  }

  /**
   * As `#run`, for an aggregate in memory for which nothing else is under way: all but the append
   * happens at once. What does not go well there is left to `#run`, on what the log holds.
   */
  #now(key: string, warm: Warm<State>, request: Request<Command>): Promise<Outcome<Event, R>> {
    const { journal, onState, onConflict } = this.#options;
    const { aggregate } = request;
    if (!this.#isAtHand(warm, request.command) || journal.fence() !== undefined) {
      return this.#run(key, warm, request);
    }
    let decided: Decided<Event, R>;
    try {
      decided = this.#step(warm, request);
    } catch (error) {
      this.#forget(warm);
      this.#leave(key, warm);
      return Promise.reject(error);
    }
    if (decided.outcome !== undefined) {
      this.#leave(key, warm);
      return Promise.resolve(decided.outcome);
    }
    const { events, toStore } = decided;
    return journal.append(aggregate, entryOf(warm, request, toStore)).then(
      (head) => {
        warm.head = head;
        remember(warm, request);
        onState?.(aggregate, warm.state);
        this.#leave(key, warm);
        return { kind: 'decided' as const, events, sequence: head.sequence };
      },
      (error: unknown) => {
        this.#forget(warm);
        const again = (): Promise<Outcome<Event, R>> => this.#run(key, warm, request);
        if (error instanceof WrongLastSequence) {
          onConflict?.(aggregate);
          return this.#load(aggregate, warm).then(again, again);
        }
        if (error instanceof LogFault && error.retryable) return again();
        this.#leave(key, warm);
        throw error;
      },
    );
  }

  /**
   * Whether a command can be decided on what is in memory. What begins is stored as the first entry of
   * its subject, so that the log finds out if it is not: but only what this region wrote itself.
   */
  #isAtHand(warm: Warm<State>, command: Command): boolean {
    if (warm.head.revision >= 0) return true;
    return this.#options.begins?.(command) === true && this.#options.journal.isOnlyOwner;
  }

  /** Decides on the state in memory. `events` are to be stored; undefined when there are none. */
  #step(warm: Warm<State>, { command, cause, from }: Request<Command>): Decided<Event, R> {
    const nothing: Outcome<Event, R> = {
      kind: 'decided',
      events: [],
      sequence: warm.head.sequence,
    };
    if (from !== undefined && from.sequence < (warm.consumed[from.source] ?? 0)) {
      return { outcome: nothing };
    }
    if (warm.causes.has(cause.causationId)) return { outcome: nothing };
    const given = this.#options.context();
    const context = given.now < warm.atMs ? { ...given, now: warm.atMs } : given;
    const decided = step(this.#options.decider, warm.state, command, context);
    warm.state = decided.state;
    if (!decided.accepted) {
      return { outcome: { kind: 'rejected', rejection: decided.rejection } };
    }
    if (decided.events.length === 0) return { outcome: nothing };
    const { events } = decided;
    warm.atMs = context.now;
    return { events, toStore: events.map((event) => toEncode(event, cause, context.now)) };
  }

  #leave(key: string, warm: Warm<State>): void {
    warm.waiting -= 1;
    if (warm.waiting === 0) this.#dropIfOver(key, warm);
  }

  /** The state of an aggregate as stored, loaded when it is not in memory. */
  async read(aggregate: AggregateId): Promise<{ readonly state: State; readonly head: Head }> {
    const warm = this.#cold(aggregate);
    await this.#load(aggregate, warm);
    return { state: warm.state, head: warm.head };
  }

  /**
   * Takes an entry that another instance stored, or that is replayed at start-up. Entries of one
   * aggregate must come in order; those already known are passed over.
   */
  absorb(aggregate: AggregateId, message: LogMessage): void {
    const key = `${aggregate.tenant}.${aggregate.id}`;
    let warm = this.#warm.get(key);
    const entry = readEntry(message);
    if (warm === undefined) {
      if (entry.events[0]?.revision !== 0) return;
      this.#makeRoom();
      warm = this.#cold(aggregate);
      this.#warm.set(key, warm);
    }
    if (warm.waiting > 0 || isKnown(entry, warm.head)) return;
    this.#fold(warm, entry);
    warm.head = headAfter(message, entry, this.#options.journal.stream, warm.head);
    this.#options.onState?.(aggregate, warm.state);
    this.#dropIfOver(key, warm);
  }

  async #run(
    key: string,
    warm: Warm<State>,
    request: Request<Command>,
  ): Promise<Outcome<Event, R>> {
    const { journal, onState, retryDelayMs = retryDelayDefaultMs } = this.#options;
    try {
      for (;;) {
        const fault = journal.fence();
        if (fault?.retryable === false) throw fault;
        if (fault !== undefined) {
          await pause(this.#options.wait, retryDelayMs);
          continue;
        }
        try {
          const outcome = await this.#decideAndStore(warm, request);
          if (warm.head.revision >= 0) onState?.(request.aggregate, warm.state);
          return outcome;
        } catch (error) {
          this.#forget(warm);
          if (!(error instanceof LogFault) || !error.retryable) throw error;
          await pause(this.#options.wait, retryDelayMs);
        }
      }
    } finally {
      this.#leave(key, warm);
    }
  }

  async #decideAndStore(warm: Warm<State>, request: Request<Command>): Promise<Outcome<Event, R>> {
    const { journal, onConflict } = this.#options;
    const { aggregate, command } = request;
    if (!this.#isAtHand(warm, command)) await this.#load(aggregate, warm);
    for (let attempt = 1; ; attempt += 1) {
      const decided = this.#step(warm, request);
      if (decided.outcome !== undefined) return decided.outcome;
      const { events, toStore } = decided;
      try {
        warm.head = await journal.append(aggregate, entryOf(warm, request, toStore));
        remember(warm, request);
        return { kind: 'decided', events, sequence: warm.head.sequence };
      } catch (error) {
        if (!(error instanceof WrongLastSequence) || attempt === attemptsLimit) throw error;
        onConflict?.(aggregate);
        await this.#load(aggregate, warm);
      }
    }
  }

  async #load(aggregate: AggregateId, warm: Warm<State>): Promise<void> {
    const { entries, head } = await this.#options.journal.load(aggregate);
    this.#forget(warm);
    for (const entry of entries) this.#fold(warm, entry);
    warm.head = head;
  }

  #fold(warm: Warm<State>, entry: Entry): void {
    const { decider } = this.#options;
    for (const event of entry.events) {
      const timeMs = fromTimestamp(event.time);
      warm.state = decider.evolve(warm.state, event as unknown as Event, timeMs);
      warm.atMs = Math.max(warm.atMs, timeMs);
      warm.causes.add(event.causationid);
    }
    Object.assign(warm.consumed, entry.consumed);
  }

  #cold(aggregate: AggregateId): Warm<State> {
    return {
      aggregate,
      state: this.#options.decider.initial(),
      head: emptyHead,
      causes: new Set(),
      consumed: {},
      atMs: 0,
      tail: Promise.resolve(),
      waiting: 0,
    };
  }

  #forget(warm: Warm<State>): void {
    warm.state = this.#options.decider.initial();
    warm.head = emptyHead;
    warm.causes.clear();
    warm.consumed = {};
    warm.atMs = 0;
  }

  #dropIfOver(key: string, warm: Warm<State>): void {
    const empty = warm.head.revision < 0;
    if (empty || this.#options.isOver?.(warm.state) === true) this.#warm.delete(key);
  }

  /** Drops the idle aggregate that nobody has asked for the longest when the memory is full. */
  #makeRoom(): void {
    if (this.#warm.size < this.#warmLimit) return;
    for (const [key, warm] of this.#warm) {
      if (warm.waiting > 0) continue;
      this.#warm.delete(key);
      return;
    }
  }
}

/** What a decision stores: its events, and the place of the request they come from. */
function entryOf<State>(
  { head }: Warm<State>,
  { from }: Request<unknown>,
  events: readonly EventToEncode[],
): EntryToAppend {
  return from === undefined
    ? { events, head }
    : { events, head, consumed: { [from.source]: from.sequence } };
}

/** A request has led to events. */
function remember<State>(warm: Warm<State>, { cause, from }: Request<unknown>): void {
  warm.causes.add(cause.causationId);
  if (from !== undefined) warm.consumed[from.source] = from.sequence;
}

/** Whether an entry is part of what is folded already. */
export function isKnown(entry: Entry, head: Pick<Head, 'revision'>): boolean {
  return (entry.events[0]?.revision ?? 0) <= head.revision;
}

/** A domain event as the journal stores it. */
export function toEncode(event: DomainEvent, cause: Cause, timeMs: number): EventToEncode {
  return { type: event.type, subject: event.subject, data: event.data, cause, timeMs };
}
