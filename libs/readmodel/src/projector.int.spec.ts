import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { seeded, type Random } from '@meridian/core';
import { memoryLog, type Log } from '@meridian/journal';
import { eventually, temporaryFolder } from '@meridian/testing';
import { bigint, integer, jsonb, pgTable, primaryKey, text } from 'drizzle-orm/pg-core';
import type { PoolClient } from 'pg';
import { checkpointOf, createCheckpoints } from './checkpoints.ts';
import { openDatabase, type Database } from './database.ts';
import { startPostgres, type Postgres } from './postgres/server.ts';
import type { ListProjection, Projection, RowProjection } from './projection.ts';
import { Projector, type ProjectorOptions } from './projector.ts';

const stream = 'EV_eu';

const tallies = pgTable(
  'tallies',
  {
    tenant: text('tenant').notNull(),
    id: text('id').notNull(),
    count: integer('count').notNull(),
    lastSequence: bigint('last_sequence', { mode: 'number' }).notNull(),
    seen: jsonb('seen').$type<Readonly<Record<string, string>>>().notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenant, table.id] })],
);

const journal = pgTable(
  'journal',
  {
    sequence: bigint('sequence', { mode: 'number' }).notNull(),
    index: integer('index').notNull(),
    id: text('id').notNull(),
  },
  (table) => [primaryKey({ columns: [table.sequence, table.index] })],
);

const createTables = `
  create table tallies (tenant text, id text, count int not null, last_sequence bigint not null,
    seen jsonb not null, primary key (tenant, id));
  create table journal (sequence bigint, index int, id text not null, primary key (sequence, index))`;

/** Adds up `attributes.add` of each contact's events; `boom` makes it fail. */
const tally: RowProjection<typeof tallies> = {
  table: tallies,
  keys: ({ event }) => [[event.tenant, event.subject]],
  evolve(row, { event, sequence }) {
    const { attributes } = event.data as { readonly attributes: Readonly<Record<string, string>> };
    if (attributes['boom'] !== undefined) throw new Error('boom');
    const { tenant, subject: id } = event;
    const before = row ?? { tenant, id, count: 0, lastSequence: 0, seen: {} };
    const count = before.count + Number(attributes['add'] ?? 1);
    return { ...before, count, lastSequence: sequence, seen: { ...before.seen, ...attributes } };
  },
};

const all: ListProjection<typeof journal> = {
  table: journal,
  rows: ({ event, sequence, index }) => [{ sequence, index, id: event.subject }],
};

const projections: readonly Projection[] = [tally, all];

const folder = temporaryFolder('meridian-projector-');
let postgres: Postgres;
let database: Database;
let log: Log;
const open: Projector[] = [];

beforeAll(async () => {
  postgres = await startPostgres({ dataDir: folder.path });
  database = openDatabase({ url: postgres.url });
  await database.pool.query(createCheckpoints);
  await database.pool.query(createTables);
});

beforeEach(async () => {
  log = memoryLog();
  await database.pool.query('truncate checkpoints, tallies, journal');
});

afterEach(async () => {
  for (const projector of open.splice(0)) await projector.close();
  await log.close();
});

afterAll(async () => {
  await database.close();
  await postgres.stop();
  folder.remove();
});

function project(options: Partial<ProjectorOptions> = {}): Projector {
  const projector = new Projector({ name: 'test', log, stream, database, projections, ...options });
  open.push(projector);
  return projector;
}

type Attributes = Readonly<Record<string, string>>;

/** One entry with an event for each contact. */
async function store(
  ...contacts: readonly (readonly [id: string, attributes?: Attributes])[]
): Promise<void> {
  const events = contacts.map(([subject, attributes = {}]) => ({
    specversion: '1.0',
    type: 'meridian.contact.attributes_updated.v1',
    subject,
    tenant: 'demo',
    data: { attributes },
  }));
  await log.append(stream, { subject: 'ev.eu.eu.demo.contact.x', data: JSON.stringify(events) });
}

async function rows(): Promise<Record<string, number>> {
  const found = await database.db.select().from(tallies);
  return Object.fromEntries(found.map(({ id, count }) => [id, count]));
}

const journalled = async (): Promise<number[]> =>
  (await database.db.select().from(journal).orderBy(journal.sequence, journal.index)).map(
    ({ sequence }) => sequence,
  );

const checkpoint = (): Promise<number> => checkpointOf(database.db, 'test', stream);

/** A database whose transactions fail at random: before the commit, or after it with the answer lost. */
function unreliable(random: Random, likelihood: number): Database {
  const fail = (what: string): never => {
    throw Object.assign(new Error(`${what} (injected)`), { code: 'ECONNRESET' });
  };
  const wrap = (client: PoolClient): PoolClient =>
    new Proxy(client, {
      get(target, property) {
        const value: unknown = Reflect.get(target, property);
        if (property !== 'query') {
          return typeof value === 'function' ? (value.bind(target) as unknown) : value;
        }
        return async (...args: [string]) => {
          const roll = random.next();
          if (args[0] === 'commit' && roll < likelihood) {
            await target.query('commit');
            fail('the answer was lost');
          }
          if (args[0] !== 'rollback' && roll < likelihood) fail('the connection broke');
          return target.query(...args);
        };
      },
    });
  const pool = new Proxy(database.pool, {
    get(target, property) {
      if (property === 'connect') return async () => wrap(await target.connect());
      const value: unknown = Reflect.get(target, property);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
  return { ...database, pool };
}

describe('a projector', () => {
  it('writes rows and checkpoint, and goes on from there', async () => {
    await store(['a'], ['b', { add: '5' }]);
    await store(['a', { add: '10' }]);
    const first = project();
    await first.caughtUp();
    expect(await rows()).toEqual({ a: 11, b: 5 });
    expect([first.position, await checkpoint()]).toEqual([2, 2]);
    await first.close();
    await store(['a']);
    const second = project();
    await second.caughtUp();
    expect(await rows()).toEqual({ a: 12, b: 5 });
    expect(await journalled()).toEqual([1, 1, 2, 3]);
    expect(second.counts).toMatchObject({ entries: 1, events: 1, batches: 1 });
  });

  it('loads and writes each row once a batch, and follows what comes later', async () => {
    for (let count = 0; count < 50; count++) await store([`c${count % 3}`]);
    const projector = project({ batchLength: 20 });
    await projector.caughtUp();
    expect(projector.counts).toMatchObject({ entries: 50, batches: 3 });
    await store(['c0']);
    await projector.caughtUp();
    expect(await rows()).toEqual({ c0: 18, c1: 17, c2: 16 });
  });

  it.each(Array.from({ length: 12 }, (_, seed) => seed))(
    'applies every event exactly once whatever breaks (seed %i)',
    async (seed) => {
      const random = seeded(seed);
      const expected: Record<string, number> = {};
      const sequences: number[] = [];
      for (let sequence = 1; sequence <= 60; sequence++) {
        const contacts = Array.from(
          { length: 1 + random.int(3) },
          () => [`c${random.int(5)}`, { add: `${random.int(9)}` }] as const,
        );
        for (const [id, { add }] of contacts) {
          expected[id] = (expected[id] ?? 0) + Number(add);
          sequences.push(sequence);
        }
        await store(...contacts);
      }
      const options = {
        database: unreliable(random.fork('faults'), 0.04),
        batchLength: 1 + random.int(12),
      };
      const first = project(options);
      await first.start();
      await first.reached(1 + random.int(60), 60_000);
      // A crash in the middle: another one goes on from what is stored.
      await first.close();
      const projector = project(options);
      await projector.caughtUp();
      expect(await rows()).toEqual(expected);
      expect(await journalled()).toEqual(sequences);
      expect(await checkpoint()).toBe(60);
    },
  );

  it('shares a checkpoint with another projector of its name without counting twice', async () => {
    const both = [project({ batchLength: 3 }), project({ batchLength: 5 })];
    for (let count = 0; count < 100; count++) await store(['a']);
    await Promise.all(both.map((one) => one.caughtUp()));
    expect(await rows()).toEqual({ a: 100 });
    expect((await journalled()).length).toBe(100);
    expect(both.map((one) => one.position)).toEqual([100, 100]);
  });

  it('passes over unknown types and what it cannot read, and counts them', async () => {
    const lines: string[] = [];
    await store(['a']);
    await log.append(stream, {
      subject: 'ev.eu.eu.demo.contact.x',
      data: '[{"type":"meridian.moon.risen.v1"}]',
    });
    await log.append(stream, { subject: 'ev.eu.eu.demo.contact.x', data: 'no json' });
    await store(['a']);
    const projector = project({ onLog: (line) => lines.push(line) });
    await projector.caughtUp();
    expect(await rows()).toEqual({ a: 2 });
    expect(projector.counts).toMatchObject({ entries: 4, unknownTypes: 1, entriesPassedOver: 1 });
    expect(projector.faults).toEqual([
      { stream, sequence: 3, reason: expect.stringContaining('Entry 3 of EV_eu cannot be read') },
    ]);
    expect(lines).toEqual([expect.stringContaining('passed over entry 3 of EV_eu')]);
  });

  it('leaves a row as it is when its projection fails, and goes on', async () => {
    await store(['a']);
    await store(['a', { boom: '' }], ['b']);
    await store(['a']);
    const projector = project();
    await projector.caughtUp();
    expect(await rows()).toEqual({ a: 2, b: 1 });
    expect(projector.counts.eventsFailed).toBe(1);
    expect(projector.faults).toEqual([
      {
        stream,
        sequence: 2,
        index: 0,
        type: 'meridian.contact.attributes_updated.v1',
        table: 'tallies',
        reason: 'boom',
      },
    ]);
  });

  it('passes over exactly the entry that Postgres refuses', async () => {
    for (let count = 0; count < 8; count++) await store([`c${count}`]);
    await store(['huge', { add: '4294967296' }], ['same entry']);
    for (let count = 0; count < 8; count++) await store([`c${count}`]);
    const projector = project();
    await projector.caughtUp();
    expect(await rows()).toEqual(
      Object.fromEntries(Array.from({ length: 8 }, (_, at) => [`c${at}`, 2])),
    );
    expect(await checkpoint()).toBe(17);
    expect(projector.counts).toMatchObject({ entriesPassedOver: 1, entries: 17 });
    expect(projector.faults[0]).toMatchObject({
      sequence: 9,
      reason: expect.stringContaining('out of range'),
    });
  });

  it('stores what Postgres has no text for with U+FFFD in its place', async () => {
    await store(['a', { nul: 'x\0y', half: '\uD800', pair: '🎉', 'k\0': 'v', escaped: '\\u0000' }]);
    await project().caughtUp();
    const [row] = await database.db.select().from(tallies);
    expect(row?.seen).toEqual({
      nul: 'x\uFFFDy',
      half: '\uFFFD',
      pair: '🎉',
      'k\uFFFD': 'v',
      escaped: '\\u0000',
    });
  });

  it('waits while the database is away, holds the log back, and loses nothing', async () => {
    const lines: string[] = [];
    const projector = project({ batchLength: 10, onLog: (line) => lines.push(line) });
    await store(['a']);
    await projector.caughtUp();
    const killed = postgres.pid;
    process.kill(killed, 'SIGKILL');
    for (let count = 0; count < 500; count++) await store(['a']);
    expect((await projector.lag()).entries).toBeGreaterThan(0);
    await eventually('the projector has met the loss', () => projector.counts.retries > 0);
    await eventually('all is stored', () => projector.position === 501);
    expect(postgres.pid).not.toBe(killed);
    expect(await rows()).toEqual({ a: 501 });
    expect(lines).toContainEqual(
      expect.stringMatching(/could not store up to \d+; next attempt in 100 ms/),
    );
    expect(lines).toContainEqual(expect.stringContaining('the database answers again'));
    expect(await projector.lag()).toEqual({ entries: 0, seconds: 0 });
  });

  it('asks the log for no more than three batches at once', async () => {
    const asked: (number | undefined)[] = [];
    const narrow: Log = Object.assign(Object.create(log) as Log, {
      lastSequence: log.lastSequence.bind(log),
      follow: (...args: Parameters<Log['follow']>) => {
        asked.push(args[1].maxPending);
        return log.follow(...args);
      },
    });
    await store(['a']);
    await project({ log: narrow, batchLength: 7 }).caughtUp();
    expect(asked).toEqual([21]);
  });

  it('tells the lag in entries and in seconds', async () => {
    log = memoryLog({ now: () => 5_000 });
    await store(['a']);
    await store(['a']);
    const projector = project({ now: () => 8_500 });
    expect(await projector.lag()).toEqual({ entries: 2, seconds: 3.5 });
    await projector.caughtUp();
    expect(await projector.lag()).toEqual({ entries: 0, seconds: 0 });
  });

  it('wakes who waits for a sequence, and tells who waits in vain', async () => {
    const projector = project();
    await projector.start();
    const waiting = projector.reached(2, 60_000);
    await store(['a']);
    await store(['a']);
    expect(await waiting).toBe(true);
    expect(await projector.reached(3, 1)).toBe(false);
    const vain = projector.reached(3, 60_000);
    await projector.close();
    expect(await vain).toBe(false);
  });

  it('builds the rows again from the beginning', async () => {
    for (let count = 0; count < 30; count++) await store([`c${count % 4}`]);
    const projector = project({ batchLength: 4 });
    await projector.caughtUp();
    const before = await rows();
    await database.pool.query('update tallies set count = 99');
    await database.pool.query(`insert into tallies values ('demo', 'ghost', 1, 1, '{}')`);
    await projector.rebuild();
    await store(['c0']);
    await projector.caughtUp();
    expect(await rows()).toEqual({ ...before, c0: (before['c0'] ?? 0) + 1 });
    expect((await journalled()).length).toBe(31);
  });

  it('reads on from an earlier place when the checkpoint was put back', async () => {
    const projector = project({ batchLength: 2 });
    for (let count = 0; count < 5; count++) await store(['a']);
    await projector.caughtUp();
    const other = project();
    await other.rebuild();
    await other.caughtUp();
    await database.pool.query('truncate tallies, journal; update checkpoints set position = 0');
    await other.close();
    await store(['a']);
    await eventually(
      'both have met',
      async () => (await checkpoint()) === 6 && projector.position === 6,
    );
    expect(await rows()).toEqual({ a: 6 });
  });
});
