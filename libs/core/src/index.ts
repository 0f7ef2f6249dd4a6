export { accept, fold, reject, step } from './decider.ts';
export type { Context, Decider, Decision, Rejection, Step } from './decider.ts';
export { DueTimes, earliest } from './due-times.ts';
export { Heap } from './heap.ts';
export { isEarlierOffer, offerId, parseOfferId, type OfferNumber } from './offer-id.ts';
export { seeded } from './random.ts';
export type { Random } from './random.ts';
export { fromTimestamp, toTimestamp } from './timestamp.ts';
export { unreachable } from './unreachable.ts';
