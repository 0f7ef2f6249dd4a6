import { numberIn, textIn, type LoggedEvent, type Place } from './raw.ts';
import { nameOf } from './routing-fold.ts';
import type { Report } from './violation.ts';

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
  readonly #offers = new Map<ContactKey, { readonly id: string; readonly home: string }>();
  readonly #numbers = new Map<ContactKey, number>();
  /** Contacts that are not in their own home's partition. */
  readonly #lent = new Map<ContactKey, { readonly to: string; readonly loan: number }>();

  constructor(report: Report) {
    this.#report = report;
  }

  /** The contact that an event of a partition is about, in whose home it is. */
  static keyOf(place: Place, event: LoggedEvent): ContactKey {
    const { home } = place.aggregate;
    const contactId = textIn(event.data, 'contactId') || event.subject;
    return `${event.tenant}/${textIn(event.data, 'contactHome') || home}/${contactId}`;
  }

  /** The offer that a contact has besides. */
  offerOf(key: ContactKey): { readonly id: string; readonly home: string } | undefined {
    return this.#offers.get(key);
  }

  /** The contact has ended: no offer of it follows but those that had not heard of it. */
  ended(key: ContactKey): void {
    this.#numbers.delete(key);
  }

  /** An offer is over, or was accepted and has come to its end. */
  closed(key: ContactKey, reservationId: string): void {
    if (this.#offers.get(key)?.id === reservationId) this.#offers.delete(key);
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
    this.#isAt(place, key, home);
    this.#isOfLoan(place, key, event);
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
    this.#isAt(place, key, home);
    const contactHome = textIn(event.data, 'contactHome');
    if (contactHome === '') return;
    this.#isOfLoan(place, key, event);
    if (textIn(event.data, 'outcome') !== 'OFFERED') {
      const expected = `${event.subject} of ${contactHome} offered or given back`;
      this.#report(place, 'partition', expected, textIn(event.data, 'outcome'));
    }
  }

  #created(place: Place, event: LoggedEvent): void {
    const key = Whereabouts.keyOf(place, event);
    const { home } = place.aggregate;
    const contactId = textIn(event.data, 'contactId');
    this.#isAt(place, key, home);
    this.#offers.set(key, { id: event.subject, home });
    const prefix = `${contactId}-r`;
    const number = event.subject.startsWith(prefix)
      ? Number(event.subject.slice(prefix.length))
      : Number.NaN;
    const last = this.#numbers.get(key) ?? 0;
    if (!(number > last)) {
      this.#report(place, 'offer-number', `${prefix}<n>, n above ${last}`, event.subject);
    }
    if (Number.isSafeInteger(number)) this.#numbers.set(key, Math.max(last, number));
  }

  #isAt(place: Place, key: ContactKey, home: string): void {
    const at = this.#lent.get(key)?.to ?? key.split('/')[1] ?? '';
    if (at !== home) this.#report(place, 'partition', `${key} in the partition of ${at}`, home);
  }

  #isOfLoan(place: Place, key: ContactKey, event: LoggedEvent): void {
    const lent = this.#lent.get(key)?.loan;
    const loan = numberIn(event.data, 'loan');
    if (lent !== loan) {
      const expected = lent === undefined ? 'a contact that is lent' : `loan ${lent}`;
      this.#report(place, 'partition', expected, `loan ${loan}`);
    }
  }
}
