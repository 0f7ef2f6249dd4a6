/** What an offer is called after, beside its contact. */
export interface OfferNumber {
  /** Counts the offers and loans of a contact from 1, in whatever partition. */
  readonly number: number;
  /** The epoch of the contact's home in which it was made, or lent; 1 when absent. */
  readonly epoch?: number | undefined;
  /** The epoch of the home that offers it, when that has borrowed the contact; 1 when absent. */
  readonly borrowerEpoch?: number | undefined;
}

/**
 * The id of a reservation: `<contact>-r<number>`, after a failover of the contact's home
 * `<contact>-r<number>-e<epoch>`, and of a borrower's `<contact>-r<number>-e<epoch>-b<epoch>`. What
 * lies beyond a seal has another epoch than what is decided instead: no id comes twice.
 */
export function offerId(
  contactId: string,
  { number, epoch = 1, borrowerEpoch = 1 }: OfferNumber,
): string {
  const borrower = borrowerEpoch === 1 ? '' : `-b${borrowerEpoch}`;
  const suffix = epoch === 1 && borrower === '' ? '' : `-e${epoch}${borrower}`;
  return `${contactId}-r${number}${suffix}`;
}

const pattern = /-r(\d+)(?:-e(\d+)(?:-b(\d+))?)?$/;

/** The number of an offer; undefined when the id has none. */
export function parseOfferId(
  reservationId: string,
): Readonly<Record<keyof OfferNumber, number>> | undefined {
  const [, number, epoch = '1', borrowerEpoch = '1'] = pattern.exec(reservationId) ?? [];
  return number === undefined
    ? undefined
    : { number: Number(number), epoch: Number(epoch), borrowerEpoch: Number(borrowerEpoch) };
}

/** Whether an offer of a contact was made before another one: false when one has no number. */
export function isEarlierOffer(reservationId: string, other: string): boolean {
  const [a, b] = [parseOfferId(reservationId), parseOfferId(other)];
  if (a === undefined || b === undefined) return false;
  const order = a.epoch - b.epoch || a.number - b.number || a.borrowerEpoch - b.borrowerEpoch;
  return order < 0;
}
