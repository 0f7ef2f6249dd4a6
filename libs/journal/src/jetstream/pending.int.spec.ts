import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { Transform } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { jetstreamManager } from '@nats-io/jetstream';
import { eventually, startNatsServer, type NatsServer } from '@meridian/testing';
import type { NatsConnection } from '@nats-io/nats-core';
import { connectNats, jetstreamLog, type Log } from '../index.ts';

const stream = 'S';
const count = 12_000;
let server: NatsServer;
let liar: Server;
let writing: NatsConnection;
let reading: NatsConnection;
let writer: Log;
let log: Log;

/** A way to a server that says of every message delivered that nothing is left after it. */
function saysNothingIsLeft(port: number): Server {
  return createServer((client) => {
    const upstream = connect(port, '127.0.0.1');
    const lie = new Transform({
      transform(chunk: Buffer, _, done) {
        const text = chunk.toString('latin1').replaceAll(/(\$JS\.ACK\.\S+\.)\d+(?= \d)/g, '$10');
        done(null, Buffer.from(text, 'latin1'));
      },
    });
    client.pipe(upstream).pipe(lie).pipe(client);
    for (const socket of [client, upstream]) {
      socket.on('error', () => {
        client.destroy();
        upstream.destroy();
      });
    }
  });
}

const subjects = ['s.a', 's.b', 's.c'];

async function write(from: number, to: number): Promise<void> {
  const numbers = Array.from({ length: to - from }, (_, index) => from + index);
  await Promise.all(
    numbers.map((n) => writer.append(stream, { subject: subjects[n % 3] as string, data: `${n}` })),
  );
}

beforeEach(async () => {
  server = await startNatsServer();
  writing = await connectNats({ servers: server.url });
  const manager = await jetstreamManager(writing);
  await manager.streams.add({ name: stream, subjects: ['s.>'], allow_direct: true });
  liar = saysNothingIsLeft(Number(new URL(server.url).port));
  await new Promise<void>((resolve) => {
    liar.listen(0, '127.0.0.1', resolve);
  });
  reading = await connectNats({ servers: `127.0.0.1:${(liar.address() as AddressInfo).port}` });
  writer = await jetstreamLog({ connection: writing });
  log = await jetstreamLog({ connection: reading });
});

afterEach(async () => {
  await log.close();
  await writer.close();
  await reading.close();
  await writing.close();
  liar.close();
  await server.stop();
});

describe('a server that says too early that nothing is left', () => {
  it('ends no replay: everything is read, filtered or not', async () => {
    await write(0, count);
    for (const filters of [undefined, ['s.a'], ['s.a', 's.c']]) {
      const read: number[] = [];
      for await (const batch of log.replayBatches(stream, filters ? { filters } : {})) {
        read.push(...batch.map((message) => Number(message.text())));
      }
      expect(read).toEqual(
        Array.from({ length: count }, (_, n) => n).filter(
          (n) => filters === undefined || filters.includes(subjects[n % 3] as string),
        ),
      );
    }
  }, 60_000);

  it('ends no replay that is read slowly', async () => {
    await write(0, count);
    let read = 0;
    for await (const batch of log.replayBatches(stream)) {
      // Longer than it is waited for what the server denies.
      if (read === 0) await delay(2_500);
      read += batch.length;
    }
    expect(read).toBe(count);
  }, 60_000);

  it('lets no follower that shares the stream pass anything over', async () => {
    await write(0, count);
    const follow = (filter: string): { filter: string; read: number[]; close(): Promise<void> } => {
      const read: number[] = [];
      const options = { after: 0, filters: [filter], shared: true };
      const follower = log.follow(stream, options, (message) => {
        read.push(Number(message.text()));
        return new Promise((resolve) => setImmediate(resolve));
      });
      return { filter, read, close: () => follower.close() };
    };
    const hasAll = async ({ filter, read }: ReturnType<typeof follow>, upTo: number) => {
      const all = Array.from({ length: upTo }, (_, n) => n).filter(
        (n) => filter === 's.>' || filter === subjects[n % 3],
      );
      const isThere = (): boolean => read.length >= all.length;
      await eventually(`${filter} up to ${upTo}`, isThere, { timeoutMs: 60_000 });
      expect(read).toEqual(all);
    };
    const first = [follow('s.>'), follow('s.a')];
    for (const one of first) await hasAll(one, count);
    await write(count, count + 300);
    for (const one of first) await hasAll(one, count + 300);
    // What these have not read lies before what the others share by now.
    const later = [follow('s.>'), follow('s.b')];
    for (const one of later) await hasAll(one, count + 300);
    await write(count + 300, count + 600);
    for (const one of [...first, ...later]) await hasAll(one, count + 600);
    await Promise.all([...first, ...later].map((one) => one.close()));
  }, 120_000);
});
