import { DueTimes, type Context, type Random } from '@meridian/core';
import {
  Aggregates,
  placeOf,
  readEntry,
  readRequest,
  untraced,
  type Desk,
  type From,
  type Journal,
  type LogMessage,
  type Outcome,
  type Settled,
  type Trace,
} from '@meridian/journal';
import {
  causeOf,
  passOn,
  parseSubject,
  type AggregateId,
  type ContactCommand,
  type ContactEvent,
  type ParsedSubject,
} from '@meridian/wire';
import {
  contactDecider,
  dueAtMs,
  type Command,
  type Contact,
  type ContactRejection,
} from './domain/contact.ts';
import { isOver } from './domain/contact.ts';
import { react, type StoredEvent } from './domain/react.ts';

export interface SessionsOptions {
  readonly journal: Journal;
  /** The log's clock, in epoch ms. */
  readonly now: () => number;
  readonly random: Random;
  readonly onConflict?: (aggregate: AggregateId) => void;
  readonly wait?: (delayMs: number) => Promise<void>;
  /** Runs work within a span whose parent is given; hands it the span to store with its events. */
  readonly trace?: Trace;
}

export type ContactOutcome = Outcome<ContactEvent, ContactRejection>;

/** How many overdue contacts one round of the watchdog ends. */
const watchRoundLimit = 256;

/**
 * The service without its shell, for one home: takes messages of the log, decides about contacts,
 * stores what was decided. Nest, the network and the clock are outside, so that the simulator can
 * run it too.
 */
export class Sessions implements Desk {
  readonly #home: string;
  readonly #contacts: Aggregates<Contact, ContactEvent, Command, ContactRejection>;
  readonly #trace: Trace;
  readonly #due = new DueTimes();
  readonly #ids = new Map<string, AggregateId>();

  constructor({ journal, now, random, onConflict, wait, trace }: SessionsOptions) {
    this.#home = journal.writer.home;
    this.#trace = trace ?? untraced;
    this.#contacts = new Aggregates({
      journal,
      decider: contactDecider,
      context: (): Context => ({ now: now(), random }),
      isOver,
      begins: (command) => command.type === 'meridian.contact.initiate.v1',
      onState: (aggregate, contact) => this.#watchOver(aggregate, contact),
      ...(onConflict === undefined ? {} : { onConflict }),
      ...(wait === undefined ? {} : { wait }),
    });
  }

  /** How many contacts are not over. */
  get openCount(): number {
    return this.#due.size;
  }

  /** The contacts in memory about which nothing is being decided; read only. */
  settled(): Iterable<Settled<Contact>> {
    return this.#contacts.settled();
  }

  /** Takes an entry of the contacts' own history, oldest first. */
  absorb(message: LogMessage): void {
    const address = parseSubject(message.subject);
    if (address !== undefined) this.#contacts.absorb(aggregateOf(address), message);
  }

  /** Nothing is to be prepared: a contact that is not in memory is loaded when it is needed. */
  ready(): void {}

  /**
   * A request for a contact. Safe to call twice with one message.
   * @throws InvalidRequest when the message is no request
   */
  onRequest(message: LogMessage, from: From = placeOf(message)): Promise<ContactOutcome> {
    const { event, address } = readRequest(message);
    const { type, subject, data } = event;
    return this.#trace(type, event.traceparent, (traceparent) =>
      this.#contacts.execute({
        aggregate: aggregateOf(address),
        command: { type, subject, data } as ContactCommand,
        cause: passOn({ ...event, traceparent }, causeOf(event)),
        ...(from && { from }),
      }),
    );
  }

  /** An entry of a routing partition, of whatever home. Safe to call twice with one message. */
  onRouting(message: LogMessage, from: From = placeOf(message)): Promise<ContactOutcome[]> {
    const outcomes: Promise<ContactOutcome>[] = [];
    for (const event of readEntry(message).events) {
      const command = react(event as unknown as StoredEvent, this.#home);
      if (command === undefined) continue;
      outcomes.push(
        this.#trace(`contact.${command.type}`, event.traceparent, (traceparent) =>
          this.#contacts.execute({
            aggregate: { tenant: event.tenant, entity: 'contact', id: command.subject },
            command,
            cause: passOn({ ...event, traceparent }, event.id),
            ...(from && { from }),
          }),
        ),
      );
    }
    return Promise.all(outcomes);
  }

  /** When the next watchdog or end of a wrap-up is due, in epoch ms. */
  nextDueMs(): number | undefined {
    return this.#due.next();
  }

  /** Ends what is overdue at `now`; resolves when that is stored. */
  async fireDue(now: number): Promise<void> {
    const keys = this.#due.due(now).slice(0, watchRoundLimit);
    await Promise.all(
      keys.map((key) => {
        const aggregate = this.#ids.get(key) as AggregateId;
        const command = { type: 'watch' as const, subject: aggregate.id };
        return this.#contacts.execute({
          aggregate,
          command,
          cause: { causationId: `watchdog.${key}.${now}` },
        });
      }),
    );
  }

  #watchOver(aggregate: AggregateId, contact: Contact): void {
    const key = `${aggregate.tenant}.${aggregate.id}`;
    const due = dueAtMs(contact);
    this.#due.set(key, due);
    if (due === undefined) this.#ids.delete(key);
    else this.#ids.set(key, aggregate);
  }
}

function aggregateOf({ tenant, entity, id }: ParsedSubject): AggregateId {
  return { tenant, entity, id };
}
