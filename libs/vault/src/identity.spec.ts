import { expect, it } from '@jest/globals';
import { hashIdentity, normalIdentity } from './identity.ts';

it.each([
  ['Anna.Berg@Example.COM', 'anna.berg@example.com'],
  [' ＋４９ １７０ ', '+49 170'],
  ['A\u030angstro\u0308m', '\u00e5ngstr\u00f6m'],
  ['\ufb01nn', 'finn'],
])('an identity is told by its normal form: %j', (given, normal) => {
  expect(normalIdentity(given)).toBe(normal);
  expect(normalIdentity(normal)).toBe(normal);
});

it('is hashed under a key: without it no guess can be tested', () => {
  const [one, other] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
  // printf %s anna | openssl dgst -sha256 -mac hmac -macopt hexkey:0101… | base64url
  expect(hashIdentity(one, 'ANNA')).toBe('7j3nvrZO8vh2CsYBPEHgmxEGWIHJse7wskVdhrUUGcI');
  expect(hashIdentity(one, 'anna')).toBe(hashIdentity(one, ' Anna'));
  expect(hashIdentity(other, 'anna')).not.toBe(hashIdentity(one, 'anna'));
});
