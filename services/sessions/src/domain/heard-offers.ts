import { isEarlierOffer } from '@meridian/core';
import type { Known } from './contact.ts';

/** The last offer heard of. At run time a contact back in the queue still names it. */
export function currentOffer(contact: Known): string | undefined {
  return 'reservationId' in contact ? contact.reservationId : undefined;
}

/**
 * Whether an offer is the last one heard of, or an earlier one. The partitions number the offers of
 * a contact one after the other, and those of a later epoch are later (see `offerId`), but their
 * entries may arrive in any order.
 */
export function isHeardOf(contact: Known, reservationId: string): boolean {
  const current = currentOffer(contact);
  if (current === undefined) return false;
  return current === reservationId || isEarlierOffer(reservationId, current);
}
