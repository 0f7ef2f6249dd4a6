import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { EdgeDouble } from '../../test/edge-double.ts';
import { EdgeRefusal, EdgeUnreachable } from '../fault.ts';
import { EdgeClient } from './client.ts';

const frame = (sequence: number, index = 0): string =>
  `id: EV_eu:${sequence}.${index}\nevent: t\ndata: {"id":"e${sequence}.${index}"}\n\n`;

describe('EdgeClient', () => {
  let edge: EdgeDouble;
  let client: EdgeClient;

  beforeEach(async () => {
    edge = await EdgeDouble.start();
    client = new EdgeClient({ url: edge.url, key: 'mk_a_b' });
  });
  afterEach(async () => {
    client.close();
    await edge.close();
  });

  it('publishes one event as one, several as a batch, with the key', async () => {
    edge.json(
      'POST /v1/events',
      { accepted: [{ id: '1', stream: 'IN_eu', sequence: 4, duplicate: false }] },
      202,
    );
    const event = { id: '1', source: '/t', type: 'meridian.contact.hold.v1', subject: 'c1' };
    expect(await client.publish([event])).toEqual([
      { id: '1', stream: 'IN_eu', sequence: 4, duplicate: false },
    ]);
    await client.publish([event, event]);
    const [one, two] = edge.received;
    expect(one!.headers).toMatchObject({
      authorization: 'Bearer mk_a_b',
      'content-type': 'application/cloudevents+json',
    });
    expect(JSON.parse(one!.body)).toEqual({ specversion: '1.0', ...event });
    expect(two!.headers['content-type']).toBe('application/cloudevents-batch+json');
    expect(JSON.parse(two!.body)).toHaveLength(2);
  });

  it('sends many requests over few connections', async () => {
    edge.json('GET /v1/clock', { now: 1 });
    const few = new EdgeClient({ url: edge.url, connections: 2 });
    await Promise.all(Array.from({ length: 100 }, () => few.clock()));
    expect(edge.received).toHaveLength(100);
    expect(edge.connections.size).toBeLessThanOrEqual(2);
    few.close();
  });

  it('tells a refusal from silence', async () => {
    edge.problem('GET /v1/contacts/c9', 404, 'Not found', 'There is no contact c9.');
    edge.problem('GET /v1/clock', 503, 'Unavailable', 'The log is away.');
    edge.replies.set('GET /cut', (response) => {
      response.writeHead(200, { 'content-length': '10' }).end('{', () => response.destroy());
    });
    await expect(client.get('/v1/contacts/c9')).rejects.toMatchObject({ exitCode: 3, status: 404 });
    await expect(client.clock()).rejects.toMatchObject({ exitCode: 5, status: 503 });
    await expect(client.get('/cut')).rejects.toBeInstanceOf(EdgeUnreachable);
    const url = edge.url;
    const nobody = new EdgeClient({ url: 'http://127.0.0.1:1' });
    await expect(nobody.get('/')).rejects.toMatchObject({ exitCode: 5, name: 'EdgeUnreachable' });
    expect(client.url).toBe(`${url}/`);
  });

  it('gives the log in lines, and says when it was broken off', async () => {
    edge.lines(
      'GET /v1/log/EV_eu',
      [1, 2, 3].map((sequence) => ({ sequence })),
    );
    const lines: string[] = [];
    for await (const some of client.log('EV_eu', { from: 2 })) lines.push(...some);
    expect(lines).toEqual(['{"sequence":2}', '{"sequence":3}']);
    edge.replies.set('GET /v1/log/IN_eu', (response) => {
      response.writeHead(200);
      response.write('{"sequence":1}\n', () => response.destroy());
    });
    await expect(
      (async () => {
        for await (const _ of client.log('IN_eu'));
      })(),
    ).rejects.toBeInstanceOf(EdgeUnreachable);
    await expect(
      (async () => {
        for await (const _ of client.log('XX'));
      })(),
    ).rejects.toBeInstanceOf(EdgeRefusal);
  });

  it('goes on after the last event when the stream breaks, without a gap and without a repeat', async () => {
    const asked: unknown[] = [];
    edge.replies.set('GET /v1/stream', (response, { path, headers }) => {
      asked.push([path, headers['last-event-id']]);
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const cut = `retry: 1\n\n${frame(1)}${frame(2)}${frame(2, 1)}id: EV_eu:3.0\ndata: cut`;
      if (asked.length === 1) response.write(cut, () => response.destroy());
      else response.end(`retry: 1\n\n${frame(2, 1)}${frame(3)}${frame(4)}`);
    });
    const seen: string[] = [];
    const lost: string[] = [];
    for await (const { position } of client.stream(
      { from: '1', subject: ['c1', 'c2'] },
      { onLost: (reason) => lost.push(reason) },
    )) {
      seen.push(position);
      if (position === 'EV_eu:4.0') break;
    }
    expect(seen).toEqual(['EV_eu:1.0', 'EV_eu:2.0', 'EV_eu:2.1', 'EV_eu:3.0', 'EV_eu:4.0']);
    expect(asked).toEqual([
      ['/v1/stream?subject=c1&subject=c2&from=1', undefined],
      ['/v1/stream?subject=c1&subject=c2&from=1', 'EV_eu:2.1'],
    ]);
    expect(lost).toHaveLength(1);
  });

  it('starts at a sequence when asked for now, so that nothing is missed before the first event', async () => {
    edge.json('GET /v1/queues', {
      queues: [],
      next: null,
      position: { stream: 'EV_eu', sequence: 41 },
    });
    edge.replies.set('GET /v1/stream', (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).end(frame(42));
    });
    for await (const { position } of client.stream()) {
      expect(position).toBe('EV_eu:42.0');
      break;
    }
    expect(edge.received.at(-1)!.path).toBe('/v1/stream?from=42');
  });

  it('ends at `to`, ends when nothing is left, ends when it is told to, and passes refusals on', async () => {
    edge.replies.set('GET /v1/stream', (response) => {
      response.writeHead(200).end(frame(1));
    });
    const seen: string[] = [];
    for await (const { position } of client.stream({ from: '1', to: '1' })) seen.push(position);
    expect(seen).toEqual(['EV_eu:1.0']);
    edge.replies.set('GET /v1/stream', (response) => {
      response.writeHead(204).end();
    });
    for await (const _ of client.stream({ from: '1', to: '1' })) {
      throw new Error('nothing was left');
    }
    const stop = new AbortController();
    edge.replies.set('GET /v1/stream', (response) => {
      response.writeHead(200).write(frame(1));
    });
    for await (const _ of client.stream({ from: '1' }, { signal: stop.signal })) stop.abort();
    edge.problem('GET /v1/stream', 403, 'Forbidden', 'No.');
    await expect(client.stream({ from: '1' }).next()).rejects.toMatchObject({ exitCode: 4 });
  });
});
