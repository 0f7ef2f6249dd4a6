import { toTimestamp } from '@meridian/core';
import type {
  ContactEvent,
  ContactState,
  DomainCommand,
  DomainEvent,
  QueueSettings,
  StateDuration,
} from '@meridian/wire';

interface Guest {
  state: ContactState;
  sinceMs: number;
  readonly spent: Map<ContactState, number>;
  queueId: string;
  priority: number;
  queuedMs: number;
  offers: number;
  reservationId: string;
  agentId: string;
  dueMs: number;
}

interface Desk {
  session: string | undefined;
  isAvailable: boolean;
  isLeaving: boolean;
  skills: ReadonlySet<string>;
  idleSinceMs: number;
  guestId: string | undefined;
  readonly declined: Set<string>;
}

/** Stores the events of an aggregate (entity, id). @returns the ids of its events */
export type Store = (
  aggregate: readonly [string, string],
  events: readonly DomainEvent[],
  cause: string,
) => string[];

const wrapUpLimitMs = 300_000;

/**
 * A contact centre of the simplest kind that decides what the contract lets a region decide: each
 * agent takes one contact at a time, the longest idle agent with the skill takes the first in the
 * order of queueing time and head start. One decision leads to the next at once.
 */
export class SmallCentre {
  readonly #store: Store;
  readonly #queues = new Map<string, QueueSettings>();
  readonly #guests = new Map<string, Guest>();
  readonly #desks = new Map<string, Desk>();

  constructor(store: Store) {
    this.#store = store;
  }

  /** When the next offer rings out or wrap-up ends, epoch ms; null when none does. */
  nextDueMs(): number | null {
    const due = [...this.#guests.values()].reduce(
      (least, { dueMs }) => Math.min(least, dueMs),
      Infinity,
    );
    return due === Infinity ? null : due;
  }

  /** Ends what has lasted too long. */
  timePasses(now: number, newCause: () => string): void {
    for (const [id, guest] of this.#guests) {
      if (guest.dueMs > now) continue;
      if (guest.state === 'WRAP_UP') this.#complete(id, guest, now, newCause(), 'TIME_LIMIT');
      else this.#offerEnds(id, guest, now, newCause(), 'timed_out');
    }
  }

  /** Decides on a request. */
  handle(command: DomainCommand, now: number, cause: string): void {
    const { subject, type } = command;
    if (type.startsWith('meridian.contact.')) {
      this.#handleGuest(command, now, cause);
      return;
    }
    switch (type) {
      case 'meridian.queue.configure.v1': {
        const { settings } = command.data;
        const is = this.#queues.has(subject) ? 'updated' : 'created';
        if (JSON.stringify(this.#queues.get(subject)) === JSON.stringify(settings)) break;
        this.#queues.set(subject, settings);
        this.#route([{ type: `meridian.queue.${is}.v1`, subject, data: { settings } }], cause);
        break;
      }
      case 'meridian.reservation.accept.v1':
      case 'meridian.reservation.reject.v1': {
        const [id, guest] =
          [...this.#guests].find(([, { reservationId }]) => reservationId === subject) ?? [];
        if (id === undefined || guest?.state !== 'OFFERED') break;
        if (type === 'meridian.reservation.reject.v1') {
          this.#offerEnds(id, guest, now, cause, 'rejected');
        } else this.#connect(id, guest, now, cause);
        break;
      }
      default:
        this.#handleDesk(command, now, cause);
    }
  }

  #handleDesk(command: DomainCommand, now: number, cause: string): void {
    const { subject, type } = command;
    const desk = this.#desks.get(subject);
    if (type === 'meridian.agent.sign_in.v1') {
      const { sessionId, skills = [], capacities } = command.data;
      this.#desks.set(subject, {
        session: sessionId,
        isAvailable: true,
        isLeaving: false,
        idleSinceMs: now,
        guestId: undefined,
        skills: new Set(skills.map(({ skill }) => skill)),
        declined: new Set(),
      });
      this.#free(subject, now, cause, [
        {
          type: 'meridian.agent.signed_in.v1',
          subject,
          data: { sessionId, skills, capacities, presence: 'AVAILABLE' },
        },
      ]);
    } else if (desk?.session === undefined) return;
    else if (type === 'meridian.agent.set_presence.v1') {
      desk.isAvailable = true;
      desk.declined.clear();
      desk.idleSinceMs = now;
      this.#free(subject, now, cause, [
        {
          type: 'meridian.agent.state_changed.v1',
          subject,
          data: { from: 'NOT_RESPONDING', to: 'AVAILABLE' },
        },
      ]);
    } else if (type === 'meridian.agent.sign_out.v1') this.#signOut(subject, desk, now, cause);
  }

  #signOut(agentId: string, desk: Desk, now: number, cause: string): void {
    const guest = desk.guestId === undefined ? undefined : this.#guests.get(desk.guestId);
    desk.isLeaving = true;
    if (guest === undefined) this.#route(this.#leave(agentId, desk), cause);
    else if (guest.state !== 'OFFERED') {
      this.#route(
        [{ type: 'meridian.agent.sign_out_requested.v1', subject: agentId, data: {} }],
        cause,
      );
    } else this.#offerEnds(desk.guestId as string, guest, now, cause, 'rescinded');
  }

  #leave(agentId: string, desk: Desk): DomainEvent[] {
    const sessionId = desk.session as string;
    desk.session = undefined;
    return [{ type: 'meridian.agent.signed_out.v1', subject: agentId, data: { sessionId } }];
  }

  #handleGuest(command: DomainCommand, now: number, cause: string): void {
    const { subject: id, type } = command;
    const guest = this.#guests.get(id);
    if (type === 'meridian.contact.initiate.v1') {
      const { method, channel, flow = 'vru' } = command.data;
      this.#guests.set(id, {
        state: 'IVR',
        sinceMs: now,
        spent: new Map([['IN_SYSTEM', 0]]),
        queueId: '',
        priority: 0,
        queuedMs: now,
        offers: 0,
        reservationId: '',
        agentId: '',
        dueMs: Infinity,
      });
      this.#tell(id, cause, [
        { type: 'meridian.contact.initiated.v1', subject: id, data: { method, channel } },
        { type: 'meridian.contact.connected_to_system.v1', subject: id, data: {} },
        { type: 'meridian.contact.ivr_started.v1', subject: id, data: { flow } },
      ]);
    } else if (guest === undefined) return;
    else if (type === 'meridian.contact.enter_queue.v1') {
      const { queueId, priority = 0 } = command.data;
      Object.assign(guest, { queueId, priority, queuedMs: now });
      this.#enter(guest, 'QUEUED', now);
      const ids = this.#tell(id, cause, [
        { type: 'meridian.contact.ivr_ended.v1', subject: id, data: { exit: 'TO_QUEUE' } },
        {
          type: 'meridian.contact.queued.v1',
          subject: id,
          data: { queueId, channel: 'VOICE', priority, requirements: [] },
        },
      ]);
      this.#seek(id, guest, now, ids.at(-1) ?? '', 'CONTACT_QUEUED', []);
    } else if (type === 'meridian.contact.hang_up.v1') {
      this.#hangUp(id, guest, now, cause, command.data.by);
    } else if (type === 'meridian.contact.complete_wrap_up.v1' && guest.state === 'WRAP_UP') {
      this.#complete(id, guest, now, cause, 'BY_AGENT');
    }
  }

  #hangUp(
    id: string,
    guest: Guest,
    now: number,
    cause: string,
    by: 'CUSTOMER' | 'AGENT' | 'SYSTEM',
  ): void {
    const { state, agentId, queueId, reservationId } = guest;
    if (state === 'CONNECTED') {
      this.#enter(guest, 'WRAP_UP', now);
      guest.dueMs = now + wrapUpLimitMs;
      const ids = this.#tell(id, cause, [
        { type: 'meridian.contact.disconnected.v1', subject: id, data: { by } },
        {
          type: 'meridian.contact.acw_started.v1',
          subject: id,
          data: { agentId, limitAt: toTimestamp(guest.dueMs) },
        },
      ]);
      this.#route([this.#reservation('wrapping', reservationId, id, agentId)], ids[0] ?? '');
      return;
    }
    if (state !== 'IVR' && state !== 'QUEUED' && state !== 'OFFERED') return;
    const leaves: ContactEvent =
      state === 'IVR'
        ? { type: 'meridian.contact.ivr_ended.v1', subject: id, data: { exit: 'HUNG_UP' } }
        : this.#dequeued(id, guest, 'GAVE_UP', now);
    this.#enter(guest, 'ABANDONED', now);
    guest.dueMs = Infinity;
    const ids = this.#tell(id, cause, [
      leaves,
      {
        type: 'meridian.contact.abandoned.v1',
        subject: id,
        data: { stage: state, durations: durationsOf(guest) },
      },
    ]);
    if (state === 'IVR') return;
    const reason = 'meridian.contact.abandoned.v1';
    const withdrawn: DomainEvent = {
      type: 'meridian.routing.withdrawn.v1',
      subject: id,
      data: { queueId, reason },
    };
    if (state === 'QUEUED') this.#route([withdrawn], ids.at(-1) ?? '');
    else {
      const rescinded = this.#reservation('rescinded', reservationId, id, agentId);
      this.#free(agentId, now, ids.at(-1) ?? '', [rescinded, withdrawn]);
    }
  }

  #complete(
    id: string,
    guest: Guest,
    now: number,
    cause: string,
    reason: 'BY_AGENT' | 'TIME_LIMIT',
  ): void {
    this.#enter(guest, 'COMPLETED', now);
    guest.dueMs = Infinity;
    const ids = this.#tell(id, cause, [
      { type: 'meridian.contact.acw_ended.v1', subject: id, data: { reason } },
      {
        type: 'meridian.contact.completed.v1',
        subject: id,
        data: { durations: durationsOf(guest) },
      },
    ]);
    const { agentId, reservationId } = guest;
    this.#free(agentId, now, ids.at(-1) ?? '', [
      this.#reservation('completed', reservationId, id, agentId),
    ]);
  }

  #connect(id: string, guest: Guest, now: number, cause: string): void {
    const { agentId, reservationId } = guest;
    guest.dueMs = Infinity;
    const ids = this.#route([this.#reservation('accepted', reservationId, id, agentId)], cause);
    this.#enter(guest, 'CONNECTED', now);
    this.#tell(id, ids[0] ?? '', [
      this.#dequeued(id, guest, 'TO_AGENT', now),
      {
        type: 'meridian.contact.connected_to_agent.v1',
        subject: id,
        data: { agentId, reservationId },
      },
    ]);
  }

  /** The offer comes to nothing: the contact is back in the queue, and another agent is sought. */
  #offerEnds(
    id: string,
    guest: Guest,
    now: number,
    cause: string,
    how: 'timed_out' | 'rejected' | 'rescinded',
  ): void {
    const { agentId, reservationId } = guest;
    const desk = this.#desks.get(agentId) as Desk;
    desk.guestId = undefined;
    guest.dueMs = Infinity;
    const before: DomainEvent[] = [this.#reservation(how, reservationId, id, agentId)];
    if (how === 'timed_out') {
      desk.isAvailable = false;
      before.push({
        type: 'meridian.agent.not_responding.v1',
        subject: agentId,
        data: { reservationId },
      });
    } else if (how === 'rejected') desk.declined.add(id);
    else before.push(...this.#leave(agentId, desk));
    desk.idleSinceMs = now;
    this.#enter(guest, 'QUEUED', now);
    const reason =
      how === 'timed_out' ? 'TIMED_OUT' : how === 'rejected' ? 'REJECTED' : 'RESCINDED';
    const data = { reservationId, reason, enqueuedAt: toTimestamp(guest.queuedMs) } as const;
    this.#seek(id, guest, now, cause, 'OFFER_ENDED', before, (routed) =>
      this.#tell(id, routed, [{ type: 'meridian.contact.requeued.v1', subject: id, data }]),
    );
  }

  #dequeued(
    subject: string,
    { queueId, queuedMs }: Guest,
    reason: 'TO_AGENT' | 'GAVE_UP',
    now: number,
  ): ContactEvent {
    return {
      type: 'meridian.contact.dequeued.v1',
      subject,
      data: { queueId, reason, waitedMs: now - queuedMs },
    };
  }

  /** The agent is free: signs out, or is offered who is first. */
  #free(agentId: string, now: number, cause: string, before: readonly DomainEvent[]): void {
    const desk = this.#desks.get(agentId) as Desk;
    desk.guestId = undefined;
    desk.idleSinceMs = now;
    if (desk.isLeaving && desk.session !== undefined) {
      this.#route([...before, ...this.#leave(agentId, desk)], cause);
      return;
    }
    const first = [...this.#guests]
      .filter(([id, guest]) => guest.state === 'QUEUED' && this.#canServe(desk, id, guest))
      .toSorted(
        ([a, one], [b, two]) =>
          this.#rank(one) - this.#rank(two) || one.queuedMs - two.queuedMs || (a < b ? -1 : 1),
      )[0];
    if (first === undefined) this.#route(before, cause);
    else this.#offer(first[0], first[1], agentId, now, cause, 'AGENT_FREED', before);
  }

  #seek(
    id: string,
    guest: Guest,
    now: number,
    cause: string,
    trigger: 'CONTACT_QUEUED' | 'OFFER_ENDED',
    before: readonly DomainEvent[],
    between: (cause: string) => void = () => {},
  ): void {
    const agent = [...this.#desks]
      .filter(([, desk]) => this.#canServe(desk, id, guest))
      .toSorted(([a, one], [b, two]) => one.idleSinceMs - two.idleSinceMs || (a < b ? -1 : 1))[0];
    if (agent !== undefined) this.#offer(id, guest, agent[0], now, cause, trigger, before, between);
    else between(this.#route([...before, this.#decided(id, guest, trigger)], cause)[0] ?? '');
  }

  #offer(
    id: string,
    guest: Guest,
    agentId: string,
    now: number,
    cause: string,
    trigger: 'CONTACT_QUEUED' | 'OFFER_ENDED' | 'AGENT_FREED',
    before: readonly DomainEvent[],
    between: (cause: string) => void = () => {},
  ): void {
    const { queueId } = guest;
    guest.offers += 1;
    const reservationId = `${id}-r${guest.offers}`;
    const dueMs = now + (this.#queues.get(queueId)?.offerTtlMs ?? 0);
    const expiresAt = toTimestamp(dueMs);
    (this.#desks.get(agentId) as Desk).guestId = id;
    const ids = this.#route(
      [
        ...before,
        this.#decided(id, guest, trigger, agentId),
        {
          type: 'meridian.reservation.created.v1',
          subject: reservationId,
          data: { contactId: id, agentId, queueId, channel: 'VOICE', expiresAt },
        },
      ],
      cause,
    );
    between(ids[0] ?? '');
    Object.assign(guest, { reservationId, agentId, dueMs });
    this.#enter(guest, 'OFFERED', now);
    this.#tell(id, ids.at(-1) ?? '', [
      {
        type: 'meridian.contact.offered.v1',
        subject: id,
        data: { reservationId, agentId, expiresAt },
      },
    ]);
  }

  #decided(
    id: string,
    { queueId, priority, queuedMs }: Guest,
    trigger: 'CONTACT_QUEUED' | 'OFFER_ENDED' | 'AGENT_FREED',
    agentId?: string,
  ): DomainEvent {
    return {
      type: 'meridian.routing.decided.v1',
      subject: id,
      data: {
        outcome: agentId === undefined ? 'WAITING' : 'OFFERED',
        trigger,
        queueId,
        channel: 'VOICE',
        priority,
        ...(agentId === undefined ? {} : { agentId }),
        requirements: this.#queues.get(queueId)?.requirements ?? [],
        contactRequirements: [],
        enqueuedAt: toTimestamp(queuedMs),
        candidates: [],
        exclusions: [],
        algorithm: 'small/1',
      },
    };
  }

  #reservation(
    how: 'accepted' | 'rejected' | 'timed_out' | 'rescinded' | 'wrapping' | 'completed',
    subject: string,
    contactId: string,
    agentId: string,
  ): DomainEvent {
    const data = { contactId, agentId, ...(how === 'rescinded' ? { reason: 'SMALL' } : {}) };
    return { type: `meridian.reservation.${how}.v1`, subject, data } as DomainEvent;
  }

  #canServe(desk: Desk, id: string, { queueId }: Guest): boolean {
    const { session, isAvailable, isLeaving, guestId, declined, skills } = desk;
    if (
      session === undefined ||
      !isAvailable ||
      isLeaving ||
      guestId !== undefined ||
      declined.has(id)
    ) {
      return false;
    }
    return (this.#queues.get(queueId)?.requirements ?? []).every(({ skill }) => skills.has(skill));
  }

  #rank({ queueId, priority, queuedMs }: Guest): number {
    return queuedMs - priority * (this.#queues.get(queueId)?.ageingMsPerLevel ?? 0);
  }

  #enter(guest: Guest, state: ContactState, now: number): void {
    guest.spent.set(guest.state, (guest.spent.get(guest.state) ?? 0) + now - guest.sinceMs);
    Object.assign(guest, { state, sinceMs: now });
  }

  #tell(id: string, cause: string, events: readonly ContactEvent[]): string[] {
    return this.#store(['contact', id], events, cause);
  }

  #route(events: readonly DomainEvent[], cause: string): string[] {
    return this.#store(['routing', 'eu'], events, cause);
  }
}

function durationsOf({ spent }: Guest): StateDuration[] {
  return [...spent].map(([state, durationMs]) => ({ state, durationMs }));
}
