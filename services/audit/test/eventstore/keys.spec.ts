import { hash } from 'node:crypto';
import { status } from '@grpc/grpc-js';
import { describe, expect, it } from '@jest/globals';
import { memoryLog } from '@meridian/journal';
import { eventually } from '@meridian/testing';
import { KeyWatch } from '../../src/eventstore/keys.ts';

const secret = 'A'.repeat(43);
const stored = {
  id: 'aaaa1111',
  hash: hash('sha256', secret, 'hex'),
  tenant: 'demo',
  scopes: ['read'],
};

describe('the keys of the gateway', () => {
  it('refuse nobody before they are known', async () => {
    const log = memoryLog();
    await log.append('KV_KEYS_eu', {
      subject: `$KV.KEYS_eu.${stored.id}`,
      data: JSON.stringify(stored),
    });
    const failures: unknown[] = [];
    const keys = new KeyWatch(log, 'eu', ['eu', 'us'], (error) => failures.push(error));
    const ask = (token: string) => () => keys.authenticate(token);
    const unavailable = expect.objectContaining({ code: status.UNAVAILABLE });
    expect(ask(`mk_${stored.id}_${secret}`)).toThrow(unavailable as never);
    const known = await eventually('the keys', () => {
      try {
        return keys.authenticate(`mk_${stored.id}_${secret}`);
      } catch {
        return undefined;
      }
    });
    expect(known).toMatchObject({ id: stored.id, tenant: 'demo', scopes: ['read'] });
    expect(ask(`mk_${stored.id}_${'B'.repeat(43)}`)()).toBeUndefined();
    expect(ask('mk_bbbb2222_x')()).toBeUndefined();
    expect(failures).toEqual([]);
    await keys.close();
    await log.close();
  });
});
