import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { temporaryFolder } from '@meridian/testing';
import { EdgeDouble } from '../../test/edge-double.ts';
import { run } from '../../test/run.ts';

const sample = join(import.meta.dirname, '../../test/import-samples/connect.ndjson');

describe('meridian import', () => {
  const folder = temporaryFolder('meridian-import-');
  let edge: EdgeDouble;
  let done: string[];
  const importing = (...args: string[]) =>
    run(['import', '--format', 'connect', '--file', sample, ...args, '--url', edge.url]);
  const serveClock = (source: string, now: number): void =>
    edge.json('GET /v1/clock', { source, now, setting: null });

  beforeEach(async () => {
    edge = await EdgeDouble.start();
    done = [];
    serveClock('driven', 0);
    // A timer is due a minute after every time that the clock is set to, once.
    edge.replies.set('POST /v1/clock', (response, { body }) => {
      const { at } = JSON.parse(body) as { at: number };
      done.push(new Date(at).toISOString().slice(11, 19));
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ at, nextDueMs: at + 60_000 }));
    });
    edge.replies.set('POST /v1/events', (response, { body }) => {
      const events = [JSON.parse(body)].flat() as { id: string; type: string }[];
      done.push(events.map(({ type }) => type.split('.')[2]).join('+'));
      const accepted = events.map(({ id }) => ({
        id,
        stream: 'IN_eu',
        sequence: 1,
        duplicate: false,
      }));
      response.writeHead(202, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ accepted }));
    });
    edge.json('GET /v1/set-aside', {
      items: [{ id: 'a', reason: { code: 'NOT_OFFERED' }, event: { source: '/other', id: 'x' } }],
    });
  });
  afterEach(() => edge.close());
  afterAll(() => folder.remove());

  it('publishes each request at its time, when all before it is decided and what is due has fired', async () => {
    const ran = await importing();
    expect(ran.code).toBe(0);
    expect(ran.out).toContain(
      '11 records: 1 contacts, 1 agents, 1 queues. 10 requests, 10 published',
    );
    expect(ran.out).toContain('HEART_BEAT               1  event 10');
    expect(ran.out).toContain('Nothing refused by the services.');
    expect(done.slice(0, 8)).toEqual([
      '08:55:00',
      'configure+sign_in',
      '08:55:00',
      '08:55:10',
      'set_presence',
      '08:55:10',
      '08:56:10',
      '08:57:10',
    ]);
    const accept = done.indexOf('accept');
    expect(done.slice(accept - 1, accept + 3)).toEqual([
      '09:00:12',
      'accept',
      '09:00:12',
      '09:01:10',
    ]);
  });

  it('names what the services refused of it', async () => {
    const first = JSON.parse((await importing('--json', '--dry-run')).out) as { source: string };
    edge.json('GET /v1/set-aside', {
      items: [
        {
          id: 'a',
          reason: { code: 'NOT_OFFERED' },
          event: { source: first.source, id: 'c1-r1/x' },
        },
      ],
    });
    expect((await importing()).out).toMatch(/NOT_OFFERED +1 {2}c1-r1\/x/);
  });

  it('asks for a clock that can be driven, and has not come so far', async () => {
    serveClock('system', Date.UTC(2026, 0, 1));
    expect(await importing()).toMatchObject({ code: 2 });
    serveClock('driven', Date.UTC(2026, 5, 1));
    const late = await importing();
    expect(late).toMatchObject({ code: 2 });
    expect(late.err).toContain('Move it with --begin TIME');
    expect(done).toEqual([]);
    expect((await importing('--begin', '2026-06-02T00:00:00Z')).code).toBe(0);
    expect(done[0]).toBe('00:00:00');
  });

  it('writes the requests into a file, or only says what it would do', async () => {
    const out = join(folder.path, 'requests.ndjson');
    expect((await importing('--out', out)).out).toContain(`10 requests, in ${out}.`);
    const lines = readFileSync(out, 'utf8').trim().split('\n');
    expect(lines).toHaveLength(10);
    expect((await importing('--dry-run')).out).toContain('10 requests, none published.');
    expect(edge.received).toEqual([]);
    expect((await run(['import', '--format', 'fax', '--file', sample])).code).toBe(2);
    expect((await run(['import', '--format', 'connect'])).code).toBe(2);
    expect((await run(['import', '--format', 'connect', '--file', '/none'])).code).toBe(2);
  });
});
