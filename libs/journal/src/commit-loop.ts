import { fromTimestamp, step, type Context, type Decider, type Rejection } from '@meridian/core';
import {
  emptyHead,
  type AggregateId,
  type Cause,
  type EncodedEntry,
  type EntryEncoder,
  type Head,
} from '@meridian/wire';
import { LogFault, MessageTooLarge, NotOwner, WrongLastSequence } from './errors.ts';
import { isKnown, toEncode, type DomainEvent, type Outcome } from './execute.ts';
import { headAfter, readEntry, type Entry, type Journal } from './journal.ts';
import type { LogMessage } from './log.ts';
import { pause } from './pause.ts';
import { RecentCauses } from './recent-causes.ts';

/** One command for the single writer, and where it came from. */
export interface Submission<Command> {
  readonly command: Command;
  readonly cause: Cause;
  /** The source that the request comes from, and its place there. */
  readonly from?: { readonly source: string; readonly sequence: number };
  /** What else the same message leads to: decided with it, in the same entry. */
  readonly also?: readonly Pick<Submission<Command>, 'command' | 'cause'>[];
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
  /** How many causes are remembered beside the places; see `RecentCauses`. */
  readonly causesLimit?: number;
  /** The wait before a store that failed for want of an answer is tried again, in ms. */
  readonly retryDelayMs?: number;
  /** Waits; given by the simulator, real time otherwise. */
  readonly wait?: (delayMs: number) => Promise<void>;
}

/** Events in one entry: about a kilobyte each stay below the megabyte that NATS takes. */
const entryLimitDefault = 512;
const retryDelayDefaultMs = 250;
/** About 12 MB. */
const causesLimitDefault = 100_000;

/** An entry while commands are still decided into it. */
interface OpenEntry<Event, Command, R extends Rejection> {
  readonly encoder: EntryEncoder;
  readonly taken: {
    readonly pending: Pending<Event, Command, R>;
    readonly outcome: Outcome<Event, R>;
  }[];
  readonly consumed: Record<string, number>;
}

/**
 * The single writer of one aggregate: keeps its state in memory, decides commands in the order
 * they come, and stores what was decided while the last append was under way as one entry
 * (group commit). A command's outcome is known only once its events are stored.
 *
 * Each entry carries how far its sources had been read, so that after a crash a request that was
 * already decided is recognised by its place: exactly once in effect. A request that was published
 * twice has two places; it is recognised by its cause, among the last `causesLimit` of them.
 * An append refused because another writer was first throws the memory away: the history is
 * loaded again and the commands are decided anew.
 */
export class CommitLoop<
  State,
  Event extends DomainEvent,
  Command,
  R extends Rejection = Rejection,
> {
  readonly #options: CommitLoopOptions<State, Event, Command, R>;
  #state: State;
  /** As stored. */
  #head: Head = emptyHead;
  /** As stored, with what led to nothing since. */
  #consumed: Record<string, number> = {};
  readonly #causes: RecentCauses;
  #queue: Pending<Event, Command, R>[] = [];
  /** Decided, not sent yet. */
  #open: OpenEntry<Event, Command, R> | undefined;
  /** The command on which the decider failed: what was decided before it is stored first. */
  #fault: { readonly pending: Pending<Event, Command, R>; readonly error: unknown } | undefined;
  /** How many commands the next entry may hold: fewer after one that was too large. */
  #commandsLimit = Number.POSITIVE_INFINITY;
  #isStoring = false;
  /** The state is being replaced: nothing is decided on the old one. */
  #isReloading = false;
  /** The state is ahead of the log for good: it is loaded again before anything is decided. */
  #isStale = false;
  #isScheduled = false;
  #isOpened = false;
  #isClosed = false;
  readonly #idle: (() => void)[] = [];

  constructor(options: CommitLoopOptions<State, Event, Command, R>) {
    this.#options = options;
    this.#state = options.decider.initial();
    this.#causes = new RecentCauses(options.causesLimit ?? causesLimitDefault);
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
  consumed(source: string): number {
    return this.#consumed[source] ?? 0;
  }

  /** How many commands wait for their turn. */
  get waiting(): number {
    return this.#queue.length;
  }

  /** Whether nothing waits or is under way: the state is then that of `head`. */
  get isSettled(): boolean {
    return !this.#isStoring && !this.#isScheduled && this.#queue.length === 0;
  }

  /** Loads the history. Must be done before the first `submit`. */
  async open(): Promise<void> {
    await this.#reload();
    this.#isOpened = true;
  }

  /** Takes one entry of the history, instead of loading it; in order, before `openAbsorbed`; again is harmless. */
  absorb(message: LogMessage): void {
    if (this.#isOpened) throw new Error('The commit loop is open: its history is its own.');
    // Opening work is run again when the log was away in its midst: what is known is passed over.
    const entry = readEntry(message);
    if (isKnown(entry, this.#head)) return;
    this.#fold(entry);
    this.#head = headAfter(message, entry, this.#options.journal.stream, this.#head);
  }

  /** Opens with the history that was absorbed. Should it lack an entry, the first append finds out. */
  openAbsorbed(): void {
    this.#ahead = this.#head;
    this.#consumedAhead = this.#consumed;
    this.#isOpened = true;
  }

  /**
   * Hands over one command. Resolves when what it led to is stored (or nothing was to be done, or
   * it was rejected).
   * @throws LogFault when the entry cannot be stored for a reason that no retry cures
   */
  submit(submission: Submission<Command>): Promise<Outcome<Event, R>> {
    if (!this.#isOpened) throw new Error('The commit loop is not open yet: call open() first.');
    if (this.#isClosed) {
      return Promise.reject(new Error('The commit loop is closed; nothing more is decided here.'));
    }
    return new Promise((resolve, reject) => {
      this.#queue.push({ ...submission, resolve, reject });
      this.#schedule();
    });
  }

  /** Refuses new commands and resolves once those handed over are stored. */
  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#isScheduled || this.#isStoring) {
      await new Promise<void>((resolve) => {
        this.#idle.push(resolve);
      });
    }
  }

  #schedule(): void {
    if (this.#isScheduled || this.#isStoring) {
      if (this.#isStoring && !this.#isScheduled) this.#decideAhead();
      return;
    }
    this.#isScheduled = true;
    queueMicrotask(() => {
      this.#isScheduled = false;
      void this.#run();
    });
  }

  /** While an append is under way: decides what has come, at the end of the turn. */
  #decideAhead(): void {
    this.#isScheduled = true;
    queueMicrotask(() => {
      this.#isScheduled = false;
      if (this.#isStoring) this.#decide();
      else void this.#run();
    });
  }

  /** Decides and stores until nothing is left. */
  async #run(): Promise<void> {
    if (this.#isStoring) return;
    this.#isStoring = true;
    try {
      for (;;) {
        if (this.#options.journal.fence() !== undefined) await this.#whileFenced();
        if (this.#isStale) await this.#refresh();
        this.#decide();
        const entry = this.#open;
        this.#open = undefined;
        if (entry !== undefined) await this.#commit(entry);
        else if (this.#fault !== undefined) await this.#settleFault();
        else break;
      }
    } catch (error) {
      // The history cannot be read, or somebody else decides now.
      this.#abandon(error);
    }
    this.#isStoring = false;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  /** Refuses all that waits; what was decided ahead of the log is not stored, and no part of it. */
  #abandon(error: unknown): void {
    const ahead = (this.#open?.taken ?? []).map(({ pending }) => pending);
    if (this.#fault !== undefined) ahead.push(this.#fault.pending);
    this.#isStale ||= ahead.length > 0;
    this.#open = undefined;
    this.#fault = undefined;
    for (const pending of [...ahead, ...this.#queue.splice(0)]) pending.reject(error);
  }

  /** Waits while nothing may be decided here. @throws NotOwner when that will not change */
  async #whileFenced(): Promise<void> {
    const { journal, retryDelayMs = retryDelayDefaultMs } = this.#options;
    for (;;) {
      const fault = journal.fence();
      if (fault === undefined) return;
      if (!fault.retryable) throw fault;
      await pause(this.#options.wait, retryDelayMs);
    }
  }

  /** Decides what waits into the open entry until that is full; the state runs ahead of the log. */
  #decide(): void {
    const { entryLimit = entryLimitDefault } = this.#options;
    if (this.#isReloading || this.#isStale) return;
    if (this.#fault !== undefined || this.#queue.length === 0) return;
    const entry = this.#open ?? this.#newEntry();
    let index = 0;
    for (; index < this.#queue.length; index += 1) {
      if (entry.encoder.count >= entryLimit || entry.taken.length >= this.#commandsLimit) break;
      const pending = this.#queue[index] as Pending<Event, Command, R>;
      try {
        entry.taken.push({ pending, outcome: this.#decideOne(pending, entry) });
      } catch (error) {
        this.#fault = { pending, error };
        index += 1;
        break;
      }
    }
    this.#queue.splice(0, index);
    this.#open = entry.taken.length > 0 ? entry : undefined;
  }

  #newEntry(): OpenEntry<Event, Command, R> {
    const { journal, aggregate } = this.#options;
    return {
      encoder: journal.encoder(aggregate, this.#ahead),
      taken: [],
      consumed: { ...this.#consumedAhead },
    };
  }

  #decideOne(
    pending: Pending<Event, Command, R>,
    { encoder, consumed }: OpenEntry<Event, Command, R>,
  ): Outcome<Event, R> {
    const { from, also } = pending;
    if (from !== undefined) {
      if (from.sequence <= (consumed[from.source] ?? 0)) {
        return { kind: 'decided', events: [], sequence: 0 };
      }
      consumed[from.source] = from.sequence;
    }
    const outcome = this.#decideCommand(pending, encoder);
    if (also === undefined) return outcome;
    const outcomes = [outcome, ...also.map((other) => this.#decideCommand(other, encoder))];
    const events = outcomes.flatMap((one) => (one.kind === 'decided' ? one.events : []));
    if (events.length > 0) return { kind: 'decided', events, sequence: 0 };
    return outcomes.find((one) => one.kind === 'rejected') ?? outcome;
  }

  #decideCommand(
    { command, cause }: Pick<Submission<Command>, 'command' | 'cause'>,
    encoder: EntryEncoder,
  ): Outcome<Event, R> {
    const { decider, correlationOf, configVersion } = this.#options;
    if (this.#causes.has(cause.causationId)) return { kind: 'decided', events: [], sequence: 0 };
    const context = this.#options.context();
    const outcome = step(decider, this.#state, command, context);
    this.#state = outcome.state;
    if (!outcome.accepted) return { kind: 'rejected', rejection: outcome.rejection };
    const version = configVersion?.(this.#state) ?? 0;
    encoder.addAll(
      outcome.events.map((event) => {
        const correlationId = correlationOf?.(event) ?? cause.correlationId;
        return toEncode(
          event,
          correlationId === undefined ? cause : { ...cause, correlationId },
          context.now,
        );
      }),
      version,
    );
    if (outcome.events.length > 0) this.#causes.add(cause.causationId);
    return { kind: 'decided', events: outcome.events, sequence: 0 };
  }

  /** Where the history will end once what is on its way is stored. */
  #ahead: Pick<Head, 'revision' | 'hash' | 'at'> = emptyHead;
  #consumedAhead: Record<string, number> = {};

  async #commit(entry: OpenEntry<Event, Command, R>): Promise<void> {
    const { encoder, taken, consumed } = entry;
    const encoded = encoder.finish();
    if (encoder.count > 0) this.#ahead = encoded;
    this.#consumedAhead = consumed;
    try {
      if (encoder.count > 0) {
        const { revision, hash } = encoded;
        this.#head = { sequence: await this.#store(encoded, consumed), revision, hash };
      }
    } catch (error) {
      await this.#startAgain(entry, error);
      return;
    }
    this.#consumed = consumed;
    this.#commandsLimit = Number.POSITIVE_INFINITY;
    if (encoder.count > 0) this.#options.onCommit?.(taken.length, encoder.count);
    const { sequence } = this.#head;
    for (const { pending, outcome } of taken) {
      pending.resolve(outcome.kind === 'decided' ? { ...outcome, sequence } : outcome);
    }
  }

  /** Stores an entry; without an answer it asks again until the log says stored or refused. */
  async #store(encoded: EncodedEntry, consumed: Record<string, number>): Promise<number> {
    const { journal, aggregate, retryDelayMs = retryDelayDefaultMs } = this.#options;
    for (;;) {
      try {
        return await journal.store(aggregate, encoded, this.#head.sequence, consumed);
      } catch (error) {
        if (
          !(error instanceof LogFault) ||
          !error.retryable ||
          error instanceof WrongLastSequence
        ) {
          throw error;
        }
        await pause(this.#options.wait, retryDelayMs);
      }
    }
  }

  /** After an entry was refused: the commands of it, and those decided on top of it, come again. */
  async #startAgain({ taken }: OpenEntry<Event, Command, R>, error: unknown): Promise<void> {
    const again = [...taken, ...(this.#open?.taken ?? [])].map(({ pending }) => pending);
    if (this.#fault !== undefined) again.push(this.#fault.pending);
    this.#open = undefined;
    this.#fault = undefined;
    if (error instanceof NotOwner) {
      // What was decided is not stored; should the home come back, its history is read again.
      this.#isStale = true;
      for (const pending of again) pending.reject(error);
      throw error;
    }
    if (error instanceof WrongLastSequence) this.#options.onConflict?.();
    else if (error instanceof MessageTooLarge && taken.length > 1) {
      this.#commandsLimit = Math.ceil(taken.length / 2);
    } else again.shift()?.reject(error);
    this.#queue = [...again, ...this.#queue];
    await this.#reloadUntilDone();
  }

  /** The decider may have left the state half changed: it is loaded anew without the command. */
  async #settleFault(): Promise<void> {
    const fault = this.#fault;
    await this.#reloadUntilDone();
    this.#fault = undefined;
    fault?.pending.reject(fault.error);
  }

  async #refresh(): Promise<void> {
    await this.#reloadUntilDone();
    this.#isStale = false;
  }

  async #reloadUntilDone(): Promise<void> {
    this.#isReloading = true;
    try {
      for (;;) {
        try {
          await this.#reload();
          return;
        } catch (error) {
          if (!(error instanceof LogFault) || !error.retryable) throw error;
          await pause(this.#options.wait, this.#options.retryDelayMs ?? retryDelayDefaultMs);
        }
      }
    } finally {
      this.#isReloading = false;
    }
  }

  async #reload(): Promise<void> {
    const { journal, decider, aggregate } = this.#options;
    const { entries, head } = await journal.load(aggregate);
    this.#state = decider.initial();
    this.#consumed = {};
    this.#causes.clear();
    for (const entry of entries) this.#fold(entry);
    this.#head = head;
    this.#ahead = head;
    this.#consumedAhead = this.#consumed;
  }

  #fold(entry: Entry): void {
    for (const event of entry.events) {
      this.#state = this.#options.decider.evolve(
        this.#state,
        event as unknown as Event,
        fromTimestamp(event.time),
      );
      this.#causes.add(event.causationid);
    }
    Object.assign(this.#consumed, entry.consumed);
  }
}
