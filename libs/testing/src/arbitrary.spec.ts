import { describe, expect, test } from '@jest/globals';
import { seeded } from '@meridian/core';
import { contractOf, contracts, validateData, type Contract } from '@meridian/wire';
import { arbitraryData, arbitraryText } from './arbitrary.ts';

describe('arbitraryData', () => {
  test.each(contracts.map((contract) => [contract.type, contract] as const))(
    '%s keeps its contract',
    (_, contract) => {
      const random = seeded(`arbitrary ${contract.type}`);
      for (let round = 0; round < 40; round += 1) {
        expect(validateData(contract, arbitraryData(contract, random))).toEqual([]);
      }
    },
  );

  test('the same seed gives the same, another gives another', () => {
    const contract = contractOf('meridian.routing.decided.v1') as Contract;
    const from = (seed: number): string => JSON.stringify(arbitraryData(contract, seeded(seed)));
    expect(from(1)).toBe(from(1));
    expect(from(1)).not.toBe(from(2));
  });

  test('optional fields are there and are not', () => {
    const contract = contractOf('meridian.contact.initiate.v1') as Contract;
    const random = seeded('optional');
    const drawn = Array.from({ length: 50 }, () => 'flow' in arbitraryData(contract, random));
    expect(new Set(drawn)).toEqual(new Set([true, false]));
  });

  test('texts keep within their limit', () => {
    const random = seeded('texts');
    for (let round = 0; round < 500; round += 1) {
      expect(arbitraryText(random, 5).length).toBeLessThanOrEqual(5);
    }
  });
});
