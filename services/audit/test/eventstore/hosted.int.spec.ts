import { hash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
import { connectNats, ensureStreams, jetstreamLog, readEntry, type Log } from '@meridian/journal';
import { bootstrap, type Running } from '@meridian/nest';
import {
  eventually,
  freeLoopbackPort,
  startNatsServer,
  temporaryFolder,
  type NatsServer,
} from '@meridian/testing';
import { Kvm, type KV } from '@nats-io/kv';
import type { NatsConnection } from '@nats-io/nats-core';
import { AuditModule } from '../../src/index.ts';

const secret = 'S'.repeat(43);
const key = {
  id: 'development',
  hash: hash('sha256', secret, 'hex'),
  tenant: 'demo',
  scopes: ['publish', 'read'],
  label: '',
  createdAt: '2026-01-31T08:15:00.000Z',
};

/** The service as a process runs it: JetStream, the edge's bucket of keys, the one order. */
describe('the event-store protocol in the service', () => {
  const folder = temporaryFolder();
  const variables = {
    MERIDIAN_EVENTSTORE_PORT: '',
    MERIDIAN_EVENTSTORE_LOOPBACK_KEY_FILE: join(folder.path, 'key'),
  };
  let server: NatsServer;
  let nats: NatsConnection;
  let keys: KV;
  let log: Log;
  let running: Running;
  let client: EventStoreDBClient;

  beforeAll(async () => {
    server = await startNatsServer();
    nats = await connectNats({ servers: server.url });
    await ensureStreams(nats, 'eu', { development: true });
    log = await jetstreamLog({ connection: nats });
    keys = await new Kvm(nats).create('KEYS_eu');
    await keys.put(key.id, JSON.stringify(key));
    writeFileSync(variables.MERIDIAN_EVENTSTORE_LOOPBACK_KEY_FILE, `mk_${key.id}_${secret}\n`);
    variables.MERIDIAN_EVENTSTORE_PORT = String(await freeLoopbackPort());
    Object.assign(process.env, variables);
    running = await bootstrap(AuditModule, {
      service: 'audit',
      signals: false,
      environment: {
        MERIDIAN_NATS_URL: server.url,
        MERIDIAN_HTTP_PORT: '0',
        LOG_LEVEL: 'silent',
      },
    });
    await running.opened;
    client = EventStoreDBClient.connectionString(
      `esdb://127.0.0.1:${variables.MERIDIAN_EVENTSTORE_PORT}?tls=false`,
    );
  });
  afterAll(async () => {
    await client.dispose();
    await running.close();
    await log.close();
    await nats.close();
    await server.stop();
    for (const name of Object.keys(variables)) delete process.env[name];
    folder.remove();
  });

  it('appends, reads and follows what is on the log, as long as the key is good', async () => {
    const seen: string[] = [];
    const appended = await eventually(
      'the first append',
      () => client.appendToStream('custom-orders', jsonEvent({ type: 'placed', data: { n: 1 } })),
      { timeoutMs: 50_000 },
    );
    expect(appended.success).toBe(true);
    const following = client.subscribeToAll({ fromPosition: 'start' });
    following.on('data', ({ event }) => seen.push(`${event!.streamId}@${event!.revision}`));
    await client.appendToStream('custom-orders', jsonEvent({ type: 'paid', data: { n: 1 } }), {
      expectedRevision: 0n,
    });
    await eventually('both events', () => seen.length === 2, { timeoutMs: 50_000 });
    expect(seen).toEqual(['custom-orders@0', 'custom-orders@1']);
    await following.unsubscribe();
    const stored = await log.load('EV_eu', 'ev.eu.eu.demo.custom.orders');
    expect(stored.flatMap((message) => readEntry(message).events)).toMatchObject([
      { id: 'demo.custom.orders.0', actor: 'development', data: { eventType: 'placed' } },
      { revision: 1, data: { eventType: 'paid', content: expect.stringMatching(/^sealed:1:/) } },
    ]);
    await keys.put(key.id, JSON.stringify({ ...key, revokedAt: key.createdAt }));
    await eventually(
      'the key being refused',
      async () => {
        try {
          for await (const _ of client.readStream('custom-orders')) continue;
          return false;
        } catch (error) {
          return (error as { type?: string }).type === 'access-denied';
        }
      },
      { timeoutMs: 50_000 },
    );
  });
});
