import { LogClosed, MessageTooLarge, WrongLastSequence, type Log } from '@meridian/journal';
import { eventually } from './eventually.ts';
import { all, failure, fill, held, raise, range, sequences, texts } from './log-probes.ts';

/** A log with one empty stream, for one test. */
export interface LogFixture {
  readonly log: Log;
  readonly stream: string;
  /** Every subject of the stream starts with it and a dot. */
  readonly prefix: string;
  /** The largest message with its headers that the log takes, in bytes. */
  readonly maxPayloadBytes: number;
  close(): Promise<void>;
}

/** What is used of Jest, whose module cannot be imported where it does not run. */
interface Jest {
  readonly describe: (title: string, tests: () => void) => void;
  readonly it: (title: string, test: () => Promise<void>) => void;
  readonly expect: Expect;
}

type Expect = (actual: unknown) => {
  toBe(expected: unknown): void;
  toBeInstanceOf(expected: unknown): void;
  toBeUndefined(): void;
  toBeGreaterThan(expected: number): void;
  toEqual(expected: unknown): void;
  toHaveLength(expected: number): void;
  toMatchObject(expected: object): void;
  toThrow(expected: unknown): void;
};

type Test = (fixture: LogFixture, expect: Expect) => Promise<void>;

/** The contract of a log: what every adapter must do. */
export function describeLog(name: string, open: () => Promise<LogFixture>): void {
  const { describe, it, expect } = globalThis as unknown as Jest;
  const group = (title: string, tests: Readonly<Record<string, Test>>): void => {
    describe(title, () => {
      for (const [what, test] of Object.entries(tests)) {
        it(what, async () => {
          const fixture = await open();
          try {
            await test(fixture, expect);
          } finally {
            await fixture.close();
          }
        });
      }
    });
  };
  describe(name, () => {
    group('append', appending);
    group('load and get', loading);
    group('last sequence', lastSequences);
    group('replay', replaying);
    group('follow', following);
    group('close', closing);
  });
}

const appending: Record<string, Test> = {
  'numbers messages from 1 in the order of the calls': async ({ log, stream, prefix }, expect) => {
    const calls = range(1, 200).map((n) =>
      log.append(stream, { subject: `${prefix}.a.${n % 3}`, data: `${n}` }),
    );
    const appended = await Promise.all(calls);
    expect(appended).toEqual(range(1, 200).map((sequence) => ({ sequence, duplicate: false })));
    expect(texts(await all(log.replay(stream)))).toEqual(range(1, 200).map(String));
  },

  'keeps subject, data, headers and time': async ({ log, stream, prefix }, expect) => {
    const data = Uint8Array.of(0, 255, 10, 13, 0, 128);
    const headers = { 'content-type': 'x/y; z=1', traceparent: '00-ab-cd-01', Umlaut: 'grüße' };
    const subject = `${prefix}.a`;
    await log.append(stream, { subject, data, headers, messageId: 'id-1' });
    const [message] = await log.load(stream, subject);
    expect(message).toMatchObject({ stream, sequence: 1, subject });
    expect([...message!.data]).toEqual([...data]);
    expect(message!.header('content-type')).toBe('x/y; z=1');
    expect(message!.header('traceparent')).toBe('00-ab-cd-01');
    expect(message!.header('Umlaut')).toBe('grüße');
    expect(message!.header('Nats-Msg-Id')).toBe('id-1');
    expect(message!.header('Content-Type')).toBeUndefined();
    expect(Number.isInteger(message!.storedAtMs)).toBe(true);
    const [replayed] = await all(log.replay(stream));
    expect(replayed!.storedAtMs).toBe(message!.storedAtMs);
    expect(replayed!.header('traceparent')).toBe('00-ab-cd-01');
    expect(replayed!.header('absent')).toBeUndefined();
    expect([...replayed!.data]).toEqual([...data]);
  },

  'takes text and empty data': async ({ log, stream, prefix }, expect) => {
    await log.append(stream, { subject: `${prefix}.a`, data: 'Zürich ✓' });
    await log.append(stream, { subject: `${prefix}.a`, data: '', headers: { x: 'y' } });
    expect(texts(await log.load(stream, `${prefix}.a`))).toEqual(['Zürich ✓', '']);
    expect(texts(await all(log.replay(stream)))).toEqual(['Zürich ✓', '']);
  },

  'refuses a message after another than the expected one': async (
    { log, stream, prefix },
    expect,
  ) => {
    const subject = `${prefix}.a`;
    const other = `${prefix}.b`;
    await log.append(stream, { subject, data: '1', expectedLastSequence: 0 });
    await log.append(stream, { subject: other, data: '2', expectedLastSequence: 0 });
    await log.append(stream, { subject, data: '3', expectedLastSequence: 1 });
    for (const expectedLastSequence of [0, 1, 2, 4]) {
      const fault = await failure(log.append(stream, { subject, data: 'x', expectedLastSequence }));
      expect(fault).toBeInstanceOf(WrongLastSequence);
      expect(fault).toMatchObject({ subject, expected: expectedLastSequence, retryable: true });
    }
    expect(texts(await all(log.replay(stream)))).toEqual(['1', '2', '3']);
  },

  'lets exactly one of many racers win': async ({ log, stream, prefix }, expect) => {
    const subject = `${prefix}.a`;
    for (let last = 0; last < 20; last++) {
      const racers = range(1, 8).map((racer) =>
        log.append(stream, { subject, data: `${racer}`, expectedLastSequence: last }),
      );
      const outcomes = await Promise.allSettled(racers);
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    }
    expect(await log.load(stream, subject)).toHaveLength(20);
  },

  'stores a message id once': async ({ log, stream, prefix }, expect) => {
    const message = { subject: `${prefix}.a`, data: 'once', messageId: 'm1' };
    expect(await log.append(stream, message)).toEqual({ sequence: 1, duplicate: false });
    await log.append(stream, { ...message, data: 'other', messageId: 'm2' });
    const again = await Promise.all(range(1, 5).map(() => log.append(stream, message)));
    expect(again).toEqual(range(1, 5).map(() => ({ sequence: 1, duplicate: true })));
    expect(texts(await all(log.replay(stream)))).toEqual(['once', 'other']);
  },

  'knows its own message again in spite of the expected sequence': async (
    { log, stream, prefix },
    expect,
  ) => {
    const subject = `${prefix}.a`;
    const message = { subject, data: '1', messageId: 'm1', expectedLastSequence: 0 };
    await log.append(stream, message);
    expect(await log.append(stream, message)).toEqual({ sequence: 1, duplicate: true });
    await log.append(stream, { subject, data: '2', messageId: 'm2', expectedLastSequence: 1 });
    expect(await log.append(stream, message)).toEqual({ sequence: 1, duplicate: true });
    const foreign = log.append(stream, { ...message, messageId: 'm3' });
    expect(await failure(foreign)).toBeInstanceOf(WrongLastSequence);
    expect(texts(await log.load(stream, subject))).toEqual(['1', '2']);
  },

  'refuses what is too large, and takes what just fits': async (
    { log, stream, prefix, maxPayloadBytes },
    expect,
  ) => {
    const subject = `${prefix}.a`;
    const largest = { subject, data: new Uint8Array(maxPayloadBytes).fill(7) };
    expect(await log.append(stream, largest)).toEqual({ sequence: 1, duplicate: false });
    expect(
      await failure(log.append(stream, { ...largest, messageId: 'with-a-header' })),
    ).toBeInstanceOf(MessageTooLarge);
    const [message] = await log.load(stream, subject);
    expect(message!.data).toHaveLength(maxPayloadBytes);
    expect(await all(log.replay(stream))).toHaveLength(1);
  },

  'refuses what cannot be written': async ({ log, stream, prefix }, expect) => {
    const good = { subject: `${prefix}.a`, data: '' };
    const bad = [
      { ...good, subject: `${prefix}.*` },
      { ...good, subject: `${prefix}..a` },
      { ...good, subject: `${prefix}.a b` },
      { ...good, subject: '' },
      { ...good, headers: { x: 'a\r\nb' } },
      { ...good, headers: { 'a:b': 'c' } },
      { ...good, expectedLastSequence: -1 },
      { ...good, expectedLastSequence: 0.5 },
    ];
    for (const message of bad) {
      const fault = await failure(log.append(stream, message));
      expect(fault).toMatchObject({ name: 'InvalidMessage', retryable: false });
    }
    expect(await log.lastSequence(stream)).toBe(0);
  },
};

const loading: Record<string, Test> = {
  'loads one subject in order, with others between': async ({ log, stream, prefix }, expect) => {
    await fill(log, stream, prefix, 2_500, 2);
    const odd = await log.load(stream, `${prefix}.s.1`);
    expect(odd.map(({ sequence }) => sequence)).toEqual(range(1, 2_500).filter((n) => n % 2 === 1));
    expect(odd.every(({ subject }) => subject === `${prefix}.s.1`)).toBe(true);
    const late = await log.load(stream, `${prefix}.s.0`, 2_495);
    expect(texts(late)).toEqual(['2496', '2498', '2500']);
  },

  'loads nothing where there is nothing': async ({ log, stream, prefix }, expect) => {
    expect(await log.load(stream, `${prefix}.s.1`)).toEqual([]);
    await fill(log, stream, prefix, 3, 1);
    expect(await log.load(stream, `${prefix}.none`)).toEqual([]);
    expect(await log.load(stream, `${prefix}.s.0`, 4)).toEqual([]);
    expect(await log.load(stream, `${prefix}.s`)).toEqual([]);
  },

  'loads what was appended just before': async ({ log, stream, prefix }, expect) => {
    const subject = `${prefix}.a`;
    for (const n of range(1, 50)) {
      await log.append(stream, { subject, data: `${n}`, expectedLastSequence: n - 1 });
      expect(await log.load(stream, subject)).toHaveLength(n);
    }
  },

  'gets a message by its sequence': async ({ log, stream, prefix }, expect) => {
    await fill(log, stream, prefix, 3, 1);
    const second = await log.get(stream, 2);
    expect(second).toMatchObject({ stream, sequence: 2, subject: `${prefix}.s.0` });
    expect(second!.text()).toBe('2');
    expect(await log.get(stream, 0)).toBeUndefined();
    expect(await log.get(stream, 4)).toBeUndefined();
  },
};

const lastSequences: Record<string, Test> = {
  "is the stream's or a filter's": async ({ log, stream, prefix }, expect) => {
    expect(await log.lastSequence(stream)).toBe(0);
    expect(await log.lastSequence(stream, `${prefix}.>`)).toBe(0);
    await log.append(stream, { subject: `${prefix}.a.x`, data: '' });
    await log.append(stream, { subject: `${prefix}.b.x`, data: '' });
    await log.append(stream, { subject: `${prefix}.b.y`, data: '' });
    await log.append(stream, { subject: `${prefix}.c`, data: '' });
    expect(await log.lastSequence(stream)).toBe(4);
    expect(await log.lastSequence(stream, `${prefix}.>`)).toBe(4);
    expect(await log.lastSequence(stream, `${prefix}.*.x`)).toBe(2);
    expect(await log.lastSequence(stream, `${prefix}.b.>`)).toBe(3);
    expect(await log.lastSequence(stream, `${prefix}.a.x`)).toBe(1);
    expect(await log.lastSequence(stream, `${prefix}.d`)).toBe(0);
  },
};

const replaying: Record<string, Test> = {
  'reads a range': async ({ log, stream, prefix }, expect) => {
    await fill(log, stream, prefix, 20, 3);
    const read = async (from?: number, to?: number): Promise<number[]> =>
      sequences(
        await all(
          log.replay(stream, {
            ...(from !== undefined && { from }),
            ...(to !== undefined && { to }),
          }),
        ),
      );
    expect(await read()).toEqual(range(1, 20));
    expect(await read(5)).toEqual(range(5, 20));
    expect(await read(undefined, 5)).toEqual(range(1, 5));
    expect(await read(7, 9)).toEqual([7, 8, 9]);
    expect(await read(20, 20)).toEqual([20]);
    expect(await read(0, 1)).toEqual([1]);
    expect(await read(15, 99)).toEqual(range(15, 20));
    expect(await read(21)).toEqual([]);
    expect(await read(9, 8)).toEqual([]);
  },

  'reads an empty stream': async ({ log, stream }, expect) => {
    expect(await all(log.replay(stream))).toEqual([]);
  },

  'reads what filters want': async ({ log, stream, prefix }, expect) => {
    await fill(log, stream, prefix, 30, 5);
    const read = async (filters: string[], to?: number): Promise<number[]> =>
      sequences(await all(log.replay(stream, { filters, ...(to !== undefined && { to }) })));
    const wanted = (...rests: number[]): number[] =>
      range(1, 30).filter((n) => rests.includes(n % 5));
    expect(await read([`${prefix}.s.1`])).toEqual(wanted(1));
    expect(await read([`${prefix}.s.1`, `${prefix}.s.3`])).toEqual(wanted(1, 3));
    expect(await read([`${prefix}.s.1`, `${prefix}.*.1`])).toEqual(wanted(1));
    expect(await read([`${prefix}.s.*`, `${prefix}.*.1`])).toEqual(range(1, 30));
    expect(await read([`${prefix}.>`])).toEqual(range(1, 30));
    expect(await read([])).toEqual(range(1, 30));
    expect(await read([`${prefix}.none`])).toEqual([]);
    expect(await read([`${prefix}.s.0`], 12)).toEqual([5, 10]);
    expect(await read([`${prefix}.s.0`], 4)).toEqual([]);
    expect(await read([`${prefix}.x.*`, `${prefix}.*.0`], 12)).toEqual([5, 10]);
  },

  'ends where the stream ended at the call': async ({ log, stream, prefix }, expect) => {
    await fill(log, stream, prefix, 50, 3);
    const read: number[] = [];
    for await (const { sequence } of log.replay(stream)) {
      if (sequence === 1) await fill(log, stream, prefix, 50, 3);
      read.push(sequence);
    }
    expect(read).toEqual(range(1, 50));
  },

  'can be left early and taken slowly': async ({ log, stream, prefix }, expect) => {
    await fill(log, stream, prefix, 12_000, 3);
    for await (const { sequence } of log.replay(stream)) if (sequence === 5) break;
    let read = 0;
    for await (const batch of log.replayBatches(stream)) {
      expect(batch.length).toBeGreaterThan(0);
      for (const { sequence } of batch) expect(sequence).toBe(++read);
      await new Promise(setImmediate);
    }
    expect(read).toBe(12_000);
  },
};

const following: Record<string, Test> = {
  'delivers what was there and what comes': async ({ log, stream, prefix }, expect) => {
    await fill(log, stream, prefix, 100, 3);
    const read: number[] = [];
    const follower = log.follow(stream, { after: 0 }, ({ sequence }) => void read.push(sequence));
    await follower.caughtUp();
    expect(read).toEqual(range(1, 100));
    await fill(log, stream, prefix, 100, 3);
    await follower.caughtUp();
    expect(read).toEqual(range(1, 200));
    expect(follower).toMatchObject({ delivered: 200, position: 200 });
  },

  'resumes after any checkpoint': async ({ log, stream, prefix }, expect) => {
    await fill(log, stream, prefix, 30, 3);
    for (const after of [0, 1, 15, 29, 30]) {
      const read: number[] = [];
      const follower = log.follow(stream, { after }, ({ sequence }) => void read.push(sequence));
      await follower.caughtUp();
      expect(read).toEqual(range(after + 1, 30));
      expect(follower).toMatchObject({ delivered: 30, position: 30 });
      await follower.close();
    }
  },

  'delivers what filters want': async ({ log, stream, prefix }, expect) => {
    const read: number[] = [];
    const options = { after: 0, filters: [`${prefix}.s.1`, `${prefix}.*.3`] };
    const follower = log.follow(stream, options, ({ sequence }) => void read.push(sequence));
    await follower.caughtUp();
    await fill(log, stream, prefix, 50, 5);
    await follower.caughtUp();
    expect(read).toEqual(range(1, 50).filter((n) => n % 5 === 1 || n % 5 === 3));
    expect(follower.position).toBe(48);
  },

  'has no gap and no repeat under concurrent appends': async ({ log, stream, prefix }, expect) => {
    const reads = range(1, 4).map((): number[] => []);
    const appending = Promise.all(
      range(1, 4).map((writer) => fill(log, stream, `${prefix}.w${writer}`, 1_000, 7)),
    );
    const followers = reads.map((read, index) =>
      log.follow(stream, { after: 0, maxPending: 1 + 16 * index }, ({ sequence }) => {
        read.push(sequence);
        return index % 2 === 0 ? undefined : Promise.resolve();
      }),
    );
    await appending;
    await Promise.all(followers.map((follower) => follower.caughtUp()));
    for (const read of reads) expect(read).toEqual(range(1, 4_000));
  },

  'never lets its position pass an unsettled handler': async ({ log, stream, prefix }, expect) => {
    await fill(log, stream, prefix, 10, 1);
    const { follower, settle, waiting } = held(log, stream, { after: 0, maxPending: 4 });
    await eventually('4 handlers are under way', () => waiting.size === 4);
    expect(follower).toMatchObject({ delivered: 4, position: 0 });
    settle(2);
    settle(4);
    await eventually('there are 4 again', () => waiting.size === 4);
    expect([...waiting.keys()]).toEqual([1, 3, 5, 6]);
    expect(follower).toMatchObject({ delivered: 6, position: 0 });
    settle(1);
    await eventually('the first is settled', () => follower.position === 2);
    settle(3);
    await eventually('up to the fourth all are settled', () => follower.position === 4);
    let caughtUp = false;
    const catchingUp = follower.caughtUp().then(() => {
      caughtUp = true;
    });
    for (const sequence of [5, 6, 7, 8, 9]) {
      await eventually(`${sequence} is delivered`, () => waiting.has(sequence));
      settle(sequence);
    }
    await eventually('the last is delivered', () => waiting.has(10) && follower.position === 9);
    expect(caughtUp).toBe(false);
    settle(10);
    await catchingUp;
    expect(follower.position).toBe(10);
  },

  'drains its handlers when it is closed': async ({ log, stream, prefix }, expect) => {
    await fill(log, stream, prefix, 5, 1);
    const { follower, settle, waiting } = held(log, stream, { after: 0 });
    await eventually('all are delivered', () => waiting.size === 5);
    let closed = false;
    const closing = follower.close().then(() => {
      closed = true;
    });
    await fill(log, stream, prefix, 5, 1);
    for (const sequence of [1, 2, 3, 4]) settle(sequence);
    await eventually('four are settled', () => follower.position === 4);
    expect(closed).toBe(false);
    settle(5);
    await closing;
    expect(follower).toMatchObject({ delivered: 5, position: 5 });
    expect(await failure(follower.caughtUp())).toBeInstanceOf(LogClosed);
  },

  'stops where a handler fails, and says so': async ({ log, stream, prefix }, expect) => {
    await fill(log, stream, prefix, 10, 1);
    for (const fail of [() => Promise.reject(new Error('no')), () => raise(new Error('no'))]) {
      const failures: unknown[] = [];
      const options = { after: 2, onFailure: (error: unknown) => void failures.push(error) };
      const follower = log.follow(stream, options, ({ sequence }) =>
        sequence === 6 ? fail() : undefined,
      );
      expect(await failure(follower.caughtUp())).toMatchObject({ cause: new Error('no') });
      expect(failures).toEqual([new Error('no')]);
      expect(follower.position).toBe(5);
      await follower.close();
    }
  },

  'may append from within a handler': async ({ log, stream, prefix }, expect) => {
    const read: string[] = [];
    const follower = log.follow(stream, { after: 0 }, async (message) => {
      read.push(message.text());
      const next = Number(message.text()) + 1;
      if (next <= 50) await log.append(stream, { subject: `${prefix}.a`, data: `${next}` });
    });
    await log.append(stream, { subject: `${prefix}.a`, data: '1' });
    await eventually('the last is settled', () => follower.position === 50);
    expect(read).toEqual(range(1, 50).map(String));
  },
};

const closing: Record<string, Test> = {
  'ends followers and refuses further calls': async ({ log, stream, prefix }, expect) => {
    await fill(log, stream, prefix, 5, 1);
    const follower = log.follow(stream, { after: 0 }, () => {});
    await follower.caughtUp();
    await log.close();
    await log.close();
    const append = log.append(stream, { subject: `${prefix}.a`, data: '' });
    expect(await failure(append)).toBeInstanceOf(LogClosed);
    expect(await failure(log.load(stream, `${prefix}.a`))).toBeInstanceOf(LogClosed);
    expect(() => log.follow(stream, { after: 0 }, () => {})).toThrow(LogClosed);
    expect(follower.position).toBe(5);
  },
};
