import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { memoryLog, type Log } from '@meridian/journal';
import { memoryBeat, type Beat } from '@meridian/nest';
import { eventually } from '@meridian/testing';
import { Registry } from 'prom-client';
import { DurabilityMetrics } from '../src/durability/metrics.ts';
import { atRisk, HeldWatch } from '../src/durability/held-watch.ts';
import { initiate, post, startEdge, type EdgeUnderTest } from './edge-under-test.ts';

const regions = ['eu', 'us', 'ap'];

describe('POST /v1/events with a durability', () => {
  let log: Log;
  let beat: Beat;
  let edge: EdgeUnderTest;
  let token: string;

  const start = async (durabilityWaitMs: number): Promise<void> => {
    log = memoryLog();
    beat = memoryBeat();
    edge = await startEdge({ log, beat, regions, durabilityWaitMs });
    token = edge.token(['publish']);
    await eventually('homes are known', () => edge.homes.isReady);
  };
  const report = (region: string, sequence: number): void =>
    beat.publish(
      `beat.eu.held.${region}`,
      JSON.stringify({ region, streams: { IN_eu: sequence, EV_eu: 0 } }),
    );
  const send = (body: unknown, durability: string) =>
    post(edge.url, token, body, {}, `/v1/events?durability=${durability}`);

  beforeEach(() => start(60_000));
  afterEach(async () => {
    await edge.close();
    expect(edge.faults).toEqual([]);
  });

  it('answers at once for this region, and says who holds it', async () => {
    const first = await send(initiate('e1'), 'region');
    expect(first.body).toEqual({
      accepted: [
        { id: 'e1', stream: 'IN_eu', sequence: 1, duplicate: false, durability: 'region' },
      ],
    });
    report('us', 1);
    expect((await send(initiate('e1'), 'region')).body.accepted[0]).toMatchObject({
      duplicate: true,
      durability: 'mirrored',
    });
    report('ap', 4);
    expect((await send(initiate('e1'), 'region')).body.accepted[0].durability).toBe('all');
  });

  it('waits until one other region, or every other one, holds it', async () => {
    const order: string[] = [];
    const mirrored = send(initiate('m'), 'mirrored').finally(() => order.push('mirrored'));
    await eventually('one waits', () => edge.held.held.waiting('mirrored') === 1);
    const all = send([initiate('a1'), initiate('a2')], 'all').finally(() => order.push('all'));
    await eventually('both wait', () => edge.held.held.waiting('all') === 1);
    expect(await log.lastSequence('IN_eu')).toBe(3);
    report('us', 3);
    const one = await mirrored;
    expect([one.status, one.body.accepted[0].durability, order]).toEqual([
      202,
      'mirrored',
      ['mirrored'],
    ]);
    report('ap', 2);
    expect(edge.held.held.waiting('all')).toBe(1);
    report('ap', 3);
    const two = await all;
    expect(two.status).toBe(202);
    expect(two.body.accepted.map((accepted: any) => [accepted.id, accepted.durability])).toEqual([
      ['a1', 'all'],
      ['a2', 'all'],
    ]);
  });

  it('lets a duplicate wait for the first', async () => {
    await send(initiate('once'), 'region');
    await send(initiate('other'), 'region');
    const again = send(initiate('once'), 'mirrored');
    await eventually('it waits', () => edge.held.held.waiting('mirrored') === 1);
    report('us', 1);
    expect((await again).body.accepted).toEqual([
      { id: 'once', stream: 'IN_eu', sequence: 1, duplicate: true, durability: 'mirrored' },
    ]);
  });

  it('knows what was said before it listened', async () => {
    report('us', 5);
    const watch = new HeldWatch({ beat, region: 'eu', regions, waitMs: 1 });
    await eventually('it heard', () => watch.held.knows('us', 'IN_eu'));
    expect(watch.reached('IN_eu', 5)).toBe('mirrored');
    watch.close();
    report('us', 9);
    expect(watch.reached('IN_eu', 9)).toBe('region');
  });

  it('believes no region that speaks for another, and no broken report', async () => {
    beat.publish('beat.eu.held.ap', JSON.stringify({ region: 'us', streams: { IN_eu: 9 } }));
    beat.publish('beat.eu.held.us', '{"region":"us","streams":{"IN_eu":-1}}');
    beat.publish('beat.eu.held.us', '{');
    expect(edge.held.reached('IN_eu', 1)).toBe('region');
  });

  it('says that it is stored when nobody else says so in time', async () => {
    await edge.close();
    await start(20);
    const reply = await send(initiate('late'), 'mirrored');
    expect(reply).toMatchObject({
      status: 503,
      body: {
        type: 'urn:meridian:problem:not-mirrored',
        accepted: [
          { id: 'late', stream: 'IN_eu', sequence: 1, duplicate: false, durability: 'region' },
        ],
      },
    });
    expect(reply.body.detail).toContain('The event IS stored in this region (IN_eu:1).');
    expect(reply.headers.get('retry-after')).toBe('1');
    expect(edge.held.held.waiting('mirrored')).toBe(0);
    report('us', 1);
    expect(await send(initiate('late'), 'mirrored')).toMatchObject({
      status: 202,
      body: { accepted: [{ sequence: 1, duplicate: true, durability: 'mirrored' }] },
    });
    const both = await send([initiate('late'), initiate('later')], 'all');
    expect([both.status, both.body.detail.includes('All 2 events ARE stored')]).toEqual([
      503,
      true,
    ]);
    expect(both.body.accepted.map((one: any) => [one.sequence, one.durability])).toEqual([
      [1, 'mirrored'],
      [2, 'region'],
    ]);
  });

  it.each(['some', '', 'MIRRORED', 'all,region'])('refuses the durability %j', async (asked) => {
    const reply = await send(initiate('x'), asked);
    expect(reply).toMatchObject({
      status: 400,
      body: {
        type: 'urn:meridian:problem:invalid-parameter',
        errors: [{ pointer: '/query/durability' }],
      },
    });
    expect(await log.lastSequence('IN_eu')).toBe(0);
  });

  it('takes nothing in while the way in is shut', async () => {
    await edge.close();
    const gate = { intakeOpen: false };
    edge = await startEdge({ log, gate });
    token = edge.token(['publish']);
    const shut = await post(edge.url, token, initiate('g'));
    expect(shut).toMatchObject({
      status: 503,
      body: { type: 'urn:meridian:problem:region-not-open' },
    });
    expect(shut.headers.get('retry-after')).toBe('1');
    expect(await log.lastSequence('IN_eu')).toBe(0);
    gate.intakeOpen = true;
    expect((await post(edge.url, token, initiate('g'))).status).toBe(202);
  });
});

describe('the metrics of durability', () => {
  it('count waits by level, and what is at risk', async () => {
    const log = memoryLog();
    for (let index = 0; index < 3; index += 1) {
      await log.append('IN_eu', { subject: 'in.eu.demo.eu.contact.c1', data: '{}' });
    }
    const beat = memoryBeat();
    const registry = new Registry();
    const metrics = new DurabilityMetrics(registry, () => atRisk(log, 'eu', watch.held));
    const watch: HeldWatch = new HeldWatch({ beat, region: 'eu', regions, waitMs: 5, metrics });
    expect(await watch.wait('all', 'IN_eu', 1)).toBe(false);
    beat.publish('beat.eu.held.us', '{"region":"us","streams":{"IN_eu":1}}');
    expect(await watch.wait('mirrored', 'IN_eu', 1)).toBe(true);
    const text = await registry.metrics();
    expect(text).toContain('meridian_durability_wait_seconds_count{level="all",reached="false"} 1');
    expect(text).toContain(
      'meridian_durability_wait_seconds_count{level="mirrored",reached="true"} 1',
    );
    expect(text).toContain('meridian_at_risk_messages{stream="IN_eu"} 2');
    expect(text).toContain('meridian_at_risk_messages{stream="EV_eu"} 0');
    watch.close();
  });
});
