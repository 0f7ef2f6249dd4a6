import type { DomainEvent } from '@meridian/wire';
import type { InnerCommand } from './partition.ts';

/**
 * What a contact's decision means for the routing.
 * @param time of the event, RFC 3339
 * @returns the command for the partition; undefined when none follows
 */
export function react(event: DomainEvent, time: string): InnerCommand | undefined {
  const { subject } = event;
  switch (event.type) {
    case 'meridian.contact.queued.v1':
      return { type: 'contact_queued', subject, data: event.data, enqueuedAt: time };
    case 'meridian.contact.abandoned.v1':
    case 'meridian.contact.orphan_reaped.v1':
      return { type: 'contact_ended', subject, data: { reason: event.type } };
    case 'meridian.contact.disconnected.v1':
      return { type: 'contact_wrapping', subject };
    case 'meridian.contact.completed.v1':
      return { type: 'contact_completed', subject };
    default:
      return undefined;
  }
}
