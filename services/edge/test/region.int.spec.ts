import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { headers as natsHeaders, type NatsConnection } from '@nats-io/nats-core';
import { jetstream } from '@nats-io/jetstream';
import { connectNats, ensureStreams, jetstreamLog, journalOf, type Log } from '@meridian/journal';
import {
  AsideStore,
  natsBeat,
  parseClockSetting,
  type Beat,
  type ProgressReport,
} from '@meridian/nest';
import { eventually, startNatsServer, type NatsServer } from '@meridian/testing';
import { emptyHead } from '@meridian/wire';
import { initiate, post } from './edge-under-test.ts';
import { startNestEdge, type NestEdge } from './nest-edge.ts';
import { openStream } from './sse.ts';

interface Asked {
  readonly method?: string;
  readonly body?: unknown;
  readonly token?: string;
  readonly url?: string;
}

describe('an edge on a real server', () => {
  let server: NatsServer;
  let nats: NatsConnection;
  let log: Log;
  let edge: NestEdge;
  let second: NestEdge;

  const ask = async (
    path: string,
    { method = 'GET', body, token = edge.token, url = edge.url }: Asked = {},
  ): Promise<{ status: number; text: string; body: any }> => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson =
      /json/.test(response.headers.get('content-type') ?? '') &&
      !/ndjson/.test(response.headers.get('content-type') ?? '');
    return { status: response.status, text, body: isJson ? JSON.parse(text) : undefined };
  };

  beforeAll(async () => {
    server = await startNatsServer();
    nats = await connectNats({ servers: server.url });
    await ensureStreams(nats, 'eu', { development: true });
    log = await jetstreamLog({ connection: nats });
    edge = await startNestEdge({ natsUrl: server.url, clock: 'driven' });
    second = await startNestEdge({ natsUrl: server.url, clock: 'driven' });
  });
  afterAll(async () => {
    await second.close();
    await edge.close();
    await log.close();
    await nats.close();
    await server.stop();
  });

  describe('keys', () => {
    it('makes one first key, which only its owner can read', () => {
      expect(edge.keyFileMode).toBe(0o600);
      expect(edge.token).toMatch(/^mk_development_[\w-]{43}$/);
      expect(second.token).toBe('');
    });

    it('are known and revoked at every edge at once, and shown without their secrets', async () => {
      const made = await ask('/v1/keys', {
        method: 'POST',
        body: { scopes: ['read', 'publish', 'read'], label: 'CRM' },
      });
      expect(made).toMatchObject({
        status: 201,
        body: { tenant: 'demo', scopes: ['publish', 'read'], label: 'CRM' },
      });
      const { id, token } = made.body;
      expect((await post(edge.url, token, initiate('by-key'))).status).toBe(202);
      await eventually(
        'the second edge knows it',
        async () => (await post(second.url, token, initiate('by-key'))).status === 202,
      );
      const { body, text } = await ask('/v1/keys', { url: second.url });
      expect(body.keys.map((key: any) => [key.id, key.scopes])).toEqual([
        ['development', ['admin']],
        [id, ['publish', 'read']],
      ]);
      expect(text).not.toContain('hash');
      expect(text).not.toContain(token.split('_')[2]);
      expect((await ask(`/v1/keys/${id}`, { method: 'DELETE', token })).status).toBe(403);
      expect(await ask(`/v1/keys/${id}`, { method: 'DELETE' })).toMatchObject({
        status: 200,
        body: { id, revokedAt: expect.any(String) },
      });
      expect((await post(edge.url, token, initiate('revoked'))).status).toBe(401);
      await eventually(
        'the second edge forgets it',
        async () => (await post(second.url, token, initiate('by-key'))).status === 401,
      );
      expect((await ask('/v1/keys/nobody', { method: 'DELETE' })).status).toBe(404);
    });

    it('are there again after the server was killed', async () => {
      await server.restart();
      await eventually(
        'both edges answer',
        async () =>
          (await post(edge.url, edge.token, initiate('after-restart'))).status === 202 &&
          (await post(second.url, edge.token, initiate('after-restart'))).status === 202,
      );
      const {
        body: { id, token },
      } = await eventually('a key is made', async () => {
        const made = await ask('/v1/keys', { method: 'POST', body: { scopes: ['publish'] } });
        return made.status === 201 ? made : undefined;
      });
      await eventually(
        'the second edge hears of keys again',
        async () => (await post(second.url, token, initiate('new-key'))).status === 202,
      );
      await ask(`/v1/keys/${id}`, { method: 'DELETE' });
    });
  });

  describe('the way in over NATS', () => {
    // The server was killed before: what a client sends until it is back may be lost.
    beforeAll(() =>
      eventually('the client is back', () =>
        nats.rtt().then(
          () => true,
          () => false,
        ),
      ),
    );

    const request = async (
      subject: string,
      body: unknown,
      more: Record<string, string>,
    ): Promise<{ status: string; type: string; body: any }> => {
      const headers = natsHeaders();
      for (const [name, value] of Object.entries(more)) headers.set(name, value);
      const reply = await nats.request(
        subject,
        typeof body === 'string' ? body : JSON.stringify(body),
        {
          headers,
          timeout: 10_000,
        },
      );
      return {
        status: reply.headers?.get('Status') ?? '',
        type: reply.headers?.get('Content-Type') ?? '',
        body: reply.json(),
      };
    };
    const structured = { 'Content-Type': 'application/cloudevents+json' };

    it('answers as HTTP does', async () => {
      const headers = {
        ...structured,
        'Meridian-Key': edge.token,
        traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      };
      const stored = await request('publish.eu.demo', initiate('n1'), headers);
      expect(stored).toMatchObject({
        status: '202',
        type: 'application/json; charset=utf-8',
        body: { accepted: [{ id: 'n1', stream: 'IN_eu', duplicate: false }] },
      });
      const message = await log.get('IN_eu', stored.body.accepted[0].sequence);
      expect(JSON.parse(message!.text())).toMatchObject({
        actor: 'development',
        traceparent: headers.traceparent,
      });
      const overHttp = await post(edge.url, edge.token, initiate('n1'));
      expect(overHttp.body.accepted).toEqual([{ ...stored.body.accepted[0], duplicate: true }]);
    });

    it('refuses as HTTP does', async () => {
      const key = { 'Meridian-Key': edge.token };
      expect(await request('publish.eu.demo', initiate('n2'), structured)).toMatchObject({
        status: '401',
        type: 'application/problem+json; charset=utf-8',
      });
      expect(
        await request('publish.eu.other', initiate('n2'), { ...structured, ...key }),
      ).toMatchObject({
        status: '403',
        body: { type: 'urn:meridian:problem:forbidden' },
      });
      expect(await request('publish.eu.demo', initiate('n2'), key)).toMatchObject({
        status: '415',
      });
      expect(await request('publish.eu.demo', '{', { ...structured, ...key })).toMatchObject({
        status: '400',
        body: { type: 'urn:meridian:problem:invalid-json' },
      });
      expect(
        await request(
          'publish.eu.demo',
          { ...initiate('n2'), data: {} },
          { ...structured, ...key },
        ),
      ).toMatchObject({
        status: '400',
        body: { errors: [{ pointer: '/data/method' }, { pointer: '/data/channel' }] },
      });
    });

    it('takes binary mode, and leaves what JetStream clients publish themselves alone', async () => {
      const binary = await request(
        'publish.eu.demo',
        { method: 'INBOUND', channel: 'CHAT' },
        {
          'Content-Type': 'application/json',
          'Meridian-Key': edge.token,
          'ce-specversion': '1.0',
          'ce-id': 'n3',
          'ce-source': '/nats',
          'ce-type': 'meridian.contact.initiate.v1',
          'ce-subject': 'n3',
        },
      );
      expect(binary.status).toBe('202');
      const direct = await jetstream(nats).publish(
        'in.eu.demo.eu.contact.n4',
        JSON.stringify({ ...initiate('n4'), time: '2026-01-31T08:15:00Z' }),
        { msgID: 'demo#/test#n4' },
      );
      const again = await post(edge.url, edge.token, initiate('n4'));
      expect(again.body.accepted).toEqual([
        { id: 'n4', stream: 'IN_eu', sequence: direct.seq, duplicate: true, durability: 'region' },
      ]);
    });
  });

  describe('the log', () => {
    it('is read line by line, of the own tenant alone', async () => {
      await jetstream(nats).publish('in.eu.other.eu.contact.x', JSON.stringify(initiate('x')));
      const { status, text } = await ask('/v1/log/IN_eu');
      expect(status).toBe(200);
      const lines = text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
      const first = await log.get('IN_eu', 1);
      expect(lines[0]).toEqual({
        stream: 'IN_eu',
        sequence: 1,
        subject: 'in.eu.demo.eu.contact.by-key',
        storedAt: new Date(first!.storedAtMs).toISOString(),
        headers: { 'Nats-Msg-Id': 'demo#/test#by-key' },
        data: first!.text(),
      });
      expect(lines.every(({ subject }) => subject.startsWith('in.eu.demo.'))).toBe(true);
      const some = await ask('/v1/log/IN_eu?from=2&to=3');
      expect(
        some.text
          .trimEnd()
          .split('\n')
          .map((line) => JSON.parse(line).sequence),
      ).toEqual([2, 3]);
      expect((await ask('/v1/log/IN_us')).status).toBe(404);
      expect((await ask('/v1/log/IN_eu?from=3&to=2')).status).toBe(400);
    });

    it('goes on with what is stored meanwhile when it is followed', async () => {
      const last = await log.lastSequence('IN_eu');
      const following = ask(`/v1/log/IN_eu?from=${last}&to=${last + 2}&follow=true`);
      await post(edge.url, edge.token, [initiate('f1'), initiate('f2'), initiate('f3')]);
      const lines = (await following).text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line).sequence);
      expect(lines.filter((sequence) => sequence > last)).toEqual([last + 1, last + 2]);
    });
  });

  it('streams decisions from a real log', async () => {
    const journal = journalOf(log, { region: 'eu', home: 'eu', service: 'sessions', epoch: 1 });
    const event = (index: number) => ({
      type: 'meridian.contact.queued.v1',
      subject: `s${index}`,
      timeMs: 0,
      cause: { causationId: 'x' },
      data: { queueId: 'support', channel: 'VOICE', requirements: [] },
    });
    for (let index = 0; index < 100; index += 1) {
      await journal.append(
        { tenant: 'demo', entity: 'contact', id: `s${index}` },
        { events: [event(index), event(index)], head: emptyHead },
      );
    }
    const client = await openStream(edge.url, edge.token, '?from=start&entity=contact');
    await client.has(200);
    await journal.append(
      { tenant: 'demo', entity: 'contact', id: 's100' },
      { events: [event(100)], head: emptyHead },
    );
    const events = await client.has(201);
    expect(new Set(events.map(({ id }) => id)).size).toBe(201);
    expect(client.lastId).toBe('EV_eu:101.0');
    client.cut();
  });

  it('shows what was set aside, and asks for another try', async () => {
    const sequence = await log.lastSequence('IN_eu', 'in.eu.demo.>');
    const aside = (service: string): AsideStore =>
      new AsideStore({ log, region: 'eu', service, now: () => 0 });
    const handling = { handler: 'requests', attempts: 1 };
    const own = await log.get('IN_eu', sequence);
    await aside('sessions').rejected(
      own!,
      { code: 'contact_over', facts: { state: 'COMPLETED' } },
      handling,
    );
    await aside('routing').failed(
      own!,
      { code: 'poison', detail: 'It cannot be read.', facts: {} },
      handling,
    );
    const strange = await log.lastSequence('IN_eu', 'in.eu.other.>');
    await aside('sessions').failed(
      (await log.get('IN_eu', strange))!,
      { code: 'poison', detail: 'x', facts: {} },
      handling,
    );

    const all = await ask('/v1/set-aside');
    expect(all.body.items.map((item: any) => [item.id, item.status])).toEqual([
      [`sessions.IN_eu.${sequence}`, 'rejected'],
      [`routing.IN_eu.${sequence}`, 'failed'],
    ]);
    const page = await ask('/v1/set-aside?limit=1');
    expect(page.body.items).toHaveLength(1);
    expect((await ask(`/v1/set-aside?limit=1&after=${page.body.next}`)).body.items[0].service).toBe(
      'routing',
    );
    expect((await ask('/v1/set-aside?status=failed&service=routing')).body.items).toHaveLength(1);
    expect((await ask('/v1/set-aside?status=lost')).status).toBe(400);

    expect(
      await ask(`/v1/set-aside/sessions.IN_eu.${sequence}/retry`, { method: 'POST' }),
    ).toMatchObject({
      status: 202,
      body: { status: 'retry_requested', id: `sessions.IN_eu.${sequence}` },
    });
    expect(
      (await ask(`/v1/set-aside/sessions.IN_eu.${strange}/retry`, { method: 'POST' })).status,
    ).toBe(404);
    expect((await ask('/v1/set-aside/nothing/retry', { method: 'POST' })).status).toBe(404);
    const records = (await ask('/v1/log/ASIDE_eu')).text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(JSON.parse(line).data).status);
    expect(records).toEqual(['rejected', 'failed', 'retry_requested']);
  });

  describe('the clock', () => {
    let beat: Beat;
    let filters: Record<string, readonly string[]>;
    const dueMs = 1_000_500;

    /** Stands in for a service: at each clock message it has done everything, as far as `reach` says. */
    function simulate(
      service: string,
      reach: (stream: string, filter: string) => Promise<number>,
    ): () => void {
      return beat.subscribe('beat.eu.clock', (text) => {
        const at = parseClockSetting(text)?.at ?? null;
        void (async () => {
          const reads = await Promise.all(
            (filters[service] ?? []).map(async (filter) => {
              const stream = filter.startsWith('in.') ? 'IN_eu' : 'EV_eu';
              return { stream, filter, position: await reach(stream, filter) };
            }),
          );
          const report: ProgressReport = {
            service,
            instance: 'i',
            clock: at,
            nextDueMs: service === 'routing' ? dueMs : null,
            reads,
          };
          beat.publish(`beat.eu.progress.${service}`, JSON.stringify(report));
        })();
      });
    }

    beforeAll(() => {
      beat = natsBeat(nats, 'eu');
      filters = {
        sessions: ['in.eu.*.eu.contact.*'],
        routing: ['ev.eu.*.*.contact.*', 'in.eu.*.eu.agent.*'],
      };
    });

    it('is set, and answers once every service has done what was due', async () => {
      expect((await ask('/v1/clock')).body).toEqual({
        source: 'driven',
        started: false,
        now: null,
        setting: null,
      });
      expect((await ask('/v1/clock', { method: 'POST', body: {} })).status).toBe(400);
      const reach = (stream: string, filter: string): Promise<number> =>
        log.lastSequence(stream, filter);
      const ends = [simulate('sessions', reach), simulate('routing', reach)];
      const lastSequence = {
        IN_eu: await log.lastSequence('IN_eu'),
        EV_eu: await log.lastSequence('EV_eu'),
      };
      expect(await ask('/v1/clock', { method: 'POST', body: { at: 1_000_000 } })).toMatchObject({
        status: 200,
        body: { at: 1_000_000, rate: 0, nextDueMs: dueMs, lastSequence },
      });
      await eventually(
        'the edge sees it too',
        async () => (await ask('/v1/clock')).body.now === 1_000_000,
      );
      expect((await ask('/v1/clock', { method: 'POST', body: { at: 999_999 } })).status).toBe(400);
      for (let step = 1; step <= 100; step += 1) {
        expect(
          (await ask('/v1/clock', { method: 'POST', body: { at: 1_000_000 + step } })).status,
        ).toBe(200);
      }
      for (const end of ends) end();
    });

    it('says who lags when not everything comes to rest', async () => {
      const ends = [
        simulate('sessions', async () => 1),
        simulate('routing', (stream, filter) => log.lastSequence(stream, filter)),
      ];
      // Whoever has not reported in time lags too: asked again until only the reader is left.
      const body = await eventually('only the reader that stays behind is named', async () => {
        const answer = await ask('/v1/clock?timeoutMs=300', {
          method: 'POST',
          body: { at: 2_000_000 },
        });
        expect(answer.status).toBe(408);
        return answer.body.waitingFor.length === 1 ? answer.body : undefined;
      });
      expect(body).toMatchObject({
        type: 'urn:meridian:problem:not-settled',
        at: 2_000_000,
        waitingFor: [expect.stringContaining('sessions has read IN_eu')],
      });
      for (const end of ends) end();
    });

    it('waits until streams are held here so far, and leaves the clock alone where no time is given', async () => {
      const reach = (stream: string, filter: string): Promise<number> =>
        log.lastSequence(stream, filter);
      const ends = [simulate('sessions', reach), simulate('routing', reach)];
      const last = await log.lastSequence('EV_eu');
      const wait = (EV_eu: number, timeoutMs: number) =>
        ask(`/v1/clock?timeoutMs=${timeoutMs}`, { method: 'POST', body: { upTo: { EV_eu } } });
      expect((await ask('/v1/clock', { method: 'POST', body: { at: 3_000_000 } })).status).toBe(
        200,
      );
      const { setting } = (await ask('/v1/clock')).body;
      expect(await wait(last, 30_000)).toMatchObject({ status: 200, body: { at: 3_000_000 } });
      expect(await wait(last + 1, 200)).toMatchObject({
        status: 408,
        body: { waitingFor: [`EV_eu is held here up to ${last} of ${last + 1}`] },
      });
      expect((await ask('/v1/clock')).body.setting).toEqual(setting);
      for (const end of ends) end();
    });

    it.each([
      [{ upTo: { EV_us: 1 } }, '/upTo/EV_us'],
      [{ upTo: { EV_eu: -1 } }, '/upTo/EV_eu'],
      [{ upTo: [] }, '/upTo'],
      [{ at: 'yesterday' }, '/at'],
      [{ at: -1 }, '/at'],
      [{ at: 1.5 }, '/at'],
      [{ rate: -1 }, '/rate'],
      [{ rate: 'x' }, '/rate'],
      [{ rate: 1e9 }, '/rate'],
      [{ to: 1 }, '/to'],
      [[], ''],
    ])('refuses %j', async (body, pointer) => {
      expect(await ask('/v1/clock', { method: 'POST', body })).toMatchObject({
        status: 400,
        body: { errors: [{ pointer }] },
      });
    });
  });
});
