import { accept, fromTimestamp, toTimestamp, type Context, type Decision } from '@meridian/core';
import type { RoutingLent, RoutingReturned } from '@meridian/wire';
import { isKnown, placeOf, type Partition, type PartitionEvent } from './floor.ts';
import { isAnswered, isOfEpoch, type Borrowing } from './loans.ts';
import { route } from './offers.ts';

// What two partitions decide about a contact that goes from one to the other.

// --- Commands

export type LoanCommand =
  /** A waiting contact shall be another partition's to offer. */
  | {
      readonly type: 'lend';
      readonly subject: string;
      readonly data: { /** The home of the other partition. */ readonly to: string };
    }
  /** Another partition lent a contact. */
  | {
      readonly type: 'borrow';
      readonly subject: string;
      readonly data: Borrowing & { readonly lent: RoutingLent };
    }
  /** Another partition gave a contact back. */
  | {
      readonly type: 'take_back';
      readonly subject: string;
      readonly data: {
        readonly from: string;
        readonly loan: number;
        readonly loanEpoch: number;
      };
    };

// --- Decide

type Answer = Decision<PartitionEvent, never>;
type Of<Type extends LoanCommand['type']> = Extract<LoanCommand, { type: Type }>;

/** The contact is another partition's to offer from now on. Nothing when it does not wait here. */
export function lend(
  partition: Partition,
  { subject: contactId, data: { to } }: Of<'lend'>,
  { epoch = 1 }: Context,
): Answer {
  const place = partition.waiting.get(contactId);
  if (place === undefined) return accept();
  const { queueId, channel, priority, contactRequirements, enqueuedAtMs } = place;
  return accept<PartitionEvent>({
    type: 'meridian.routing.lent.v1',
    subject: contactId,
    data: {
      to,
      loan: partition.loans.count + 1,
      queueId,
      channel,
      priority,
      contactRequirements,
      enqueuedAt: toTimestamp(enqueuedAtMs),
      attempts: partition.attempts.get(contactId) ?? 0,
      ...(epoch === 1 ? {} : { loanEpoch: epoch }),
    },
  });
}

/** Every loan is answered once: by an offer, or by giving the contact back at once. */
export function borrow(
  partition: Partition,
  { subject: contactId, data: { lent, ...borrowing } }: Of<'borrow'>,
  context: Context,
): Answer {
  if (isAnswered(partition.loans, borrowing)) return accept();
  const { home: contactHome, loan, loanEpoch } = borrowing;
  const { attempts = 0 } = lent;
  const giveBack = (reason: RoutingReturned['reason']): Answer =>
    accept<PartitionEvent>({
      type: 'meridian.routing.returned.v1',
      subject: contactId,
      data: { contactHome, loan, loanEpoch, attempts, reason },
    });
  if (isKnown(partition, contactId)) return giveBack('CONTACT_KNOWN');
  if (partition.queues.get(lent.queueId)?.exists !== true) return giveBack('QUEUE_UNKNOWN');
  const place = placeOf(partition, contactId, lent, fromTimestamp(lent.enqueuedAt));
  const origin = { contactHome, attempts, loan, loanEpoch };
  const events = route(partition, place, 'CONTACT_BORROWED', context, origin);
  return events.length > 1 ? accept(...events) : giveBack('NO_AGENT');
}

/**
 * Back at its original place. What ended meanwhile is not lent any more, and stays away. The loan has
 * used up its number, whether it led to an offer or not: should the answer lie beyond a seal, the
 * next one may yet be an offer.
 */
export function takeBack(
  partition: Partition,
  { subject: contactId, data: { from, loan, loanEpoch } }: Of<'take_back'>,
  context: Context,
): Answer {
  const lent = partition.loans.lent.get(contactId);
  if (lent?.loan !== loan || lent.to !== from || !isOfEpoch(lent, loanEpoch)) return accept();
  const attempts = (partition.attempts.get(contactId) ?? 0) + 1;
  const place = placeOf(partition, contactId, lent.place, lent.place.enqueuedAtMs);
  return accept(...route(partition, place, 'CONTACT_RETURNED', context, { attempts }));
}
