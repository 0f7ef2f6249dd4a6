import {
  accept, DueTimes, fromTimestamp, toTimestamp, unreachable,
  type Context, type Decider, type Decision, type Rejection,
} from '@meridian/core';
import type {
  AgentCommand, AgentEvent, ContactQueued, QueueCommand, QueueEvent, QueueSettings, ReservationCommand,
  ReservationEvent, RoutingDecided, RoutingEvent, Trigger,
} from '@meridian/wire';
import { agentDecider, newAgent, type Agent } from './agent.ts';
import { algorithm, defaultQueueSettings } from './limits.ts';
import { choose, exclusionOf, mergeRequirements, type Choice } from './match.ts';
import { queueDecider, type Queue } from './queue.ts';
import {
  isLive, reservationDecider, type InnerCommand as ReservationInnerCommand, type LiveReservation,
} from './reservation.ts';
import { isServedBefore, WaitingRoom, type Place } from './waiting-room.ts';

// --- State

/**
 * All that must change together: who waits, who is ready, who is booked for whom. Folded in place
 * from the partition's own events alone.
 */
export interface Partition {
  readonly agents: Map<string, Agent>;
  readonly queues: Map<string, Queue>;
  /** Contacts to be offered. */
  readonly waiting: WaitingRoom;
  /** Contacts being offered, by id: they go back to their place when the offer comes to nothing. */
  readonly offered: Map<string, Place>;
  /** Reservations that hold an agent, by id. */
  readonly reservations: Map<string, LiveReservation>;
  /** The live reservation of a contact. */
  readonly reservationOf: Map<string, string>;
  /** How many offers a contact that waits or is offered has had. */
  readonly attempts: Map<string, number>;
  /** When pending reservations time out, by id. */
  readonly due: DueTimes;
  /** How often queues were configured: the `configversion` of the envelope. */
  configVersion: number;
}

export type PartitionEvent = AgentEvent | QueueEvent | ReservationEvent | RoutingEvent;

// --- Commands

export type InnerCommand =
  /** A contact joined a queue, at `enqueuedAt`. */
  | { readonly type: 'contact_queued'; readonly subject: string; readonly data: ContactQueued; readonly enqueuedAt: string }
  /** A contact ended without an agent, by the event named. */
  | { readonly type: 'contact_ended'; readonly subject: string; readonly data: { readonly reason: string } }
  /** The conversation is over. */
  | { readonly type: 'contact_wrapping'; readonly subject: string }
  | { readonly type: 'contact_completed'; readonly subject: string }
  /** Time has passed: offers that rang out. */
  | { readonly type: 'time_passed'; readonly subject: string };

export type Command = AgentCommand | QueueCommand | ReservationCommand | InnerCommand;

// --- Evolve

function agentOf(partition: Partition, id: string): Agent {
  let agent = partition.agents.get(id);
  if (agent === undefined) {
    agent = newAgent(id);
    partition.agents.set(id, agent);
  }
  return agent;
}

function settingsOf(partition: Partition, queueId: string): QueueSettings {
  return partition.queues.get(queueId)?.settings ?? defaultQueueSettings;
}

function placeOf(
  partition: Partition, contactId: string,
  asked: Pick<RoutingDecided, 'queueId' | 'channel' | 'priority' | 'contactRequirements'>, enqueuedAtMs: number,
): Place {
  const settings = settingsOf(partition, asked.queueId);
  const priority = asked.priority ?? 0;
  return {
    contactId,
    queueId: asked.queueId,
    channel: asked.channel,
    priority,
    contactRequirements: asked.contactRequirements,
    requirements: mergeRequirements(settings.requirements ?? [], asked.contactRequirements),
    enqueuedAtMs,
    rankMs: enqueuedAtMs - priority * settings.ageingMsPerLevel,
  };
}

function evolveDecided(partition: Partition, contactId: string, decided: RoutingDecided): void {
  const place = partition.waiting.get(contactId) ?? placeOf(partition, contactId, decided, fromTimestamp(decided.enqueuedAt));
  if (decided.outcome === 'OFFERED') {
    partition.waiting.remove(contactId);
    partition.offered.set(contactId, place);
  } else if (!partition.waiting.has(contactId)) {
    partition.waiting.add(place);
  }
}

function forget(partition: Partition, contactId: string): void {
  partition.waiting.remove(contactId);
  partition.offered.delete(contactId);
  partition.attempts.delete(contactId);
}

function evolveReservation(partition: Partition, event: ReservationEvent, timeMs: number): void {
  const { contactId, agentId } = event.data;
  agentDecider.evolve(agentOf(partition, agentId), event, timeMs);
  const before = partition.reservations.get(event.subject) ?? reservationDecider.initial();
  const after = reservationDecider.evolve(before, event, timeMs);
  if (isLive(after)) {
    partition.reservations.set(event.subject, after);
    partition.reservationOf.set(contactId, event.subject);
  } else {
    partition.reservations.delete(event.subject);
    if (partition.reservationOf.get(contactId) === event.subject) partition.reservationOf.delete(contactId);
  }
  partition.due.set(event.subject, isLive(after) && after.stage === 'PENDING' ? after.expiresAtMs : undefined);
  switch (event.type) {
    case 'meridian.reservation.created.v1':
      partition.attempts.set(contactId, (partition.attempts.get(contactId) ?? 0) + 1);
      break;
    case 'meridian.reservation.rejected.v1':
    case 'meridian.reservation.timed_out.v1':
    case 'meridian.reservation.rescinded.v1': {
      const place = partition.offered.get(contactId);
      if (place === undefined) break;
      partition.offered.delete(contactId);
      partition.waiting.add(placeOf(partition, contactId, place, place.enqueuedAtMs));
      break;
    }
    case 'meridian.reservation.accepted.v1':
      forget(partition, contactId);
      break;
    default:
  }
}

/** The places of a queue follow its settings: requirements and the worth of a priority. */
function regroup(partition: Partition, queueId: string): void {
  for (const place of partition.waiting.ofQueue(queueId)) {
    partition.waiting.remove(place.contactId);
    partition.waiting.add(placeOf(partition, place.contactId, place, place.enqueuedAtMs));
  }
}

function evolve(partition: Partition, event: PartitionEvent, timeMs: number): Partition {
  switch (event.type) {
    case 'meridian.routing.decided.v1':
      evolveDecided(partition, event.subject, event.data);
      break;
    case 'meridian.routing.withdrawn.v1':
      forget(partition, event.subject);
      break;
    case 'meridian.queue.created.v1':
    case 'meridian.queue.updated.v1':
    case 'meridian.queue.deleted.v1':
      partition.queues.set(
        event.subject,
        queueDecider.evolve(partition.queues.get(event.subject) ?? queueDecider.initial(), event, timeMs),
      );
      partition.configVersion += 1;
      regroup(partition, event.subject);
      break;
    default:
      if (isReservationEvent(event)) evolveReservation(partition, event, timeMs);
      else agentDecider.evolve(agentOf(partition, event.subject), event, timeMs);
  }
  return partition;
}

function isReservationEvent(event: AgentEvent | ReservationEvent): event is ReservationEvent {
  return event.type.startsWith('meridian.reservation.');
}

// --- Decide

type Answer = Decision<PartitionEvent>;

function decide(partition: Partition, command: Command, context: Context): Answer {
  const { subject } = command;
  switch (command.type) {
    case 'meridian.agent.sign_in.v1':
    case 'meridian.agent.sign_out.v1':
    case 'meridian.agent.set_presence.v1':
      return decideAgent(partition, command, context);
    case 'meridian.queue.configure.v1':
    case 'meridian.queue.delete.v1': {
      const queue = partition.queues.get(subject) ?? queueDecider.initial();
      return queueDecider.decide(queue, { ...command, waitingCount: contactsIn(partition, subject) }, context);
    }
    case 'meridian.reservation.accept.v1':
    case 'meridian.reservation.reject.v1':
      return decideReservation(partition, command, context);
    case 'contact_queued': {
      if (partition.waiting.has(subject) || partition.offered.has(subject) || partition.reservationOf.has(subject)) return accept();
      const { queueId, channel, priority = 0, requirements } = command.data;
      const place = placeOf(partition, subject, { queueId, channel, priority, contactRequirements: requirements }, fromTimestamp(command.enqueuedAt));
      return accept(...route(partition, place, 'CONTACT_QUEUED', context.now));
    }
    case 'contact_ended': return contactEnded(partition, subject, command.data.reason, context);
    case 'contact_wrapping': return onReservationOf(partition, subject, 'wrap', context);
    case 'contact_completed':
      return partition.waiting.has(subject) || partition.offered.has(subject)
        ? contactEnded(partition, subject, 'meridian.contact.completed.v1', context)
        : onReservationOf(partition, subject, 'complete', context);
    case 'time_passed': return timePassed(partition, context);
    default: return unreachable(command);
  }
}

function contactsIn(partition: Partition, queueId: string): number {
  let count = partition.waiting.ofQueue(queueId).length;
  for (const place of partition.offered.values()) if (place.queueId === queueId) count += 1;
  return count;
}

function decideReservation(partition: Partition, command: ReservationCommand | ReservationInnerCommand, context: Context): Answer {
  const reservation = partition.reservations.get(command.subject) ?? reservationDecider.initial();
  return reservationDecider.decide(reservation, command, context);
}

/** The agent's own decision, and the offers that it takes back: nobody rings at an empty desk. */
function decideAgent(partition: Partition, command: AgentCommand, context: Context): Answer {
  const agent = partition.agents.get(command.subject) ?? newAgent(command.subject);
  const decision: Decision<AgentEvent | ReservationEvent, Rejection> = agentDecider.decide(agent, command, context);
  if (!decision.accepted) return decision;
  const leaves = decision.events.some((event) =>
    event.type === 'meridian.agent.signed_out.v1' || event.type === 'meridian.agent.sign_out_requested.v1' ||
    (event.type === 'meridian.agent.state_changed.v1' && event.data.to !== 'AVAILABLE'));
  if (!leaves) return decision;
  const rescinded = [...agent.open].filter(([, open]) => open.stage === 'PENDING').map(([reservationId, open]) => ({
    type: 'meridian.reservation.rescinded.v1' as const,
    subject: reservationId,
    data: { contactId: open.contactId, agentId: agent.id, reason: 'AGENT_LEFT' },
  }));
  return accept<PartitionEvent>(...rescinded, ...decision.events);
}

function onReservationOf(partition: Partition, contactId: string, type: 'wrap' | 'complete', context: Context): Answer {
  const reservationId = partition.reservationOf.get(contactId);
  if (reservationId === undefined) return accept();
  return decideReservation(partition, { type, subject: reservationId }, context);
}

function contactEnded(partition: Partition, contactId: string, reason: string, context: Context): Answer {
  const events: PartitionEvent[] = [];
  const place = partition.waiting.get(contactId) ?? partition.offered.get(contactId);
  const reservationId = partition.reservationOf.get(contactId);
  if (reservationId !== undefined) {
    const withdrawn = decideReservation(partition, { type: 'withdraw', subject: reservationId, data: { reason: 'CONTACT_ENDED' } }, context);
    if (withdrawn.accepted) events.push(...withdrawn.events);
  }
  if (place !== undefined) {
    events.push({ type: 'meridian.routing.withdrawn.v1', subject: contactId, data: { queueId: place.queueId, reason } });
  }
  return accept(...events);
}

function timePassed(partition: Partition, context: Context): Answer {
  const events: PartitionEvent[] = [];
  for (const reservationId of partition.due.due(context.now)) {
    const { agentId } = partition.reservations.get(reservationId) as LiveReservation;
    const decision = decideReservation(partition, { type: 'time_out', subject: reservationId }, context);
    if (!decision.accepted || decision.events.length === 0) continue;
    events.push(...decision.events);
    const isKnown = partition.agents.get(agentId)?.presence === 'NOT_RESPONDING' ||
      events.some((event) => event.type === 'meridian.agent.not_responding.v1' && event.subject === agentId);
    if (!isKnown) events.push({ type: 'meridian.agent.not_responding.v1', subject: agentId, data: { reservationId } });
  }
  return accept(...events);
}

// --- Routing: who serves whom

/** Looks for an agent for a contact; says so either way. */
function route(partition: Partition, place: Place, trigger: Trigger, nowMs: number): PartitionEvent[] {
  const isKnown = partition.queues.get(place.queueId)?.exists === true;
  const choice: Choice = isKnown
    ? choose(partition.agents.values(), place, settingsOf(partition, place.queueId).strategy, nowMs)
    : { agentId: undefined, candidates: [], candidateCount: 0, exclusions: [] };
  const outcome = choice.agentId === undefined ? (isKnown ? 'WAITING' : 'UNROUTABLE') : 'OFFERED';
  return decided(partition, place, outcome, choice, trigger, nowMs);
}

function decided(
  partition: Partition, place: Place, outcome: RoutingDecided['outcome'], choice: Choice, trigger: Trigger, nowMs: number,
): PartitionEvent[] {
  const { contactId, queueId, channel } = place;
  const { agentId } = choice;
  const settings = settingsOf(partition, queueId);
  const others = partition.waiting.size - (partition.waiting.has(contactId) ? 1 : 0);
  const decision: PartitionEvent = {
    type: 'meridian.routing.decided.v1',
    subject: contactId,
    data: {
      outcome,
      trigger,
      ...(agentId === undefined ? {} : { agentId }),
      queueId,
      channel,
      priority: place.priority,
      requirements: place.requirements,
      enqueuedAt: toTimestamp(place.enqueuedAtMs),
      waitingCount: others + 1,
      strategy: settings.strategy,
      candidates: choice.candidates,
      candidateCount: choice.candidateCount,
      exclusions: choice.exclusions,
      contactRequirements: place.contactRequirements,
      algorithm,
    },
  };
  if (agentId === undefined) return [decision];
  const attempt = (partition.attempts.get(contactId) ?? 0) + 1;
  return [decision, {
    type: 'meridian.reservation.created.v1',
    subject: `${contactId}-r${attempt}`,
    data: { contactId, agentId, queueId, channel, expiresAt: toTimestamp(nowMs + settings.offerTtlMs) },
  }];
}

/** The contact that an agent who has room should be offered next, and the events for it. */
function serve(partition: Partition, agent: Agent, nowMs: number): PartitionEvent[] {
  const place = partition.waiting.first(
    (sample) => partition.queues.get(sample.queueId)?.exists === true &&
      (exclusionOf(agent, sample) ?? 'DECLINED') === 'DECLINED',
    (each) => !agent.declined.has(each.contactId),
  );
  if (place === undefined) return [];
  const choice = choose([agent], place, settingsOf(partition, place.queueId).strategy, nowMs);
  return decided(partition, place, 'OFFERED', choice, 'AGENT_FREED', nowMs);
}

/** Whether the agent may have room after this event. */
function freedAgent(event: PartitionEvent): string | undefined {
  switch (event.type) {
    case 'meridian.reservation.completed.v1':
    case 'meridian.reservation.canceled.v1':
    case 'meridian.reservation.rescinded.v1':
    case 'meridian.reservation.rejected.v1':
      return event.data.agentId;
    case 'meridian.agent.signed_in.v1':
    case 'meridian.agent.state_changed.v1':
    case 'meridian.agent.session_superseded.v1':
    case 'meridian.agent.skills_changed.v1':
    case 'meridian.agent.capacity_changed.v1':
      return event.subject;
    default:
      return undefined;
  }
}

/** Of the contacts back at their place whom this decision has not routed again, who is served first. */
function returnedContact(partition: Partition, events: readonly PartitionEvent[]): Place | undefined {
  const returned = new Set<string>();
  for (const event of events) {
    if (event.type === 'meridian.reservation.rejected.v1' || event.type === 'meridian.reservation.timed_out.v1' ||
      event.type === 'meridian.reservation.rescinded.v1') returned.add(event.data.contactId);
    else if (event.type === 'meridian.routing.decided.v1') returned.delete(event.subject);
  }
  let first: Place | undefined;
  for (const contactId of returned) {
    const place = partition.waiting.get(contactId);
    if (place !== undefined && (first === undefined || isServedBefore(place, first))) first = place;
  }
  return first;
}

/**
 * What follows at once: an agent who asked to leave and is done is signed out; contacts that came
 * back are offered to others; agents who became free are offered who waits longest; a changed
 * queue is looked through again. One step a call, on the state after the step before.
 */
function consequences(partition: Partition, events: readonly PartitionEvent[], { now }: Context): readonly PartitionEvent[] {
  for (const event of events) {
    if (event.type !== 'meridian.reservation.completed.v1' && event.type !== 'meridian.reservation.canceled.v1') continue;
    const agent = partition.agents.get(event.data.agentId);
    if (agent?.isSigningOut === true && agent.open.size === 0 && agent.sessionId !== undefined) {
      return [{ type: 'meridian.agent.signed_out.v1', subject: agent.id, data: { sessionId: agent.sessionId } }];
    }
  }
  const returned = returnedContact(partition, events);
  if (returned !== undefined) return route(partition, returned, 'OFFER_ENDED', now);
  if (partition.waiting.size === 0) return [];
  for (const event of events) {
    const freed = freedAgent(event);
    if (freed !== undefined) {
      const offer = serve(partition, agentOf(partition, freed), now);
      if (offer.length > 0) return offer;
    } else if (event.type === 'meridian.queue.created.v1' || event.type === 'meridian.queue.updated.v1') {
      for (const place of partition.waiting.ofQueue(event.subject)) {
        const found = route(partition, place, 'QUEUE_CHANGED', now);
        if (found.length > 1) return found;
      }
    }
  }
  return [];
}

/** One routing partition: every reservation, agent, queue and place in it has this one writer. */
export const partitionDecider: Decider<Partition, PartitionEvent, Command> = {
  initial: () => ({
    agents: new Map(), queues: new Map(), waiting: new WaitingRoom(), offered: new Map(), reservations: new Map(),
    reservationOf: new Map(), attempts: new Map(), due: new DueTimes(), configVersion: 0,
  }),
  evolve,
  decide,
  consequences,
};
