import type { DomainEvent } from '@meridian/wire';
import type { InnerCommand } from './partition.ts';

/** A stored event with what its envelope says: the home of its aggregate, and under which epoch. */
export type StoredEvent = DomainEvent & { readonly region: string; readonly epoch: number };

/**
 * What another decision means for a partition: a contact's of any home, or one of another home's
 * partition. A partition is not told of its own entries.
 * @param time of the event, RFC 3339
 * @param home of the partition
 * @returns the command for the partition; undefined when none follows
 */
export function react(event: StoredEvent, time: string, home: string): InnerCommand | undefined {
  const { subject, region } = event;
  const isOwn = region === home;
  const contact = { subject, ...(isOwn ? {} : { contactHome: region }) };
  switch (event.type) {
    case 'meridian.contact.queued.v1':
      return isOwn
        ? { type: 'contact_queued', subject, data: event.data, enqueuedAt: time }
        : undefined;
    case 'meridian.contact.abandoned.v1':
    case 'meridian.contact.orphan_reaped.v1':
      return { type: 'contact_ended', ...contact, data: { reason: event.type } };
    case 'meridian.contact.offered.v1':
      return isOwn ? undefined : { type: 'contact_offered', ...contact, data: offerOf(event.data) };
    case 'meridian.contact.connected_to_agent.v1':
      return { type: 'contact_connected', ...contact, data: offerOf(event.data) };
    case 'meridian.contact.disconnected.v1':
      return { type: 'contact_wrapping', ...contact };
    case 'meridian.contact.completed.v1':
      return { type: 'contact_completed', ...contact };
    default:
      return isOwn ? undefined : reactToPartition(event, time, home);
  }
}

const offerOf = ({ reservationId }: { readonly reservationId: string }) => ({ reservationId });

/** What an entry of another home's partition means. */
function reactToPartition(
  event: StoredEvent,
  time: string,
  home: string,
): InnerCommand | undefined {
  const { subject, region } = event;
  switch (event.type) {
    case 'meridian.routing.lent.v1': {
      const { to, loan } = event.data;
      if (to !== home) return undefined;
      const data = { home: region, loan, loanEpoch: event.epoch, lent: event.data };
      return { type: 'borrow', subject, data };
    }
    case 'meridian.routing.returned.v1': {
      const { contactHome, loan, loanEpoch } = event.data;
      if (contactHome !== home) return undefined;
      return { type: 'take_back', subject, data: { from: region, loan, loanEpoch } };
    }
    case 'meridian.routing.withdrawn.v1': {
      // The contact may have ended before this partition heard of the loan; this comes after it.
      const { lentTo, reason, reservationId } = event.data;
      if (lentTo !== home) return undefined;
      if (reservationId !== undefined) {
        const data = { reservationId };
        return { type: 'contact_connected', subject, contactHome: region, data };
      }
      return reason === 'meridian.contact.completed.v1'
        ? { type: 'contact_completed', subject, contactHome: region }
        : { type: 'contact_ended', subject, contactHome: region, data: { reason } };
    }
    case 'meridian.agent.signed_in.v1':
    case 'meridian.agent.session_superseded.v1':
      return {
        type: 'signed_in_elsewhere',
        subject,
        data: { home: region, at: time, winsTie: region > home },
      };
    default:
      return undefined;
  }
}
