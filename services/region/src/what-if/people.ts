import { Heap } from '@meridian/core';
import type { AgentAct, Draws, RecordedContact, RecordedDay } from '@meridian/cli';
import type { DomainEvent } from '@meridian/wire';
import type { Centre } from './centre.ts';

/** Something that somebody means to do at a moment. */
interface Intent {
  readonly atMs: number;
  readonly order: number;
  readonly act: () => void;
}

/** What was drawn, counted. */
export interface DrawnCounts {
  patience: number;
  gaveUp: number;
  handlings: number;
  reactions: number;
  offers: number;
}

/**
 * Customers, agents and administrators of a recorded day: they do what the record says at its
 * times, and where it says nothing what was drawn for them.
 */
export class People {
  readonly counts: DrawnCounts = { patience: 0, gaveUp: 0, handlings: 0, reactions: 0, offers: 0 };
  readonly #day: RecordedDay;
  readonly #draws: Draws;
  readonly #intents = new Heap<Intent>(
    (a, b) => a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order),
  );
  readonly #contacts: ReadonlyMap<string, RecordedContact>;
  readonly #offers = new Map<string, number>();
  /** How long an agent stays away after an offer that rings out, by reservation, ms. */
  readonly #backAfterMs = new Map<string, number | null>();
  #order = 0;
  #centre!: Centre;

  constructor(day: RecordedDay, draws: Draws) {
    this.#day = day;
    this.#draws = draws;
    this.#contacts = new Map(day.contacts.map((contact) => [contact.id, contact]));
  }

  /** Everybody makes plans for the day. */
  enter(centre: Centre): void {
    this.#centre = centre;
    for (const { atMs, home, queueId: subject, settings } of this.#day.queues) {
      this.#at(atMs, () =>
        centre.ofRouting(
          home,
          settings === undefined
            ? { type: 'meridian.queue.delete.v1', subject, data: {} }
            : { type: 'meridian.queue.configure.v1', subject, data: { settings } },
        ),
      );
    }
    for (const { id, acts } of this.#day.agents) {
      for (const act of acts) this.#at(act.atMs, () => this.#work(id, act));
    }
    for (const contact of this.#day.contacts) {
      this.#at(contact.queuedAtMs, () => this.#arrive(contact));
    }
  }

  /** When somebody means to do something next, epoch ms. */
  nextMs(): number {
    return this.#intents.peek()?.atMs ?? Infinity;
  }

  /** Does what is next. */
  act(): void {
    this.#intents.pop()?.act();
  }

  /** Takes note of what was decided. */
  see(event: DomainEvent, home: string, nowMs: number): void {
    switch (event.type) {
      case 'meridian.reservation.created.v1':
        this.#ring(event.subject, event.data, home, nowMs);
        break;
      case 'meridian.contact.connected_to_agent.v1':
        this.#talk(event.subject, nowMs);
        break;
      case 'meridian.contact.acw_started.v1':
        this.#wrapUp(event.subject, nowMs);
        break;
      case 'meridian.agent.not_responding.v1':
        this.#miss(event.subject, event.data.reservationId, home, nowMs);
        break;
      case 'meridian.contact.abandoned.v1':
        if (this.#contacts.get(event.subject)?.outcome !== 'ABANDONED') this.counts.gaveUp += 1;
        break;
      default:
    }
  }

  #at(atMs: number, act: () => void): void {
    this.#intents.push({ atMs, order: this.#order, act });
    this.#order += 1;
  }

  #arrive(contact: RecordedContact): void {
    const { id: subject, home, channel, queueId, priority, requirements } = contact;
    const centre = this.#centre;
    centre.ofContact(home, {
      type: 'meridian.contact.initiate.v1',
      subject,
      data: { method: 'INBOUND', channel },
    });
    centre.ofContact(home, {
      type: 'meridian.contact.enter_queue.v1',
      subject,
      data: { queueId, priority, requirements },
    });
    if (contact.outcome !== 'ABANDONED') this.counts.patience += 1;
    const patienceMs = this.#draws.patienceMs(contact);
    if (patienceMs === Infinity) return;
    // Who is answered by then does not hear it: only a contact that still waits is hung up.
    this.#at(centre.nowMs + patienceMs, () => {
      if (!this.#answered.has(subject)) this.#hangUp(contact, 'CUSTOMER');
    });
  }

  readonly #answered = new Set<string>();

  #hangUp({ id: subject, home }: RecordedContact, by: 'CUSTOMER' | 'AGENT' | 'SYSTEM'): void {
    this.#centre.ofContact(home, { type: 'meridian.contact.hang_up.v1', subject, data: { by } });
  }

  #talk(id: string, nowMs: number): void {
    const contact = this.#contacts.get(id);
    if (contact === undefined) return;
    this.#answered.add(id);
    if (contact.handling === undefined) this.counts.handlings += 1;
    const { talkMs, by } = this.#draws.handling(contact);
    this.#at(nowMs + talkMs, () => this.#hangUp(contact, by));
  }

  #wrapUp(id: string, nowMs: number): void {
    const contact = this.#contacts.get(id);
    if (contact === undefined) return;
    const { wrapUpMs } = this.#draws.handling(contact);
    if (wrapUpMs === null) return;
    this.#at(nowMs + wrapUpMs, () =>
      this.#centre.ofContact(contact.home, {
        type: 'meridian.contact.complete_wrap_up.v1',
        subject: id,
        data: {},
      }),
    );
  }

  #ring(
    subject: string,
    { contactId, agentId }: { readonly contactId: string; readonly agentId: string },
    home: string,
    nowMs: number,
  ): void {
    const contact = this.#contacts.get(contactId);
    if (contact === undefined) return;
    const ordinal = (this.#offers.get(contactId) ?? 0) + 1;
    this.#offers.set(contactId, ordinal);
    const recorded = contact.offers[ordinal - 1];
    this.counts.offers += 1;
    if (recorded?.agentId !== agentId || recorded.reaction.kind === 'UNKNOWN') {
      this.counts.reactions += 1;
    }
    const reaction = this.#draws.reaction(contact, ordinal, agentId);
    if (reaction.kind === 'MISSES') {
      this.#backAfterMs.set(subject, reaction.backAfterMs);
      return;
    }
    const type =
      reaction.kind === 'ACCEPTS'
        ? 'meridian.reservation.accept.v1'
        : 'meridian.reservation.reject.v1';
    const reason = reaction.kind === 'REJECTS' ? reaction.reason : undefined;
    const data = { agentId, ...(reason === undefined ? {} : { reason }) };
    this.#at(nowMs + reaction.afterMs, () => this.#centre.ofRouting(home, { type, subject, data }));
  }

  /** An agent who let an offer ring out comes back as after the offer that it was drawn from. */
  #miss(agentId: string, reservationId: string, home: string, nowMs: number): void {
    const afterMs = this.#backAfterMs.get(reservationId);
    this.#backAfterMs.delete(reservationId);
    if (afterMs === null) return;
    this.#at(nowMs + (afterMs ?? usualBackAfterMs), () =>
      this.#centre.ofRouting(home, {
        type: 'meridian.agent.set_presence.v1',
        subject: agentId,
        data: { presence: 'AVAILABLE' },
      }),
    );
  }

  #work(subject: string, act: AgentAct): void {
    const centre = this.#centre;
    switch (act.kind) {
      case 'SIGN_IN': {
        const { home, sessionId, skills, capacities, presence } = act;
        const data = { sessionId, skills, capacities, presence };
        centre.ofRouting(home, { type: 'meridian.agent.sign_in.v1', subject, data });
        break;
      }
      case 'SIGN_OUT':
        centre.ofRouting(act.home, { type: 'meridian.agent.sign_out.v1', subject, data: {} });
        break;
      default: {
        const { presence, reason } = act;
        const data = { presence, ...(reason === undefined ? {} : { reason }) };
        centre.ofRouting(act.home, { type: 'meridian.agent.set_presence.v1', subject, data });
      }
    }
  }
}

/**
 * How long an agent is away whose answer would have come after the offer had ended: the record has
 * no such offer, as with a shorter time to ring.
 */
const usualBackAfterMs = 30_000;
