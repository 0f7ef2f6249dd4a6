import type { Known } from './contact.ts';

/** The last offer heard of. At run time a contact back in the queue still names it. */
export function currentOffer(contact: Known): string | undefined {
  return 'reservationId' in contact ? contact.reservationId : undefined;
}

/**
 * Whether an offer is the last one heard of, or an earlier one. The partitions number the offers of
 * a contact one after the other (`<contact>-r<n>`), but their entries may arrive in any order.
 */
export function isHeardOf(contact: Known, reservationId: string): boolean {
  const current = currentOffer(contact);
  if (current === undefined) return false;
  return current === reservationId || offerNumber(reservationId) < offerNumber(current);
}

/** NaN, which is before and after nothing, when the id has no number. */
function offerNumber(reservationId: string): number {
  return Number(/-r(\d+)$/.exec(reservationId)?.[1]);
}
