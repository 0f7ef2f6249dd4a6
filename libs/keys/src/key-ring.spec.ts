import { memoryLog } from '@meridian/journal';
import { describe, expect, it } from '@jest/globals';
import { eventually } from '@meridian/testing';
import { followKeys, KeyRing, makeKey, type ApiKey } from './index.ts';

const makeOf = (id: string, tenant = 'demo', createdAt = '2026-01-31T08:15:00.000Z') =>
  makeKey({ id, tenant, scopes: ['read'], label: '', createdAt });
const revoked = (key: ApiKey): ApiKey => ({ ...key, revokedAt: '2026-02-01T00:00:00.000Z' });

describe('a ring of keys', () => {
  it('knows keys of one id by their secrets, its own first', () => {
    const ring = new KeyRing('us');
    const [eu, us] = [makeOf('development'), makeOf('development')];
    ring.put({ region: 'eu', name: 'development' }, eu.key);
    ring.put({ region: 'us', name: 'development' }, us.key);
    expect([ring.authenticate(eu.token), ring.authenticate(us.token)]).toEqual([eu.key, us.key]);
    expect(ring.get('development', 'demo')).toEqual(us.key);
    expect(ring.get('development', 'other')).toBeUndefined();
    expect(ring.ofTenant('demo')).toHaveLength(2);
    expect(ring.ownSize).toBe(1);
    expect(ring.authenticate(makeOf('development').token)).toBeUndefined();
    expect(ring.authenticate(makeOf('unknown').token)).toBeUndefined();
  });

  it('refuses a key that any region has revoked, and no other of its id', () => {
    const ring = new KeyRing('us');
    const [eu, us] = [makeOf('same'), makeOf('same')];
    ring.put({ region: 'eu', name: 'same' }, eu.key);
    ring.put({ region: 'us', name: 'same' }, us.key);
    expect(ring.placeOf(eu.key)).toEqual({ region: 'eu', name: 'same' });
    ring.put({ region: 'us', name: 'same.eu' }, revoked(eu.key));
    expect(ring.authenticate(eu.token)).toBeUndefined();
    expect(ring.authenticate(us.token)).toEqual(us.key);
    expect(ring.ofTenant('demo').map(({ revokedAt }) => revokedAt !== undefined)).toEqual(
      expect.arrayContaining([true, false]),
    );
    ring.remove({ region: 'us', name: 'same' });
    expect(ring.get('same', 'demo')).toEqual(revoked(eu.key));
    expect(ring.authenticate(us.token)).toBeUndefined();
  });

  it('is filled from the buckets of all regions, also from one that comes later', async () => {
    const log = memoryLog();
    const store = (region: string, name: string, text: string): Promise<unknown> =>
      log.append(`KV_KEYS_${region}`, { subject: `$KV.KEYS_${region}.${name}`, data: text });
    const [eu, us] = [makeOf('aaaa'), makeOf('bbbb')];
    await store('eu', 'aaaa', JSON.stringify(eu.key));
    const ring = new KeyRing('eu');
    const failures: unknown[] = [];
    const onFailure = (error: unknown) => failures.push(error);
    const followed = followKeys(log, 'eu', ['eu', 'us'], { ring, onFailure });
    await followed.known;
    expect(ring.authenticate(eu.token)).toEqual(eu.key);
    await store('us', 'bbbb', JSON.stringify(us.key));
    await store('us', 'cccc', 'no key');
    await eventually('the key of us', () => ring.authenticate(us.token));
    await store('us', 'aaaa.eu', JSON.stringify(revoked(eu.key)));
    await eventually('the revocation by us', () => ring.authenticate(eu.token) === undefined);
    expect(failures).toEqual([]);
    await followed.close();
    await log.close();
  });
});
