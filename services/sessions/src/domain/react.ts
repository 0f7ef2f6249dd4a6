import { unreachable } from '@meridian/core';
import type { DomainEvent, ReservationEvent } from '@meridian/wire';
import type { InnerCommand } from './contact.ts';

/** A stored event with the home of its aggregate, as its envelope names it. */
export type StoredEvent = DomainEvent & { readonly region: string };

/**
 * What a decision of any home's routing means for a contact of this home.
 * @returns the command for the contact named in its `subject`; undefined when none follows
 */
export function react(event: StoredEvent, home: string): InnerCommand | undefined {
  switch (event.type) {
    case 'meridian.reservation.created.v1':
    case 'meridian.reservation.rejected.v1':
    case 'meridian.reservation.timed_out.v1':
    case 'meridian.reservation.rescinded.v1':
    case 'meridian.reservation.accepted.v1':
      return (event.data.contactHome ?? event.region) === home ? commandOf(event) : undefined;
    default:
      return undefined;
  }
}

type Meant = Exclude<
  ReservationEvent,
  { type: `meridian.reservation.${'canceled' | 'wrapping' | 'completed'}.v1` }
>;

function commandOf(event: Meant): InnerCommand {
  const reservationId = event.subject;
  const { contactId: subject, agentId } = event.data;
  switch (event.type) {
    case 'meridian.reservation.created.v1': {
      const { expiresAt } = event.data;
      return { type: 'offer', subject, data: { reservationId, agentId, expiresAt } };
    }
    case 'meridian.reservation.rejected.v1':
      return { type: 'requeue', subject, data: { reservationId, reason: 'REJECTED' } };
    case 'meridian.reservation.timed_out.v1':
      return { type: 'requeue', subject, data: { reservationId, reason: 'TIMED_OUT' } };
    case 'meridian.reservation.rescinded.v1':
      return { type: 'requeue', subject, data: { reservationId, reason: 'RESCINDED' } };
    case 'meridian.reservation.accepted.v1':
      return { type: 'connect', subject, data: { reservationId, agentId } };
    default:
      return unreachable(event);
  }
}
