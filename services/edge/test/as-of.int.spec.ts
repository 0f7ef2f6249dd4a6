import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import {
  followLedger,
  Ledger,
  memoryLog,
  type Log,
  type LogMessage,
  type MessageToAppend,
} from '@meridian/journal';
import { openDatabase, startPostgres, type Postgres } from '@meridian/readmodel';
import { temporaryFolder } from '@meridian/testing';
import { openReadModels, type ReadModels } from '../src/projections/index.ts';
import { asOfRoutes, readRoutes } from '../src/read-api/index.ts';
import { FloorFold } from '../src/read-api/as-of/floor.ts';
import { startEdge, type EdgeUnderTest } from './edge-under-test.ts';
import { randomHistory } from './history.ts';
import { MeshHistory } from './mesh-history.ts';

const folder = temporaryFolder('meridian-as-of-');
const closing: (() => unknown)[] = [];
let postgres: Postgres;
let databases = 0;

beforeAll(async () => {
  postgres = await startPostgres({ dataDir: folder.path });
});
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});
afterAll(async () => {
  await postgres.stop();
  folder.remove();
});

/** Read models of a log of their own, which ends where they are to stop. */
async function stoppedModels(log: Log): Promise<ReadModels> {
  const name = `as_of_${++databases}`;
  const server = openDatabase({ url: postgres.url });
  await server.pool.query(`create database ${name}`);
  await server.close();
  const databaseUrl = postgres.url.replace(/\/postgres$/, `/${name}`);
  const models = await openReadModels({ region: 'eu', log, databaseUrl, dataDir: '' });
  closing.push(() => models.close());
  await models.ready;
  await models.projector.caughtUp();
  return models;
}

async function logOf(messages: readonly MessageToAppend[]): Promise<Log> {
  const log = memoryLog();
  closing.push(() => log.close());
  for (const message of messages) await log.append('EV_eu', message);
  return log;
}

async function edgeOf(options: Parameters<typeof startEdge>[0]): Promise<EdgeUnderTest> {
  const edge = await startEdge(options);
  closing.push(() => edge.close());
  return edge;
}

/** An edge that knows the past of a log. */
async function edgeOfPast(log: Log, regions = ['eu'], limits?: object): Promise<EdgeUnderTest> {
  const followed = regions.length > 1 ? followLedger(log, regions, () => {}) : undefined;
  if (followed !== undefined) closing.push(() => followed.close());
  const past = asOfRoutes({
    log,
    region: 'eu',
    regions,
    ledger: followed?.ledger ?? new Ledger(),
    ledgerKnown: async () => followed?.caughtUp(),
    ...(limits === undefined ? {} : { limits: limits as never }),
  });
  closing.push(() => past.close());
  return edgeOf({ log, regions, more: () => past.routes });
}

async function get(edge: EdgeUnderTest, path: string): Promise<any> {
  const response = await fetch(`${edge.url}${path}`, {
    headers: { authorization: `Bearer ${edge.token(['read'])}` },
  });
  return { status: response.status, body: (await response.json()) as any };
}

/** All rows of a list, page by page, as the very text that was sent. */
async function pages(edge: EdgeUnderTest, base: string, noun: string): Promise<string[]> {
  const rows: string[] = [];
  let after = '';
  for (;;) {
    const { status, body } = await get(edge, `${base}/${noun}?limit=7${after}`);
    expect(status).toBe(200);
    rows.push(...body[noun].map((row: unknown) => JSON.stringify(row)));
    if (body.next === null) return rows;
    after = `&after=${body.next}`;
  }
}

describe('the floor as of a moment', () => {
  const history = randomHistory({ seed: 'as of', entries: 1_500 });
  const timeAt = (place: number): string =>
    /"time":"([^"]*)"/.exec(String(history[place - 1]?.data))?.[1] ?? '';
  /** A place after which the time goes on. */
  const stop = [...history.keys()].find((at) => at > 900 && timeAt(at) < timeAt(at + 1)) as number;

  it('has the bytes of read models that stopped there, by place and by time', async () => {
    const models = await stoppedModels(await logOf(history.slice(0, stop)));
    const stopped = await edgeOf({ more: () => readRoutes(models) });
    const edge = await edgeOfPast(await logOf(history));
    for (const noun of ['contacts', 'agents', 'queues']) {
      const expected = await pages(stopped, '/v1', noun);
      expect(expected.length).toBeGreaterThan(2);
      expect(await pages(edge, `/v1/as-of/EV_eu:${stop}`, noun)).toEqual(expected);
      expect(await pages(edge, `/v1/as-of/${timeAt(stop)}`, noun)).toEqual(expected);
      const [first] = expected.map((row) => JSON.parse(row) as { id: string });
      const { position: _, ...one } = (await get(stopped, `/v1/${noun}/${first?.id}`)).body;
      const { asOf: __, ...then } = (await get(edge, `/v1/as-of/${stop}/${noun}/${first?.id}`))
        .body;
      expect(JSON.stringify(then)).toBe(JSON.stringify(one));
    }
    const queued = await get(stopped, '/v1/contacts?state=QUEUED,OFFERED&limit=500');
    const then = await get(
      edge,
      `/v1/as-of/${timeAt(stop)}/contacts?state=QUEUED,OFFERED&limit=500`,
    );
    expect(then.body.contacts).toEqual(queued.body.contacts);
    expect(then.body.asOf).toEqual({
      moment: timeAt(stop),
      places: { 'EV_eu.eu': lastOf(history.slice(0, stop)) },
      final: true,
    });
  });

  it('gives every contact alone as read models that stopped there had it', async () => {
    const models = await stoppedModels(await logOf(history.slice(0, stop)));
    const stopped = await edgeOf({ more: () => readRoutes(models) });
    const edge = await edgeOfPast(await logOf(history));
    for (const row of await pages(stopped, '/v1', 'contacts')) {
      const { id } = JSON.parse(row) as { id: string };
      const { position: _, ...expected } = (await get(stopped, `/v1/contacts/${id}`)).body;
      const found = await get(edge, `/v1/as-of/${timeAt(stop)}/contacts/${id}`);
      expect(JSON.stringify(found.body)).toBe(JSON.stringify(expected));
    }
    expect((await get(edge, `/v1/as-of/1/contacts/nobody`)).status).toBe(404);
  });

  it('refuses what is no moment, and what would take too much', async () => {
    const edge = await edgeOfPast(await logOf(history.slice(0, 300)), ['eu'], {
      entries: 100,
      contacts: 1_000,
      durationMs: 60_000,
    });
    for (const wrong of ['yesterday', '2026-13-01T00:00:00Z', 'EV_us:1', 'EV_eu:1,EV_eu:2']) {
      expect((await get(edge, `/v1/as-of/${wrong}/agents`)).body.type).toBe(
        'urn:meridian:problem:invalid-parameter',
      );
    }
    expect((await get(edge, '/v1/as-of/300/agents?limit=0')).status).toBe(400);
    expect((await get(edge, '/v1/as-of/20/agents')).status).toBe(200);
    expect((await get(edge, '/v1/as-of/300/agents')).body.detail).toContain(
      'more than 100 entries',
    );
  });

  it('holds no contact that has ended unless it is asked for', async () => {
    const log = await logOf(history);
    const [living, all] = [new FloorFold(false), new FloorFold(true)];
    const messages: LogMessage[] = [];
    for await (const batch of log.replayBatches('EV_eu')) messages.push(...batch);
    living.take(messages);
    all.take(messages);
    const open = all
      .floor()
      .contacts.filter(({ endedAt }) => endedAt === null)
      .map(({ id }) => id);
    expect(living.floor().contacts.map(({ id }) => id)).toEqual(open);
    expect(open.length).toBeLessThan(all.floor().contacts.length);
  });
});

/** The last entry of the tenant `demo`. */
function lastOf(messages: readonly MessageToAppend[]): number {
  return messages.findLastIndex(({ subject }) => subject.includes('.demo.')) + 1;
}

describe('the floor of several regions as of a moment', () => {
  const regions = ['ap', 'eu', 'us'];
  const us = { region: 'us', home: 'us' };
  const usByEu = { region: 'eu', home: 'us', epoch: 2 };
  const begin = (id: string) =>
    [
      ['meridian.contact.initiated.v1', id, { method: 'INBOUND', channel: 'VOICE' }],
      ['meridian.contact.queued.v1', id, { queueId: 'sales', channel: 'VOICE', requirements: [] }],
    ] as const;

  it('leaves out what lies beyond a seal, and goes on with the next owner', async () => {
    const log = memoryLog();
    closing.push(() => log.close());
    const history = new MeshHistory(log);
    await history.entry({ region: 'eu', home: 'eu' }, 'contact', 'c0', begin('c0'));
    const seal = await history.entry(us, 'contact', 'c1', begin('c1'));
    const orphan = await history.entry(us, 'contact', 'orphan', begin('orphan'));
    const began = await history.ownership('us', 2, 'eu', [{ epoch: 1, owner: 'us', upTo: seal }]);
    const served = await history.entry(usByEu, 'contact', 'c1', [
      ['meridian.contact.dequeued.v1', 'c1', { queueId: 'sales', reason: 'TO_AGENT', waitedMs: 5 }],
      ['meridian.contact.connected_to_agent.v1', 'c1', { agentId: 'ada', reservationId: 'c1-r1' }],
    ]);
    const edge = await edgeOfPast(log, regions);
    const at = (eu: number, them: number): string => `/v1/as-of/EV_ap:0,EV_eu:${eu},EV_us:${them}`;
    const states = async (path: string): Promise<unknown> =>
      (await get(edge, `${path}/contacts`)).body.contacts.map((one: any) => [one.id, one.state]);
    expect(await states(at(served, orphan))).toEqual([
      ['c1', 'CONNECTED'],
      ['c0', 'QUEUED'],
    ]);
    expect(await states(at(began, orphan))).toEqual([
      ['c1', 'QUEUED'],
      ['c0', 'QUEUED'],
    ]);
    expect(await states(at(served, 0))).toEqual([['c0', 'QUEUED']]);
    const queue = (await get(edge, `${at(served, orphan)}/queues/sales`)).body;
    expect(queue).toMatchObject({ waiting: 1, totals: { queued: 2, answered: 1 } });
    expect(queue.asOf.places).toEqual({ 'EV_eu.eu': 1, 'EV_eu.us': served, 'EV_us.us': seal });
    const contact = (await get(edge, `${at(served, orphan)}/contacts/c1`)).body;
    expect(contact).toMatchObject({
      state: 'CONNECTED',
      lastStream: 'EV_eu',
      timelineComplete: true,
    });
    expect(contact.timeline.map((one: any) => one.region)).toEqual(['us', 'us', 'eu', 'eu']);
    expect((await get(edge, `${at(served, orphan)}/contacts/orphan`)).status).toBe(404);
    expect((await get(edge, '/v1/as-of/EV_eu:1/contacts')).body.detail).toContain('EV_ap, EV_us');
  });
});
