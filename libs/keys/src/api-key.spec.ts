import { describe, expect, it } from '@jest/globals';
import { allows, bearerToken, formatToken, parseToken, readKey } from './api-key.ts';

describe('keys', () => {
  const secret = 'aB3-_'.padEnd(43, 'x');
  it('are read as they are written, underscores in the secret included', () => {
    const token = formatToken({ id: 'ab12', secret });
    expect(parseToken(token)).toEqual({ id: 'ab12', secret });
    expect(bearerToken(`Bearer ${token}`)).toBe(token);
    expect(bearerToken(`bearer  ${token} `)).toBe(token);
  });
  it.each([
    `mk_AB12_${secret}`,
    `mk_ab12_${secret}x`,
    `mk_ab12_${secret.slice(1)}`,
    `xk_ab12_${secret}`,
    '',
    'mk__',
  ])('%s is none', (text) => {
    expect(parseToken(text)).toBeUndefined();
  });
  it.each([undefined, '', 'Bearer', 'Basic abc', 'Bearer a b'])(
    '%s is no bearer header',
    (header) => {
      expect(bearerToken(header)).toBeUndefined();
    },
  );
  it('with the scope admin may do everything but see personal texts', () => {
    expect([
      allows({ scopes: ['admin'] }, 'personal'),
      allows({ scopes: ['read', 'personal'] }, 'personal'),
      allows({ scopes: ['admin'] }, 'publish'),
      allows({ scopes: ['publish'] }, 'read'),
      allows({ scopes: [] }, 'read'),
    ]).toEqual([false, true, true, false, false]);
  });
  it('are read from the store only when they are whole', () => {
    const key = {
      id: 'a',
      hash: '0'.repeat(64),
      tenant: 'demo',
      scopes: ['read'],
      label: '',
      createdAt: '',
    };
    expect(readKey(JSON.stringify(key))).toEqual(key);
    for (const wrong of [
      'x',
      'null',
      '[]',
      JSON.stringify({ ...key, hash: 'x' }),
      JSON.stringify({ ...key, scopes: ['root'] }),
      JSON.stringify({ ...key, tenant: 1 }),
    ]) {
      expect(readKey(wrong)).toBeUndefined();
    }
  });
});
