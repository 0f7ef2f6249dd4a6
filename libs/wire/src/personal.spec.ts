import { describe, expect, it } from '@jest/globals';
import { contracts } from './gen/contracts.ts';
import { clearPersonal, holdsPersonal, replacePersonal } from './personal.ts';
import { isSealed, sealedLength, sealedParts, sealedTexts } from './sealed.ts';
import { contractOf, validateData } from './validate.ts';
import type { Contract } from './contract.ts';

const of = (type: string): Contract => contractOf(type) as Contract;
const initiate = of('meridian.contact.initiate.v1');
const sealed = `sealed:1:${'0f'.repeat(16)}:${'A'.repeat(38)}`;
const data = {
  method: 'INBOUND',
  channel: 'VOICE',
  customer: '+49 30 1',
  attributes: { plan: 'gold' },
  personalAttributes: { name: 'Anna', 'a/b': sealed, none: '' },
};

describe('personal fields', () => {
  it('are texts in every contract, so that they can be sealed', () => {
    const holding = contracts.filter((contract) => holdsPersonal(contract));
    expect(holding.map(({ type }) => type)).toEqual(
      expect.arrayContaining([initiate.type, 'meridian.contact.initiated.v1']),
    );
    expect(holdsPersonal(of('meridian.contact.hang_up.v1'))).toBe(false);
  });

  it('are replaced wherever they stand, values of maps too, and nothing else is', () => {
    const replaced = replacePersonal(initiate, data, (text, pointer) => `${pointer}=${text}`);
    expect(replaced).toEqual({
      ...data,
      customer: '/data/customer=+49 30 1',
      personalAttributes: {
        name: '/data/personalAttributes/name=Anna',
        'a/b': `/data/personalAttributes/a~1b=${sealed}`,
        none: '/data/personalAttributes/none=',
      },
    });
    expect(Object.keys(replaced as object)).toEqual(Object.keys(data));
  });

  it('are in the clear where they are neither sealed nor empty', () => {
    expect(clearPersonal(initiate, data)).toEqual([
      '/data/customer',
      '/data/personalAttributes/name',
    ]);
    expect(clearPersonal(initiate, { ...data, customer: sealed, personalAttributes: {} })).toEqual(
      [],
    );
  });

  it('cost what holds none not even a copy', () => {
    const hangUp = { by: 'CUSTOMER' };
    const never = (): string => {
      throw new Error('There is nothing to replace.');
    };
    expect(replacePersonal(of('meridian.contact.hang_up.v1'), hangUp, never)).toBe(hangUp);
  });

  it('may be as long sealed as the longest text makes them, and no longer in the clear', () => {
    const [longest, head] = [sealedLength(256), sealed.length - 38];
    const wrong = (customer: string): string[] =>
      validateData(initiate, { ...data, customer }).map(({ pointer, code }) => pointer + code);
    expect(wrong(`${sealed.slice(0, head)}${'A'.repeat(longest - head)}`)).toEqual([]);
    expect(wrong(`${sealed.slice(0, head)}${'A'.repeat(longest - head + 1)}`)).toEqual([
      '/data/customertoo_long',
    ]);
    expect(wrong('x'.repeat(257))).toEqual(['/data/customertoo_long']);
    // 256 characters of three bytes, the widest there are for their length.
    const bytes = 12 + Buffer.byteLength('北'.repeat(256)) + 16;
    expect(head + Math.ceil((bytes * 4) / 3)).toBe(longest);
  });
});

describe('a sealed text', () => {
  it.each([
    ['', undefined],
    [sealed.slice(0, -1), undefined],
    [`${sealed} `, undefined],
    [sealed.replace('0f', '0F'), undefined],
    [sealed.replace('sealed:1', 'sealed:2'), undefined],
    [sealed, { keyId: '0f'.repeat(16), body: 'A'.repeat(38) }],
  ])('is told by its form: %j', (text, parts) => {
    expect(sealedParts(text)).toEqual(parts);
    expect(isSealed(text)).toBe(parts !== undefined);
  });

  it('is found in a text once', () => {
    expect(sealedTexts(`{"a":"${sealed}","b":"${sealed}B","c":"${sealed}"}`)).toEqual([
      sealed,
      `${sealed}B`,
    ]);
    expect(sealedTexts('{"a":"sealed:1:"}')).toEqual([]);
  });
});
