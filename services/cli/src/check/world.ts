import {
  beginContact,
  changeContact,
  contactEventName,
  endStates,
  type FoldedContact,
} from './contact-fold.ts';
import { numberIn, textIn, timeIn, type LoggedEvent } from './raw.ts';
import {
  changeAgent,
  changeQueue,
  isOpen,
  nameOf,
  newAgent,
  newQueue,
  noteIdle,
  reservationStates,
  waitingOf,
  type FoldedAgent,
  type FoldedQueue,
  type FoldedReservation,
  type Waiting,
} from './routing-fold.ts';

/** The name of a contact, agent, reservation or queue among all tenants. */
export const keyOf = (tenant: string, id: string): string => `${tenant}/${id}`;

export interface WorldOptions {
  /** Keep contacts after their end, as the read models do; memory then grows with the log. */
  readonly keepEnded?: boolean;
}

/**
 * Everything that the log says about a home's contacts, reservations, agents and queues, folded
 * event by event in the order of the log. It takes the log at its word: judging it is the
 * rules' part. Kept: living contacts, open reservations, every agent and queue.
 */
export class World {
  readonly contacts = new Map<string, FoldedContact>();
  readonly reservations = new Map<string, FoldedReservation>();
  readonly agents = new Map<string, FoldedAgent>();
  readonly queues = new Map<string, FoldedQueue>();
  /** Contacts lent to other homes, with the place to which they return, by key. */
  readonly lent = new Map<string, Waiting>();
  /** The latest time of any event, epoch milliseconds: the time of the log. */
  atMs = Number.NEGATIVE_INFINITY;
  /** Whose event was folded first; the only tenant of a log that one key reads. */
  tenant = '';
  /** The sequence of the entry folded last. */
  sequence = 0;
  readonly #keepEnded: boolean;

  constructor(options: WorldOptions = {}) {
    this.#keepEnded = options.keepEnded ?? false;
  }

  /** Folds one event of the entry at `sequence`. */
  apply(event: LoggedEvent, sequence: number): void {
    this.sequence = sequence;
    if (this.tenant === '') this.tenant = event.tenant;
    if (event.timeMs > this.atMs) this.atMs = event.timeMs;
    const key = keyOf(event.tenant, event.subject);
    switch (event.type.split('.', 2)[1]) {
      case 'contact':
        this.#contact(key, event);
        break;
      case 'agent':
        changeAgent(this.agent(event.tenant, event.subject), event);
        break;
      case 'queue':
        changeQueue(this.queue(event.tenant, event.subject), event);
        break;
      case 'routing':
        this.#routed(event);
        break;
      case 'reservation':
        this.#reservation(key, event, sequence);
        break;
      default:
    }
  }

  /** The agent, made when first named. */
  agent(tenant: string, id: string): FoldedAgent {
    const key = keyOf(tenant, id);
    let agent = this.agents.get(key);
    if (agent === undefined) this.agents.set(key, (agent = newAgent(tenant, id)));
    return agent;
  }

  /** The queue, made when first named. */
  queue(tenant: string, id: string): FoldedQueue {
    const key = keyOf(tenant, id);
    let queue = this.queues.get(key);
    if (queue === undefined) this.queues.set(key, (queue = newQueue(tenant, id)));
    return queue;
  }

  /** Whether the contact is known, and has not ended. */
  isLiving(tenant: string, contactId: string): boolean {
    const contact = this.contacts.get(keyOf(tenant, contactId));
    return contact !== undefined && !endStates.has(contact.state);
  }

  #contact(key: string, event: LoggedEvent): void {
    const name = contactEventName(event.type);
    let contact = this.contacts.get(key);
    if (name === 'initiated' && contact === undefined) {
      this.contacts.set(key, beginContact(event));
      return;
    }
    if (contact === undefined) this.contacts.set(key, (contact = beginContact(event)));
    const before = contact.state;
    changeContact(contact, event);
    this.#count(contact, name, event);
    if (endStates.has(contact.state) && !endStates.has(before)) {
      this.#leaveQueue(contact);
      if (!this.#keepEnded) this.contacts.delete(key);
    }
  }

  #count(
    contact: FoldedContact,
    name: string | undefined,
    { data, tenant, timeMs }: LoggedEvent,
  ): void {
    if (contact.queueId === null) return;
    const queue = this.queue(tenant, contact.queueId);
    if (name === 'queued') {
      queue.enqueuedCount += 1;
      queue.queued.set(contact.id, timeMs);
    } else if (name === 'dequeued') {
      const waitedMs = numberIn(data, 'waitedMs');
      this.#leaveQueue(contact);
      if (textIn(data, 'reason') === 'TO_AGENT') {
        queue.answeredCount += 1;
        queue.answerWaitMs += waitedMs;
        if (waitedMs <= queue.serviceLevelMs) queue.answeredInTimeCount += 1;
      } else if (textIn(data, 'reason') === 'GAVE_UP') queue.abandonedCount += 1;
      else queue.reapedCount += 1;
    }
  }

  #leaveQueue(contact: FoldedContact): void {
    if (contact.queueId === null) return;
    const queue = this.queue(contact.tenant, contact.queueId);
    queue.queued.delete(contact.id);
    queue.waiting.delete(contact.id);
  }

  #routed(event: LoggedEvent): void {
    const name = nameOf(event.type, 'routing');
    if (name === 'returned') return;
    const queue = this.queue(event.tenant, textIn(event.data, 'queueId'));
    const key = keyOf(event.tenant, event.subject);
    const before = queue.waiting.get(event.subject) ?? this.lent.get(key);
    // A contact of another home never waits here.
    if (textIn(event.data, 'contactHome') !== '') return;
    if (name === 'withdrawn' || name === 'lent') queue.waiting.delete(event.subject);
    if (name === 'lent' && before !== undefined) this.lent.set(key, before);
    if (name === 'withdrawn' || name === 'decided') this.lent.delete(key);
    if (name !== 'decided') return;
    const waiting = waitingOf(event, before?.declinedBy ?? new Set());
    // One that gave up while the decision was made does not wait any more.
    if (this.isWaiting(event.tenant, event.subject)) queue.waiting.set(event.subject, waiting);
    else queue.waiting.delete(event.subject);
  }

  /** Whether the contact itself says that it is in a queue. */
  isWaiting(tenant: string, contactId: string): boolean {
    const contact = this.contacts.get(keyOf(tenant, contactId));
    return (
      contact !== undefined &&
      contact.phase !== 'dequeued' &&
      (contact.state === 'QUEUED' || contact.state === 'OFFERED')
    );
  }

  #reservation(key: string, event: LoggedEvent, sequence: number): void {
    const state = reservationStates[nameOf(event.type, 'reservation')];
    if (state === undefined) return;
    if (state === 'PENDING') {
      this.#book(key, event, sequence);
      return;
    }
    const reservation = this.reservations.get(key);
    if (reservation === undefined) return;
    reservation.state = state;
    if (isOpen(state)) return;
    this.reservations.delete(key);
    const agent = this.agent(event.tenant, reservation.agentId);
    agent.open.delete(reservation.id);
    noteIdle(agent, event.timeMs);
    const { place, agentId } = reservation;
    if (place === undefined || state === 'CANCELED' || state === 'COMPLETED') return;
    if (state !== 'RESCINDED') place.declinedBy.add(agentId);
    if (this.isWaiting(event.tenant, place.contactId)) {
      this.queue(event.tenant, place.queueId).waiting.set(place.contactId, place);
    }
  }

  #book(key: string, event: LoggedEvent, sequence: number): void {
    const { data, tenant } = event;
    const contactId = textIn(data, 'contactId');
    const queue = this.queue(tenant, textIn(data, 'queueId'));
    const reservation: FoldedReservation = {
      tenant,
      id: event.subject,
      contactId,
      agentId: textIn(data, 'agentId'),
      contactHome: textIn(data, 'contactHome'),
      queueId: queue.id,
      channel: textIn(data, 'channel'),
      state: 'PENDING',
      createdAtMs: event.timeMs,
      expiresAtMs: timeIn(data, 'expiresAt'),
      createdSequence: sequence,
      place: queue.waiting.get(contactId),
    };
    queue.waiting.delete(contactId);
    this.reservations.set(key, reservation);
    const agent = this.agent(tenant, reservation.agentId);
    agent.open.set(reservation.id, reservation);
    noteIdle(agent, event.timeMs);
  }
}
