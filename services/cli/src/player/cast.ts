import { fromTimestamp, Heap } from '@meridian/core';
import { reactToOffer, type DayPlan, type PlannedAgent } from '../day/index.ts';
import { comesBefore, type Action, type ActionKind } from './action.ts';
import {
  isOver,
  noAgents,
  noContacts,
  type AgentCounts,
  type AgentPhase,
  type ContactCounts,
  type Phase,
} from './counts.ts';
import type { SeenEvent } from './edge.ts';
import type { RunNames } from './names.ts';
import { comeBackMs, serviceLevelMs } from './rules.ts';

interface CastContact {
  phase: Phase;
  offers: number;
  queuedAt: number;
}

interface CastAgent {
  readonly planned: PlannedAgent;
  signedIn: boolean;
  notResponding: boolean;
  misses: number;
  /** The reservation that holds the agent, and what the agent does on it. */
  reservationId: string | undefined;
  work: 'OFFERED' | 'TALKING' | 'WRAP_UP';
}

interface CastOffer {
  readonly agentId: string;
  readonly contactId: string;
  isPending: boolean;
}

/** What the player has seen of the region and cannot act upon. */
export interface Strays {
  /** Offers of this run's contacts to agents who are not of the plan: nobody answers them. */
  offersToStrangers: number;
}

/**
 * Customers and agents: what each means to do next, and what each knows. It is told of every
 * event that the region decided and answers with actions; it neither waits nor speaks itself.
 * Whom it does not know (other runs, other players) it passes over.
 */
export class Cast {
  readonly strays: Strays = { offersToStrangers: 0 };
  readonly #plan: DayPlan;
  readonly #names: RunNames;
  readonly #actions = new Heap<Action>(comesBefore);
  readonly #contacts = new Map<string, CastContact>();
  readonly #agents = new Map<string, CastAgent>();
  readonly #offers = new Map<string, CastOffer>();
  readonly #counts = noContacts();
  #inTime = 0;

  constructor(plan: DayPlan, names: RunNames) {
    this.#plan = plan;
    this.#names = names;
    for (const contactId of names.contactIds()) {
      this.#contacts.set(contactId, { phase: 'PLANNED', offers: 0, queuedAt: 0 });
    }
    this.#counts.PLANNED = this.#contacts.size;
    for (const planned of plan.agents) this.#agents.set(planned.id, newAgent(planned));
    this.#begin();
  }

  /** Contacts by where they are. */
  get contacts(): ContactCounts {
    return this.#counts;
  }

  /** Contacts that have not come to an end yet, those to come included. */
  get living(): number {
    const { SERVED, ABANDONED, LEFT_IN_IVR, FAILED } = this.#counts;
    return this.#contacts.size - SERVED - ABANDONED - LEFT_IN_IVR - FAILED;
  }

  /** How many were answered within the service level. */
  get answeredInTime(): number {
    return this.#inTime;
  }

  /** Agents of the plan by what they do. */
  agents(): AgentCounts {
    const counts = noAgents();
    for (const agent of this.#agents.values()) counts[phaseOf(agent)] += 1;
    return counts;
  }

  /** Whether every agent has gone home. */
  get isEmpty(): boolean {
    return this.agents().OFFLINE === this.#agents.size;
  }

  /** The ids of the contacts that have not come to an end, the first few of them. */
  unfinished(limit: number): string[] {
    const ids: string[] = [];
    for (const [id, { phase }] of this.#contacts) {
      if (ids.length < limit && !isOver(phase)) ids.push(`${id} (${phase})`);
    }
    return ids;
  }

  /** The next action that still makes sense; undefined when nobody means to do anything. */
  peek(): Action | undefined {
    for (let next = this.#actions.peek(); next !== undefined; next = this.#actions.peek()) {
      if (this.#makesSense(next)) return next;
      this.#actions.pop();
    }
    return undefined;
  }

  /** Takes the next action that still makes sense. */
  take(): Action | undefined {
    return this.peek() === undefined ? undefined : this.#actions.pop();
  }

  #begin(): void {
    const { contacts, agents, queues } = this.#plan;
    const shifts = agents.flatMap(({ shifts }) => shifts.map(({ signInAt }) => signInAt));
    const arrivals = contacts.map(({ arrivalAt }) => arrivalAt);
    const startAt = [...shifts, ...arrivals].reduce((least, at) => Math.min(least, at), Infinity);
    for (const { id } of queues) this.#mean(startAt, 'CONFIGURE_QUEUE', id);
    for (const agent of agents) {
      for (const [index, { signInAt, signOutAt }] of agent.shifts.entries()) {
        this.#mean(signInAt, 'SIGN_IN', agent.id, index + 1);
        this.#mean(signOutAt, 'SIGN_OUT', agent.id, index + 1);
      }
    }
    for (const contact of contacts) {
      this.#mean(contact.arrivalAt, 'ARRIVE', this.#names.contactId(contact));
    }
  }

  #mean(at: number, kind: ActionKind, subject: string, ordinal = 1): void {
    this.#actions.push({ at, kind, subject, ordinal });
  }

  #makesSense({ kind, subject }: Action): boolean {
    switch (kind) {
      case 'COME_BACK': {
        const agent = this.#agents.get(subject);
        return agent !== undefined && agent.signedIn && agent.notResponding;
      }
      case 'ACCEPT':
      case 'REJECT':
        return this.#offers.get(subject)?.isPending === true;
      case 'LEAVE_IVR':
        return this.#phaseOf(subject) === 'IVR';
      case 'LOSE_PATIENCE':
        return ['QUEUED', 'OFFERED'].includes(this.#phaseOf(subject) ?? '');
      case 'HANG_UP':
        return this.#phaseOf(subject) === 'TALKING';
      case 'COMPLETE_WRAP_UP':
        return this.#phaseOf(subject) === 'WRAP_UP';
      default:
        return true;
    }
  }

  #phaseOf(contactId: string): Phase | undefined {
    return this.#contacts.get(contactId)?.phase;
  }

  /** Takes note of what the region decided, and plans what follows from it. */
  see(event: SeenEvent): void {
    const at = fromTimestamp(event.time);
    const { type } = event;
    if (type.startsWith('meridian.contact.')) this.#seeContact(event, at);
    else if (type.startsWith('meridian.reservation.')) this.#seeReservation(event, at);
    else if (type.startsWith('meridian.agent.')) this.#seeAgent(event, at);
  }

  #seeContact(event: SeenEvent, at: number): void {
    const contact = this.#contacts.get(event.subject);
    const planned = this.#names.planned(event.subject);
    if (contact === undefined || planned === undefined) return;
    const { subject } = event;
    switch (event.type) {
      case 'meridian.contact.initiated.v1':
        this.#enter(contact, 'IVR');
        this.#mean(at + ms(planned.ivrSeconds), 'LEAVE_IVR', subject);
        break;
      case 'meridian.contact.queued.v1':
        contact.queuedAt = at;
        this.#enter(contact, 'QUEUED');
        this.#mean(at + ms(planned.patienceSeconds), 'LOSE_PATIENCE', subject);
        break;
      case 'meridian.contact.offered.v1':
        this.#enter(contact, 'OFFERED');
        break;
      case 'meridian.contact.requeued.v1':
        this.#enter(contact, 'QUEUED');
        break;
      case 'meridian.contact.connected_to_agent.v1':
        if (at - contact.queuedAt <= serviceLevelMs) this.#inTime += 1;
        this.#enter(contact, 'TALKING');
        this.#work(event.data.agentId, event.data.reservationId, 'TALKING');
        this.#mean(at + ms(planned.talkSeconds), 'HANG_UP', subject);
        break;
      case 'meridian.contact.acw_started.v1':
        this.#enter(contact, 'WRAP_UP');
        this.#work(event.data.agentId, undefined, 'WRAP_UP');
        this.#mean(at + ms(planned.wrapUpSeconds), 'COMPLETE_WRAP_UP', subject);
        break;
      case 'meridian.contact.abandoned.v1':
        this.#enter(contact, contact.phase === 'IVR' ? 'LEFT_IN_IVR' : 'ABANDONED');
        break;
      case 'meridian.contact.completed.v1':
        this.#enter(contact, 'SERVED');
        break;
      case 'meridian.contact.orphan_reaped.v1':
        this.#enter(contact, 'FAILED');
        break;
      default:
    }
  }

  #enter(contact: CastContact, phase: Phase): void {
    this.#counts[contact.phase] -= 1;
    this.#counts[phase] += 1;
    contact.phase = phase;
  }

  #work(agentId: string, reservationId: string | undefined, work: CastAgent['work']): void {
    const agent = this.#agents.get(agentId);
    if (agent === undefined) return;
    agent.work = work;
    agent.reservationId = reservationId ?? agent.reservationId;
  }

  #seeReservation(event: SeenEvent, at: number): void {
    switch (event.type) {
      case 'meridian.reservation.created.v1':
        this.#ring(event.subject, event.data, at);
        break;
      case 'meridian.reservation.accepted.v1': {
        const offer = this.#offers.get(event.subject);
        if (offer !== undefined) offer.isPending = false;
        break;
      }
      case 'meridian.reservation.rejected.v1':
      case 'meridian.reservation.timed_out.v1':
      case 'meridian.reservation.rescinded.v1':
      case 'meridian.reservation.canceled.v1':
      case 'meridian.reservation.completed.v1': {
        const agent = this.#agents.get(event.data.agentId);
        if (agent?.reservationId === event.subject) agent.reservationId = undefined;
        this.#offers.delete(event.subject);
        break;
      }
      default:
    }
  }

  #ring(reservationId: string, data: { contactId: string; agentId: string }, at: number): void {
    const { contactId, agentId } = data;
    const contact = this.#contacts.get(contactId);
    const planned = this.#names.planned(contactId);
    if (contact === undefined || planned === undefined) return;
    contact.offers += 1;
    if (!this.#agents.has(agentId)) {
      this.strays.offersToStrangers += 1;
      return;
    }
    this.#offers.set(reservationId, { agentId, contactId, isPending: true });
    this.#work(agentId, reservationId, 'OFFERED');
    const { seed, ring } = this.#plan;
    const offer = { agentId, contactId: planned.id, ordinal: contact.offers };
    const reaction = reactToOffer(seed, offer, ring);
    if (reaction.kind === 'MISSES') return;
    const kind = reaction.kind === 'ANSWERS' ? 'ACCEPT' : 'REJECT';
    this.#mean(at + ms(reaction.answerSeconds), kind, reservationId);
  }

  /** Whom an offer is for; undefined once it is over. */
  offer(reservationId: string): Pick<CastOffer, 'agentId' | 'contactId'> | undefined {
    return this.#offers.get(reservationId);
  }

  #seeAgent(event: SeenEvent, at: number): void {
    const agent = this.#agents.get(event.subject);
    if (agent === undefined) return;
    switch (event.type) {
      case 'meridian.agent.signed_in.v1':
      case 'meridian.agent.session_superseded.v1':
        agent.signedIn = true;
        agent.notResponding = false;
        break;
      case 'meridian.agent.signed_out.v1':
        agent.signedIn = false;
        agent.notResponding = false;
        break;
      case 'meridian.agent.sign_out_requested.v1':
        agent.signedIn = false;
        break;
      case 'meridian.agent.state_changed.v1':
        agent.notResponding = event.data.to === 'NOT_RESPONDING';
        break;
      case 'meridian.agent.not_responding.v1':
        agent.notResponding = true;
        agent.misses += 1;
        this.#mean(at + comeBackMs, 'COME_BACK', event.subject, agent.misses);
        break;
      default:
    }
  }
}

function newAgent(planned: PlannedAgent): CastAgent {
  return {
    planned,
    signedIn: false,
    notResponding: false,
    misses: 0,
    reservationId: undefined,
    work: 'OFFERED',
  };
}

function phaseOf({ signedIn, notResponding, reservationId, work }: CastAgent): AgentPhase {
  if (reservationId !== undefined) return work;
  if (!signedIn) return 'OFFLINE';
  return notResponding ? 'NOT_RESPONDING' : 'IDLE';
}

/** Seconds of the plan in whole milliseconds. */
function ms(seconds: number): number {
  return Math.round(seconds * 1000);
}
