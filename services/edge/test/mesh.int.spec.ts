import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { headers as natsHeaders, type NatsConnection } from '@nats-io/nats-core';
import { connectNats, ensureStreams, jetstreamLog, type Log } from '@meridian/journal';
import { natsBeat } from '@meridian/nest';
import { eventually, startNatsServer, type NatsServer } from '@meridian/testing';
import { initiate, post } from './edge-under-test.ts';
import { MeshHistory } from './mesh-history.ts';
import { startNestEdge, type NestEdge } from './nest-edge.ts';
import { openStream } from './sse.ts';

const regions = ['eu', 'us', 'ap'];
/** A region that nobody has reached yet: there are no copies of its streams. */
const unreached = 'sa';
const us = { region: 'us', home: 'us' };
const initiated = (id: string) =>
  ['meridian.contact.initiated.v1', id, { method: 'INBOUND', channel: 'VOICE' }] as const;

// The streams of three regions stand on one server: to an edge, a mirror is a stream like any other.
describe('an edge among three regions', () => {
  let server: NatsServer;
  let nats: NatsConnection;
  let log: Log;
  let edge: NestEdge;
  let history: MeshHistory;
  let count = 0;

  /** Where the edge stores a request. */
  const subjectOf = async (request: Record<string, unknown>): Promise<string> => {
    count += 1;
    const { status, body } = await post(edge.url, edge.token, { ...request, id: `r${count}` });
    expect([status, body.detail]).toEqual([202, undefined]);
    const stored = await log.get('IN_eu', body.accepted[0].sequence);
    return stored?.subject ?? '';
  };
  const about = (type: string, subject: string, data: object, more: object = {}) => ({
    ...initiate('', subject),
    type,
    data,
    ...more,
  });
  const hangUp = (subject: string, more: object = {}) =>
    about('meridian.contact.hang_up.v1', subject, { by: 'CUSTOMER' }, more);

  beforeAll(async () => {
    server = await startNatsServer();
    nats = await connectNats({ servers: server.url });
    for (const region of regions) await ensureStreams(nats, region, { development: true });
    log = await jetstreamLog({ connection: nats });
    history = new MeshHistory(log);
    await history.entry(us, 'contact', 'before', [initiated('before')]);
    edge = await startNestEdge({
      natsUrl: server.url,
      regions: [...regions, unreached],
      durabilityWaitMs: 50,
    });
    await eventually(
      'it takes requests in',
      async () => (await post(edge.url, edge.token, initiate('first'))).status === 202,
    );
  });
  afterAll(async () => {
    await edge.close();
    await log.close();
    await nats.close();
    await server.stop();
  });

  it('stores a request under the home that its subject lives in', async () => {
    expect(await subjectOf(hangUp('before'))).toBe('in.eu.demo.us.contact.before');
    expect(await subjectOf(initiate('', 'before'))).toBe('in.eu.demo.us.contact.before');
    expect(await subjectOf(hangUp('unknown'))).toBe('in.eu.demo.eu.contact.unknown');
    await history.entry({ region: 'ap', home: 'ap' }, 'routing', 'ap', [
      ['meridian.reservation.created.v1', 'c7-r1', { contactId: 'c7', agentId: 'ada' }],
      ['meridian.agent.signed_in.v1', 'ada', { sessionId: 's1' }],
    ]);
    await eventually(
      'the reservation is known',
      async () =>
        (await subjectOf(about('meridian.reservation.accept.v1', 'c7-r1', { agentId: 'ada' }))) ===
        'in.eu.demo.ap.reservation.c7-r1',
    );
    expect(await subjectOf(about('meridian.agent.sign_out.v1', 'ada', {}))).toBe(
      'in.eu.demo.ap.agent.ada',
    );
  });

  it('believes a request that names the home, and refuses one that is none', async () => {
    expect(await subjectOf(hangUp('c9', { region: 'ap' }))).toBe('in.eu.demo.ap.contact.c9');
    expect(await subjectOf(initiate('', 'c9', { region: 'ap' }))).toBe('in.eu.demo.ap.contact.c9');
    for (const region of ['xx', 'EU', '', 'eu.>', '*', 1, null, ['eu'], { eu: 1 }, 'eu,us']) {
      const refused = await post(edge.url, edge.token, { ...hangUp('c9', { region }), id: 'x' });
      expect([refused.status, refused.body.errors?.[0]?.pointer]).toEqual([400, '/region']);
    }
    const binary = await post(edge.url, edge.token, '{"by":"CUSTOMER"}', {
      'content-type': 'application/json',
      'ce-specversion': '1.0',
      'ce-id': 'binary',
      'ce-source': '/test',
      'ce-type': 'meridian.contact.hang_up.v1',
      'ce-subject': 'c9',
      'ce-region': 'us',
    });
    const stored = await log.get('IN_eu', binary.body.accepted[0].sequence);
    expect(stored?.subject).toBe('in.eu.demo.us.contact.c9');
    expect(JSON.parse(stored?.text() ?? '')).toMatchObject({ region: 'us' });
  });

  it('follows a home to its next owner, and leaves out what does not count', async () => {
    const seal = await history.entry(us, 'contact', 'last', [initiated('last')]);
    await history.entry(us, 'contact', 'orphan', [initiated('orphan')]);
    await history.ownership('us', 2, 'eu', [{ epoch: 1, owner: 'us', upTo: seal }]);
    await history.entry({ region: 'eu', home: 'us', epoch: 2 }, 'contact', 'after', [
      initiated('after'),
    ]);
    await eventually(
      'what the new owner wrote is known',
      async () => (await subjectOf(hangUp('after'))) === 'in.eu.demo.us.contact.after',
    );
    expect(await subjectOf(hangUp('last'))).toBe('in.eu.demo.us.contact.last');
    await history.entry(us, 'contact', 'late', [initiated('late')]);
    await history.entry({ region: 'eu', home: 'us', epoch: 2 }, 'contact', 'then', [
      initiated('then'),
    ]);
    await eventually(
      'it goes on with the new owner',
      async () => (await subjectOf(hangUp('then'))) === 'in.eu.demo.us.contact.then',
    );
    expect(await subjectOf(hangUp('late'))).toBe('in.eu.demo.eu.contact.late');
  });

  it('streams, and says how the mesh is, also while there is no copy of a region', async () => {
    const client = await openStream(edge.url, edge.token, '?entity=contact');
    await eventually('it has begun', () => client.begunAt !== undefined);
    expect(client.begunAt).toMatch(/^EV_ap:\d+,EV_eu:\d+,EV_sa:0,EV_us:\d+$/);
    await history.entry(us, 'contact', 'before', [['meridian.contact.held.v1', 'before']]);
    for (const path of ['/v1/regions', '/v1/failovers', '/v1/drills']) {
      const reply = await fetch(`${edge.url}${path}`, {
        headers: { authorization: `Bearer ${edge.token}` },
      });
      expect([path, reply.status]).toEqual([path, 200]);
    }
    await ensureStreams(nats, unreached, { development: true });
    const sa = { region: unreached, home: unreached };
    await history.entry(sa, 'contact', 's1', [initiated('s1')]);
    await eventually('it is sent', () => client.events.some(({ data }) => data.subject === 's1'));
    expect(client.lastId).toMatch(/EV_sa:1\.0/);
    client.cut();
    await eventually(
      'it is known where it lives',
      async () => (await subjectOf(hangUp('s1'))) === 'in.eu.demo.sa.contact.s1',
    );
  });

  it('waits over NATS too, and shows in the metrics who waited', async () => {
    const ask = async (id: string, durability: string) => {
      const headers = natsHeaders();
      headers.set('Meridian-Key', edge.token);
      headers.set('Content-Type', 'application/cloudevents+json');
      headers.set('Meridian-Durability', durability);
      const reply = await nats.request('publish.eu.demo', JSON.stringify(initiate(id)), {
        headers,
        timeout: 10_000,
      });
      return { status: reply.headers?.get('Status'), body: reply.json<any>() };
    };
    expect(await ask('n1', 'mirrored')).toMatchObject({
      status: '503',
      body: { type: 'urn:meridian:problem:not-mirrored', accepted: [{ durability: 'region' }] },
    });
    expect(await ask('n1', 'most')).toMatchObject({
      status: '400',
      body: { errors: [{ pointer: '/headers/meridian-durability' }] },
    });
    const streams = { IN_eu: (await log.lastSequence('IN_eu')) + 10 };
    natsBeat(nats, 'eu').publish('beat.eu.held.us', JSON.stringify({ region: 'us', streams }));
    await eventually('it is mirrored', async () => (await ask('n1', 'mirrored')).status === '202');
    expect((await ask('n2', 'mirrored')).body.accepted[0].durability).toBe('mirrored');
    const metrics = await (await fetch(`${edge.url}/metrics`)).text();
    expect(metrics).toMatch(
      /meridian_durability_wait_seconds_count\{level="mirrored",reached="true"\} \d/,
    );
    expect(metrics).toMatch(/meridian_at_risk_messages\{stream="EV_eu"\} \d+/);
  });
});
