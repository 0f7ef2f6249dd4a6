import { describe, expect, it } from '@jest/globals';
import { seeded } from '@meridian/core';
import {
  aggregate,
  storedAmounts,
  tallyDecider,
  writerJournal,
  type Added,
  type Tally,
  type TallyCommand,
} from '../test/tally.ts';
import {
  CommitLoop,
  journalOf,
  memoryLog,
  MessageTooLarge,
  NotOwner,
  type AppendFate,
  type CommitLoopOptions,
  type Log,
  type MemoryLogOptions,
} from './index.ts';

type Loop = CommitLoop<Tally, Added, TallyCommand>;
type Options = Partial<CommitLoopOptions<Tally, Added, TallyCommand, never>>;

function loopOn(log: Log, options: Options = {}): Loop {
  return new CommitLoop<Tally, Added, TallyCommand>({
    journal: writerJournal(log),
    decider: tallyDecider,
    aggregate,
    wait: async () => {},
    context: () => ({ now: 1_000, random: seeded(1) }),
    ...options,
  });
}

async function openLoop(log: Log, options?: Options): Promise<Loop> {
  const loop = loopOn(log, options);
  await loop.open();
  return loop;
}

/** The request at a place of the intake. */
const request = (sequence: number, amount = sequence, id = `${sequence}`) => ({
  command: { type: 'add', subject: 't1', amount } as const,
  cause: { causationId: `/spec#${id}` },
  from: { source: 'IN_eu', sequence },
});

const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

/** A log on which the first appends meet these fates. */
const logWith = (fates: AppendFate[], options: MemoryLogOptions = {}): Log =>
  memoryLog({ ...options, onAppend: () => fates.shift() ?? 'store' });

/** A log whose appends wait for `release`. */
function gatedLog() {
  const log = memoryLog();
  const waiting: (() => void)[] = [];
  const append: Log['append'] = async (stream, message) => {
    await new Promise<void>((resolve) => {
      waiting.push(resolve);
    });
    return log.append(stream, message);
  };
  const gated = new Proxy(log, {
    get: (target, name) => (name === 'append' ? append : Reflect.get(target, name).bind(target)),
  });
  return { log, gated, release: () => waiting.splice(0).forEach((go) => go()) };
}

const turn = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });

describe('CommitLoop: group commit', () => {
  it('stores many commands in few entries, in their order', async () => {
    const log = memoryLog();
    const commits: [number, number][] = [];
    const loop = await openLoop(log, {
      onCommit: (commands, events) => commits.push([commands, events]),
    });
    const outcomes = await Promise.all(range(1_000).map((n) => loop.submit(request(n))));
    expect((await storedAmounts(log)).map((entry) => entry.length)).toEqual([512, 488]);
    expect((await storedAmounts(log)).flat()).toEqual(range(1_000));
    expect(commits).toEqual([
      [512, 512],
      [488, 488],
    ]);
    expect(outcomes.map((outcome) => outcome.kind === 'decided' && outcome.sequence)).toEqual([
      ...Array(512).fill(1),
      ...Array(488).fill(2),
    ]);
    expect(loop.isSettled).toBe(true);
  });

  it('stores together what came while an append was under way', async () => {
    const { log, gated, release } = gatedLog();
    const loop = await openLoop(gated);
    const outcomes = [loop.submit(request(1))];
    await turn();
    outcomes.push(...range(9).map((n) => loop.submit(request(n + 1))));
    await turn();
    expect(await storedAmounts(log)).toEqual([]);
    expect(loop.isSettled).toBe(false);
    release();
    await turn();
    release();
    await Promise.all(outcomes);
    expect(await storedAmounts(log)).toEqual([[1], range(9).map((n) => n + 1)]);
  });

  it('tells a rejection, and stores nothing for it', async () => {
    const log = memoryLog();
    const loop = await openLoop(log);
    const [, rejected] = await Promise.all([
      loop.submit(request(1)),
      loop.submit({ ...request(2), command: { type: 'addToEven', subject: 't1', amount: 5 } }),
    ]);
    expect(rejected).toEqual({ kind: 'rejected', rejection: { code: 'ODD', facts: { sum: 1 } } });
    expect(await storedAmounts(log)).toEqual([[1]]);
  });

  it('halves an entry that is too large until the log takes it', async () => {
    const log = memoryLog({ maxPayloadBytes: 4_000 });
    const loop = await openLoop(log);
    await Promise.all(range(40).map((n) => loop.submit(request(n))));
    const stored = await storedAmounts(log);
    expect(stored.flat()).toEqual(range(40));
    expect(stored.length).toBeGreaterThan(5);
    expect(loop.state.sum).toBe(820);
  });

  it('refuses alone what is too large by itself', async () => {
    const log = memoryLog({ maxPayloadBytes: 4_000 });
    const loop = await openLoop(log);
    const large = {
      ...request(2),
      command: { type: 'add', subject: 't1', amount: 2, note: 'x'.repeat(5_000) } as const,
    };
    const outcomes = await Promise.allSettled([
      loop.submit(request(1)),
      loop.submit(large),
      loop.submit(request(3)),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect((outcomes[1] as PromiseRejectedResult).reason).toBeInstanceOf(MessageTooLarge);
    expect((await storedAmounts(log)).flat()).toEqual([1, 3]);
    expect(loop.state.parts).toEqual([1, 3]);
  });

  it('refuses alone the command on which the decider fails', async () => {
    const log = memoryLog();
    const loop = await openLoop(log);
    const broken = { ...request(2), command: { type: 'fail', subject: 't1' } as const };
    const outcomes = await Promise.allSettled([
      loop.submit(request(1)),
      loop.submit(broken),
      loop.submit(request(3)),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(await storedAmounts(log)).toEqual([[1], [3]]);
    expect(loop.state.parts).toEqual([1, 3]);
  });
});

describe('CommitLoop: another writer, lost answers', () => {
  it('loads again and decides anew when another writer was first', async () => {
    const log = memoryLog();
    let conflicts = 0;
    const first = await openLoop(log);
    const second = await openLoop(log, {
      onConflict: () => {
        conflicts += 1;
      },
    });
    await first.submit(request(1));
    const late = second.submit({
      ...request(2),
      command: { type: 'addToEven', subject: 't1', amount: 7 },
    });
    expect(await late).toEqual({ kind: 'rejected', rejection: { code: 'ODD', facts: { sum: 1 } } });
    expect(conflicts).toBe(1);
    expect(second.head).toEqual(first.head);
    expect(second.state).toEqual(first.state);
  });

  it('decides nothing about what the other writer has decided', async () => {
    const log = memoryLog();
    const first = await openLoop(log);
    const second = await openLoop(log);
    await Promise.all(range(20).map((n) => first.submit(request(n))));
    await Promise.all(range(25).map((n) => second.submit(request(n))));
    expect((await storedAmounts(log)).flat()).toEqual(range(25));
    expect(second.consumed('IN_eu')).toBe(25);
  });

  it.each<[string, AppendFate[]]>([
    ['refused', ['refuse', 'refuse']],
    ['stored without an answer', ['lose-answer']],
    ['refused, then stored without an answer', ['refuse', 'lose-answer', 'refuse']],
  ])('stores once an entry that is %s', async (_, fates) => {
    const log = logWith(fates);
    const loop = await openLoop(log);
    const outcomes = await Promise.all([1, 2, 3].map((n) => loop.submit(request(n))));
    expect(await storedAmounts(log)).toEqual([[1, 2, 3]]);
    expect(outcomes.map(({ kind }) => kind)).toEqual(['decided', 'decided', 'decided']);
    expect(loop.state.sum).toBe(6);
  });

  it('does not fire the clock twice when the answer was lost', async () => {
    const log = logWith(['lose-answer']);
    const loop = await openLoop(log);
    await loop.submit({
      command: { type: 'add', subject: 't1', amount: 1 },
      cause: { causationId: 'clock.demo.1000' },
    });
    expect(await storedAmounts(log)).toEqual([[1]]);
  });

  it('keeps where the history ends, and nothing more, as its head', async () => {
    const log = memoryLog();
    const loop = await openLoop(log);
    await loop.submit(request(1));
    expect(loop.head).toEqual((await writerJournal(log).load(aggregate)).head);
  });
});

describe('CommitLoop: exactly once in effect', () => {
  it('stores how far it had read, and passes over what it had read', async () => {
    const log = memoryLog();
    const loop = await openLoop(log);
    await loop.submit(request(4));
    await loop.submit({ ...request(9), from: { source: 'EV_eu', sequence: 9 } });
    const [message] = (await log.load('EV_eu', 'ev.eu.eu.demo.contact.t1')).slice(-1);
    expect(message?.header('Meridian-Consumed')).toBe('IN_eu=4,EV_eu=9');
    const again = await openLoop(log);
    expect([again.consumed('IN_eu'), again.consumed('EV_eu'), again.consumed('other')]).toEqual([
      4, 9, 0,
    ]);
    for (const each of [loop, again]) {
      expect(
        await each.submit({ ...request(3), cause: { causationId: '/spec#other' } }),
      ).toMatchObject({ kind: 'decided', events: [] });
    }
    expect((await storedAmounts(log)).flat()).toEqual([4, 9]);
  });

  it('takes what led to nothing as read, with the next entry', async () => {
    const log = memoryLog();
    const loop = await openLoop(log);
    await loop.submit({ ...request(5), command: { type: 'nothing', subject: 't1' } });
    expect(loop.consumed('IN_eu')).toBe(5);
    await loop.submit({ ...request(2), from: { source: 'EV_eu', sequence: 2 } });
    expect((await openLoop(log)).consumed('IN_eu')).toBe(5);
  });

  it('recognizes a request that was published twice, after a restart too', async () => {
    const log = memoryLog();
    const loop = await openLoop(log);
    await loop.submit(request(1, 1, 'a'));
    expect(await loop.submit(request(2, 1, 'a'))).toMatchObject({ kind: 'decided', events: [] });
    const again = await openLoop(log);
    expect(await again.submit(request(3, 1, 'a'))).toMatchObject({ kind: 'decided', events: [] });
    expect(again.consumed('IN_eu')).toBe(3);
    expect(await storedAmounts(log)).toEqual([[1]]);
  });

  it('decides about a request again when it comes without its place, having led to nothing', async () => {
    const log = memoryLog();
    const loop = await openLoop(log);
    const ask = {
      ...request(2),
      command: { type: 'addToEven', subject: 't1', amount: 5 } as const,
    };
    await loop.submit(request(1));
    expect((await loop.submit(ask)).kind).toBe('rejected');
    await loop.submit(request(3));
    expect(await loop.submit(ask)).toMatchObject({ kind: 'decided', events: [] });
    const { from: _, ...retry } = ask;
    expect((await loop.submit(retry)).kind).toBe('decided');
    expect((await storedAmounts(log)).flat()).toEqual([1, 3, 5]);
  });
});

describe('CommitLoop: opening and closing', () => {
  it('opens with the history that was absorbed, as with one that is loaded', async () => {
    const log = memoryLog();
    const writer = await openLoop(log);
    for (const n of range(5)) await writer.submit(request(n));
    const loop = loopOn(log);
    for (const message of await log.load('EV_eu', 'ev.eu.eu.demo.contact.t1')) loop.absorb(message);
    loop.openAbsorbed();
    expect([loop.state, loop.head, loop.consumed('IN_eu')]).toEqual([writer.state, writer.head, 5]);
    await loop.submit(request(6));
    expect((await storedAmounts(log)).flat()).toEqual(range(6));
  });

  it('absorbs an entry once, however often the start-up reads it', async () => {
    const log = memoryLog();
    const writer = await openLoop(log);
    for (const n of range(5)) await writer.submit(request(n));
    const loop = loopOn(log);
    const messages = await log.load('EV_eu', 'ev.eu.eu.demo.contact.t1');
    for (const message of [...messages.slice(0, 3), ...messages]) loop.absorb(message);
    loop.openAbsorbed();
    expect([loop.state, loop.head]).toEqual([writer.state, writer.head]);
  });

  it('finds out with its first append that the absorbed history lacks an entry', async () => {
    const log = memoryLog();
    let conflicts = 0;
    const writer = await openLoop(log);
    for (const n of range(3)) await writer.submit(request(n));
    const loop = loopOn(log, {
      onConflict: () => {
        conflicts += 1;
      },
    });
    const messages = await log.load('EV_eu', 'ev.eu.eu.demo.contact.t1');
    for (const message of messages.slice(0, 2)) loop.absorb(message);
    loop.openAbsorbed();
    await Promise.all([loop.submit(request(3)), loop.submit(request(4))]);
    expect((await storedAmounts(log)).flat()).toEqual(range(4));
    expect(conflicts).toBe(1);
  });

  it('refuses what it has decided ahead when it may not decide any more, and forgets it', async () => {
    const { log, gated, release } = gatedLog();
    let fault: NotOwner | undefined;
    const writer = { region: 'eu', home: 'eu', service: 'spec', epoch: 1 };
    const journal = journalOf(gated, writer, { fence: () => fault });
    const loop = await openLoop(gated, { journal });
    const first = loop.submit(request(1, 1));
    await turn();
    const ahead = loop.submit(request(2, 2));
    await turn();
    expect(loop.state.sum).toBe(3);
    fault = new NotOwner('eu', 1);
    release();
    expect(await first).toMatchObject({ kind: 'decided', sequence: 1 });
    await expect(ahead).rejects.toThrow(NotOwner);
    fault = undefined;
    const again = loop.submit(request(3, 4));
    await turn();
    release();
    expect(await again).toMatchObject({ kind: 'decided', sequence: 2 });
    expect(loop.state.sum).toBe(5);
    expect(await storedAmounts(log)).toEqual([[1], [4]]);
  });

  it('takes commands only between open and close, and closes once they are stored', async () => {
    const log = memoryLog();
    const loop = loopOn(log);
    expect(() => loop.submit(request(1))).toThrow('not open yet');
    await loop.open();
    const [message] = [...(await log.load('EV_eu', 'ev.eu.eu.demo.contact.t1'))];
    expect(message).toBeUndefined();
    const outcome = loop.submit(request(1));
    await loop.close();
    expect(await storedAmounts(log)).toEqual([[1]]);
    expect((await outcome).kind).toBe('decided');
    await expect(loop.submit(request(2))).rejects.toThrow('closed');
    const [stored] = await log.load('EV_eu', 'ev.eu.eu.demo.contact.t1');
    expect(() => loop.absorb(stored!)).toThrow('its history is its own');
  });
});
