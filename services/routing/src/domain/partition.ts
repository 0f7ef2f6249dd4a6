import {
  accept,
  fromTimestamp,
  unreachable,
  type Context,
  type Decider,
  type Decision,
  type Rejection,
} from '@meridian/core';
import type {
  AgentCommand,
  AgentEvent,
  ContactQueued,
  QueueCommand,
  ReservationCommand,
  ReservationEvent,
} from '@meridian/wire';
import { agentDecider, newAgent, type SignedInElsewhere } from './agent.ts';
import {
  emptyPartition,
  evolve,
  isKnown,
  placeOf,
  type Partition,
  type PartitionEvent,
} from './floor.ts';
import { borrow, lend, takeBack, type LoanCommand } from './lending.ts';
import {
  contactConnected,
  contactEnded,
  contactOffered,
  decideReservation,
  onReservationOf,
  type ContactsCommand,
} from './of-contact.ts';
import { consequences, route } from './offers.ts';
import { queueDecider } from './queue.ts';
import type { LiveReservation } from './reservation.ts';

export type { Partition, PartitionEvent } from './floor.ts';

// --- Commands

export type InnerCommand =
  /** A contact joined a queue, at `enqueuedAt`. */
  | {
      readonly type: 'contact_queued';
      readonly subject: string;
      readonly data: ContactQueued;
      readonly enqueuedAt: string;
    }
  | ContactsCommand
  | LoanCommand
  | SignedInElsewhere
  /** Time has passed: offers that rang out. */
  | { readonly type: 'time_passed'; readonly subject: string };

export type Command = AgentCommand | QueueCommand | ReservationCommand | InnerCommand;

// --- Decide

type Answer = Decision<PartitionEvent>;
type Of<Type extends Command['type']> = Extract<Command, { type: Type }>;

function decide(partition: Partition, command: Command, context: Context): Answer {
  const { subject } = command;
  switch (command.type) {
    case 'meridian.agent.sign_in.v1':
    case 'meridian.agent.sign_out.v1':
    case 'meridian.agent.set_presence.v1':
    case 'signed_in_elsewhere':
      return decideAgent(partition, command, context);
    case 'meridian.queue.configure.v1':
    case 'meridian.queue.delete.v1': {
      const queue = partition.queues.get(subject) ?? queueDecider.initial();
      return queueDecider.decide(
        queue,
        { ...command, waitingCount: contactsIn(partition, subject) },
        context,
      );
    }
    case 'meridian.reservation.accept.v1':
    case 'meridian.reservation.reject.v1':
      return decideReservation(partition, command, context);
    case 'contact_queued':
      return contactQueued(partition, command, context);
    case 'contact_ended':
      return contactEnded(partition, command, command.data.reason, context);
    case 'contact_wrapping':
      return onReservationOf(partition, command, 'wrap', context);
    case 'contact_completed':
      return partition.waiting.has(subject) ||
        partition.offered.has(subject) ||
        partition.loans.lent.has(subject)
        ? contactEnded(partition, command, 'meridian.contact.completed.v1', context)
        : onReservationOf(partition, command, 'complete', context);
    case 'contact_offered':
      return contactOffered(partition, command, context);
    case 'contact_connected':
      return contactConnected(partition, command, context);
    case 'lend':
      return lend(partition, command, context);
    case 'borrow':
      return borrow(partition, command, context);
    case 'take_back':
      return takeBack(partition, command, context);
    case 'time_passed':
      return timePassed(partition, context);
    default:
      return unreachable(command);
  }
}

/** The contacts that may yet need the queue: those that wait, are offered or may come back. */
function contactsIn(partition: Partition, queueId: string): number {
  let count = partition.waiting.ofQueue(queueId).length;
  for (const place of partition.offered.values()) if (place.queueId === queueId) count += 1;
  for (const { place } of partition.loans.lent.values()) if (place.queueId === queueId) count += 1;
  return count;
}

function contactQueued(
  partition: Partition,
  { subject, data, enqueuedAt }: Of<'contact_queued'>,
  context: Context,
): Answer {
  if (isKnown(partition, subject)) return accept();
  const { queueId, channel, priority = 0, requirements } = data;
  const asked = { queueId, channel, priority, contactRequirements: requirements };
  const place = placeOf(partition, subject, asked, fromTimestamp(enqueuedAt));
  return accept(...route(partition, place, 'CONTACT_QUEUED', context));
}

/** The agent's own decision, and the offers that it takes back: nobody rings at an empty desk. */
function decideAgent(
  partition: Partition,
  command: AgentCommand | SignedInElsewhere,
  context: Context,
): Answer {
  const agent = partition.agents.get(command.subject) ?? newAgent(command.subject);
  const decision: Decision<AgentEvent | ReservationEvent, Rejection> = agentDecider.decide(
    agent,
    command,
    context,
  );
  if (!decision.accepted) return decision;
  const leaves = decision.events.some(
    (event) =>
      event.type === 'meridian.agent.signed_out.v1' ||
      event.type === 'meridian.agent.sign_out_requested.v1' ||
      (event.type === 'meridian.agent.state_changed.v1' && event.data.to !== 'AVAILABLE'),
  );
  if (!leaves) return decision;
  const rescinded = [...agent.open]
    .filter(([, open]) => open.stage === 'PENDING')
    .flatMap(([subject]) => {
      const data = { reason: 'AGENT_LEFT' };
      const taken = decideReservation(partition, { type: 'withdraw', subject, data }, context);
      return taken.accepted ? taken.events : [];
    });
  return accept<PartitionEvent>(...rescinded, ...decision.events);
}

function timePassed(partition: Partition, context: Context): Answer {
  const events: PartitionEvent[] = [];
  for (const reservationId of partition.due.due(context.now)) {
    const { agentId } = partition.reservations.get(reservationId) as LiveReservation;
    const decision = decideReservation(
      partition,
      { type: 'time_out', subject: reservationId },
      context,
    );
    if (!decision.accepted || decision.events.length === 0) continue;
    events.push(...decision.events);
    const isKnown =
      partition.agents.get(agentId)?.presence === 'NOT_RESPONDING' ||
      events.some(
        (event) => event.type === 'meridian.agent.not_responding.v1' && event.subject === agentId,
      );
    if (!isKnown) {
      events.push({
        type: 'meridian.agent.not_responding.v1',
        subject: agentId,
        data: { reservationId },
      });
    }
  }
  return accept(...events);
}

/** One routing partition: every reservation, agent, queue and place in it has this one writer. */
export const partitionDecider: Decider<Partition, PartitionEvent, Command> = {
  initial: emptyPartition,
  evolve,
  decide,
  consequences,
};
