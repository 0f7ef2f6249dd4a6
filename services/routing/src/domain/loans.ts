import type { RoutingDecided, RoutingLent, RoutingReturned } from '@meridian/wire';
import type { Place } from './waiting-room.ts';

// What goes between partitions: a contact is in one at a time, and both know which loan they talk of.

/** A contact of this home that another partition offers. */
export interface Loan {
  /** The home of the partition that may offer it. */
  readonly to: string;
  /** Counts the loans of this partition from 1. */
  readonly loan: number;
  /** The epoch of this home in which the loan was made; the first, or not said, when absent. */
  readonly loanEpoch?: number;
  readonly place: Place;
}

/** A contact of another home that is offered here. */
export interface Borrowing {
  readonly home: string;
  readonly loan: number;
  /** The epoch of the other home in which the loan was made. */
  readonly loanEpoch: number;
}

export interface Loans {
  /** By contact: those lent that have not come back and have not ended. */
  readonly lent: Map<string, Loan>;
  /** The number of the last loan made. */
  count: number;
  /** By contact: those borrowed and being offered. */
  readonly borrowed: Map<string, Borrowing>;
  /** By home: the last of its loans that was answered here. Loans come in order. */
  readonly answered: Map<string, Pick<Borrowing, 'loan' | 'loanEpoch'>>;
  /** By contact that waits or is lent, and home: when it was last given back, in epoch ms. */
  readonly returns: Map<string, Map<string, number>>;
}

export function noLoans(): Loans {
  return {
    lent: new Map(),
    count: 0,
    borrowed: new Map(),
    answered: new Map(),
    returns: new Map(),
  };
}

/** Whether a loan of another home has been answered here. */
export function isAnswered(loans: Loans, { home, loan, loanEpoch }: Borrowing): boolean {
  const last = loans.answered.get(home);
  if (last === undefined) return false;
  return loanEpoch < last.loanEpoch || (loanEpoch === last.loanEpoch && loan <= last.loan);
}

/** When the partition of `home` last gave the contact back, in epoch ms; undefined: never. */
export function returnedAtMs(loans: Loans, contactId: string, home: string): number | undefined {
  return loans.returns.get(contactId)?.get(home);
}

/** Whether a loan of this home was made in an epoch, as far as it says. */
export function isOfEpoch({ loanEpoch }: Loan, epoch: number): boolean {
  return loanEpoch === undefined || loanEpoch === epoch;
}

// --- Evolve

export function evolveLent(loans: Loans, { to, loan, loanEpoch }: RoutingLent, place: Place): void {
  const epoch = loanEpoch === undefined ? {} : { loanEpoch };
  loans.lent.set(place.contactId, { to, loan, ...epoch, place });
  loans.count = loan;
}

/** A contact that came from elsewhere is decided on: borrowed, or back from a loan. */
export function evolveArrival(
  loans: Loans,
  contactId: string,
  { trigger, contactHome, loan, loanEpoch }: RoutingDecided,
  timeMs: number,
): void {
  if (contactHome !== undefined && loan !== undefined && loanEpoch !== undefined) {
    loans.borrowed.set(contactId, { home: contactHome, loan, loanEpoch });
    loans.answered.set(contactHome, { loan, loanEpoch });
  } else if (trigger === 'CONTACT_RETURNED') {
    const ended = loans.lent.get(contactId);
    loans.lent.delete(contactId);
    if (ended === undefined) return;
    const returns = loans.returns.get(contactId) ?? new Map<string, number>();
    loans.returns.set(contactId, returns.set(ended.to, timeMs));
  }
}

/** @returns whether the contact was here by the loan that ended */
export function evolveReturned(
  loans: Loans,
  contactId: string,
  { contactHome: home, loan, loanEpoch }: RoutingReturned,
): boolean {
  const borrowing = loans.borrowed.get(contactId);
  if (!isAnswered(loans, { home, loan, loanEpoch })) loans.answered.set(home, { loan, loanEpoch });
  return borrowing?.home === home && borrowing.loan === loan && borrowing.loanEpoch === loanEpoch;
}

export function forgetLoans(loans: Loans, contactId: string): void {
  loans.lent.delete(contactId);
  loans.borrowed.delete(contactId);
  loans.returns.delete(contactId);
}
