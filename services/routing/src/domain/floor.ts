import { DueTimes, fromTimestamp } from '@meridian/core';
import type {
  AgentEvent,
  QueueEvent,
  QueueSettings,
  ReservationEvent,
  RoutingDecided,
  RoutingEvent,
} from '@meridian/wire';
import { agentDecider, newAgent, type Agent } from './agent.ts';
import { defaultQueueSettings } from './limits.ts';
import {
  evolveArrival,
  evolveLent,
  evolveReturned,
  forgetLoans,
  noLoans,
  type Loans,
} from './loans.ts';
import { mergeRequirements } from './match.ts';
import { queueDecider, type Queue } from './queue.ts';
import { isLive, reservationDecider, type LiveReservation } from './reservation.ts';
import { WaitingRoom, type Place } from './waiting-room.ts';

// The partition's state and what events do to it; `partition.ts` decides, `offers.ts` finds who serves whom.

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
  /** How many offers a contact that waits, is offered or is lent has had, in all partitions. */
  readonly attempts: Map<string, number>;
  /** Contacts lent to other partitions and borrowed from them. */
  readonly loans: Loans;
  /** When pending reservations time out, by id. */
  readonly due: DueTimes;
  /** How often queues were configured: the `configversion` of the envelope. */
  configVersion: number;
}

export type PartitionEvent = AgentEvent | QueueEvent | ReservationEvent | RoutingEvent;

// --- Evolve

export function agentOf(partition: Partition, id: string): Agent {
  let agent = partition.agents.get(id);
  if (agent === undefined) {
    agent = newAgent(id);
    partition.agents.set(id, agent);
  }
  return agent;
}

export function settingsOf(partition: Partition, queueId: string): QueueSettings {
  return partition.queues.get(queueId)?.settings ?? defaultQueueSettings;
}

/** Whether the contact waits, is offered, is served or is lent. */
export function isKnown(partition: Partition, contactId: string): boolean {
  return (
    partition.waiting.has(contactId) ||
    partition.offered.has(contactId) ||
    partition.reservationOf.has(contactId) ||
    partition.loans.lent.has(contactId)
  );
}

/** The home of a contact that is borrowed, or served, from another one; undefined: this one. */
export function foreignHome(partition: Partition, contactId: string): string | undefined {
  const reservationId = partition.reservationOf.get(contactId);
  return (
    partition.loans.borrowed.get(contactId)?.home ??
    (reservationId === undefined
      ? undefined
      : partition.reservations.get(reservationId)?.contactHome)
  );
}

/** A contact's place by the settings that its queue has now. */
export function placeOf(
  partition: Partition,
  contactId: string,
  asked: Pick<RoutingDecided, 'queueId' | 'channel' | 'priority' | 'contactRequirements'>,
  enqueuedAtMs: number,
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

function evolveDecided(
  partition: Partition,
  contactId: string,
  decided: RoutingDecided,
  timeMs: number,
): void {
  evolveArrival(partition.loans, contactId, decided, timeMs);
  if (decided.attempts !== undefined) partition.attempts.set(contactId, decided.attempts);
  const place =
    partition.waiting.get(contactId) ??
    placeOf(partition, contactId, decided, fromTimestamp(decided.enqueuedAt));
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
  forgetLoans(partition.loans, contactId);
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
    if (partition.reservationOf.get(contactId) === event.subject) {
      partition.reservationOf.delete(contactId);
    }
  }
  partition.due.set(
    event.subject,
    isLive(after) && after.stage === 'PENDING' ? after.expiresAtMs : undefined,
  );
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
      // A borrowed contact never waits here: it is given back in the same entry.
      if (partition.loans.borrowed.has(contactId)) break;
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

export function evolve(partition: Partition, event: PartitionEvent, timeMs: number): Partition {
  switch (event.type) {
    case 'meridian.routing.decided.v1':
      evolveDecided(partition, event.subject, event.data, timeMs);
      break;
    case 'meridian.routing.withdrawn.v1':
      forget(partition, event.subject);
      break;
    case 'meridian.routing.lent.v1': {
      const { subject, data } = event;
      const place =
        partition.waiting.remove(subject) ??
        placeOf(partition, subject, data, fromTimestamp(data.enqueuedAt));
      evolveLent(partition.loans, data, place);
      break;
    }
    case 'meridian.routing.returned.v1':
      if (evolveReturned(partition.loans, event.subject, event.data)) {
        forget(partition, event.subject);
      }
      break;
    case 'meridian.queue.created.v1':
    case 'meridian.queue.updated.v1':
    case 'meridian.queue.deleted.v1':
      partition.queues.set(
        event.subject,
        queueDecider.evolve(
          partition.queues.get(event.subject) ?? queueDecider.initial(),
          event,
          timeMs,
        ),
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

/** A floor with nobody on it. */
export function emptyPartition(): Partition {
  return {
    agents: new Map(),
    queues: new Map(),
    waiting: new WaitingRoom(),
    offered: new Map(),
    reservations: new Map(),
    reservationOf: new Map(),
    attempts: new Map(),
    loans: noLoans(),
    due: new DueTimes(),
    configVersion: 0,
  };
}
