import { afterAll, beforeAll, expect, it } from '@jest/globals';
import {
  connectNats,
  ensureStreams,
  jetstreamLog,
  type Log,
  type LogMessage,
} from '@meridian/journal';
import { payloadHash, saltOf } from '@meridian/proof';
import { eventually, startNatsServer, type NatsServer } from '@meridian/testing';
import { jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';

let server: NatsServer;
let connection: NatsConnection;
let log: Log;

beforeAll(async () => {
  server = await startNatsServer();
  connection = await connectNats({ servers: server.url });
  await ensureStreams(connection, 'eu', { development: true });
  log = await jetstreamLog({ connection });
});

afterAll(async () => {
  await log?.close();
  await connection?.close();
  await server?.stop();
});

it('a message has the same leaf in a mirror, however it is read', async () => {
  await log.append('EV_eu', {
    subject: 'ev.eu.eu.demo.contact.c1',
    data: '[{"specversion":"1.0","text":"ünïcödé"}]',
    expectedLastSequence: 0,
    headers: { 'Meridian-Consumed': 'IN_eu=3/2', traceparent: '00-a-b-01' },
  });
  await log.append('IN_eu', {
    subject: 'in.eu.demo.eu.contact.c1',
    data: '{"specversion":"1.0"}',
    messageId: 'demo#/pbx#1',
  });
  const manager = await jetstreamManager(connection);
  for (const origin of ['EV_eu', 'IN_eu']) {
    await manager.streams.add({
      name: `COPY_${origin}`,
      mirror: { name: origin },
      allow_direct: true,
    });
    await eventually(
      `the copy of ${origin}`,
      async () => (await log.lastSequence(`COPY_${origin}`)) === 1,
    );
    const read: LogMessage[] = [];
    for (const stream of [origin, `COPY_${origin}`]) {
      const got = await log.get(stream, 1);
      if (got !== undefined) read.push(got);
      for await (const message of log.replay(stream)) read.push(message);
    }
    const salt = saltOf(Buffer.alloc(32, 1), 1);
    const hashes = read.map((message) => payloadHash(salt, message).toString('hex'));
    expect(hashes).toHaveLength(4);
    // Why what the append expected is no part of it: not everybody who reads it is told.
    const expected = read.map((message) => message.header('Nats-Expected-Last-Subject-Sequence'));
    expect(new Set(expected).size).toBe(origin === 'EV_eu' ? 2 : 1);
    expect(new Set(hashes).size).toBe(1);
    expect(new Set(read.map(({ storedAtMs }) => storedAtMs)).size).toBe(1);
  }
});
