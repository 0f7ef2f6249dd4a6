import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { NatsConnection } from '@nats-io/nats-core';
import { connectNats, ensureStreams, jetstreamLog, type Log } from '@meridian/journal';
import { natsBeat, progressSubject, type Beat, type RecoveryStatus } from '@meridian/nest';
import { eventually, startNatsServer, type NatsServer } from '@meridian/testing';
import { initiate, post } from './edge-under-test.ts';
import { MeshHistory } from './mesh-history.ts';
import { startNestEdge, type NestEdge } from './nest-edge.ts';

const regions = ['eu', 'us', 'ap'];
const json = { 'content-type': 'application/json' };

describe('the routes about regions', () => {
  let server: NatsServer;
  let nats: NatsConnection;
  let log: Log;
  let beat: Beat;
  let edge: NestEdge;
  let history: MeshHistory;

  const get = async (path: string, token = edge.token): Promise<{ status: number; body: any }> => {
    const response = await fetch(`${edge.url}${path}`, {
      headers: { authorization: `Bearer ${token}` },
    });
    return { status: response.status, body: await response.json() };
  };
  const ask = (path: string, body: unknown, token = edge.token) =>
    post(edge.url, token, JSON.stringify(body), json, path);
  const status: RecoveryStatus = {
    region: 'eu',
    owners: { eu: 'eu', us: 'us', ap: 'ap' },
    epochs: { eu: 1, us: 1, ap: 1 },
    leases: { eu: { ageMs: 10 }, us: { ageMs: 20 }, ap: { ageMs: 30 } },
    links: { us: { events: 2, ms: 15 } },
    isolated: false,
    riskMs: 15,
    control: 'ok',
    failovers: [],
  };
  const say = (more: Partial<RecoveryStatus> = {}): void =>
    beat.publish('beat.eu.recovery.status', JSON.stringify({ ...status, ...more }));
  const heard = (): Promise<unknown> =>
    eventually('recovery is heard', async () => {
      say();
      return (await get('/v1/regions')).body.recovery !== null;
    });

  beforeAll(async () => {
    server = await startNatsServer();
    nats = await connectNats({ servers: server.url });
    for (const region of regions) await ensureStreams(nats, region, { development: true });
    log = await jetstreamLog({ connection: nats });
    beat = natsBeat(nats, 'eu');
    history = new MeshHistory(log);
    edge = await startNestEdge({ natsUrl: server.url, regions });
  });
  afterAll(async () => {
    await edge.close();
    await log.close();
    await nats.close();
    await server.stop();
  });

  it('say what the log knows while recovery is silent', async () => {
    const { body } = await get('/v1/regions');
    expect(body).toMatchObject({
      region: 'eu',
      regions: [{ region: 'ap', owns: ['ap'], lease: null }, { region: 'eu' }, { region: 'us' }],
      homes: [
        { home: 'ap', owner: 'ap', epoch: 1 },
        { home: 'eu', state: 'ACTIVE' },
        { home: 'us' },
      ],
      recovery: null,
      control: null,
      intakeOpen: true,
    });
    expect(await ask('/v1/failovers', { home: 'eu', to: 'us', kind: 'PLANNED' })).toMatchObject({
      status: 503,
      body: { type: 'urn:meridian:problem:recovery-away' },
    });
  });

  it('say what recovery says, and show the seals of the log', async () => {
    await history.ownership('ap', 2, 'us', [{ epoch: 1, owner: 'ap', upTo: 0 }]);
    await heard();
    await eventually(
      'the ledger knows',
      async () => (await get('/v1/regions')).body.homes[0].epoch === 2,
    );
    const { body } = await get('/v1/regions');
    expect(body).toMatchObject({
      regions: [
        { region: 'ap', owns: [], lease: { holder: 'ap' } },
        { region: 'eu', owns: ['eu'], isolated: false, control: 'ok' },
        { region: 'us', owns: ['ap', 'us'] },
      ],
      homes: [
        { home: 'ap', owner: 'us', epoch: 2, seals: [{ epoch: 1, owner: 'ap', upTo: 0 }] },
        { home: 'eu', owner: 'eu' },
        { home: 'us', owner: 'us' },
      ],
      links: [{ from: 'eu', to: 'us', events: 2, ms: 15 }],
      atRisk: { ms: 15 },
      control: 'ok',
    });
    const before = body.atRisk.messages.IN_eu;
    await post(edge.url, edge.token, initiate('risky'));
    expect((await get('/v1/regions')).body.atRisk.messages.IN_eu).toBe(before + 1);
  });

  it('plan a failover, with what the deciders have still to read', async () => {
    await post(edge.url, edge.token, initiate('unread'));
    const last = await log.lastSequence('IN_eu', 'in.eu.*.eu.contact.*');
    const reads = [
      { stream: 'IN_eu', filter: 'in.eu.*.eu.contact.*', position: last - 1 },
      { stream: 'IN_eu', filter: 'in.eu.*.us.contact.*', position: 0 },
    ];
    const progress = { service: 'sessions', instance: 'a', clock: null, nextDueMs: null, reads };
    await eventually('the plan says so', async () => {
      say();
      beat.publish(progressSubject('eu', 'sessions'), JSON.stringify(progress));
      const { body } = await get('/v1/regions/eu/plan?to=us');
      return body.blastRadius?.intakeBehind === 1;
    });
    expect((await get('/v1/regions/eu/plan?to=us')).body).toMatchObject({
      home: 'eu',
      from: 'eu',
      to: 'us',
      kind: 'PLANNED',
      blockers: [],
    });
    expect((await get('/v1/regions/us/plan?to=us')).body).toMatchObject({
      blockers: [{ code: 'ALREADY_OWNER' }],
      blastRadius: { intakeBehind: null },
    });
    expect((await get('/v1/regions/xx/plan?to=us')).status).toBe(404);
    for (const query of ['', '?to=', '?to=xx', '?to=us&to=eu', '?to=us,eu', '?from=us']) {
      expect((await get(`/v1/regions/eu/plan${query}`)).status).toBe(400);
    }
  });

  it('store a request for a failover as the mesh of its own, once', async () => {
    await heard();
    const asked = { id: 'f1', home: 'eu', to: 'us', kind: 'planned', reason: 'a drill' };
    const first = await ask('/v1/failovers', asked);
    expect([first.status, first.body]).toEqual([
      202,
      { id: 'f1', stream: 'IN_eu', sequence: expect.any(Number), duplicate: false },
    ]);
    const stored = await log.get('IN_eu', first.body.sequence);
    expect(stored?.subject).toBe('in.eu.meridian.eu.failover.eu');
    expect(JSON.parse(stored?.text() ?? '')).toMatchObject({
      id: 'f1',
      source: '/eu/edge',
      type: 'meridian.failover.request.v1',
      subject: 'eu',
      tenant: 'meridian',
      actor: 'development',
      data: { to: 'us', kind: 'PLANNED', reason: 'a drill' },
    });
    say();
    expect((await ask('/v1/failovers', asked)).body).toEqual({ ...first.body, duplicate: true });
    expect(await ask('/v1/failovers', { ...asked, to: 'eu' })).toMatchObject({
      status: 409,
      body: { type: 'urn:meridian:problem:conflict' },
    });
  });

  it.each<[string, unknown, string]>([
    ['nothing', {}, '/home'],
    ['a list', [], ''],
    ['an unknown home', { home: 'xx', to: 'us', kind: 'PLANNED' }, '/home'],
    ['a home with wildcards', { home: '*', to: 'us', kind: 'PLANNED' }, '/home'],
    ['homes', { home: ['eu'], to: 'us', kind: 'PLANNED' }, '/home'],
    ['an unknown target', { home: 'eu', to: 'eu.us', kind: 'PLANNED' }, '/to'],
    ['no kind', { home: 'eu', to: 'us' }, '/kind'],
    ['another kind', { home: 'eu', to: 'us', kind: 'NOW' }, '/kind'],
    ['a kind that is none', { home: 'eu', to: 'us', kind: { toUpperCase: 1 } }, '/kind'],
    [
      'too long a reason',
      { home: 'eu', to: 'us', kind: 'PLANNED', reason: 'x'.repeat(1_001) },
      '/reason',
    ],
    ['a reason that is none', { home: 'eu', to: 'us', kind: 'PLANNED', reason: {} }, '/reason'],
    [
      'a half-broken glass',
      { home: 'eu', to: 'us', kind: 'PLANNED', breakGlass: 'yes' },
      '/breakGlass',
    ],
    ['an id of several words', { id: 'a b', home: 'eu', to: 'us', kind: 'PLANNED' }, '/id'],
    ['more', { home: 'eu', to: 'us', kind: 'PLANNED', force: true }, '/force'],
  ])('refuse a failover that names %s', async (_what, body, pointer) => {
    await heard();
    const before = await log.lastSequence('IN_eu');
    const reply = await ask('/v1/failovers', body);
    expect([reply.status, reply.body.errors?.[0]?.pointer]).toEqual([400, pointer]);
    expect(await log.lastSequence('IN_eu')).toBe(before);
  });

  it('list what became of failovers, from all regions', async () => {
    const at = { region: 'us', home: 'us' };
    await history.mesh(at, 'ownership', 'us', [
      [
        'meridian.failover.requested.v1',
        'us',
        { to: 'eu', kind: 'PLANNED', epoch: 1, owner: 'us' },
      ],
    ]);
    const { body } = await get('/v1/failovers');
    expect(body.failovers.map((one: any) => [one.home, one.state, one.to])).toEqual(
      expect.arrayContaining([
        ['us', 'REQUESTED', 'eu'],
        ['ap', 'COMPLETED', 'us'],
      ]),
    );
    expect((await get('/v1/failovers?home=us')).body.failovers).toHaveLength(1);
    expect((await get('/v1/failovers?limit=1')).body.failovers).toHaveLength(1);
    for (const query of ['?home=xx', '?limit=0', '?limit=x', '?home=']) {
      expect((await get(`/v1/failovers${query}`)).status).toBe(400);
    }
  });

  it('keep receipts of drills as they were signed', async () => {
    const receipt = '{"signed": "byte for byte",  "n": 1}';
    const times = { startedAt: '2026-01-31T08:00:00Z', endedAt: '2026-01-31T08:01:00Z' };
    const drill = { id: 'd1', receipt, passed: true, exercise: 'kill eu', ...times };
    const stored = await ask('/v1/drills', drill);
    expect([stored.status, stored.body.id]).toEqual([202, 'd1']);
    const message = await log.get('IN_eu', stored.body.sequence);
    expect(message?.subject).toBe('in.eu.meridian.eu.drill.d1');
    expect(JSON.parse(message?.text() ?? '').data).toEqual({
      receipt,
      passed: true,
      exercise: 'kill eu',
      ...times,
    });
    // Recovery decides it.
    const { id: _, ...data } = drill;
    await history.mesh({ region: 'eu', home: 'eu' }, 'drill', 'd1', [
      ['meridian.drill.completed.v1', 'd1', data],
    ]);
    expect((await get('/v1/drills')).body.drills).toEqual([
      { id: 'd1', passed: true, exercise: 'kill eu', ...times, at: 'EV_eu:1' },
    ]);
    expect((await get('/v1/drills/d1')).body.receipt).toBe(receipt);
    expect((await get('/v1/drills/d2')).status).toBe(404);
    for (const wrong of [
      { ...drill, receipt: undefined },
      { ...drill, receipt: 'x'.repeat(131_073) },
      { ...drill, passed: 'yes' },
      { ...drill, startedAt: 'then' },
      { ...drill, id: '../x' },
      { ...drill, more: 1 },
    ]) {
      expect((await ask('/v1/drills', wrong)).status).toBe(400);
    }
  });

  it('are the only way in for the mesh, and need the scopes that they name', async () => {
    const data = { to: 'us', kind: 'PLANNED' };
    const type = 'meridian.failover.request.v1';
    expect(await post(edge.url, edge.token, { ...initiate('m1', 'eu'), type, data })).toMatchObject(
      { status: 403, body: { errors: [{ pointer: '/type' }] } },
    );
    const made = await ask('/v1/keys', { scopes: ['read'] });
    const { token } = made.body;
    expect((await get('/v1/regions', token)).status).toBe(200);
    expect((await get('/v1/regions/eu/plan?to=us', token)).status).toBe(403);
    expect((await ask('/v1/failovers', { home: 'eu', ...data }, token)).status).toBe(403);
    expect((await ask('/v1/drills', {}, token)).status).toBe(403);
  });
});
