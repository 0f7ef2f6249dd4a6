import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { seeded } from '@meridian/core';
import { memoryLog, type Log, type LogMessage } from '@meridian/journal';
import {
  decodeForProjection,
  isRowProjection,
  openDatabase,
  startPostgres,
  type Postgres,
  type Row,
} from '@meridian/readmodel';
import { temporaryFolder } from '@meridian/testing';
import { getTableColumns, getTableName } from 'drizzle-orm';
import type { ApiKey } from '@meridian/keys';
import { Refusal } from '../src/domain/problem.ts';
import { readQuery } from '../src/domain/query.ts';
import type { Call, KeyedRoute } from '../src/http/route.ts';
import { openReadModels, projections, type ReadModels } from '../src/projections/index.ts';
import { readRoutes } from '../src/read-api/index.ts';
import { randomHistory } from './history.ts';
import { rowsAfter } from './recorded.ts';

const stream = 'EV_eu';
const folder = temporaryFolder('meridian-read-models-');
const open: ReadModels[] = [];
let postgres: Postgres;
let log: Log;
let databases = 0;

beforeAll(async () => {
  postgres = await startPostgres({ dataDir: folder.path });
});

beforeEach(() => {
  log = memoryLog();
});

afterEach(async () => {
  for (const models of open.splice(0)) await models.close();
  await log.close();
});

afterAll(async () => {
  await postgres.stop();
  folder.remove();
});

/** A database of its own for each test. */
async function newDatabase(): Promise<string> {
  const server = openDatabase({ url: postgres.url });
  const name = `test_${++databases}`;
  await server.pool.query(`create database ${name}`);
  await server.close();
  return postgres.url.replace(/\/postgres$/, `/${name}`);
}

async function openModels(databaseUrl: string): Promise<ReadModels> {
  const models = await openReadModels({ region: 'eu', log, databaseUrl, dataDir: '' });
  open.push(models);
  return models;
}

async function storeHistory(seed: number, entries: number): Promise<void> {
  for (const message of randomHistory({ seed, entries })) await log.append(stream, message);
}

const byKey = (a: string, b: string): number => (a < b ? -1 : 1);

/** All rows of the database, by table, in a fixed order. */
async function stored(models: ReadModels): Promise<Record<string, string[]>> {
  const result: Record<string, string[]> = {};
  for (const { table } of projections) {
    const rows = (await models.database.db.select().from(table)) as Row[];
    result[getTableName(table)] = rows.map(canonical).sort(byKey);
  }
  return result;
}

/** The rows that folding the log one event at a time gives, without a database. */
async function folded(): Promise<Record<string, string[]>> {
  const messages: LogMessage[] = [];
  for await (const message of log.replay(stream)) messages.push(message);
  const events = messages.flatMap((message) => [...decodeForProjection(message).events]);
  return Object.fromEntries(
    projections.map((projection) => {
      const rows = isRowProjection(projection)
        ? [...rowsAfter(projection, events).values()]
        : events.flatMap((event) => [...projection.rows(event)] as Row[]);
      return [getTableName(projection.table), rows.map(canonical).sort(byKey)];
    }),
  );
}

/** Postgres keeps the keys of a JSON object in an order of its own. */
function canonical(row: Row): string {
  return JSON.stringify(row, (_key, value: unknown) =>
    value !== null && typeof value === 'object' && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => byKey(a, b)))
      : value,
  );
}

describe('the read models', () => {
  it.each([1, 2, 3, 4, 5, 6])(
    'are the fold of the log, in whatever batches and restarts (seed %i)',
    async (seed) => {
      const random = seeded(`batches ${seed}`);
      const url = await newDatabase();
      const messages = randomHistory({ seed, entries: 700 });
      for (let at = 0; at < messages.length;) {
        const until = at + 1 + random.int(150);
        for (const message of messages.slice(at, until)) await log.append(stream, message);
        at = until;
        const models = await openModels(url);
        if (random.int(3) > 0) await models.projector.caughtUp();
        await models.close();
      }
      const models = await openModels(url);
      await models.projector.caughtUp();
      const expected = await folded();
      expect(expected['timeline']?.length).toBeGreaterThan(500);
      expect(await stored(models)).toEqual(expected);
    },
  );

  it('are the same after they were built again', async () => {
    await storeHistory(7, 900);
    const models = await openModels(await newDatabase());
    await models.projector.caughtUp();
    const before = await stored(models);
    await models.projector.rebuild();
    await models.projector.caughtUp();
    expect(await stored(models)).toEqual(before);
    expect(before).toEqual(await folded());
  });

  it('have the tables that their migrations make, column for column', async () => {
    const models = await openModels(await newDatabase());
    await models.ready;
    for (const { table } of projections) {
      const { rows } = await models.database.pool.query<{ name: string; nullable: string }>(
        `select column_name as name, is_nullable as nullable from information_schema.columns
         where table_name = $1 order by 1`,
        [getTableName(table)],
      );
      const columns = Object.values(getTableColumns(table)).map(({ name, notNull }) => ({
        name,
        nullable: notNull ? 'NO' : 'YES',
      }));
      expect(rows).toEqual(columns.sort((a, b) => byKey(a.name, b.name)));
    }
  });
});

const key = (tenant: string): ApiKey => ({
  id: 'k',
  hash: '',
  tenant,
  scopes: ['read'],
  label: '',
  createdAt: '',
});

interface Answered {
  readonly headers: Record<string, unknown>;
  readonly body: Record<string, any>;
}

/** Calls a route as the server does, with the query as a client writes it. */
async function get(models: ReadModels, path: string, tenant = 'demo'): Promise<Answered> {
  const url = new URL(path, 'http://edge');
  const segments = url.pathname.split('/');
  const route = readRoutes(models).find((one) => {
    const parts = one.path.split('/');
    return (
      parts.length === segments.length &&
      parts.every((part, at) => part === segments[at] || part === '{id}')
    );
  }) as KeyedRoute;
  const headers: Record<string, unknown> = {};
  const reply = {
    header: (name: string, value: unknown) => {
      headers[name] = value;
    },
  };
  const query = readQuery(Object.fromEntries(url.searchParams), route.query ?? {});
  const parameters = { id: segments[3] ?? '' };
  const result = await route.handle({
    key: key(tenant),
    parameters,
    query,
    reply,
  } as unknown as Call);
  return { headers, body: JSON.parse(JSON.stringify(result)) as Record<string, any> };
}

async function problemOf(answer: Promise<unknown>): Promise<Record<string, unknown>> {
  const error = await answer.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof Refusal) return { ...error.problem };
  throw error ?? new Error('it was not refused');
}

describe('the read API', () => {
  let models: ReadModels;

  beforeEach(async () => {
    await storeHistory(11, 1_500);
    models = await openModels(await newDatabase());
    await models.projector.caughtUp();
  });

  it('answers with a contact, its whole timeline, and the position it embodies', async () => {
    const {
      body: {
        contacts: [first],
      },
    } = await get(models, '/v1/contacts?state=COMPLETED&limit=1');
    const { body, headers } = await get(models, `/v1/contacts/${first.id}`);
    expect(headers['Meridian-Position']).toBe('EV_eu:1500');
    expect(body).toMatchObject({
      ...first,
      timelineComplete: true,
      position: { stream, sequence: 1_500 },
    });
    expect(body).not.toHaveProperty('tenant');
    const types = body['timeline'].map(({ type }: { type: string }) => type);
    expect(types[0]).toBe('meridian.contact.initiated.v1');
    expect(types).toContain('meridian.reservation.created.v1');
    expect(types).toContain('meridian.routing.decided.v1');
    expect(types.at(-1)).toBe('meridian.reservation.completed.v1');
    const places = body['timeline'].map(({ sequence, index }: any) => sequence * 1_000 + index);
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(body['timeline'][0].event).toMatchObject({
      specversion: '1.0',
      subject: first.id,
      tenant: 'demo',
    });
  });

  it('lists every contact once, page by page, the newest first', async () => {
    const all = (
      await models.database.pool.query<{ id: string }>(
        `select id from contacts where tenant = 'demo' order by initiated_at desc, id desc`,
      )
    ).rows.map(({ id }) => id);
    const listed: string[] = [];
    let after = '';
    do {
      const { body } = await get(models, `/v1/contacts?limit=7${after}`);
      listed.push(...body['contacts'].map(({ id }: { id: string }) => id));
      after = body['next'] === null ? '' : `&after=${body['next']}`;
    } while (after !== '');
    expect(all.length).toBeGreaterThan(50);
    expect(listed).toEqual(all);
  });

  it('filters by states and queue', async () => {
    const { body } = await get(models, '/v1/contacts?state=ABANDONED,FAILED&queue=q1&limit=500');
    const counted = await models.database.pool.query<{ n: number }>(
      `select count(*)::int as n from contacts
       where tenant = 'demo' and queue_id = 'q1' and state in ('ABANDONED', 'FAILED')`,
    );
    expect(body['contacts'].length).toBe(counted.rows[0]?.n);
    expect(body['contacts'].length).toBeGreaterThan(0);
    for (const contact of body['contacts']) {
      expect(['ABANDONED', 'FAILED']).toContain(contact.state);
      expect(contact.queueId).toBe('q1');
    }
  });

  it('says of each queue who waits, since when, and how well it does', async () => {
    const { body } = await get(models, '/v1/queues');
    for (const queue of body['queues']) {
      const {
        rows: [waiting],
      } = await models.database.pool.query<{ n: number; since: Date | null }>(
        `select count(*)::int as n, min(queued_at) as since from contacts
         where tenant = 'demo' and queue_id = $1 and state in ('QUEUED', 'OFFERED')`,
        [queue.id],
      );
      expect(queue.waiting).toBe(waiting?.n);
      expect(queue.longestWaitingSince).toBe(waiting?.since?.toISOString() ?? null);
      const { answered, abandoned, reaped, queued, sumWaitMs } = queue.totals;
      expect(queued).toBe(answered + abandoned + reaped + queue.waiting);
      expect(queue.averageSpeedOfAnswerMs).toBe(sumWaitMs / answered);
      const { body: alone } = await get(models, `/v1/queues/${queue.id}`);
      expect(alone).toEqual({ ...queue, position: body['position'] });
    }
    expect(body['queues'].length).toBeGreaterThan(0);
  });

  it('says of each agent what the channels do', async () => {
    const { body } = await get(models, '/v1/agents?limit=2');
    expect(body['agents'].map(({ id }: { id: string }) => id)).toEqual(['a0', 'a1']);
    expect(body['next']).toBe('a1');
    const [agent] = body['agents'];
    expect(agent.channels.map(({ channel }: { channel: string }) => channel)).toEqual([
      'VOICE',
      'CHAT',
    ]);
    const { body: alone } = await get(models, '/v1/agents/a0');
    expect(alone).toEqual({ ...agent, position: body['position'] });
  });

  it('shows a key nothing of another tenant', async () => {
    const [mine, other] = await Promise.all(
      ['demo', 'other'].map((tenant) => get(models, '/v1/contacts?limit=500', tenant)),
    );
    const total = await models.database.pool.query<{ n: number }>(
      'select count(*)::int as n from contacts',
    );
    expect(mine?.body['contacts'].length + other?.body['contacts'].length).toBe(total.rows[0]?.n);
    expect(await get(models, '/v1/contacts', 'nobody')).toMatchObject({
      body: { contacts: [], next: null },
    });
    expect(await problemOf(get(models, '/v1/agents/a0', 'nobody'))).toMatchObject({ status: 404 });
  });

  it('waits for what a client has just written', async () => {
    const waiting = get(models, '/v1/agents?atLeast=1501');
    await log.append(stream, randomHistory({ seed: 11, entries: 1_501 })[1_500]!);
    const { body } = await waiting;
    expect(body['position']).toEqual({ stream, sequence: 1_501 });
  });

  it('refuses, and says so, when the read models do not get there', async () => {
    expect(await problemOf(get(models, '/v1/agents?atLeast=99999'))).toMatchObject({
      type: 'urn:meridian:problem:read-models-behind',
      status: 503,
      position: { stream, sequence: 1_500 },
    });
  });

  it.each([
    ['limit=0', '/query/limit'],
    ['limit=501', '/query/limit'],
    ['limit=x', '/query/limit'],
    ['state=ASLEEP', '/query/state'],
    ['queue=a.b', '/query/queue'],
    ['after=never-there', '/query/after'],
    ['after=%00', '/query/after'],
    ['atLeast=-1', '/query/atLeast'],
    ['colour=red', '/query/colour'],
  ])('refuses ?%s and names the parameter', async (query, pointer) => {
    expect(await problemOf(get(models, `/v1/contacts?${query}`))).toMatchObject({
      status: 400,
      errors: [{ pointer }],
    });
  });

  it.each(['contacts/none', 'queues/none', 'agents/none', 'contacts/%00'])(
    'knows no %s',
    async (path) => {
      expect(await problemOf(get(models, `/v1/${path}`))).toMatchObject({
        status: 404,
        title: expect.any(String),
      });
    },
  );

  it('answers 503 while the database is away', async () => {
    process.kill(postgres.pid, 'SIGKILL');
    expect(await problemOf(get(models, '/v1/agents'))).toMatchObject({
      type: 'urn:meridian:problem:read-models-unavailable',
      status: 503,
    });
  });
});
