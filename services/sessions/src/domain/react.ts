import type { DomainEvent } from '@meridian/wire';
import type { InnerCommand } from './contact.ts';

/**
 * What a decision of the routing means for a contact.
 * @returns the command for the contact named in its `subject`; undefined when none follows
 */
export function react(event: DomainEvent): InnerCommand | undefined {
  switch (event.type) {
    case 'meridian.reservation.created.v1': {
      const { contactId, agentId, expiresAt } = event.data;
      return {
        type: 'offer',
        subject: contactId,
        data: { reservationId: event.subject, agentId, expiresAt },
      };
    }
    case 'meridian.reservation.rejected.v1':
      return {
        type: 'requeue',
        subject: event.data.contactId,
        data: { reservationId: event.subject, reason: 'REJECTED' },
      };
    case 'meridian.reservation.timed_out.v1':
      return {
        type: 'requeue',
        subject: event.data.contactId,
        data: { reservationId: event.subject, reason: 'TIMED_OUT' },
      };
    case 'meridian.reservation.rescinded.v1':
      return {
        type: 'requeue',
        subject: event.data.contactId,
        data: { reservationId: event.subject, reason: 'RESCINDED' },
      };
    case 'meridian.reservation.accepted.v1': {
      const { contactId, agentId } = event.data;
      return {
        type: 'connect',
        subject: contactId,
        data: { reservationId: event.subject, agentId },
      };
    }
    default:
      return undefined;
  }
}
