import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { jetstreamManager, type JetStreamManager } from '@nats-io/jetstream';
import { eventually, startNatsServer, type NatsServer } from '@meridian/testing';
import type { NatsConnection } from '@nats-io/nats-core';
import { connectNats, jetstreamLog, type Follower, type Log } from '../index.ts';

const stream = 'S';
let server: NatsServer;
let connection: NatsConnection;
let manager: JetStreamManager;
let log: Log;

beforeEach(async () => {
  server = await startNatsServer();
  connection = await connectNats({ servers: server.url });
  manager = await jetstreamManager(connection);
  await manager.streams.add({ name: stream, subjects: ['s.>'], allow_direct: true });
  log = await jetstreamLog({ connection });
});

afterEach(async () => {
  await log.close();
  await connection.close();
  await server.stop();
});

/** Follows what is under a filter, sharing; keeps what it was handed. */
function follow(filter: string, maxPending = 1_024): { follower: Follower; texts: string[] } {
  const texts: string[] = [];
  const follower = log.follow(
    stream,
    { after: 0, filters: [filter], maxPending, shared: true },
    (message) => {
      texts.push(message.text());
      return new Promise((resolve) => setImmediate(resolve));
    },
  );
  return { follower, texts };
}

const subjects = ['s.a', 's.b', 's.c'];

async function write(from: number, to: number): Promise<void> {
  const numbers = Array.from({ length: to - from }, (_, index) => from + index);
  await Promise.all(
    numbers.map(async (n) => {
      const message = { subject: subjects[n % 3] as string, data: `${n}`, messageId: `m${n}` };
      await eventually(`${n} is stored`, () => log.append(stream, message), { timeoutMs: 60_000 });
    }),
  );
}

const consumers = async (): Promise<number> =>
  (await manager.streams.info(stream)).state.consumer_count;

/** Everything stored under a filter, in order. */
async function stored(filter: string): Promise<string[]> {
  const texts: string[] = [];
  for await (const message of log.replay(stream, { filters: [filter] })) texts.push(message.text());
  return texts;
}

describe('followers that share a stream', () => {
  it('are served by one consumer once they have caught up, each with what it asked for', async () => {
    await write(0, 900);
    const all = [follow('s.>'), follow('s.a'), follow('s.b'), follow('s.*')];
    await Promise.all(all.map(({ follower }) => follower.caughtUp()));
    await write(900, 1_200);
    await eventually('one is left', async () => (await consumers()) === 1);
    await write(1_200, 1_500);
    await Promise.all(all.map(({ follower }) => follower.caughtUp()));
    for (const [index, filter] of ['s.>', 's.a', 's.b', 's.*'].entries()) {
      expect(all[index]?.texts).toEqual(await stored(filter));
    }
  });

  it('miss and repeat nothing while they come and go under load, and the server is killed', async () => {
    const steady = [follow('s.>'), follow('s.a')];
    const short: ReturnType<typeof follow>[] = [];
    let isDone = false;
    const comingAndGoing = (async () => {
      while (!isDone) {
        const one = follow('s.c', 1 + (short.length % 40));
        short.push(one);
        await new Promise((resolve) => setTimeout(resolve, 15));
        if (short.length % 2 === 0) await one.follower.close();
      }
    })();
    await write(0, 1_500);
    await server.kill();
    await server.restart();
    await write(1_500, 4_000);
    isDone = true;
    await comingAndGoing;
    const last = follow('s.b');
    for (const { follower } of [...steady, last]) await follower.caughtUp();
    expect(steady[0]?.texts).toEqual(await stored('s.>'));
    expect(steady[1]?.texts).toEqual(await stored('s.a'));
    expect(last.texts).toEqual(await stored('s.b'));
    const ofC = await stored('s.c');
    for (const { texts } of short) expect(texts).toEqual(ofC.slice(0, texts.length));
  }, 60_000);

  it('read by themselves when they fall far behind, and join again', async () => {
    await write(0, 3);
    let release: () => void = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const texts: string[] = [];
    const slow = log.follow(stream, { after: 0, maxPending: 2, shared: true }, async (message) => {
      texts.push(message.text());
      await gate;
    });
    const quick = follow('s.>');
    await eventually('both are served by one', async () => {
      await write(3, 4);
      return (await consumers()) === 1;
    }).catch(() => {});
    await write(4, 6_000);
    await quick.follower.caughtUp();
    release();
    await slow.caughtUp();
    expect(texts).toEqual(await stored('s.>'));
    expect(quick.texts).toEqual(texts);
  }, 60_000);
});
