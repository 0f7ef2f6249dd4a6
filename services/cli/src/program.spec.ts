import { mkdtempSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { dayLog } from '../test/day-log.ts';
import { EdgeDouble } from '../test/edge-double.ts';
import { startMs } from '../test/log-builder.ts';
import { run } from '../test/run.ts';
import { expectedRows, readEvents, World, type RawEntry } from './check/index.ts';
import { parseEvents } from './commands/publish.ts';
import { judgeAside, judgeClock, judgeDisk, judgeHealth, judgeNode } from './commands/doctor.ts';

/** Commands that only have others under them. */
const groups = [
  'keys',
  'set-aside',
  'receipt',
  'archive',
  'hold',
  'residency',
  'audit',
  'certificate',
  'retention',
];
const log = dayLog('program', 8);
const last = log.length;

function worldOf(entries: readonly RawEntry[]): World {
  const world = new World({ keepEnded: true });
  for (const entry of entries) {
    for (const event of readEvents(entry)) world.apply(event, entry.sequence);
  }
  return world;
}

describe('meridian', () => {
  let edge: EdgeDouble;
  let folder: string;
  const at = (...args: string[]) =>
    run([...args, '--url', edge.url, '--key', 'mk_a_b'], { folder });

  /** The log and its read models, as a region would answer them. */
  const serveRegion = (): void => {
    const world = worldOf(log);
    for (const model of ['contacts', 'agents', 'queues'] as const) {
      const rows = [...expectedRows(world, model, 'demo').values()];
      edge.json(`GET /v1/${model}`, {
        [model]: rows,
        next: null,
        position: { stream: 'EV_eu', sequence: last },
      });
    }
    edge.lines('GET /v1/log/EV_eu', log);
    edge.problem('GET /v1/log/IN_eu', 403, 'Forbidden', 'The key has no scope admin.');
  };

  beforeEach(async () => {
    edge = await EdgeDouble.start();
    folder = mkdtempSync(join(tmpdir(), 'meridian-cli-'));
  });
  afterEach(async () => {
    await edge.close();
    rmSync(folder, { recursive: true });
  });

  it('explains every command, its exit codes included', async () => {
    const { code, out } = await run(['--help']);
    expect(code).toBe(0);
    const names = [...out.matchAll(/^ {2}([a-z-]+)[ \n]/gm)]
      .map((match) => match[1]!)
      .filter((name) => name !== 'help');
    expect(names).toEqual(expect.arrayContaining(['publish', 'tail', 'check', 'replay', 'doctor']));
    for (const args of [
      ...names.map((name) => [name]),
      ['keys', 'create'],
      ['keys', 'list'],
      ['keys', 'revoke'],
      ['set-aside', 'list'],
      ['set-aside', 'retry'],
      ['receipt', 'verify'],
    ]) {
      const help = await run([...args, '--help']);
      expect(help.code).toBe(0);
      if (groups.includes(args[0]!) && args.length === 1) continue;
      expect(help.out).toContain('Examples:\n  meridian ');
      expect(help.out).toContain('--json');
      expect(help.out).toContain('  5  the edge cannot be reached');
    }
  });

  it('answers with exit codes that a script can use', async () => {
    edge.problem('GET /v1/agents/refused', 403, 'Forbidden', 'The key has no scope read.');
    edge.problem('GET /v1/agents/broken', 500, 'Failed', 'The edge failed.');
    expect((await run(['fly'])).code).toBe(2);
    expect((await run(['agents', '--what'])).code).toBe(2);
    expect((await run(['tail', '--limit', 'x', '--url', edge.url])).err).toContain(
      '--limit is "x"',
    );
    expect(await at('agents', 'nobody')).toMatchObject({ code: 3, out: '' });
    expect(await at('agents', 'refused')).toMatchObject({
      code: 4,
      err: 'meridian: GET /v1/agents/refused: 403 Forbidden\nThe key has no scope read.\n',
    });
    expect((await at('agents', 'broken')).code).toBe(5);
    expect((await run(['agents', '--url', 'http://127.0.0.1:1'])).code).toBe(5);
    expect((await run(['agents', '--url', 'ftp://x'])).code).toBe(2);
    const asJson = await at('agents', 'nobody', '--json');
    expect(JSON.parse(asJson.err)).toEqual({
      error: { exitCode: 3, message: 'GET /v1/agents/nobody: 404 Not found' },
    });
  });

  it('finds the edge by option, environment, or the checkout', async () => {
    edge.json('GET /v1/agents/a', { id: 'a' });
    const json = ['agents', 'a', '--json'];
    const keys = (): unknown[] => edge.received.map(({ headers }) => headers.authorization);
    await run([...json, '--url', edge.url, '--key', 'k1'], { folder });
    await run(json, { folder, env: { MERIDIAN_URL: edge.url, MERIDIAN_KEY: 'k2' } });
    mkdirSync(join(folder, '.meridian'));
    writeFileSync(
      join(folder, '.meridian', 'current.json'),
      JSON.stringify({ url: edge.url, key: 'k3' }),
    );
    mkdirSync(join(folder, 'inner'));
    await run(json, { folder: join(folder, 'inner') });
    await run([...json, '--url', edge.url], { folder });
    expect(keys()).toEqual(['Bearer k1', 'Bearer k2', 'Bearer k3', undefined]);
  });

  it('publishes one event, a file and the standard input', async () => {
    edge.replies.set('POST /v1/events', (response, { body }) => {
      const events = [JSON.parse(body)].flat() as { id: string }[];
      const accepted = events.map(({ id }, index) => ({
        id,
        stream: 'IN_eu',
        sequence: index + 1,
        duplicate: id === 'twice',
      }));
      response.writeHead(202).end(JSON.stringify({ accepted }));
    });
    const one = await at('publish', '--type', 'contact.hold', '--subject', 'c1', '--id', 'twice');
    expect(one).toEqual({
      code: 0,
      err: '',
      out: 'stream  sequence  id\nIN_eu          1  twice  stored before\n',
    });
    expect(JSON.parse(edge.received[0]!.body)).toEqual({
      specversion: '1.0',
      id: 'twice',
      source: '/cli',
      type: 'meridian.contact.hold.v1',
      subject: 'c1',
      data: {},
    });
    const lines = Array.from({ length: 150 }, (_, index) =>
      JSON.stringify({ id: `e${index}`, type: 't', subject: 's' }),
    ).join('\n');
    const many = await run(['publish', '--file', '-', '--json', '--url', edge.url], {
      stdin: (async function* text() {
        yield lines;
      })(),
    });
    expect((JSON.parse(many.out) as { accepted: unknown[] }).accepted).toHaveLength(150);
    expect(edge.received).toHaveLength(3);
    expect((await at('publish')).code).toBe(2);
    expect((await at('publish', '--file', join(folder, 'none'))).code).toBe(2);
    expect(parseEvents('[{"a":1}]', 'x')).toEqual([{ a: 1 }]);
    expect(() => parseEvents('{"a":1}\n{', 'x')).toThrow('x, line 2: it is no JSON.');
    expect(() => parseEvents('[1]', 'x')).toThrow(
      'x, event 1: a CloudEvent must be a JSON object.',
    );
  });

  it('tails events in lines, as many as asked for', async () => {
    const events = readEvents(log[0]!).concat(readEvents(log[1]!));
    edge.replies.set('GET /v1/stream', (response) => {
      response
        .writeHead(200)
        .end(
          events
            .map(
              (event, index) =>
                `id: EV_eu:1.${index}\ndata: ${JSON.stringify(event.attributes)}\n\n`,
            )
            .join(''),
        );
    });
    const { code, out } = await at(
      'tail',
      '--from',
      'start',
      '--limit',
      '2',
      '--entity',
      'queue,agent',
    );
    expect({ code, out }).toEqual({
      code: 0,
      out:
        '2026-03-02\n' +
        '08:00:00.000  queue.created                 q1                ' +
        'LONGEST_IDLE, rings 20.0 s, service level 20.0 s\n' +
        '08:00:01.000  agent.signed_in               a1                AVAILABLE, VOICE 1\n',
    });
    expect(edge.received[0]!.path).toBe('/v1/stream?entity=queue&entity=agent&from=start');
  });

  it('shows queues and agents as tables', async () => {
    serveRegion();
    edge.json('GET /v1/clock', { source: 'driven', now: startMs + 60_000 });
    const queues = await at('queues');
    expect(queues.out.split('\n')[0]!.split(/ {2,}/)).toEqual([
      'queue',
      'waiting',
      'longest',
      'joined',
      'answered',
      'abandoned',
      'service level',
      'ASA',
    ]);
    expect(queues.out).toContain('q1           0        -       8');
    expect((await at('agents')).out).toContain('a1     AVAILABLE');
    expect(JSON.parse((await at('agents', '--json')).out)).toMatchObject({
      agents: [{ id: 'a1' }, { id: 'a2' }],
    });
  });

  it('checks a region with its read models, and finds what is wrong', async () => {
    serveRegion();
    const good = await at('check', '--compare', '--whole');
    expect(good).toMatchObject({ code: 0, err: '' });
    expect(good.out).toContain(`${last} entries (1 to ${last})`);
    expect(good.out).toContain('The intake was not read');
    expect(good.out).toContain('Every invariant holds.');
    edge.lines('GET /v1/log/EV_eu', log.toSpliced(4, 1));
    const bad = await at('check', '--whole');
    expect(bad.code).toBe(1);
    expect(bad.out).toMatch(/2 +sequence +1 +Sequences follow/);
    expect(bad.out).toMatch(/6\.0 +sequence +ev\.eu\.eu\.demo\.\S+ +5 +6/);
    const json = await at('check', '--json');
    expect(JSON.parse(json.out)).toMatchObject({ ok: false, intakeChecked: false });
  });

  it('exports a stream that check and replay read again', async () => {
    serveRegion();
    const file = join(folder, 'eu.ndjson');
    expect(await at('export', '--out', file)).toMatchObject({
      code: 0,
      out: `${last} entries of EV_eu are in ${file}.\n`,
    });
    expect(readFileSync(file, 'utf8')).toBe(
      log.map((entry) => `${JSON.stringify(entry)}\n`).join(''),
    );
    expect((await run(['check', '--file', file, '--whole'])).code).toBe(0);
    expect((await run(['check', '--file', join(folder, 'none')])).code).toBe(2);
    expect((await run(['check', '--file', file, '--compare'])).code).toBe(2);
    const replayed = await run([
      'replay',
      '--file',
      file,
      '--subject',
      'c1',
      '--to',
      '20',
      '--json',
    ]);
    const events = replayed.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { sequence: number; event: { subject: string } });
    expect(events.length).toBeGreaterThan(2);
    expect(events.every(({ sequence, event }) => sequence <= 20 && event.subject === 'c1')).toBe(
      true,
    );
  });

  it('shows how everything stood at a moment, from an export and by the edge', async () => {
    serveRegion();
    const file = join(folder, 'eu.ndjson');
    await at('export', '--out', file);
    const middle = Math.floor(last / 2);
    const world = worldOf(log.slice(0, middle));
    const rows = (model: 'contacts' | 'agents' | 'queues') => [
      ...expectedRows(world, model, 'demo').values(),
    ];
    const living = rows('contacts').filter((row) => row['endedAt'] === null);
    const ids = (list: readonly { id?: unknown }[]) => new Set(list.map(({ id }) => id));
    const folded = JSON.parse(
      (await run(['replay', '--file', file, '--as-of', String(middle), '--json'])).out,
    ) as Record<string, { id: string }[]>;
    expect(folded).toMatchObject({
      at: new Date(world.atMs).toISOString(),
      places: { 'EV_eu.eu': middle },
    });
    expect(ids(folded['contacts'] ?? [])).toEqual(ids(living));
    for (const row of [...living, ...rows('agents'), ...rows('queues')]) {
      const all = ['contacts', 'agents', 'queues'].flatMap((model) => folded[model] ?? []);
      expect(all).toContainEqual(row);
    }
    const asOf = { moment: String(middle), places: { 'EV_eu.eu': middle }, final: true };
    for (const model of ['contacts', 'agents', 'queues'] as const) {
      const given = model === 'contacts' ? living : rows(model);
      edge.json(`GET /v1/as-of/${middle}/${model}`, { [model]: given, next: null, asOf });
    }
    const asked = JSON.parse((await at('replay', '--as-of', String(middle), '--json')).out) as {
      contacts: unknown;
    };
    expect(asked.contacts).toEqual(living);
    expect((await at('replay', '--as-of', String(middle))).out).toContain(`(EV_eu.eu ${middle})`);
    expect((await at('replay', '--from', 'soon')).code).toBe(2);
    expect((await at('replay', '--diff', '1')).code).toBe(2);
  });

  it('makes, lists and revokes keys; lists and retries what was set aside; drives the clock', async () => {
    const key = {
      id: 'k',
      tenant: 'demo',
      scopes: ['read'],
      label: 'crm',
      createdAt: '2026-03-02T08:00:00.000Z',
    };
    edge.json('POST /v1/keys', { ...key, token: 'mk_k_s' }, 201);
    edge.json('GET /v1/keys', { keys: [key] });
    edge.json('DELETE /v1/keys/k', key);
    expect((await at('keys', 'create', '--scopes', 'read', '--label', 'crm')).out).toContain(
      '\nmk_k_s\n',
    );
    expect(JSON.parse(edge.received[0]!.body)).toEqual({ scopes: ['read'], label: 'crm' });
    expect((await at('keys', 'list')).out).toContain('k   demo    read    crm');
    expect(await at('keys', 'revoke', 'k')).toMatchObject({
      code: 0,
      out: 'The key k is revoked.\n',
    });
    const item = {
      id: 'sessions.IN_eu.42',
      status: 'failed',
      service: 'sessions',
      subject: 'in.eu.demo.eu.contact.c1',
      reason: { code: 'poison', detail: 'It is no JSON.' },
      attempts: 3,
      at: '2026-03-02T08:00:00.000Z',
    };
    edge.json('GET /v1/set-aside', { items: [item] });
    edge.json(
      'POST /v1/set-aside/sessions.IN_eu.42/retry',
      { ...item, status: 'retry_requested' },
      202,
    );
    expect((await at('set-aside', 'list', '--status', 'failed')).out).toContain(
      'sessions.IN_eu.42  failed  08:00:00.000         3',
    );
    expect((await at('set-aside', 'retry', 'sessions.IN_eu.42')).out).toBe(
      'sessions.IN_eu.42 is retry_requested.\n',
    );
    edge.json('POST /v1/clock', {
      at: startMs,
      rate: 0,
      nextDueMs: startMs + 20_000,
      lastSequence: {},
    });
    expect((await at('clock', '--set', '2026-03-02T08:00:00Z')).out).toBe(
      '2026-03-02T08:00:00.000Z; everything until then is done; next due in 20.0 s.\n',
    );
    edge.json('GET /v1/clock', {
      source: 'driven',
      started: true,
      now: startMs,
      setting: { at: startMs, rate: 0 },
    });
    expect((await at('clock')).out).toBe('2026-03-02T08:00:00.000Z, driven, standing still.\n');
  });

  it('looks at the whole region, and says what to do', async () => {
    serveRegion();
    edge.json('GET /v1/log/IN_eu', {});
    edge.json('GET /v1/log/ASIDE_eu', {});
    edge.json('GET /health/live', { ok: true });
    edge.json('GET /health/ready', {
      ok: true,
      reasons: [],
      nats: 'connected',
      services: [{ service: 'sessions', state: 'open', lag: {} }],
    });
    edge.json('GET /v1/clock', { source: 'driven', now: 1 });
    edge.json('GET /v1/set-aside', { items: [] });
    const well = await at('doctor', '--json');
    const { ok, findings } = JSON.parse(well.out) as {
      ok: boolean;
      findings: { what: string; verdict: string }[];
    };
    expect({ ok, code: well.code }).toEqual({ ok: true, code: 0 });
    expect(findings.map(({ what }) => what)).toEqual([
      'Node.js',
      'disk',
      'edge',
      'ready',
      'service sessions',
      'clock',
      'read models',
      'stream IN_eu',
      'stream EV_eu',
      'stream ASIDE_eu',
      'set aside',
    ]);
    const ill = await run(['doctor', '--url', 'http://127.0.0.1:1'], { folder });
    expect(ill.code).toBe(1);
    expect(ill.out).toMatch(/fail +edge .*Start it with scripts\/up/);
  });

  it('judges each thing by its own measure', () => {
    const gibibyte = 2 ** 30;
    expect([judgeNode('v24.21.0'), judgeNode('v20.1.0')].map(({ verdict }) => verdict)).toEqual([
      'ok',
      'fail',
    ]);
    expect([0.5, 3, 9].map((free) => judgeDisk(free * gibibyte, 10 * gibibyte).verdict)).toEqual([
      'fail',
      'warn',
      'ok',
    ]);
    expect(
      [judgeClock('system', -999), judgeClock('system', 1000), judgeClock('driven', 1e9)].map(
        ({ verdict }) => verdict,
      ),
    ).toEqual(['ok', 'warn', 'ok']);
    const service = (state: string, ageMs: number) => ({
      service: 's',
      state,
      lag: { requests: { sequences: 3, ageMs } },
    });
    expect(
      judgeHealth({
        ok: false,
        reasons: ['x'],
        nats: 'away',
        services: [service('open', 4999), service('open', 5000), service('stopped', 0)],
      }).map(({ verdict }) => verdict),
    ).toEqual(['fail', 'ok', 'warn', 'fail']);
    expect(
      [judgeAside([], true), judgeAside([{ status: 'failed' } as never], true)].map(
        ({ verdict }) => verdict,
      ),
    ).toEqual(['ok', 'warn']);
  });
});
