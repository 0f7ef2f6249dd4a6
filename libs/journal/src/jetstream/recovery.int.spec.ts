import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { jetstreamManager } from '@nats-io/jetstream';
import { eventually, startNatsServer, type NatsServer } from '@meridian/testing';
import {
  connectNats,
  Fenced,
  jetstreamLog,
  LogUnavailable,
  StreamMissing,
  WrongLastSequence,
  type Log,
} from '../index.ts';

const STREAM = 'S';
let server: NatsServer;
let log: Log;

beforeEach(async () => {
  server = await startNatsServer();
  const connection = await connectNats({ servers: server.url });
  const manager = await jetstreamManager(connection);
  await manager.streams.add({ name: STREAM, subjects: ['s.>'], allow_direct: true });
  await connection.close();
  log = await jetstreamLog({ servers: server.url, timeoutMs: 1_000 });
});

afterEach(async () => {
  await log.close();
  await server.stop();
});

/** A writer of one subject that repeats an append until it is answered. */
async function write(subject: string, until: () => boolean): Promise<number[]> {
  const acknowledged: number[] = [];
  for (let n = 1; !until(); n++) {
    const message = {
      subject,
      data: `${n}`,
      messageId: `${subject}-${n}`,
      expectedLastSequence: acknowledged.at(-1) ?? 0,
    };
    for (;;) {
      try {
        const { sequence } = await log.append(STREAM, message);
        acknowledged.push(sequence);
        break;
      } catch (error) {
        if (!(error instanceof LogUnavailable)) throw error;
      }
    }
  }
  return acknowledged;
}

async function replayed(
  stream = STREAM,
): Promise<{ sequence: number; text: string; subject: string }[]> {
  const messages = [];
  for await (const message of log.replay(stream)) {
    messages.push({
      sequence: message.sequence,
      text: message.text(),
      subject: message.subject,
    });
  }
  return messages;
}

describe('the log on JetStream, when its server is killed', () => {
  it('keeps what it acknowledged, and followers go on without a gap or a repeat', async () => {
    const subjects = Array.from({ length: 16 }, (_, index) => `s.${index}`);
    const reads: number[][] = [[], [], []];
    const followers = [
      log.follow(STREAM, { after: 0 }, ({ sequence }) => void reads[0]?.push(sequence)),
      log.follow(STREAM, { after: 0, maxPending: 3 }, async ({ sequence }) => {
        reads[1]?.push(sequence);
        await new Promise(setImmediate);
      }),
      log.follow(
        STREAM,
        { after: 0, filters: ['s.1', 's.3'] },
        ({ sequence }) => void reads[2]?.push(sequence),
      ),
    ];
    let stop = false;
    const writers = subjects.map((subject) => write(subject, () => stop));
    for (let kill = 1; kill <= 4; kill++) {
      const before = followers[0]?.delivered ?? 0;
      await eventually('messages flow', () => (followers[0]?.delivered ?? 0) > before + 300);
      await server.kill();
      await server.restart();
    }
    stop = true;
    const acknowledged = await Promise.all(writers);
    await Promise.all(followers.map((follower) => follower.caughtUp()));
    const stored = await replayed();

    expect(stored.map(({ sequence }) => sequence)).toEqual(stored.map((_, index) => index + 1));
    for (const [index, subject] of subjects.entries()) {
      const own = stored.filter((message) => message.subject === subject);
      expect(own.map(({ sequence }) => sequence)).toEqual(acknowledged[index]);
      expect(own.map(({ text }) => text)).toEqual(own.map((_, n) => `${n + 1}`));
    }
    const sequences = stored.map(({ sequence }) => sequence);
    const filtered = stored.filter(({ subject }) => subject === 's.1' || subject === 's.3');
    expect(reads[0]).toEqual(sequences);
    expect(reads[1]).toEqual(sequences);
    expect(reads[2]).toEqual(filtered.map(({ sequence }) => sequence));
  });

  it('says so while the server is away, and works again when it is back', async () => {
    await log.append(STREAM, { subject: 's.a', data: '1' });
    await server.kill();
    const address = `127.0.0.1:${server.port}`;
    const calls = [
      () => log.append(STREAM, { subject: 's.a', data: '2' }),
      () => log.load(STREAM, 's.a'),
      () => log.get(STREAM, 1),
      () => log.lastSequence(STREAM),
      () => log.lastSequence(STREAM, 's.>'),
      () => replayed(),
    ];
    const outcomes = await Promise.allSettled(calls.map((call) => call()));
    for (const outcome of outcomes) {
      const { reason } = outcome as PromiseRejectedResult;
      expect(reason).toBeInstanceOf(LogUnavailable);
      expect(reason).toMatchObject({ retryable: true });
      expect((reason as Error).message).toContain(address);
      expect((reason as Error).message).toMatch(/\d ms/);
    }
    await server.restart();
    await eventually('an append is stored', () => log.append(STREAM, { subject: 's.b', data: '' }));
    expect(await log.load(STREAM, 's.a')).toHaveLength(1);
  });

  it('sends what was asked for during a short absence as soon as it is back', async () => {
    log = await replaceLog({ timeoutMs: 2_000 });
    await server.kill();
    const appending = Array.from({ length: 50 }, (_, n) =>
      eventuallyAppend({ subject: 's.a', data: `${n}`, messageId: `${n}` }),
    );
    await server.restart();
    await Promise.all(appending);
    const texts = (await log.load(STREAM, 's.a')).map((message) => Number(message.text()));
    expect(texts.toSorted((a, b) => a - b)).toEqual(texts.map((_, n) => n));
    expect(texts).toHaveLength(50);
  });

  it('goes on with a replay', async () => {
    log = await replaceLog({ timeoutMs: 2_000 });
    await Promise.all(
      Array.from({ length: 30_000 }, (_, n) =>
        log.append(STREAM, { subject: `s.${n % 7}`, data: 'x'.repeat(200) }),
      ),
    );
    let read = 0;
    let kills = 0;
    for await (const batch of log.replayBatches(STREAM)) {
      for (const { sequence } of batch) expect(sequence).toBe(++read);
      if (kills < 2 && read < 29_000) {
        kills++;
        await server.restart();
      }
    }
    expect(read).toBe(30_000);
    expect(kills).toBe(2);
  });
});

describe('the log on JetStream, when something is wrong', () => {
  it('names the address it cannot reach at first', async () => {
    await server.kill();
    await expect(jetstreamLog({ servers: server.url })).rejects.toThrow(LogUnavailable);
    await expect(jetstreamLog({ servers: server.url })).rejects.toThrow(
      new RegExp(`${server.url} failed after \\d+ ms: connection refused`),
    );
  });

  it('knows a missing stream', async () => {
    const missing = 'MISSING';
    const failures: unknown[] = [];
    await expect(log.append(missing, { subject: 'm.a', data: '' })).rejects.toThrow(StreamMissing);
    await expect(log.load(missing, 'm.a')).rejects.toThrow(StreamMissing);
    await expect(log.get(missing, 1)).rejects.toThrow(StreamMissing);
    await expect(log.lastSequence(missing)).rejects.toThrow(StreamMissing);
    await expect(log.lastSequence(missing, 'm.>')).rejects.toThrow(StreamMissing);
    await expect(replayed(missing)).rejects.toThrow(StreamMissing);
    const onFailure = (error: unknown) => void failures.push(error);
    const follower = log.follow(missing, { after: 0, onFailure }, () => {});
    await eventually('the follower fails', () => failures.length === 1);
    expect(failures[0]).toBeInstanceOf(StreamMissing);
    await follower.close();
  });

  it('refuses a subject of another stream', async () => {
    await expect(log.append('OTHER', { subject: 's.a', data: '' })).rejects.toMatchObject({
      name: 'AppendRefused',
      retryable: false,
    });
  });

  it('goes on when its consumer is deleted, and when its connection is cut', async () => {
    const connection = await connectNats({ servers: server.url });
    const manager = await jetstreamManager(connection);
    const cut = await jetstreamLog({ connection });
    const read: number[] = [];
    const follower = cut.follow(STREAM, { after: 0 }, ({ sequence }) => void read.push(sequence));
    for (let round = 1; round <= 6; round++) {
      await log.append(STREAM, { subject: 's.a', data: '' });
      await eventually('it is delivered', () => follower.position === round);
      if (round % 2 === 0) await connection.reconnect();
      else {
        const [consumer] = await manager.consumers.list(STREAM).next();
        await manager.consumers.delete(STREAM, consumer?.name ?? '');
      }
    }
    expect(read).toEqual([1, 2, 3, 4, 5, 6]);
    await cut.close();
    await connection.close();
  });

  it('queues above its limit of pending appends, and refuses above that of queues', async () => {
    log = await replaceLog({ maxPending: 2, maxQueued: 10 });
    const appends = Array.from({ length: 20 }, (_, n) =>
      log.append(STREAM, { subject: 's.a', data: `${n}` }),
    );
    const outcomes = await Promise.allSettled(appends);
    expect(outcomes.map(({ status }) => status === 'fulfilled')).toEqual(
      outcomes.map((_, n) => n < 12),
    );
    const texts = (await log.load(STREAM, 's.a')).map((message) => message.text());
    expect(texts).toEqual(Array.from({ length: 12 }, (_, n) => `${n}`));
  });

  it('tells the sequence a subject really ends at', async () => {
    await log.append(STREAM, { subject: 's.a', data: '' });
    await log.append(STREAM, { subject: 's.b', data: '' });
    const append = log.append(STREAM, { subject: 's.a', data: '', expectedLastSequence: 2 });
    await expect(append).rejects.toMatchObject({ expected: 2, actual: 1 });
    await expect(append).rejects.toThrow(WrongLastSequence);
  });

  it('does not send what had to wait and must not be sent any more', async () => {
    const slow = await jetstreamLog({ servers: server.url, timeoutMs: 2_000 });
    let isFenced = false;
    const fence = () => (isFenced ? new Fenced('eu') : undefined);
    await slow.append(STREAM, { subject: 's.1', data: 'first', fence });
    await server.kill();
    // The connection is known to be gone once an append that was under way is answered so.
    await slow.append(STREAM, { subject: 's.1', data: 'under way' }).catch(() => {});
    const waits = slow.append(STREAM, { subject: 's.1', data: 'too late', fence });
    const passes = slow.append(STREAM, { subject: 's.2', data: 'as ever' });
    isFenced = true;
    await server.restart();
    await expect(waits).rejects.toThrow(Fenced);
    await passes;
    expect((await replayed()).map(({ text }) => text)).not.toContain('too late');
    await slow.close();
  });
});

async function replaceLog(options: object): Promise<Log> {
  await log.close();
  return jetstreamLog({ servers: server.url, ...options });
}

async function eventuallyAppend(message: { subject: string; data: string; messageId: string }) {
  return eventually('it is appended', () => log.append(STREAM, message));
}
