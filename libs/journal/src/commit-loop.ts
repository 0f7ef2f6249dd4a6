import { fromTimestamp, step, type Context, type Decider, type Rejection } from '@meridian/core';
import { emptyHead, type AggregateId, type Cause, type EventToEncode, type Head } from '@meridian/wire';
import { LogFault, MessageTooLarge, WrongLastSequence } from './errors.ts';
import { toEncode, type DomainEvent, type Outcome } from './execute.ts';
import { headAfter, readEntry, type Entry, type Journal } from './journal.ts';
import type { LogMessage } from './log.ts';

/** One command for the single writer, and where it came from. */
export interface Submission<Command> {
  readonly command: Command;
  readonly cause: Cause;
  /** The place of the request in the stream it was read from. */
  readonly from?: { readonly stream: string; readonly sequence: number };
}

interface Pending<Event, Command, R extends Rejection> extends Submission<Command> {
  readonly resolve: (outcome: Outcome<Event, R>) => void;
  readonly reject: (error: unknown) => void;
}

export interface CommitLoopOptions<State, Event extends DomainEvent, Command, R extends Rejection> {
  readonly journal: Journal;
  readonly decider: Decider<State, Event, Command, R>;
  readonly aggregate: AggregateId;
  readonly context: () => Context;
  /** The version of the configuration that a state embodies, for the envelope. */
  readonly configVersion?: (state: State) => number;
  /** The contact that an event belongs to, for `correlationid`; else that of its cause. */
  readonly correlationOf?: (event: Event) => string | undefined;
  readonly onConflict?: () => void;
  /** Told how many commands and events each stored entry held. */
  readonly onCommit?: (commands: number, events: number) => void;
  /** How many events one entry holds at most. */
  readonly entryLimit?: number;
  /** The wait before a store that failed for want of an answer is tried again, in ms. */
  readonly retryDelayMs?: number;
  /** Waits; given by the simulator, real time otherwise. */
  readonly wait?: (delayMs: number) => Promise<void>;
}

/** Events in one entry: about a kilobyte each stay below the megabyte that NATS takes. */
const entryLimitDefault = 512;
const retryDelayDefaultMs = 250;
/** How many commands are decided before the entry is stored. */
const groupLimit = 512;

/**
 * The single writer of one aggregate: keeps its state in memory, decides commands in the order
 * they come, and stores what was decided while the last append was under way as one entry
 * (group commit). A command's outcome is known only once its events are stored.
 *
 * Each entry carries how far its sources had been read, so that after a crash a request that was
 * already decided is recognised by its place: exactly once in effect, without a memory of ids.
 * An append refused because another writer was first throws the memory away: the history is
 * loaded again and the commands are decided anew.
 */
export class CommitLoop<State, Event extends DomainEvent, Command, R extends Rejection = Rejection> {
  readonly #options: CommitLoopOptions<State, Event, Command, R>;
  #state: State;
  #head: Head = emptyHead;
  #consumed: Record<string, number> = {};
  #queue: Pending<Event, Command, R>[] = [];
  #running = false;
  #opened = false;
  #closed = false;

  constructor(options: CommitLoopOptions<State, Event, Command, R>) {
    this.#options = options;
    this.#state = options.decider.initial();
  }

  /** The state after all that was decided; ahead of the log while an append is under way. */
  get state(): State {
    return this.#state;
  }

  /** Where the aggregate's history ends, as stored. */
  get head(): Head {
    return this.#head;
  }

  /** How far a source had been read when the last entry was stored; 0 when it never was. */
  consumed(stream: string): number {
    return this.#consumed[stream] ?? 0;
  }

  /** How many commands wait for their turn. */
  get waiting(): number {
    return this.#queue.length;
  }

  /** Loads the history. Must be done before the first `submit`. */
  async open(): Promise<void> {
    await this.#reload();
    this.#opened = true;
  }

  /** Takes one entry of the history, instead of loading it; in order, before `openAbsorbed`. */
  absorb(message: LogMessage): void {
    if (this.#opened) throw new Error('The commit loop is open: its history is its own.');
    const entry = readEntry(message);
    this.#fold(entry);
    this.#head = headAfter(message, entry);
  }

  /** Opens with the history that was absorbed. Should it lack an entry, the first append finds out. */
  openAbsorbed(): void {
    this.#opened = true;
  }

  /**
   * Hands over one command. Resolves when what it led to is stored (or nothing was to be done, or
   * it was rejected).
   * @throws LogFault when the entry cannot be stored for a reason that no retry cures
   */
  submit(submission: Submission<Command>): Promise<Outcome<Event, R>> {
    if (!this.#opened) throw new Error('The commit loop is not open yet: call open() first.');
    if (this.#closed) return Promise.reject(new Error('The commit loop is closed; nothing more is decided here.'));
    return new Promise((resolve, reject) => {
      this.#queue.push({ ...submission, resolve, reject });
      if (!this.#running) {
        this.#running = true;
        queueMicrotask(() => void this.#drain());
      }
    });
  }

  /** Refuses new commands and resolves once those handed over are stored. */
  async close(): Promise<void> {
    this.#closed = true;
    while (this.#running) await new Promise<void>((resolve) => { this.#idle.push(resolve); });
  }

  readonly #idle: (() => void)[] = [];

  async #drain(): Promise<void> {
    while (this.#queue.length > 0) {
      const group = this.#queue.splice(0, groupLimit);
      try {
        await this.#commit(group);
      } catch (error) {
        // The history cannot be read: nothing can be decided. Settled promises are left alone.
        for (const pending of group) pending.reject(error);
      }
    }
    this.#running = false;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  /** Decides a group and stores it, as often as another writer comes first. */
  async #commit(group: readonly Pending<Event, Command, R>[]): Promise<void> {
    let rest = group;
    let most = group.length;
    while (rest.length > 0) {
      const { outcomes, events, consumed, fault } = this.#decide(rest.slice(0, most));
      try {
        await this.#store(events, consumed);
      } catch (error) {
        await this.#reloadUntilDone();
        if (error instanceof WrongLastSequence) {
          this.#options.onConflict?.();
          continue;
        }
        if (error instanceof MessageTooLarge && outcomes.length > 1) {
          most = Math.ceil(outcomes.length / 2);
          continue;
        }
        rest[0]?.reject(error);
        rest = rest.slice(1);
        continue;
      }
      if (events.length > 0) this.#options.onCommit?.(outcomes.length, events.length);
      for (const [index, outcome] of outcomes.entries()) {
        rest[index]?.resolve(outcome.kind === 'decided' ? { ...outcome, sequence: this.#head.sequence } : outcome);
      }
      rest = rest.slice(outcomes.length);
      if (fault !== undefined) {
        await this.#reloadUntilDone();
        rest[0]?.reject(fault.error);
        rest = rest.slice(1);
      }
    }
  }

  /**
   * Decides commands until the entry is full; the state runs ahead of the log meanwhile. Ends
   * early at a command on which the decider itself fails: its `fault` is told to that one alone.
   */
  #decide(group: readonly Pending<Event, Command, R>[]) {
    const { entryLimit = entryLimitDefault } = this.#options;
    const events: EventToEncode[] = [];
    const outcomes: Outcome<Event, R>[] = [];
    const consumed = { ...this.#consumed };
    let fault: { readonly error: unknown } | undefined;
    for (const { command, cause, from } of group) {
      if (events.length >= entryLimit) break;
      if (from !== undefined && from.sequence <= (consumed[from.stream] ?? 0)) {
        outcomes.push({ kind: 'decided', events: [], sequence: 0 });
        continue;
      }
      try {
        outcomes.push(this.#decideOne(command, cause, events));
      } catch (error) {
        fault = { error };
        break;
      }
      if (from !== undefined) consumed[from.stream] = from.sequence;
    }
    return { outcomes, events, consumed, fault };
  }

  #decideOne(command: Command, cause: Cause, events: EventToEncode[]): Outcome<Event, R> {
    const { decider, correlationOf } = this.#options;
    const context = this.#options.context();
    const outcome = step(decider, this.#state, command, context);
    this.#state = outcome.state;
    if (!outcome.accepted) return { kind: 'rejected', rejection: outcome.rejection };
    for (const event of outcome.events) {
      const correlationId = correlationOf?.(event) ?? cause.correlationId;
      events.push(toEncode(event, correlationId === undefined ? cause : { ...cause, correlationId }, context.now));
    }
    return { kind: 'decided', events: outcome.events, sequence: 0 };
  }

  /** Stores an entry; without an answer it asks again until the log says stored or refused. */
  async #store(events: readonly EventToEncode[], consumed: Record<string, number>): Promise<void> {
    if (events.length === 0) {
      this.#consumed = consumed;
      return;
    }
    const { journal, aggregate, configVersion, retryDelayMs = retryDelayDefaultMs } = this.#options;
    const entry = { events, head: this.#head, consumed, configVersion: configVersion?.(this.#state) ?? 0 };
    for (;;) {
      try {
        this.#head = await journal.append(aggregate, entry);
        this.#consumed = consumed;
        return;
      } catch (error) {
        if (!(error instanceof LogFault) || !error.retryable || error instanceof WrongLastSequence) throw error;
        await this.#wait(retryDelayMs);
      }
    }
  }

  async #reloadUntilDone(): Promise<void> {
    for (;;) {
      try {
        await this.#reload();
        return;
      } catch (error) {
        if (!(error instanceof LogFault) || !error.retryable) throw error;
        await this.#wait(this.#options.retryDelayMs ?? retryDelayDefaultMs);
      }
    }
  }

  async #reload(): Promise<void> {
    const { journal, decider, aggregate } = this.#options;
    const { entries, head } = await journal.load(aggregate);
    this.#state = decider.initial();
    this.#consumed = {};
    for (const entry of entries) this.#fold(entry);
    this.#head = head;
  }

  #fold(entry: Entry): void {
    for (const event of entry.events) {
      this.#state = this.#options.decider.evolve(this.#state, event as unknown as Event, fromTimestamp(event.time));
    }
    Object.assign(this.#consumed, entry.consumed);
  }

  #wait(delayMs: number): Promise<void> {
    return this.#options.wait?.(delayMs) ?? new Promise((resolve) => { setTimeout(resolve, delayMs); });
  }
}
