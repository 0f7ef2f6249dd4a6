import { Metadata } from '@grpc/grpc-js';
import { describe, expect, it } from '@jest/globals';
import { callerOf } from '../../src/eventstore/access.ts';
import { readEventStoreSettings } from '../../src/eventstore/settings.ts';
import { callers, Stage, tokenOf } from './stage.ts';

const read = (variables: Record<string, string>) =>
  readEventStoreSettings(
    Object.fromEntries(
      Object.entries(variables).map(([name, value]) => [`MERIDIAN_EVENTSTORE_${name}`, value]),
    ),
  );

describe('the settings of the gateway', () => {
  it('are none without a port', () => {
    expect(read({ PORT: '' })).toBeUndefined();
    expect(read({ PORT: '2113', GATEWAYS: 'eu=eu.example.org:2113,us=[::1]:2114' })).toMatchObject({
      host: '127.0.0.1',
      port: 2113,
      gateways: new Map([
        ['eu', { host: 'eu.example.org', port: 2113 }],
        ['us', { host: '::1', port: 2114 }],
      ]),
    });
  });

  it('say which variable is wrong', () => {
    expect(() => read({ PORT: '70000' })).toThrow(/EVENTSTORE_PORT is "70000"/);
    expect(() => read({ PORT: '1', GATEWAYS: 'eu' })).toThrow(/EVENTSTORE_GATEWAYS has "eu"/);
    expect(() => read({ PORT: '1', CERT_FILE: 'a.pem' })).toThrow(/CERT_KEY_FILE/);
  });

  it('do not let API keys go over a network in clear', async () => {
    const clear = new Stage().open(undefined, { host: '0.0.0.0' });
    await expect(clear).rejects.toThrow(/would take API keys in clear on 0.0.0.0/);
  });
});

describe('a caller', () => {
  const keys = {
    authenticate: (token: string) => callers.find(({ id }) => tokenOf(id) === token),
  };
  const by = (authorization: string | undefined, needed: 'read' | 'publish') => {
    const metadata = new Metadata();
    if (authorization !== undefined) metadata.set('authorization', authorization);
    return callerOf(metadata, needed, { keys }).id;
  };
  const basic = (user: string, password: string): string =>
    `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;

  it('is known by an API key, as a password or as a bearer token', () => {
    expect(by(basic('anybody', 'mk_demo'), 'publish')).toBe('demo');
    expect(by('Bearer mk_operator', 'publish')).toBe('operator');
    expect(() => by(undefined, 'read')).toThrow(/no API key/);
    expect(() => by(basic('demo', 'changeit'), 'read')).toThrow(/not known/);
    expect(() => by(basic('', 'mk_reader'), 'publish')).toThrow(/not the scope publish/);
  });
});
