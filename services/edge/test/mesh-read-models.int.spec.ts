import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { followLedger, memoryLog, type FollowedLedger, type Log } from '@meridian/journal';
import { openDatabase, startPostgres, type Postgres } from '@meridian/readmodel';
import { eventually, temporaryFolder } from '@meridian/testing';
import { openReadModels, type ReadModels } from '../src/projections/index.ts';
import { radiusAt, readRoutes } from '../src/read-api/index.ts';
import { Homes, type Seed } from '../src/homes/homes.ts';
import { aliveElsewhere } from '../src/homes/seed.ts';
import { startEdge, type EdgeUnderTest } from './edge-under-test.ts';
import { MeshHistory } from './mesh-history.ts';

const regions = ['eu', 'us', 'ap'];
const eu = { region: 'eu', home: 'eu' };
const us = { region: 'us', home: 'us' };
const usByEu = { region: 'eu', home: 'us', epoch: 2 };
const folder = temporaryFolder('meridian-mesh-models-');

const initiated = (id: string) =>
  ['meridian.contact.initiated.v1', id, { method: 'INBOUND', channel: 'VOICE' }] as const;
const queued = (id: string) =>
  [
    'meridian.contact.queued.v1',
    id,
    { queueId: 'sales', channel: 'VOICE', requirements: [] },
  ] as const;
const dequeued = (id: string, waitedMs: number) =>
  ['meridian.contact.dequeued.v1', id, { queueId: 'sales', reason: 'TO_AGENT', waitedMs }] as const;
const connected = (id: string) =>
  [
    'meridian.contact.connected_to_agent.v1',
    id,
    { reservationId: `${id}-r1`, agentId: 'ada' },
  ] as const;
const signedIn = (id: string) =>
  [
    'meridian.agent.signed_in.v1',
    id,
    {
      sessionId: 's',
      presence: 'AVAILABLE',
      skills: [],
      capacities: [{ channel: 'VOICE', limit: 1 }],
    },
  ] as const;
const signedOut = (id: string) => ['meridian.agent.signed_out.v1', id, { sessionId: 's' }] as const;

describe('the read models over all homes', () => {
  let postgres: Postgres;
  let databases = 0;
  let url: string;
  let log: Log;
  let history: MeshHistory;
  let ledger: FollowedLedger;
  let edge: EdgeUnderTest;
  let models: ReadModels;
  let notes: string[];
  const open: ReadModels[] = [];

  const start = async (): Promise<ReadModels> => {
    const opened = await openReadModels({
      region: 'eu',
      log,
      databaseUrl: url,
      dataDir: '',
      onLog: (line) => notes.push(line),
      mesh: { regions, ledger: ledger.ledger, ledgerKnown: () => ledger.caughtUp() },
    });
    open.push(opened);
    await opened.ready;
    return opened;
  };
  const caughtUp = (): Promise<unknown> =>
    Promise.all([...models.projectors.values()].map((one) => one.caughtUp()));
  const get = async (path: string): Promise<any> => {
    const response = await fetch(`${edge.url}${path}`, {
      headers: { authorization: `Bearer ${edge.token(['read'])}` },
    });
    const body = (await response.json()) as any;
    return {
      ...body,
      httpStatus: response.status,
      told: response.headers.get('meridian-position'),
    };
  };

  beforeAll(async () => {
    postgres = await startPostgres({ dataDir: folder.path });
  });
  beforeEach(async () => {
    databases += 1;
    const name = `mesh_${databases}`;
    const server = openDatabase({ url: postgres.url });
    await server.pool.query(`create database ${name}`);
    await server.close();
    url = postgres.url.replace(/\/postgres$/, `/${name}`);
    log = memoryLog();
    history = new MeshHistory(log);
    ledger = followLedger(log, regions, () => {});
    notes = [];
    models = await start();
    edge = await startEdge({ log, regions, more: () => readRoutes(models) });
  });
  afterEach(async () => {
    await edge.close();
    for (const one of open.splice(0)) await one.close();
    await ledger.close();
    await log.close();
  });
  afterAll(async () => {
    await postgres.stop();
    folder.remove();
  });

  it('answer for every home, and say how much of each they embody', async () => {
    await history.entry(eu, 'contact', 'c1', [initiated('c1'), queued('c1')]);
    await history.entry(us, 'contact', 'c2', [initiated('c2'), queued('c2')]);
    await history.entry(us, 'contact', 'c2', [dequeued('c2', 30_000), connected('c2')]);
    await caughtUp();
    expect(await get('/v1/contacts/c2')).toMatchObject({
      home: 'us',
      state: 'CONNECTED',
      lastStream: 'EV_us',
      lastSequence: 2,
      position: { stream: 'EV_eu', sequence: 1, places: { 'EV_eu.eu': 1, 'EV_us.us': 2 } },
      told: 'EV_eu.eu:1,EV_us.us:2',
      timeline: [
        { region: 'us', home: 'us', epoch: 1, adoptedFrom: null },
        { sequence: 1 },
        { sequence: 2 },
        { sequence: 2 },
      ],
    });
    const ids = async (query: string): Promise<string[]> =>
      (await get(`/v1/contacts${query}`)).contacts.map(({ id }: { id: string }) => id);
    expect(new Set(await ids(''))).toEqual(new Set(['c1', 'c2']));
    expect(await ids('?home=us')).toEqual(['c2']);
    expect(await ids('?home=ap')).toEqual([]);
    expect((await get('/v1/contacts?home=xx')).httpStatus).toBe(400);
  });

  it('count queues in each home and over all', async () => {
    const created = [
      'meridian.queue.created.v1',
      'sales',
      { settings: { serviceLevelMs: 20_000 } },
    ] as const;
    await history.entry(eu, 'routing', 'eu', [created]);
    await history.entry(us, 'routing', 'us', [created]);
    await history.entry(eu, 'contact', 'c1', [initiated('c1'), queued('c1')]);
    await history.entry(eu, 'contact', 'c3', [
      initiated('c3'),
      queued('c3'),
      dequeued('c3', 10_000),
    ]);
    await history.entry(us, 'contact', 'c2', [
      initiated('c2'),
      queued('c2'),
      dequeued('c2', 30_000),
    ]);
    await caughtUp();
    const queue = await get('/v1/queues/sales');
    expect(queue).toMatchObject({
      id: 'sales',
      settings: { serviceLevelMs: 20_000 },
      waiting: 3,
      totals: { queued: 3, answered: 2, answeredWithinServiceLevel: 1, sumWaitMs: 40_000 },
      serviceLevel: 0.5,
      averageSpeedOfAnswerMs: 20_000,
      homes: [
        { home: 'eu', waiting: 2, totals: { queued: 2, answered: 1 }, serviceLevel: 1 },
        { home: 'us', waiting: 1, totals: { queued: 1, answered: 1 }, serviceLevel: 0 },
      ],
    });
    const { queues } = await get('/v1/queues');
    expect(queues).toHaveLength(1);
    expect(queues[0].homes).toEqual(queue.homes);
  });

  it('show an agent where it is signed in', async () => {
    await history.entry(us, 'routing', 'us', [signedIn('ada')]);
    await history.entry(us, 'routing', 'us', [signedOut('ada')]);
    await history.entry(eu, 'routing', 'eu', [signedIn('ada'), signedIn('bob')]);
    await history.entry(us, 'routing', 'us', [signedIn('eve')]);
    await caughtUp();
    expect(await get('/v1/agents/ada')).toMatchObject({ home: 'eu', presence: 'AVAILABLE' });
    const homes = (answer: any): string[][] => answer.agents.map((one: any) => [one.id, one.home]);
    expect(homes(await get('/v1/agents'))).toEqual([
      ['ada', 'eu'],
      ['bob', 'eu'],
      ['eve', 'us'],
    ]);
    expect(homes(await get('/v1/agents?home=us&limit=1'))).toEqual([['ada', 'us']]);
    expect(await radiusAt(models, 'us')).toEqual({
      contacts: { open: 0, waiting: 0, offered: 0, connected: 0 },
      agents: { signedIn: 1 },
    });
  });

  it('go on with the next owner, and show where it took over', async () => {
    const first = await history.entry(us, 'contact', 'c1', [initiated('c1'), queued('c1')]);
    await history.ownership('us', 2, 'eu', [{ epoch: 1, owner: 'us', upTo: first }]);
    await history.entry(usByEu, 'contact', 'c1', [dequeued('c1', 5_000), connected('c1')]);
    await eventually(
      'it is connected',
      async () => (await get('/v1/contacts/c1')).state === 'CONNECTED',
    );
    const contact = await get('/v1/contacts/c1');
    expect(contact).toMatchObject({ home: 'us', lastStream: 'EV_eu', revision: 3 });
    expect(
      contact.timeline.map((one: any) => [one.type, one.region, one.epoch, one.adoptedFrom]),
    ).toEqual([
      ['meridian.contact.initiated.v1', 'us', 1, null],
      ['meridian.contact.queued.v1', 'us', 1, null],
      ['meridian.contact.dequeued.v1', 'eu', 2, `EV_us:${first}`],
      ['meridian.contact.connected_to_agent.v1', 'eu', 2, null],
    ]);
    expect(await radiusAt(models, 'us')).toMatchObject({ contacts: { open: 1, connected: 1 } });
  });

  it('are made anew for a home of which they hold what does not count', async () => {
    const seal = await history.entry(us, 'contact', 'c1', [initiated('c1'), queued('c1')]);
    await history.entry(us, 'contact', 'orphan', [initiated('orphan'), queued('orphan')]);
    await history.entry(eu, 'contact', 'c2', [initiated('c2'), queued('c2')]);
    await caughtUp();
    expect((await get('/v1/queues/sales')).totals.queued).toBe(3);
    await history.ownership('us', 2, 'eu', [{ epoch: 1, owner: 'us', upTo: seal }]);
    await eventually(
      'the orphan is gone',
      async () => (await get('/v1/contacts/orphan')).httpStatus === 404,
    );
    await history.entry(usByEu, 'contact', 'c3', [initiated('c3'), queued('c3')]);
    await eventually('it goes on', async () => (await get('/v1/queues/sales')).totals.queued === 3);
    expect((await get('/v1/queues/sales')).homes).toMatchObject([
      { home: 'eu', totals: { queued: 1 } },
      { home: 'us', totals: { queued: 2 } },
    ]);
    expect(notes.filter((note) => note.includes('anew'))).toHaveLength(1);
  });

  it('are made anew at the start, when that became known while they were away', async () => {
    const seal = await history.entry(us, 'contact', 'c1', [initiated('c1')]);
    await history.entry(us, 'contact', 'orphan', [initiated('orphan')]);
    await caughtUp();
    await models.close();
    await history.ownership('us', 2, 'eu', [{ epoch: 1, owner: 'us', upTo: seal }]);
    await ledger.caughtUp();
    models = await start();
    await caughtUp();
    const contacts = await models.database.pool.query('select id from contacts order by id');
    expect(contacts.rows).toEqual([{ id: 'c1' }]);
    // A third start finds nothing to do.
    await models.close();
    notes = [];
    models = await start();
    await caughtUp();
    expect(notes.filter((note) => note.includes('anew'))).toEqual([]);
  });

  it('say who lives elsewhere, so that the directory need not read all of it', async () => {
    await history.entry(us, 'contact', 'c1', [initiated('c1')]);
    await history.entry(us, 'contact', 'gone', [
      initiated('gone'),
      ['meridian.contact.completed.v1', 'gone'],
    ]);
    await history.entry(eu, 'contact', 'own', [initiated('own')]);
    const reservation = { contactId: 'c1', agentId: 'ada', channel: 'VOICE' };
    await history.entry(us, 'routing', 'us', [
      signedIn('ada'),
      signedIn('bob'),
      ['meridian.reservation.created.v1', 'c1-r1', reservation],
    ]);
    await history.entry(us, 'routing', 'us', [signedOut('bob')]);
    await caughtUp();
    const seed = await aliveElsewhere(models, { live: 10 });
    const { places, alive } = seed as Seed;
    expect(places).toEqual({ 'EV_eu.eu': 1, 'EV_us.us': 4 });
    expect(new Set(alive.map(({ entity, id, home }) => `${entity} ${id} ${home}`))).toEqual(
      new Set(['contact c1 us', 'agent ada us', 'reservation c1-r1 us']),
    );
    const read: number[] = [];
    const watched: Log = {
      ...log,
      lastSequence: (...asked) => log.lastSequence(...asked),
      follow: (stream, options, onMessage) => {
        if (stream === 'EV_us') read.push(options.after);
        return log.follow(stream, options, onMessage);
      },
    };
    const known = { ledger: ledger.ledger, ledgerKnown: () => ledger.caughtUp() };
    const faults: unknown[] = [];
    const onFault = (error: unknown): void => {
      faults.push(error);
    };
    const homes = new Homes({ log: watched, ...known, region: 'eu', regions, onFault });
    homes.start(() => Promise.resolve(seed));
    await history.entry(us, 'contact', 'c2', [initiated('c2')]);
    await eventually('it follows', () => homes.directory.find('demo', 'contact', 'c2') === 'us');
    expect(homes.directory.find('demo', 'reservation', 'c1-r1')).toBe('us');
    expect(homes.directory.find('demo', 'contact', 'c1')).toBe('us');
    expect(homes.directory.find('demo', 'agent', 'bob')).toBeUndefined();
    expect([read, faults]).toEqual([[4], []]);
    await homes.close();
  });

  it('do not keep requests out for what a lost region took with it', async () => {
    const seal = await history.entry(us, 'contact', 'c1', [initiated('c1')]);
    await history.ownership('us', 2, 'eu', [{ epoch: 1, owner: 'us', upTo: seal + 5 }]);
    const faults: unknown[] = [];
    const homes = new Homes({
      log,
      ledger: ledger.ledger,
      ledgerKnown: () => ledger.caughtUp(),
      region: 'eu',
      regions,
      onFault: (error) => faults.push(error),
      readyLimitMs: 50,
    });
    homes.start();
    await eventually('it takes requests in', () => homes.isReady);
    expect(homes.directory.find('demo', 'contact', 'c1')).toBe('us');
    expect(String(faults[0])).toContain('do not hold all that counts');
    await homes.close();
  });

  it('wait for what is asked for in any stream', async () => {
    const sequence = await history.entry(us, 'contact', 'c1', [initiated('c1')]);
    expect(await get(`/v1/contacts/c1?atLeast=EV_us:${sequence}`)).toMatchObject({ id: 'c1' });
    const later = get(`/v1/contacts/c2?atLeast=EV_us:${sequence + 1}`);
    await history.entry(us, 'contact', 'c2', [initiated('c2')]);
    expect(await later).toMatchObject({ id: 'c2' });
    expect(await get('/v1/contacts?atLeast=EV_us:99')).toMatchObject({
      httpStatus: 503,
      type: 'urn:meridian:problem:read-models-behind',
    });
    for (const wrong of ['EV_xx:1', 'EV_us', '-1', 'x', 'EV_us:1,EV_us:2', '']) {
      expect((await get(`/v1/contacts?atLeast=${wrong}`)).httpStatus).toBe(400);
    }
  });
});
