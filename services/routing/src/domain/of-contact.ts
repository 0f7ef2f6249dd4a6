import {
  accept,
  isEarlierOffer,
  parseOfferId,
  type Context,
  type Decision,
  type Rejection,
} from '@meridian/core';
import type { ReservationCommand } from '@meridian/wire';
import { foreignHome, type Partition, type PartitionEvent } from './floor.ts';
import { isOfEpoch } from './loans.ts';
import { reservationDecider, type InnerCommand as ReservationInnerCommand } from './reservation.ts';

// What becomes of a contact's place and reservation by what the contact itself decided.

// --- Commands

interface OfContact {
  readonly subject: string;
  /** The contact's home, when it is another than the partition's. */
  readonly contactHome?: string | undefined;
}

interface OfOffer extends OfContact {
  readonly data: { readonly reservationId: string };
}

export type ContactsCommand =
  /** A contact ended without an agent, by the event named. */
  | (OfContact & {
      readonly type: 'contact_ended';
      readonly data: { readonly reason: string };
    })
  /** A contact took an offer: it passes over every earlier one. */
  | (OfOffer & { readonly type: 'contact_offered' })
  /** A contact is served by the reservation named: it takes no other one. */
  | (OfOffer & { readonly type: 'contact_connected' })
  /** The conversation is over. */
  | (OfContact & { readonly type: 'contact_wrapping' })
  | (OfContact & { readonly type: 'contact_completed' });

// --- Decide

type Answer = Decision<PartitionEvent, Rejection>;
type Of<Type extends ContactsCommand['type']> = Extract<ContactsCommand, { type: Type }>;

const connected = 'meridian.contact.connected_to_agent.v1';

export function decideReservation(
  partition: Partition,
  command: ReservationCommand | ReservationInnerCommand,
  context: Context,
): Answer {
  const reservation = partition.reservations.get(command.subject) ?? reservationDecider.initial();
  return reservationDecider.decide(reservation, command, context);
}

/** The reservation of a contact goes on to its next stage. */
export function onReservationOf(
  partition: Partition,
  { subject: contactId, contactHome }: OfContact,
  type: 'wrap' | 'complete',
  context: Context,
): Answer {
  const reservationId = partition.reservationOf.get(contactId);
  if (reservationId === undefined || foreignHome(partition, contactId) !== contactHome) {
    return accept();
  }
  return decideReservation(partition, { type, subject: reservationId }, context);
}

/** Whoever is reserved for the contact is let go, and its place is forgotten. */
export function contactEnded(
  partition: Partition,
  { subject: contactId, contactHome }: OfContact,
  reason: string,
  context: Context,
): Answer {
  // Another home may have a contact of the same name.
  if (foreignHome(partition, contactId) !== contactHome) return accept();
  return letGo(partition, { subject: contactId, contactHome }, 'CONTACT_ENDED', reason, context);
}

/**
 * A borrowed contact took a later offer than the one made here: the loan was withdrawn with the
 * epoch in which it was made, or had come back by what no longer counts.
 */
export function contactOffered(
  partition: Partition,
  { subject: contactId, contactHome, data }: Of<'contact_offered'>,
  context: Context,
): Answer {
  const own = partition.reservationOf.get(contactId);
  if (own === undefined || foreignHome(partition, contactId) !== contactHome) return accept();
  if (!isEarlierOffer(own, data.reservationId)) return accept();
  const reason = 'SUPERSEDED';
  return decideReservation(
    partition,
    { type: 'withdraw', subject: own, data: { reason } },
    context,
  );
}

/**
 * A contact is served. If by an offer that is not of this partition's making, such as one of a loan
 * beyond the seal of an epoch, everything else that is known of it here is at an end.
 */
export function contactConnected(
  partition: Partition,
  { subject: contactId, contactHome, data: { reservationId } }: Of<'contact_connected'>,
  context: Context,
): Answer {
  if (foreignHome(partition, contactId) !== contactHome) return accept();
  if (partition.reservationOf.get(contactId) === reservationId) return accept();
  if (isOfLoan(partition, contactId, reservationId)) return accept();
  const contact = { subject: contactId, contactHome };
  return letGo(partition, contact, 'SERVED_ELSEWHERE', connected, context, reservationId);
}

/** Whether an offer is the one that the contact was lent for. */
function isOfLoan(partition: Partition, contactId: string, reservationId: string): boolean {
  const loan = partition.loans.lent.get(contactId);
  const offer = parseOfferId(reservationId);
  if (loan === undefined || offer === undefined) return false;
  const number = (partition.attempts.get(contactId) ?? 0) + 1;
  return offer.number === number && isOfEpoch(loan, offer.epoch);
}

function letGo(
  partition: Partition,
  { subject: contactId, contactHome }: OfContact,
  why: 'CONTACT_ENDED' | 'SERVED_ELSEWHERE',
  reason: string,
  context: Context,
  servedBy?: string,
): Answer {
  const events: PartitionEvent[] = [];
  const loan = partition.loans.lent.get(contactId);
  const place = partition.waiting.get(contactId) ?? partition.offered.get(contactId) ?? loan?.place;
  const reservationId = partition.reservationOf.get(contactId);
  if (reservationId !== undefined) {
    const withdrawn = decideReservation(
      partition,
      { type: 'withdraw', subject: reservationId, data: { reason: why } },
      context,
    );
    if (withdrawn.accepted) events.push(...withdrawn.events);
  }
  if (place !== undefined) {
    events.push({
      type: 'meridian.routing.withdrawn.v1',
      subject: contactId,
      data: {
        queueId: place.queueId,
        reason,
        ...(contactHome === undefined ? {} : { contactHome }),
        ...(loan === undefined ? {} : { lentTo: loan.to }),
        ...(servedBy === undefined ? {} : { reservationId: servedBy }),
      },
    });
  }
  return accept(...events);
}
