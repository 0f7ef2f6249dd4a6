import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { jetstreamManager } from '@nats-io/jetstream';
import { Kvm } from '@nats-io/kv';
import type { NatsConnection } from '@nats-io/nats-core';
import { startNatsServer, type NatsServer } from '@meridian/testing';
import { connectNats, ensureStreams, regionStreams, streamNames } from './index.ts';

const development = { development: true };
let server: NatsServer;
let connection: NatsConnection;

beforeAll(async () => {
  server = await startNatsServer();
  connection = await connectNats({ servers: server.url });
});

afterAll(async () => {
  await connection.close();
  await server.stop();
});

describe("a region's streams", () => {
  it('are created where they are missing, once', async () => {
    const names = Object.values(streamNames('eu'));
    const created = await Promise.all(
      [1, 2, 3].map(() => ensureStreams(connection, 'eu', development)),
    );
    expect(new Set(created.flat())).toEqual(new Set(names));
    expect(await ensureStreams(connection, 'eu', development)).toEqual([]);
    const manager = await jetstreamManager(connection);
    const { config } = await manager.streams.info('EV_eu');
    expect(config).toMatchObject({
      subjects: ['ev.eu.>'],
      storage: 'file',
      compression: 's2',
      deny_delete: true,
      deny_purge: true,
      allow_direct: true,
      num_replicas: 1,
      duplicate_window: 120_000_000_000,
    });
  });

  it('serve as key-value buckets to the client', async () => {
    await ensureStreams(connection, 'us', development);
    const keys = await new Kvm(connection).open('KEYS_us');
    await keys.put('a', 'one');
    await keys.put('a', 'two');
    expect((await keys.get('a'))?.string()).toBe('two');
    await keys.purge('a');
    expect((await keys.get('a'))?.operation).toBe('PURGE');
    expect((await keys.status()).history).toBe(1);
  });

  it('that differ are reported setting by setting and left alone', async () => {
    const manager = await jetstreamManager(connection);
    await manager.streams.add({ name: 'EV_ap', subjects: ['ev.ap.>', 'ap.>'], max_msgs: 5 });
    await expect(ensureStreams(connection, 'ap', development)).rejects.toMatchObject({
      name: 'StreamDiffers',
      retryable: false,
      differences: expect.arrayContaining([
        'EV_ap: subjects is ["ev.ap.>","ap.>"], expected ["ev.ap.>"]',
        'EV_ap: deny_delete is false, expected true',
        'EV_ap: compression is "none", expected "s2"',
      ]),
    });
    expect((await manager.streams.info('EV_ap')).config.deny_delete).toBe(false);
  });

  it("have three replicas in production, and need a region's name", () => {
    const replicas = regionStreams('eu').map(({ config }) => config.num_replicas);
    expect(replicas).toEqual([3, 3, 3, 3, 3, 3, 3]);
    expect(() => regionStreams('EU.1')).toThrow(/The region is "EU.1"/);
  });
});
