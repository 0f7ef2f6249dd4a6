import { OrphanTraces } from './orphan-traces.ts';
import { numberIn, textIn, type LoggedEvent, type Place } from './raw.ts';
import { nameOf } from './routing-fold.ts';
import type { Report } from './violation.ts';

/** An offer that is PENDING or ACCEPTED, and of which home's partition it is. */
interface Offer {
  readonly id: string;
  readonly home: string;
  /** The loan by which it was made, if that does not seem to count. */
  readonly loan?: string;
}

/** The name of a contact among all tenants and homes. */
export type ContactKey = string;

/**
 * Where each contact is, and which offer of it is the last, over all partitions: rule 1 between
 * partitions. Kept: the open offer and the last number of each contact that has not ended, and one
 * record for each contact that another home serves or served.
 */
export class Whereabouts {
  readonly #report: Report;
  /** The reservation that is PENDING or ACCEPTED, with the partition it belongs to. */
  readonly #offers = new Map<ContactKey, Offer>();
  /** Offers by a loan that does not count. */
  readonly #strayOffers = new Map<ContactKey, Offer>();
  readonly #numbers = new Map<ContactKey, OfferNumber>();
  /** Contacts that are not in their own home's partition. */
  readonly #lent = new Map<ContactKey, { readonly to: string; readonly loan: number }>();
  /** Such loans of contacts, by `<contact> <home that has it>`. */
  readonly #strays = new Map<string, string>();
  readonly #traces: OrphanTraces;

  constructor(report: Report, traces: OrphanTraces) {
    this.#report = report;
    this.#traces = traces;
  }

  /** The contact that an event of a partition is about, in whose home it is. */
  static keyOf(place: Place, event: LoggedEvent): ContactKey {
    const { home } = place.aggregate;
    const contactId = textIn(event.data, 'contactId') || event.subject;
    return `${event.tenant}/${textIn(event.data, 'contactHome') || home}/${contactId}`;
  }

  /** The offers that a contact has besides; one by a loan that does not count names it. */
  offersOf(key: ContactKey): Offer[] {
    return [this.#offers.get(key), this.#strayOffers.get(key)].filter((one) => one !== undefined);
  }

  /** The loan by which the partition of a home has a contact, if that does not seem to count. */
  strayLoan(key: ContactKey, home: string): string | undefined {
    return this.#strays.get(`${key} ${home}`);
  }

  /** The contact has ended: no offer of it follows but those that had not heard of it. */
  ended(key: ContactKey): void {
    this.#numbers.delete(key);
  }

  /** An offer is over, or was accepted and has come to its end. */
  closed(key: ContactKey, reservationId: string): void {
    for (const offers of [this.#offers, this.#strayOffers]) {
      if (offers.get(key)?.id === reservationId) offers.delete(key);
    }
  }

  /** Judges an event of a routing partition. */
  check(place: Place, event: LoggedEvent): void {
    switch (event.type) {
      case 'meridian.routing.lent.v1':
        this.#lend(place, event);
        break;
      case 'meridian.routing.returned.v1':
        this.#return(place, event);
        break;
      case 'meridian.routing.decided.v1':
        this.#decided(place, event);
        break;
      case 'meridian.reservation.created.v1':
        this.#created(place, event);
        break;
      default:
        if (nameOf(event.type, 'reservation') === '') return;
    }
  }

  #lend(place: Place, event: LoggedEvent): void {
    const key = Whereabouts.keyOf(place, event);
    const { home } = place.aggregate;
    this.#isAt(place, key, home);
    const to = textIn(event.data, 'to');
    if (to === home || to === '') {
      this.#report(place, 'partition', 'another home to lend to', to || 'nothing');
    }
    const offer = this.#offers.get(key);
    if (offer !== undefined) {
      this.#report(place, 'partition', `${event.subject} to wait`, `it is offered: ${offer.id}`);
    }
    this.#lent.set(key, { to, loan: numberIn(event.data, 'loan') });
  }

  #return(place: Place, event: LoggedEvent): void {
    const key = Whereabouts.keyOf(place, event);
    const { home } = place.aggregate;
    if (this.#strayBy(place, key, event) !== undefined) {
      this.#strays.delete(`${key} ${home}`);
      return;
    }
    const offer = this.#offers.get(key);
    if (offer !== undefined) {
      const expected = `no offer of ${event.subject} when it is given back`;
      this.#report(place, 'partition', expected, offer.id);
    }
    this.#lent.delete(key);
  }

  #decided(place: Place, event: LoggedEvent): void {
    const key = Whereabouts.keyOf(place, event);
    const { home } = place.aggregate;
    const contactHome = textIn(event.data, 'contactHome');
    if (contactHome === '') {
      this.#isAt(place, key, home);
      return;
    }
    const stray = this.#strayBy(place, key, event);
    if (stray === undefined) this.#strays.delete(`${key} ${home}`);
    else this.#strays.set(`${key} ${home}`, stray);
    if (textIn(event.data, 'outcome') !== 'OFFERED') {
      const expected = `${event.subject} of ${contactHome} offered or given back`;
      this.#report(place, 'partition', expected, textIn(event.data, 'outcome'));
    }
  }

  #created(place: Place, event: LoggedEvent): void {
    const key = Whereabouts.keyOf(place, event);
    const { home } = place.aggregate;
    const contactId = textIn(event.data, 'contactId');
    const loan = this.strayLoan(key, home);
    if (loan !== undefined) {
      this.#strayOffers.set(key, { id: event.subject, home, loan });
      return;
    }
    this.#isAt(place, key, home);
    this.#offers.set(key, { id: event.subject, home });
    const number = offerNumber(contactId, event.subject);
    const last = this.#numbers.get(key);
    if (number === undefined || !isAbove(number, last)) {
      const expected = `${contactId}-r<n>, n above ${numberText(last)}`;
      this.#report(place, 'offer-number', expected, event.subject);
    }
    if (number !== undefined && isAbove(number, last)) this.#numbers.set(key, number);
  }

  #isAt(place: Place, key: ContactKey, home: string): void {
    const at = this.#lent.get(key)?.to ?? key.split('/')[1] ?? '';
    if (at !== home) this.#report(place, 'partition', `${key} in the partition of ${at}`, home);
  }

  /**
   * Whether the contact is in this partition by the loan that the event names.
   * @returns the name of the loan if it is not, which is wrong unless that loan is an orphan
   */
  #strayBy(place: Place, key: ContactKey, event: LoggedEvent): string | undefined {
    const { home } = place.aggregate;
    const lent = this.#lent.get(key);
    const loan = numberIn(event.data, 'loan');
    const at = lent?.to ?? key.split('/')[1] ?? '';
    const breaches: (readonly ['partition', string, string])[] = [];
    if (at !== home) breaches.push(['partition', `${key} in the partition of ${at}`, home]);
    if (lent?.loan !== loan) {
      const expected = lent === undefined ? 'a contact that is lent' : `loan ${lent.loan}`;
      breaches.push(['partition', expected, `loan ${loan}`]);
    }
    if (breaches.length === 0) return undefined;
    const { data } = event;
    const name = OrphanTraces.loanOf(
      textIn(data, 'contactHome'),
      numberIn(data, 'loanEpoch'),
      event,
    );
    this.#traces.unlessLentBy(name, place, breaches);
    return name;
  }
}

/** Epoch of the contact's home, number, and epoch of the home that borrowed it. */
type OfferNumber = readonly [epoch: number, number: number, borrowerEpoch: number];

/** Takes the id of an offer apart, `<contact>-r<n>[-e<epoch>[-b<epoch>]]`; undefined: it is none. */
function offerNumber(contactId: string, reservationId: string): OfferNumber | undefined {
  if (!reservationId.startsWith(`${contactId}-r`)) return undefined;
  const rest = reservationId.slice(contactId.length);
  const [, number, epoch, borrower] = /^-r(\d+)(?:-e(\d+)(?:-b(\d+))?)?$/.exec(rest) ?? [];
  return number === undefined
    ? undefined
    : [Number(epoch ?? 1), Number(number), Number(borrower ?? 1)];
}

function isAbove(number: OfferNumber, last: OfferNumber | undefined): boolean {
  if (last === undefined) return number[1] > 0;
  const at = number.findIndex((part, index) => part !== last[index]);
  return at !== -1 && (number[at] ?? 0) > (last[at] ?? 0);
}

function numberText(number: OfferNumber | undefined): string {
  if (number === undefined) return '0';
  const [epoch, count] = number;
  return epoch === 1 ? `${count}` : `${count} of epoch ${epoch}`;
}
