import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { EdgeDouble } from '../../test/edge-double.ts';
import { facts } from '../../test/receipt-facts.ts';
import { run } from '../../test/run.ts';
import { buildReceipt, ensureSigningKey, signReceipt } from '../receipt/index.ts';
import type { Failover } from './failover-follow.ts';
import type { FailoverPlan } from './failover-plan.ts';
import type { MeshView } from './regions.ts';

const view: MeshView = {
  region: 'us',
  regions: [
    { region: 'ap', owns: ['ap'], lease: { ageMs: 400 }, isolated: false, control: 'ok' },
    { region: 'eu', owns: [], lease: { ageMs: 9_400 }, isolated: null, control: null },
    { region: 'us', owns: ['us', 'eu'], lease: { ageMs: 300 }, isolated: false, control: 'ok' },
  ],
  homes: [
    { home: 'ap', owner: 'ap', epoch: 1, state: 'ACTIVE', failover: null, seals: [] },
    {
      home: 'eu',
      owner: 'us',
      epoch: 2,
      state: 'FAILING_OVER',
      failover: { to: 'ap', kind: 'PLANNED', step: 'waits for the deciders' },
      seals: [{ epoch: 1, owner: 'eu', upTo: 471 }],
    },
  ],
  links: [{ from: 'us', to: 'ap', events: 12, ms: 1_300 }],
  isolated: false,
  atRisk: { ms: 90, messages: { IN_us: 2, EV_us: 1 } },
  intakeOpen: true,
  control: 'ok',
  recovery: { heardMsAgo: 200 },
};

const plan: FailoverPlan = {
  home: 'eu',
  from: 'eu',
  to: 'us',
  epoch: 1,
  nextEpoch: 2,
  kind: 'PLANNED',
  failback: false,
  steps: ['eu stops.', 'us goes on.'],
  blastRadius: {
    contacts: { open: 9, waiting: 4, offered: 2, connected: 3 },
    agents: { signedIn: 5 },
    intakeBehind: 0,
  },
  blockers: [],
};

const requested: Failover = {
  home: 'eu',
  from: 'eu',
  to: 'us',
  kind: 'PLANNED',
  state: 'REQUESTED',
  epoch: 1,
  requestedAt: '2026-03-02T09:00:00.000Z',
  startedAt: null,
  endedAt: null,
  upTo: null,
  rpoMs: null,
  takeoverMs: null,
  failure: null,
  at: 'EV_eu:470',
};
const sealed: Failover = {
  ...requested,
  state: 'SEALED',
  startedAt: '2026-03-02T09:00:00.010Z',
  upTo: 471,
  at: 'EV_eu:471',
};
const completed: Failover = {
  ...sealed,
  state: 'COMPLETED',
  endedAt: '2026-03-02T09:00:00.085Z',
  rpoMs: 0,
  takeoverMs: 40,
  at: 'EV_us:1',
};
const failed: Failover = {
  ...requested,
  state: 'FAILED',
  endedAt: '2026-03-02T09:00:01.000Z',
  at: 'EV_eu:472',
  failure: { code: 'DECIDERS_DID_NOT_STOP', reason: 'routing went on' },
};

describe('commands about regions', () => {
  let edge: EdgeDouble;
  let folder: string;
  const at = (...args: string[]) =>
    run([...args, '--url', edge.url, '--key', 'mk_a_b'], { folder });

  /** The log of failovers as it grows: one list an answer, the last one for ever. */
  const failovers = (...lists: Failover[][]): void => {
    edge.replies.set('GET /v1/failovers', (response) => {
      const list = lists.length > 1 ? lists.shift() : lists[0];
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ failovers: list }));
    });
  };
  const asked = (): unknown => {
    const post = edge.received.find(({ method }) => method === 'POST');
    return post === undefined ? undefined : JSON.parse(post.body);
  };

  beforeEach(async () => {
    edge = await EdgeDouble.start();
    folder = mkdtempSync(join(tmpdir(), 'meridian-mesh-commands-'));
    edge.json('GET /v1/regions/eu/plan', plan);
    edge.json('POST /v1/failovers', { id: 'f1', stream: 'IN_eu', sequence: 3 }, 202);
  });
  afterEach(async () => {
    await edge.close();
    rmSync(folder, { recursive: true });
  });

  it('shows who decides for what, which leases are old, how far copies are behind', async () => {
    edge.json('GET /v1/regions', view);
    const { code, out } = await at('regions');
    expect(code).toBe(0);
    expect(out).toContain('us      us, eu       300 ms  seen    ok\n');
    expect(out).toContain('eu      -             9.4 s  ?       ?\n');
    expect(out).toContain(
      'eu    us         2  FAILING_OVER: to ap, waits for the deciders  1 EV_eu:471\n',
    );
    expect(out).toContain('us    ap      12  1.3 s\n');
    expect(out).toContain(
      'At risk in us: 3 messages that no other region holds, the oldest for 90 ms.',
    );
    expect(JSON.parse((await at('regions', '--json')).out)).toEqual(view);
  });

  it('says when the region that answers knows nothing, is cut off, or is shut', async () => {
    edge.json('GET /v1/regions', { ...view, recovery: null, links: [] });
    expect((await at('regions')).out).toContain('The recovery of us says nothing');
    edge.json('GET /v1/regions', { ...view, isolated: true, control: 'away', intakeOpen: false });
    const { out } = await at('regions');
    for (const part of [
      'us is isolated',
      'control cluster does not answer',
      'way into us is shut',
    ]) {
      expect(out).toContain(part);
    }
  });

  it('shows the plan and does nothing in a dry run', async () => {
    const { code, out } = await at('failover', 'eu', '--to', 'us', '--dry-run');
    expect(code).toBe(0);
    expect(out).toContain(
      'Failover of eu: eu (epoch 1) -> us (epoch 2), PLANNED\n  1. eu stops.\n',
    );
    expect(out).toContain('9 open, of them 4 waiting, 2 offered, 3 connected');
    expect(asked()).toBeUndefined();
  });

  it('asks for it and says each step until it has completed', async () => {
    failovers([failed], [failed], [requested, failed], [sealed, failed], [completed, failed]);
    const { code, out } = await at('failover', 'eu', '--to', 'us', '--reason', 'maintenance');
    expect(code).toBe(0);
    expect(asked()).toEqual({ home: 'eu', to: 'us', kind: 'PLANNED', reason: 'maintenance' });
    expect(out.split('\n').slice(-5, -1)).toEqual([
      '  09:00:00.000  requested',
      '  09:00:00.010  started: eu takes back what it granted',
      '                sealed: EV_eu counts up to 471',
      '  09:00:00.085  completed: us decides under epoch 2; EV_eu counts up to 471; took 85 ms, RPO 0 ms',
    ]);
  });

  it('answers no when it failed, and says why', async () => {
    failovers([], [failed]);
    const { code, out } = await at('failover', 'eu', '--to', 'us', '--planned');
    expect(code).toBe(1);
    expect(out).toContain('failed: DECIDERS_DID_NOT_STOP, routing went on; eu goes on deciding');
    failovers([], [failed]);
    expect(JSON.parse((await at('failover', 'eu', '--to', 'us', '--json')).out)).toMatchObject({
      asked: true,
      failover: { state: 'FAILED' },
    });
  });

  it('answers no when nothing comes of it in time', async () => {
    failovers([]);
    let now = 0;
    const { code, out } = await run(
      ['failover', 'eu', '--to', 'us', '--url', edge.url, '--wait', '30'],
      { now: () => (now += 6_000) },
    );
    expect(code).toBe(1);
    expect(out).toContain('Not completed within 30 s: nothing of it is on the log.');
  });

  it('goes on asking while the edge is away', async () => {
    let calls = 0;
    edge.replies.set('GET /v1/failovers', (response) => {
      calls += 1;
      if (calls === 2) response.socket?.destroy();
      else if (calls === 3) response.writeHead(503).end();
      else response.end(JSON.stringify({ failovers: calls === 1 ? [] : [completed] }));
    });
    expect((await at('failover', 'eu', '--to', 'us')).code).toBe(0);
  });

  it('does not ask when something is in its way, unless told so', async () => {
    edge.json('GET /v1/regions/eu/plan', {
      ...plan,
      blockers: [{ code: 'TARGET_LOST', detail: 'No renewal of us was seen.' }],
    });
    failovers([], [completed]);
    const { code, out } = await at('failover', 'eu', '--to', 'us');
    expect(code).toBe(1);
    expect(out).toContain('TARGET_LOST: No renewal of us was seen.\n');
    expect(out).toContain('Blocked');
    expect(asked()).toBeUndefined();
    expect((await at('failover', 'eu', '--to', 'us', '--anyway')).code).toBe(0);
    expect(asked()).toEqual({ home: 'eu', to: 'us', kind: 'PLANNED' });
  });

  it('breaks the glass only when it is said', async () => {
    edge.json('GET /v1/regions/eu/plan', {
      ...plan,
      kind: 'UNPLANNED',
      blockers: [{ code: 'NO_QUORUM', detail: 'No answer.' }],
    });
    failovers([], [completed]);
    expect((await at('failover', 'eu', '--to', 'us', '--break-glass')).code).toBe(0);
    expect(asked()).toEqual({ home: 'eu', to: 'us', kind: 'UNPLANNED', breakGlass: true });
  });

  it('lets an owner go on without a lease, which is no move to follow', async () => {
    edge.json('GET /v1/regions/eu/plan', {
      ...plan,
      to: 'eu',
      blockers: [{ code: 'ALREADY_OWNER', detail: 'eu decides for eu already.' }],
    });
    failovers([]);
    const { code, out } = await at('failover', 'eu', '--to', 'eu', '--break-glass');
    expect(code).toBe(0);
    expect(asked()).toEqual({ home: 'eu', to: 'eu', kind: 'UNPLANNED', breakGlass: true });
    expect(out).toContain('eu goes on deciding for eu without a lease');
  });

  it('fails back to the home itself', async () => {
    edge.json('GET /v1/regions/eu/plan', { ...plan, from: 'us', to: 'eu', failback: true });
    failovers([], [{ ...completed, from: 'us', to: 'eu' }]);
    const { code, out } = await at('failback', 'eu');
    expect(code).toBe(0);
    expect(out).toContain('Failback of eu: us (epoch 1) -> eu');
    expect(edge.received[0]?.path).toBe('/v1/regions/eu/plan?to=eu');
  });

  it('does not understand half an order', async () => {
    expect((await at('failover', 'eu')).err).toContain('--to is missing');
    const both = await at('failover', 'eu', '--to', 'us', '--planned', '--unplanned');
    expect(both).toMatchObject({ code: 2 });
    edge.problem('GET /v1/regions/mars/plan', 404, 'Not found', 'There is no home mars.');
    expect(await at('failover', 'mars', '--to', 'us')).toMatchObject({ code: 3 });
  });

  it('lists past drills, and shows and writes the receipt of one', async () => {
    const receipt = signReceipt(buildReceipt(facts()), ensureSigningKey(folder, 'us'));
    const { id, exercise, startedAt, endedAt } = facts();
    const drill = { id, exercise, startedAt, endedAt, passed: true, at: 'EV_us:12' };
    edge.json('GET /v1/drills', { drills: [drill, { ...drill, id: 'd2', passed: false }] });
    edge.json(`GET /v1/drills/${id}`, { ...drill, receipt });
    const { out } = await at('drills');
    expect(out).toContain(`${id}  kill eu   ${startedAt}  1 min 40 s  kept      EV_us:12\n`);
    expect(out).toContain('BROKEN');
    expect((await at('drills', id, '--out', 'd.json')).out).toContain('All promises were kept');
    expect(readFileSync(join(folder, 'd.json'), 'utf8')).toBe(`${receipt}\n`);
    expect((await run(['receipt', 'verify', 'd.json'], { folder })).code).toBe(0);
  });

  it('asks every region of the checkout about its own links', async () => {
    const eu = await EdgeDouble.start();
    try {
      edge.json('GET /v1/regions', view);
      const links = [
        { from: 'eu', to: 'us', events: 3, ms: 40 },
        { from: 'us', to: 'ap', events: 99, ms: 1 },
      ];
      eu.json('GET /v1/regions', {
        ...view,
        region: 'eu',
        isolated: false,
        control: 'away',
        links,
      });
      mkdirSync(join(folder, '.meridian'));
      const regions = {
        ap: { url: 'http://127.0.0.1:1' },
        eu: { url: eu.url },
        us: { url: edge.url },
      };
      const current = { url: edge.url, regions };
      writeFileSync(join(folder, '.meridian', 'current.json'), JSON.stringify(current));
      const { code, out } = await run(['regions'], { folder });
      expect(code).toBe(0);
      expect(out).toContain('eu    us       3  40 ms\nus    ap      12  1.3 s\n');
      expect(out).toContain('eu      -             9.4 s  seen    away\n');
      const alone = await run(['regions', '--url', edge.url], { folder });
      expect(alone.out).not.toContain('eu    us       3');
    } finally {
      await eu.close();
    }
  });

  it('takes the edge of another region of the checkout', async () => {
    edge.json('GET /v1/regions', view);
    mkdirSync(join(folder, '.meridian'));
    const current = {
      url: 'http://127.0.0.1:1',
      key: 'mk_1_x',
      regions: { us: { url: edge.url } },
    };
    writeFileSync(join(folder, '.meridian', 'current.json'), JSON.stringify(current));
    expect((await run(['regions', '--region', 'us'], { folder })).code).toBe(0);
    expect(edge.received[0]?.headers.authorization).toBe('Bearer mk_1_x');
    expect((await run(['regions', '--region', 'ap'], { folder })).err).toContain('are us.');
    expect((await at('regions', '--region', 'us')).code).toBe(2);
  });

  it('runs the drill of the checkout with what it was given', async () => {
    mkdirSync(join(folder, 'scripts'));
    const script = join(folder, 'scripts', 'drill');
    writeFileSync(script, '#!/bin/sh\necho "$@"\n[ "$2" = us ] && exit 2\n[ "$2" != ap ]\n');
    chmodSync(script, 0o755);
    const drill = (...args: string[]) => run(['drill', ...args], { folder });
    const cuts = ['eu-us:reset', 'us-ap:blackhole'];
    expect(await drill('--kill', 'eu', '--planned', '--cut', ...cuts, '--rate', '600')).toEqual({
      code: 0,
      out: '--kill eu --planned --cut eu-us:reset --cut us-ap:blackhole --rate 600\n',
      err: '',
    });
    expect((await drill('--kill', 'us')).code).toBe(2);
    expect((await drill('--kill', 'ap')).code).toBe(1);
  });
});
