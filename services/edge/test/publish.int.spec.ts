import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { memoryLog, type Log } from '@meridian/journal';
import { contractOf, dataToProtobuf } from '@meridian/wire';
import { fixedTime, initiate, post, startEdge, type EdgeUnderTest } from './edge-under-test.ts';

describe('POST /v1/events', () => {
  let edge: EdgeUnderTest;
  let token: string;
  let away = false;
  let log: Log;
  const last = (): Promise<number> => log.lastSequence('IN_eu');

  beforeAll(async () => {
    log = memoryLog({ onAppend: () => (away ? 'refuse' : 'store') });
    edge = await startEdge({ log });
    token = edge.token(['publish']);
  });
  afterAll(() => edge.close());

  it('stores one structured event and says where', async () => {
    const reply = await post(
      edge.url,
      token,
      initiate('one', 'c1', { time: '2026-01-31T07:00:00Z' }),
      {
        traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      },
    );
    expect(reply).toMatchObject({
      status: 202,
      body: { accepted: [{ id: 'one', stream: 'IN_eu', sequence: 1, duplicate: false }] },
    });
    const stored = await log.get('IN_eu', 1);
    expect(stored?.subject).toBe('in.eu.demo.eu.contact.c1');
    expect(stored?.header('Nats-Msg-Id')).toBe('demo#/test#one');
    expect(JSON.parse(stored?.text() ?? '')).toEqual({
      specversion: '1.0',
      id: 'one',
      source: '/test',
      type: 'meridian.contact.initiate.v1',
      subject: 'c1',
      time: '2026-01-31T07:00:00Z',
      tenant: 'demo',
      datacontenttype: 'application/json',
      actor: edge.ring.ofTenant('demo')[0]?.id,
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      data: { method: 'INBOUND', channel: 'VOICE' },
    });
  });

  it('gives an event without a time that of the region', async () => {
    const { body } = await post(edge.url, token, initiate('timeless'));
    const stored = await log.get('IN_eu', body.accepted[0].sequence);
    expect(JSON.parse(stored!.text()).time).toBe(fixedTime);
  });

  it('takes nothing that is marked as a replay of the past, in whatever form it comes', async () => {
    const before = await last();
    const marked = initiate('again', 'again', { replay: 'audit-7' });
    for (const body of [marked, [initiate('fresh'), marked]]) {
      const reply = await post(edge.url, token, body);
      expect(reply).toMatchObject({ status: 400, body: { errors: [{ code: 'not_allowed' }] } });
      expect(reply.body.detail).toContain('a replay of the past');
    }
    const binary = await post(edge.url, token, JSON.stringify({ method: 'API', channel: 'CHAT' }), {
      'content-type': 'application/json',
      'ce-specversion': '1.0',
      'ce-id': 'again',
      'ce-source': '/test',
      'ce-type': 'meridian.contact.initiate.v1',
      'ce-subject': 'again',
      'ce-replay': 'audit-7',
    });
    expect(binary).toMatchObject({ status: 400, body: { errors: [{ pointer: '/replay' }] } });
    expect(await last()).toBe(before);
  });

  it('stores a batch in its order', async () => {
    const before = await last();
    const reply = await post(edge.url, token, [initiate('b1'), initiate('b2'), initiate('b3')]);
    expect(reply.status).toBe(202);
    expect(reply.body.accepted.map((one: any) => [one.id, one.sequence, one.duplicate])).toEqual([
      ['b1', before + 1, false],
      ['b2', before + 2, false],
      ['b3', before + 3, false],
    ]);
  });

  it('takes binary mode with JSON and with protobuf', async () => {
    const headers = (id: string): Record<string, string> => ({
      'ce-specversion': '1.0',
      'ce-id': id,
      'ce-source': '/test',
      'ce-type': 'meridian.contact.initiate.v1',
      'ce-subject': 'c9',
    });
    const data = { method: 'OUTBOUND', channel: 'CHAT' };
    const json = await post(edge.url, token, JSON.stringify(data), {
      ...headers('caf%C3%A9'),
      'content-type': 'application/json',
    });
    expect(json).toMatchObject({ status: 202, body: { accepted: [{ id: 'café' }] } });
    const bytes = dataToProtobuf(contractOf('meridian.contact.initiate.v1')!, data);
    const protobuf = await post(edge.url, token, bytes, {
      ...headers('pb'),
      'content-type': 'application/protobuf',
    });
    expect(protobuf.status).toBe(202);
    const stored = await log.get('IN_eu', protobuf.body.accepted[0].sequence);
    expect(JSON.parse(stored!.text()).data).toEqual({
      ...data,
      attributes: {},
      personalAttributes: {},
    });
    const broken = await post(edge.url, token, bytes.slice(0, -1), {
      ...headers('pb2'),
      'content-type': 'application/protobuf',
    });
    expect(broken).toMatchObject({
      status: 400,
      body: {
        type: 'urn:meridian:problem:invalid-protobuf',
        schema: '/schemas/meridian.contact.initiate.v1.json',
      },
    });
  });

  it('recognises what was sent before, and refuses another event of the same id', async () => {
    const first = await post(edge.url, token, initiate('again', 'c2'));
    const [{ sequence }] = first.body.accepted;
    const before = await last();
    const second = await post(
      edge.url,
      token,
      initiate('again', 'c2', { time: '2026-02-01T00:00:00Z' }),
    );
    expect(second).toMatchObject({
      status: 202,
      body: { accepted: [{ id: 'again', sequence, duplicate: true }] },
    });
    const third = await post(edge.url, token, initiate('again', 'c3'));
    expect(third).toMatchObject({
      status: 409,
      body: {
        type: 'urn:meridian:problem:duplicate-id',
        errors: [{ pointer: '/id', code: 'duplicate' }],
      },
    });
    expect(third.body.detail).toContain('"again"');
    expect(await last()).toBe(before);
  });

  it('recognises repeats within a batch, and refuses contradictions before it stores anything', async () => {
    const before = await last();
    const repeated = await post(edge.url, token, [initiate('r1'), initiate('r2'), initiate('r1')]);
    expect(repeated.body.accepted.map((one: any) => [one.sequence, one.duplicate])).toEqual([
      [before + 1, false],
      [before + 2, false],
      [before + 1, true],
    ]);
    const contradicting = await post(edge.url, token, [
      initiate('r3'),
      initiate('r4'),
      initiate('r3', 'other'),
    ]);
    expect(contradicting).toMatchObject({ status: 409, body: { errors: [{ pointer: '/2/id' }] } });
    expect(await last()).toBe(before + 2);
  });

  it('checks a batch whole before anything is stored', async () => {
    const before = await last();
    const reply = await post(edge.url, token, [
      initiate('w1'),
      initiate('w2', 'w2', { data: { method: 'INBOUND', channel: 'SMOKE' } }),
      initiate('w3', 'not an id'),
    ]);
    expect(reply).toMatchObject({
      status: 400,
      body: {
        type: 'urn:meridian:problem:invalid-event',
        schema: '/schemas/meridian.contact.initiate.v1.json',
        errors: [
          { pointer: '/1/data/channel', code: 'not_allowed' },
          { pointer: '/2/subject', code: 'identifier' },
        ],
      },
    });
    expect(reply.headers.get('content-type')).toContain('application/problem+json');
    expect(await last()).toBe(before);
  });

  it.each([
    ['an empty batch', [], {}, 400, 'empty-batch'],
    [
      'too many events',
      Array.from({ length: 1_001 }, (_, index) => initiate(`x${index}`)),
      {},
      413,
      'batch-too-long',
    ],
    ['a wrong content type', '{}', { 'content-type': 'text/plain' }, 415, 'unsupported-media-type'],
    [
      'JSON without ce- headers',
      '{}',
      { 'content-type': 'application/json' },
      415,
      'unsupported-media-type',
    ],
    ['a compressed body', '{}', { 'content-encoding': 'gzip' }, 415, 'unsupported-media-type'],
    ['a body over the limit', 'x'.repeat(1_048_577), {}, 413, 'body-too-large'],
    ['a deep nesting', `${'['.repeat(50_000)}${']'.repeat(50_000)}`, {}, 400, 'invalid-json'],
    ['a prototype', '{"specversion":"1.0","__proto__":{"x":1}}', {}, 400, 'invalid-json'],
    [
      'an escaped prototype',
      '{"data":{"attributes":{"\\u005f_proto__":"x"}}}',
      {},
      400,
      'invalid-json',
    ],
    [
      'bad UTF-8',
      new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]),
      {},
      400,
      'invalid-json',
    ],
  ])('refuses %s', async (_what, body, headers, status, code) => {
    const before = await last();
    const reply = await post(edge.url, token, body, headers);
    expect(reply).toMatchObject({ status, body: { type: `urn:meridian:problem:${code}`, status } });
    expect(await last()).toBe(before);
  });

  it('refuses what a query may not say', async () => {
    expect(await post(edge.url, token, initiate('q1'), {}, '/v1/events?x=1')).toMatchObject({
      status: 400,
      body: { type: 'urn:meridian:problem:unknown-parameter' },
    });
    expect(
      await post(edge.url, token, initiate('q1'), {}, '/v1/events?durability=all'),
    ).toMatchObject({
      status: 400,
      body: { type: 'urn:meridian:problem:durability-unavailable' },
    });
    expect(
      await post(edge.url, token, initiate('q1'), {}, '/v1/events?durability=some'),
    ).toMatchObject({
      status: 400,
      body: { type: 'urn:meridian:problem:invalid-parameter' },
    });
    expect(
      await post(edge.url, token, initiate('q1'), {}, '/v1/events?durability=region'),
    ).toMatchObject({
      status: 202,
    });
  });

  it('asks for a key that allows it', async () => {
    const anonymous = await post(edge.url, undefined, initiate('k1'));
    expect(anonymous).toMatchObject({
      status: 401,
      body: { type: 'urn:meridian:problem:unauthenticated' },
    });
    expect(anonymous.headers.get('www-authenticate')).toBe('Bearer realm="meridian"');
    expect(await post(edge.url, `mk_nobody_${'a'.repeat(43)}`, initiate('k1'))).toMatchObject({
      status: 401,
    });
    expect(await post(edge.url, edge.token(['read']), initiate('k1'))).toMatchObject({
      status: 403,
    });
    const configure = {
      ...initiate('k2', 'support'),
      type: 'meridian.queue.configure.v1',
      data: {},
    };
    const forbidden = await post(edge.url, token, [configure]);
    expect([400, 403]).toContain(forbidden.status);
    expect(
      await post(
        edge.url,
        edge.token(['publish'], 'other'),
        initiate('k3', 'k3', { tenant: 'demo' }),
      ),
    ).toMatchObject({ status: 400, body: { errors: [{ pointer: '/tenant', code: 'mismatch' }] } });
  });

  it('says 503 and when to try again while the log is away', async () => {
    away = true;
    const reply = await post(edge.url, token, initiate('later'));
    away = false;
    expect(reply).toMatchObject({
      status: 503,
      body: { type: 'urn:meridian:problem:log-unavailable' },
    });
    expect(reply.headers.get('retry-after')).toBe('1');
    expect(await post(edge.url, token, initiate('later'))).toMatchObject({ status: 202 });
  });

  it('names the methods of a path and says where nothing is', async () => {
    const wrong = await fetch(`${edge.url}/v1/events`, { method: 'PUT' });
    expect([wrong.status, wrong.headers.get('allow'), wrong.headers.get('content-type')]).toEqual([
      405,
      'POST',
      'application/problem+json; charset=utf-8',
    ]);
    const nowhere = await fetch(`${edge.url}/v2/events`);
    expect([nowhere.status, ((await nowhere.json()) as any).type]).toEqual([
      404,
      'urn:meridian:problem:not-found',
    ]);
  });
});
