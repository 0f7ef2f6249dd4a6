import { DueTimes, seeded, step, type Random } from '@meridian/core';
import {
  lendingDueMs,
  partitionDecider,
  planLending,
  react as routingReacts,
  type Command as RoutingCommand,
  type Partition,
  type StoredEvent,
} from '@meridian/routing';
import {
  contactDecider,
  dueAtMs,
  react as sessionsReact,
  type Command as SessionsCommand,
  type Contact,
} from '@meridian/sessions';
import type { DomainEvent } from '@meridian/wire';
import { LendingTimes } from './lending-times.ts';

/** Told of every event that was decided, in order. @param home of the aggregate it belongs to */
export type See = (event: DomainEvent, home: string, nowMs: number) => void;

/** What one decider decided at once. */
interface Entry {
  readonly home: string;
  readonly events: readonly DomainEvent[];
}

/** The only epoch there is: nothing fails here. */
const epoch = 1;

/**
 * The deciders of sessions and routing of all homes, without a log and without a network between
 * them: what one decides the others hear at once, in the order in which it was decided. The clock
 * is whoever drives it.
 */
export class Centre {
  readonly #homes: readonly string[];
  readonly #see: See;
  readonly #random: Random;
  readonly #partitions = new Map<string, Partition>();
  readonly #contacts = new Map<string, { state: Contact; readonly home: string }>();
  readonly #due = new DueTimes();
  readonly #lending: LendingTimes;
  /** Entries that were decided and not heard yet. */
  #unheard: Entry[] = [];
  #nowMs: number;
  /** Requests that were refused. */
  refused = 0;
  /** Events that were decided. */
  events = 0;

  constructor(homes: readonly string[], startMs: number, seed: string, see: See) {
    this.#homes = homes;
    this.#nowMs = startMs;
    this.#see = see;
    this.#random = seeded(`what-if/${seed}`);
    this.#lending = new LendingTimes(homes);
    for (const home of homes) this.#partitions.set(home, partitionDecider.initial());
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /** When something is due that nobody asks for, epoch ms: offers, time limits, loans. */
  nextDueMs(): number {
    let next = Math.min(this.#due.next() ?? Infinity, this.#lending.nextMs());
    for (const partition of this.#partitions.values()) {
      next = Math.min(next, partition.due.next() ?? Infinity);
    }
    return next;
  }

  /** Sets the clock to a later time, and decides what is due then. */
  advance(toMs: number): void {
    this.#nowMs = Math.max(this.#nowMs, toMs);
    for (const [home, partition] of this.#partitions) {
      if ((partition.due.next() ?? Infinity) > this.#nowMs) continue;
      this.#decideRouting(home, { type: 'time_passed', subject: home });
    }
    for (const id of this.#due.due(this.#nowMs)) {
      const home = this.#contacts.get(id)?.home;
      if (home !== undefined) this.#decideContact(home, { type: 'watch', subject: id });
    }
    this.#settle();
    for (const home of this.#lending.due(this.#nowMs)) this.#lend(home);
    this.#settle();
  }

  /** A request for a contact of a home. */
  ofContact(home: string, command: SessionsCommand): void {
    this.#decideContact(home, command);
    this.#settle();
  }

  /** A request for an agent, a queue or a reservation of a home. */
  ofRouting(home: string, command: RoutingCommand): void {
    this.#decideRouting(home, command);
    this.#settle();
  }

  #decideContact(home: string, command: SessionsCommand): void {
    const { subject } = command;
    const state = this.#contacts.get(subject)?.state ?? contactDecider.initial();
    const done = step(contactDecider, state, command, { now: this.#nowMs, random: this.#random });
    if (!done.accepted) {
      this.refused += 1;
      return;
    }
    if (done.events.length === 0) {
      if (command.type === 'watch') this.#due.set(subject, dueAtMs(state));
      return;
    }
    this.#contacts.set(subject, { state: done.state, home });
    this.#due.set(subject, dueAtMs(done.state));
    this.#unheard.push({ home, events: done.events });
  }

  #decideRouting(home: string, command: RoutingCommand): void {
    const partition = this.#partitions.get(home) as Partition;
    const context = { now: this.#nowMs, random: this.#random, epoch };
    const done = step(partitionDecider, partition, command, context);
    if (!done.accepted) this.refused += 1;
    else if (done.events.length > 0) this.#unheard.push({ home, events: done.events });
  }

  /** Lets everybody hear what was decided, until nothing follows any more. */
  #settle(): void {
    if (this.#unheard.length === 0) return;
    for (let index = 0; index < this.#unheard.length; index += 1) {
      const entry = this.#unheard[index] as Entry;
      for (const event of entry.events) {
        this.events += 1;
        this.#see(event, entry.home, this.#nowMs);
      }
      this.#hear(entry.home, entry.events);
    }
    this.#unheard = [];
    this.#lending.moved(this.#nowMs, (home) => this.#waiting(home) > 0);
  }

  #hear(region: string, events: readonly DomainEvent[]): void {
    const time = new Date(this.#nowMs).toISOString();
    const isOfContact = events[0]?.type.startsWith('meridian.contact.') === true;
    for (const home of this.#homes) {
      // A partition is not told of its own entries.
      const hearsRouting = isOfContact || home !== region;
      for (const event of events) {
        const stored: StoredEvent = { ...event, region, epoch };
        if (!isOfContact) {
          const command = sessionsReact(stored, home);
          if (command !== undefined) this.#decideContact(home, command);
        }
        const command = hearsRouting ? routingReacts(stored, time, home) : undefined;
        if (command !== undefined) this.#decideRouting(home, command);
      }
    }
  }

  #waiting(home: string): number {
    return this.#partitions.get(home)?.waiting.size ?? 0;
  }

  #lend(home: string): void {
    const own = this.#partitions.get(home) as Partition;
    const others = new Map([...this.#partitions].filter(([other]) => other !== home));
    for (const command of planLending(own, others, this.#nowMs)) this.#decideRouting(home, command);
    const againMs = lendingDueMs(own, this.#nowMs);
    if (againMs !== undefined) this.#lending.lookBy(home, againMs);
  }
}
