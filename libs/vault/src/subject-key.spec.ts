import { describe, expect, it } from '@jest/globals';
import { seeded } from '@meridian/core';
import { arbitraryText } from '@meridian/testing';
import { isSealed, sealedTexts } from '@meridian/wire';
import { SubjectKey, type KeyFacts } from './subject-key.ts';

const facts: KeyFacts = {
  keyId: '00112233445566778899aabbccddeeff',
  tenant: 'demo',
  region: 'eu',
  residency: ['eu', 'us'],
  identity: 'h'.repeat(43),
  createdAt: '2026-01-31T08:15:00.000Z',
};
const bytes = Uint8Array.from({ length: 32 }, (_, index) => index);
const key = new SubjectKey(facts, bytes);
const ofTenant = new SubjectKey({ ...facts, tenant: 'acme' }, bytes);
const otherBytes = new SubjectKey(facts, bytes.toReversed());
const otherId = new SubjectKey({ ...facts, keyId: 'f'.repeat(32) }, bytes);
const random = seeded('sealing');
const texts = Array.from({ length: 300 }, () => arbitraryText(random, 300));

describe('the key of a data subject', () => {
  // From Python: cryptography's HKDF, HMAC and AESGCM, nothing of this repository.
  it.each([
    ['', 'sealed:1:00112233445566778899aabbccddeeff:TJwEcZRRtBrcxfnFJO7KfvybIyNtqoD-1oRwxA'],
    [
      '+49 170 1234567',
      'sealed:1:00112233445566778899aabbccddeeff:NmSgJgdMb6zHBy66ZWDWULKDWO3NhUWwEMGbZKJNitkeFCDWGyShz8Sr7A',
    ],
    [
      'Änne Müller-Łukasiewicz, 北京 🦊',
      'sealed:1:00112233445566778899aabbccddeeff:nzNTBAsF7Go3n89lOqnRyB8kjEDzCfk0oFcxipt3z7BNsBoG' +
        'X-tydhtvyBHxyGDsru0SPNAKuvH14DMJm0V5FksaJw',
    ],
  ])('seals %j as every other implementation does', (clear, sealed) => {
    expect(key.seal(clear)).toBe(sealed);
    expect(key.open(sealed)).toEqual({ ok: true, text: clear });
  });

  it('opens what it sealed, and gives equal texts equal sealed texts', () => {
    for (const [index, one] of texts.entries()) {
      const other = texts[index + 1] ?? '';
      const sealed = key.seal(one);
      expect(isSealed(sealed)).toBe(true);
      const within = JSON.stringify({ a: [sealed, 1], b: `${sealed} ${sealed}` });
      expect(sealedTexts(within)).toEqual([sealed]);
      expect(key.open(sealed)).toEqual({ ok: true, text: one });
      expect(key.seal(other) === sealed).toBe(one === other);
    }
  });

  it('does not open what another key or another tenant sealed', () => {
    for (const clear of texts.slice(0, 50)) {
      const sealed = key.seal(clear);
      expect(otherBytes.open(sealed)).toEqual({ ok: false, reason: 'damaged' });
      expect(ofTenant.open(sealed)).toEqual({ ok: false, reason: 'damaged' });
      expect(otherId.open(sealed)).toEqual({ ok: false, reason: 'other-key' });
    }
  });

  it('does not open what was changed, whichever bit it is', () => {
    const [head, body = ''] = key.seal('+49 170 1234567').split(/:(?=[^:]*$)/);
    const whole = Buffer.from(body, 'base64url');
    for (let bit = 0; bit < whole.length * 8; bit += 1) {
      const changed = Buffer.from(whole);
      changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(key.open(`${head}:${changed.toString('base64url')}`)).toEqual({
        ok: false,
        reason: 'damaged',
      });
    }
  });

  it.each(['', 'sealed:1:', 'anna', `sealed:2:${facts.keyId}:${'A'.repeat(40)}`])(
    'calls %j no sealed text',
    (none) => {
      expect(key.open(none)).toEqual({ ok: false, reason: 'malformed' });
    },
  );

  it('takes one spelling of the same bytes alone', () => {
    const sealed = key.seal('abc');
    const end = sealed.at(-1) as string;
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const spelled = `${sealed.slice(0, -1)}${alphabet[alphabet.indexOf(end) + 1]}`;
    const same = (one: string): string =>
      Buffer.from(one.split(':').at(-1) ?? '', 'base64url').toString('hex');
    expect(same(spelled)).toBe(same(sealed));
    expect(key.open(spelled)).toEqual({ ok: false, reason: 'malformed' });
  });

  it('shows its bytes to nobody, and needs 32 of them', () => {
    expect(JSON.parse(JSON.stringify(key))).toEqual(facts);
    expect(() => new SubjectKey(facts, bytes.subarray(1))).toThrow(
      'The key 00112233445566778899aabbccddeeff has 31 bytes, not 32.',
    );
  });
});
