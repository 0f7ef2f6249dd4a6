import { offerId, toTimestamp, type Context } from '@meridian/core';
import type { ReservationEvent, RoutingDecided, Trigger } from '@meridian/wire';
import type { Agent } from './agent.ts';
import { agentOf, settingsOf, type Partition, type PartitionEvent } from './floor.ts';
import { algorithm } from './limits.ts';
import { choose, exclusionOf, type Choice } from './match.ts';
import { isServedBefore, type Place } from './waiting-room.ts';

// Who serves whom: what is offered at once after each decision of the partition.

/** Where a contact comes from that another partition had: see `RoutingDecided`. */
export type Origin = Pick<RoutingDecided, 'contactHome' | 'attempts' | 'loan' | 'loanEpoch'>;

/** When, and under which ownership, it is decided. */
type Moment = Pick<Context, 'now' | 'epoch'>;

/** Looks for an agent for a contact; says so either way. */
export function route(
  partition: Partition,
  place: Place,
  trigger: Trigger,
  context: Moment,
  origin: Origin = {},
): PartitionEvent[] {
  const exists = partition.queues.get(place.queueId)?.exists === true;
  const choice: Choice = exists
    ? choose(
        partition.agents.values(),
        place,
        settingsOf(partition, place.queueId).strategy,
        context.now,
      )
    : { agentId: undefined, candidates: [], candidateCount: 0, exclusions: [] };
  const outcome = choice.agentId === undefined ? (exists ? 'WAITING' : 'UNROUTABLE') : 'OFFERED';
  return decided(partition, place, outcome, choice, trigger, context, origin);
}

function decided(
  partition: Partition,
  place: Place,
  outcome: RoutingDecided['outcome'],
  choice: Choice,
  trigger: Trigger,
  { now, epoch }: Moment,
  origin: Origin = {},
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
      ...origin,
    },
  };
  if (agentId === undefined) return [decision];
  const { contactHome, attempts = partition.attempts.get(contactId) ?? 0 } = origin;
  const number = attempts + 1;
  return [
    decision,
    {
      type: 'meridian.reservation.created.v1',
      subject: offerId(
        contactId,
        contactHome === undefined
          ? { number, epoch }
          : { number, epoch: origin.loanEpoch, borrowerEpoch: epoch },
      ),
      data: {
        contactId,
        agentId,
        queueId,
        channel,
        expiresAt: toTimestamp(now + settings.offerTtlMs),
        ...(contactHome === undefined ? {} : { contactHome }),
      },
    },
  ];
}

/** Of the contacts that wait, the one that an agent who has room should be offered next. */
export function firstFor(partition: Partition, agent: Agent): Place | undefined {
  return partition.waiting.first(
    (sample) =>
      partition.queues.get(sample.queueId)?.exists === true &&
      (exclusionOf(agent, sample) ?? 'DECLINED') === 'DECLINED',
    (each) => !agent.declined.has(each.contactId),
  );
}

/** The events that offer an agent who has room the contact that comes first. */
function serve(partition: Partition, agent: Agent, context: Moment): PartitionEvent[] {
  const place = firstFor(partition, agent);
  if (place === undefined) return [];
  const choice = choose([agent], place, settingsOf(partition, place.queueId).strategy, context.now);
  return decided(partition, place, 'OFFERED', choice, 'AGENT_FREED', context);
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
function returnedContact(
  partition: Partition,
  events: readonly PartitionEvent[],
): Place | undefined {
  const returned = new Set<string>();
  for (const event of events) {
    if (
      event.type === 'meridian.reservation.rejected.v1' ||
      event.type === 'meridian.reservation.timed_out.v1' ||
      event.type === 'meridian.reservation.rescinded.v1'
    ) {
      returned.add(event.data.contactId);
    } else if (event.type === 'meridian.routing.decided.v1') returned.delete(event.subject);
  }
  let first: Place | undefined;
  for (const contactId of returned) {
    const place = partition.waiting.get(contactId);
    if (place !== undefined && (first === undefined || isServedBefore(place, first))) first = place;
  }
  return first;
}

/** Gives back the borrowed contacts whose offers came to nothing in this decision. */
function giveBack(partition: Partition, events: readonly PartitionEvent[]): PartitionEvent[] {
  const { borrowed } = partition.loans;
  if (borrowed.size === 0) return [];
  const back: PartitionEvent[] = [];
  for (const event of events) {
    if (!event.type.startsWith('meridian.reservation.')) continue;
    const { contactId } = (event as ReservationEvent).data;
    const borrowing = borrowed.get(contactId);
    if (borrowing === undefined || partition.reservationOf.has(contactId)) continue;
    const { home: contactHome, loan, loanEpoch } = borrowing;
    const attempts = partition.attempts.get(contactId) ?? 0;
    back.push({
      type: 'meridian.routing.returned.v1',
      subject: contactId,
      data: { contactHome, loan, loanEpoch, attempts, reason: 'OFFER_ENDED' },
    });
  }
  return back;
}

/**
 * What follows at once: borrowed contacts whose offers ended are given back; an agent who asked to
 * leave and is done is signed out; contacts that came back are offered to others; agents who became
 * free are offered who waits longest; a changed queue is looked through again. One step a call, on
 * the state after the step before.
 */
export function consequences(
  partition: Partition,
  events: readonly PartitionEvent[],
  context: Context,
): readonly PartitionEvent[] {
  const back = giveBack(partition, events);
  if (back.length > 0) return back;
  for (const event of events) {
    if (
      event.type !== 'meridian.reservation.completed.v1' &&
      event.type !== 'meridian.reservation.canceled.v1'
    ) {
      continue;
    }
    const agent = partition.agents.get(event.data.agentId);
    if (agent?.isSigningOut === true && agent.open.size === 0 && agent.sessionId !== undefined) {
      return [
        {
          type: 'meridian.agent.signed_out.v1',
          subject: agent.id,
          data: { sessionId: agent.sessionId },
        },
      ];
    }
  }
  const returned = returnedContact(partition, events);
  if (returned !== undefined) return route(partition, returned, 'OFFER_ENDED', context);
  if (partition.waiting.size === 0) return [];
  for (const event of events) {
    const freed = freedAgent(event);
    if (freed !== undefined) {
      const offer = serve(partition, agentOf(partition, freed), context);
      if (offer.length > 0) return offer;
    } else if (
      event.type === 'meridian.queue.created.v1' ||
      event.type === 'meridian.queue.updated.v1'
    ) {
      for (const place of partition.waiting.ofQueue(event.subject)) {
        const found = route(partition, place, 'QUEUE_CHANGED', context);
        if (found.length > 1) return found;
      }
    }
  }
  return [];
}
