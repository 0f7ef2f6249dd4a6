import { describe, expect, it } from '@jest/globals';
import { Ledger } from './ledger.ts';

const first = { epoch: 1, owner: 'eu', upTo: 40 };
const second = { epoch: 2, owner: 'us', upTo: 90 };

describe('the ledger', () => {
  it('says that a home is its own region, for as long as it hears nothing else', () => {
    const ledger = new Ledger();
    expect(ledger.epochs('eu')).toEqual([{ epoch: 1, owner: 'eu' }]);
    expect(ledger.verdict('eu', 1, 'eu', 1_000_000)).toBe('counts');
    expect(ledger.verdict('eu', 1, 'us', 1)).toBe('orphan');
    expect(ledger.verdict('eu', 2, 'us', 1)).toBe('unknown');
  });

  it('counts what an owner wrote up to its seal', () => {
    const ledger = new Ledger();
    expect(ledger.take({ home: 'eu', epoch: 2, owner: 'us', seals: [first] })).toBe(true);
    expect(ledger.verdict('eu', 1, 'eu', 40)).toBe('counts');
    expect(ledger.verdict('eu', 1, 'eu', 41)).toBe('orphan');
    expect(ledger.verdict('eu', 2, 'us', 7)).toBe('counts');
    expect(ledger.verdict('eu', 2, 'eu', 41)).toBe('orphan');
    expect(ledger.current('eu')).toEqual({ epoch: 2, owner: 'us' });
  });

  it('takes the highest epoch, in whatever order it hears of them', () => {
    const ledger = new Ledger();
    const heard: string[] = [];
    ledger.onChange((home) => heard.push(home));
    expect(ledger.take({ home: 'eu', epoch: 3, owner: 'eu', seals: [first, second] })).toBe(true);
    expect(ledger.take({ home: 'eu', epoch: 2, owner: 'us', seals: [first] })).toBe(false);
    expect(ledger.epochs('eu')).toEqual([first, second, { epoch: 3, owner: 'eu' }]);
    expect(ledger.verdict('eu', 1, 'eu', 41)).toBe('orphan');
    expect(ledger.verdict('eu', 3, 'eu', 41)).toBe('counts');
    expect(heard).toEqual(['eu']);
  });

  it('refuses a record that leaves out an epoch', () => {
    const ledger = new Ledger();
    expect(() => ledger.take({ home: 'eu', epoch: 3, owner: 'eu', seals: [second] })).toThrow(
      'The ownership record of home eu for epoch 3 names the seals 2; expected 1 to 2.',
    );
  });
});
