import { describe, expect, test } from '@jest/globals';
import { isEarlierOffer, offerId, parseOfferId } from './offer-id.ts';

describe('the id of an offer', () => {
  test.each([
    [{ number: 1 }, 'c1-r1'],
    [{ number: 12, epoch: 1, borrowerEpoch: 1 }, 'c1-r12'],
    [{ number: 1, epoch: 2 }, 'c1-r1-e2'],
    [{ number: 3, borrowerEpoch: 4 }, 'c1-r3-e1-b4'],
    [{ number: 3, epoch: 2, borrowerEpoch: 4 }, 'c1-r3-e2-b4'],
  ])('of %j is %s, and is read again', (number, id) => {
    expect(offerId('c1', number)).toBe(id);
    expect(parseOfferId(id)).toEqual({ epoch: 1, borrowerEpoch: 1, ...number });
  });

  test('may be anything in a log of others', () => {
    expect(parseOfferId('offer-of-c1')).toBeUndefined();
    expect(isEarlierOffer('offer-of-c1', 'c1-r2')).toBe(false);
    expect(isEarlierOffer('c1-r2', 'offer-of-c1')).toBe(false);
  });

  test('says which came first: by epoch, then number, then who borrowed it', () => {
    const inOrder = ['c1-r2', 'c1-r10', 'c1-r10-e1-b2', 'c1-r11', 'c1-r3-e2', 'c1-r3-e2-b2'];
    for (const [index, id] of inOrder.entries()) {
      expect(inOrder.filter((other) => isEarlierOffer(other, id))).toEqual(inOrder.slice(0, index));
    }
  });
});
