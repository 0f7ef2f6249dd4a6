import { describe, expect, it } from '@jest/globals';
import { seeded } from '@meridian/core';
import {
  overFrom,
  storedAmounts,
  tallyDecider,
  writerJournal,
  type Added,
  type Tally,
  type TallyCommand,
} from '../test/tally.ts';
import {
  Aggregates,
  journalOf,
  Ledger,
  memoryLog,
  readEntry,
  type AggregatesOptions,
  type AppendFate,
  type Log,
} from './index.ts';

type Tallies = Aggregates<Tally, Added, TallyCommand>;
type Options = Partial<AggregatesOptions<Tally, Added, TallyCommand, never>>;

/** Tallies on a log, and which of them were loaded from it. */
function talliesOn(
  log: Log,
  options: Options = {},
): { readonly tallies: Tallies; readonly loads: string[] } {
  const loads: string[] = [];
  const journal = writerJournal(log);
  const tallies = new Aggregates<Tally, Added, TallyCommand>({
    journal: {
      ...journal,
      load(aggregate) {
        loads.push(aggregate.id);
        return journal.load(aggregate);
      },
    },
    decider: tallyDecider,
    context: () => ({ now: 1_000, random: seeded(1) }),
    wait: async () => {},
    ...options,
  });
  return { tallies, loads };
}

const add = (
  id: string,
  amount: number,
  cause = `${id}/${amount}`,
  type: 'begin' | 'add' | 'addToEven' = 'add',
) => ({
  aggregate: { tenant: 'demo', entity: 'contact', id },
  command: { type, subject: id, amount } as const,
  cause: { causationId: `/spec#${cause}` },
});

const begins = (command: TallyCommand): boolean => command.type === 'begin';

describe('Aggregates', () => {
  it('decides, stores and tells where', async () => {
    const log = memoryLog();
    const { tallies } = talliesOn(log);
    expect(await tallies.execute(add('a', 2))).toMatchObject({
      kind: 'decided',
      sequence: 1,
      events: [{ subject: 'a' }],
    });
    expect(await tallies.execute(add('a', 3))).toMatchObject({ kind: 'decided', sequence: 2 });
    expect(await tallies.execute(add('a', 4, 'x', 'addToEven'))).toEqual({
      kind: 'rejected',
      rejection: { code: 'ODD', facts: { sum: 5 } },
    });
    expect(await storedAmounts(log, 'a')).toEqual([[2], [3]]);
    expect(await tallies.read(add('a', 0).aggregate)).toMatchObject({
      state: { sum: 5 },
      head: { sequence: 2, revision: 1 },
    });
  });

  it('runs the commands of one aggregate in their order, whatever one of them waits for', async () => {
    const fates: AppendFate[] = ['refuse', 'lose-answer', 'refuse'];
    const log = memoryLog({ onAppend: () => fates.shift() ?? 'store' });
    const { tallies } = talliesOn(log);
    await Promise.all(Array.from({ length: 20 }, (_, index) => tallies.execute(add('a', index))));
    expect((await storedAmounts(log, 'a')).flat()).toEqual(
      Array.from({ length: 20 }, (_, index) => index),
    );
  });

  it("lets an aggregate's time stand still where a clock goes back, also in another process", async () => {
    const clock = { now: 5_000 };
    const log = memoryLog();
    const context = () => ({ now: clock.now, random: seeded(1) });
    const { tallies } = talliesOn(log, { context });
    await tallies.execute(add('a', 1));
    clock.now = 4_000;
    await tallies.execute(add('a', 2));
    await talliesOn(log, { context }).tallies.execute(add('a', 3));
    await tallies.execute(add('b', 4));
    clock.now = 6_000;
    await talliesOn(log, { context }).tallies.execute(add('a', 5));
    const times = [];
    for await (const message of log.replay('EV_eu')) {
      times.push(...readEntry(message).events.map(({ time }) => Date.parse(time)));
    }
    expect(times).toEqual([5_000, 5_000, 5_000, 4_000, 6_000]);
  });

  it('decides nothing about a repeated cause: warm, loaded, and after an end', async () => {
    const log = memoryLog();
    const { tallies } = talliesOn(log, { isOver: ({ sum }) => sum >= overFrom, begins });
    await tallies.execute(add('a', 2, 'one', 'begin'));
    expect(await tallies.execute(add('a', 2, 'one'))).toEqual({
      kind: 'decided',
      events: [],
      sequence: 1,
    });
    expect(await talliesOn(log).tallies.execute(add('a', 2, 'one'))).toEqual({
      kind: 'decided',
      events: [],
      sequence: 1,
    });
    await tallies.execute(add('a', overFrom, 'end'));
    expect(await tallies.execute(add('a', 2, 'one', 'begin'))).toEqual({
      kind: 'decided',
      events: [],
      sequence: 2,
    });
    expect(await storedAmounts(log, 'a')).toEqual([[2], [overFrom]]);
  });

  it('stores once what was stored without an answer', async () => {
    const fates: AppendFate[] = ['lose-answer'];
    const log = memoryLog({ onAppend: () => fates.shift() ?? 'store' });
    const { tallies } = talliesOn(log, { begins });
    expect((await tallies.execute(add('a', 2, 'one', 'begin'))).kind).toBe('decided');
    expect(await storedAmounts(log, 'a')).toEqual([[2]]);
  });

  it('loads and decides anew when another writer was first', async () => {
    const log = memoryLog();
    const conflicts: string[] = [];
    const { tallies: one } = talliesOn(log);
    const { tallies: other } = talliesOn(log, { onConflict: ({ id }) => conflicts.push(id) });
    await one.execute(add('a', 2));
    await other.execute(add('a', 4));
    await one.execute(add('a', 1));
    expect(await other.execute(add('a', 6, 'x', 'addToEven'))).toEqual({
      kind: 'rejected',
      rejection: { code: 'ODD', facts: { sum: 7 } },
    });
    expect(conflicts).toEqual(['a']);
    expect((await storedAmounts(log, 'a')).flat()).toEqual([2, 4, 1]);
  });

  it('begins without loading, and finds out when there is something already', async () => {
    const log = memoryLog();
    const { tallies, loads } = talliesOn(log, { begins });
    await tallies.execute(add('a', 2, 'one', 'begin'));
    expect(loads).toEqual([]);
    const { tallies: later, loads: laterLoads } = talliesOn(log, { begins });
    await later.execute(add('a', 3, 'two', 'begin'));
    expect(laterLoads).toEqual(['a']);
    expect((await later.read(add('a', 0).aggregate)).state.sum).toBe(5);
  });

  it('looks first whether an earlier owner of the home has begun it', async () => {
    const log = memoryLog();
    await talliesOn(log, { begins }).tallies.execute(add('a', 2, '1', 'begin'));
    const ledger = new Ledger();
    ledger.take({
      home: 'eu',
      epoch: 2,
      owner: 'us',
      seals: [{ epoch: 1, owner: 'eu', upTo: 1 }],
    });
    const writer = { region: 'us', home: 'eu', service: 'spec', epoch: 2 };
    const journal = journalOf(log, writer, { ledger });
    const { tallies } = talliesOn(log, { begins, journal });
    expect(await tallies.execute(add('a', 2, '1', 'begin'))).toMatchObject({ events: [] });
    expect(await log.lastSequence('EV_us')).toBe(0);
    expect(await tallies.execute(add('b', 1, '2', 'begin'))).toMatchObject({ sequence: 1 });
  });

  it('goes on after a command on which the decider fails', async () => {
    const log = memoryLog();
    const { tallies } = talliesOn(log);
    const outcomes = await Promise.allSettled([
      tallies.execute(add('a', 2)),
      tallies.execute({ ...add('a', 0), command: { type: 'fail', subject: 'a' } }),
      tallies.execute(add('a', 3)),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect((await storedAmounts(log, 'a')).flat()).toEqual([2, 3]);
  });
});

describe('Aggregates in memory', () => {
  it('drops what is over, and what nothing is known of', async () => {
    const log = memoryLog();
    const { tallies, loads } = talliesOn(log, { isOver: ({ sum }) => sum >= overFrom });
    await tallies.execute({ ...add('none', 0), command: { type: 'nothing', subject: 'none' } });
    await tallies.execute(add('a', 1));
    expect(tallies.warmCount).toBe(1);
    await tallies.execute(add('a', overFrom));
    expect(tallies.warmCount).toBe(0);
    expect(loads).toEqual(['none', 'a']);
    await tallies.execute(add('a', 1, 'again'));
    expect(loads).toEqual(['none', 'a', 'a']);
  });

  it('keeps so many, and lets go of what nobody asked for the longest', async () => {
    const { tallies, loads } = talliesOn(memoryLog(), { warmLimit: 2 });
    for (const [id, amount] of [
      ['a', 1],
      ['b', 1],
      ['a', 2],
      ['c', 1],
      ['a', 3],
      ['b', 2],
    ] as const) {
      await tallies.execute(add(id, amount));
    }
    expect(tallies.warmCount).toBe(2);
    expect(loads).toEqual(['a', 'b', 'c', 'b']);
  });

  it('lets go of nothing that is being decided', async () => {
    const log = memoryLog();
    const { tallies } = talliesOn(log, { warmLimit: 1 });
    await Promise.all(
      ['a', 'b', 'c'].flatMap((id) => [tallies.execute(add(id, 1)), tallies.execute(add(id, 2))]),
    );
    for (const id of ['a', 'b', 'c']) expect((await storedAmounts(log, id)).flat()).toEqual([1, 2]);
  });

  it('absorbs what others store, in order, each entry once', async () => {
    const log = memoryLog();
    const sums: number[] = [];
    const { tallies: writer } = talliesOn(log);
    const { tallies, loads } = talliesOn(log, {
      onState: (_, { sum }) => sums.push(sum),
      isOver: ({ sum }) => sum >= overFrom,
    });
    for (const amount of [1, 2, 3]) await writer.execute(add('a', amount));
    const { aggregate } = add('a', 0);
    const messages = await log.load('EV_eu', 'ev.eu.eu.demo.contact.a');
    for (const message of [...messages, ...messages]) tallies.absorb(aggregate, message);
    expect(sums).toEqual([1, 3, 6]);
    expect([...tallies.settled()]).toEqual([...writer.settled()]);
    expect(await tallies.execute(add('a', 2))).toMatchObject({ events: [] });
    await tallies.execute(add('a', 4));
    expect(loads).toEqual([]);
    await writer.execute(add('a', overFrom));
    tallies.absorb(aggregate, (await log.load('EV_eu', 'ev.eu.eu.demo.contact.a')).at(-1)!);
    expect(tallies.warmCount).toBe(0);
  });

  it('does not begin in the middle of a history', async () => {
    const log = memoryLog();
    const { tallies: writer } = talliesOn(log);
    for (const amount of [1, 2]) await writer.execute(add('a', amount));
    const { tallies } = talliesOn(log);
    tallies.absorb(add('a', 0).aggregate, (await log.load('EV_eu', 'ev.eu.eu.demo.contact.a'))[1]!);
    expect(tallies.warmCount).toBe(0);
    expect((await tallies.execute(add('a', 3, 'x', 'addToEven'))).kind).toBe('rejected');
  });
});
