import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { RawEntry } from '@meridian/cli';
import { eventually } from '@meridian/testing';
import type { DevelopmentRegion } from '../src/index.ts';
import {
  cloudEvent,
  configureQueue,
  decisionsUntil,
  enterQueue,
  initiate,
  publish,
  readLog,
  signIn,
  storedEvents,
} from './publishing.ts';
import { isOfMesh } from './rehearsal.ts';
import { startRegion } from './real-region.ts';

let region: DevelopmentRegion;
const said: string[] = [];

/** A metric's values by its labels, those of the process's own left out. */
type Samples = ReadonlyMap<string, number>;

async function metrics(): Promise<Samples> {
  const answer = await fetch(`${region.url}/metrics`);
  expect(answer.headers.get('content-type')).toContain('text/plain');
  const lines = (await answer.text()).split('\n').filter((line) => line.startsWith('meridian_'));
  return new Map(
    lines.map((line) => {
      const space = line.lastIndexOf(' ');
      return [line.slice('meridian_'.length, space), Number(line.slice(space + 1))];
    }),
  );
}

const reads = [
  ['sessions', 'requests.IN_eu.for.eu'],
  ['sessions', 'routing.EV.eu.for.eu'],
  ['routing', 'requests.IN_eu.for.eu'],
  ['routing', 'decisions.EV.eu.for.eu'],
] as const;

/** The metrics once nothing is behind, and the gauges, which are set once a second, say `queueLength`. */
function metricsAtRest(queueLength: number): Promise<Samples> {
  return eventually(
    'everything is handled and measured',
    async () => {
      const samples = await metrics();
      const behind = reads.filter(
        ([service, read]) => samples.get(`lag_events{service="${service}",read="${read}"}`) !== 0,
      );
      const waiting = samples.get('queue_length{service="routing",tenant="demo",queue="support"}');
      return behind.length === 0 && waiting === queueLength ? samples : undefined;
    },
    { pauseMs: 50 },
  );
}

beforeAll(async () => {
  region = await startRegion({
    processes: 'together',
    clock: 'system',
    say: (line) => {
      said.push(line);
    },
  });
  await publish(region, configureQueue('support', 'english'));
  await publish(region, signIn('ada', 'english'));
  for (const contact of ['c1', 'c2', 'c3']) {
    await publish(region, initiate(contact));
    await publish(region, enterQueue(contact, 'support'));
  }
  // A request that sessions refuses: there is no such contact.
  await publish(region, enterQueue('nobody', 'support'));
  await decisionsUntil(region, 'meridian.contact.offered.v1', 'c1');
  await decisionsUntil(region, 'meridian.routing.decided.v1', 'c3');
}, 60_000);

afterAll(async () => {
  await region?.stop();
});

/** What the metrics should say of a service, counted in the log: events by type, and decisions. */
function countedIn(log: readonly RawEntry[], service: 'sessions' | 'routing') {
  const own = log.filter(
    (entry) => !isOfMesh(entry) && entry.subject.includes('.routing.') === (service === 'routing'),
  );
  const events = new Map<string, number>();
  for (const { type } of storedEvents(own)) events.set(type, (events.get(type) ?? 0) + 1);
  const causes = new Set(
    own.flatMap(({ subject, ...entry }) =>
      storedEvents([{ subject, ...entry }]).map(({ causationid }) => `${subject} ${causationid}`),
    ),
  );
  return { events, decisions: causes.size };
}

describe('the metrics of a region', () => {
  it('say how many events and decisions were stored, and how many refused', async () => {
    const samples = await metricsAtRest(2);
    const log = await readLog(region, 'EV_eu');
    for (const service of ['sessions', 'routing'] as const) {
      const { events, decisions } = countedIn(log, service);
      expect(events.size).toBeGreaterThan(3);
      const told = [...samples].filter(([name]) =>
        name.startsWith(`events_total{service="${service}"`),
      );
      expect(
        new Map(told.map(([name, value]) => [/type="([^"]*)"/.exec(name)?.[1], value])),
      ).toEqual(events);
      expect(samples.get(`decisions_total{service="${service}"}`)).toBe(decisions);
    }
    expect(samples.get('events_total{service="sessions",type="meridian.contact.queued.v1"}')).toBe(
      3,
    );
    expect(
      samples.get('events_total{service="routing",type="meridian.reservation.created.v1"}'),
    ).toBe(1);
    const refused = [...samples].filter(([name]) => name.startsWith('rejections_total{'));
    expect(refused.map(([name, value]) => [/service="(\w+)"/.exec(name)?.[1], value])).toEqual([
      ['sessions', 1],
    ]);
  });

  it('say how far each follower is, how long offers took, and who waits', async () => {
    const samples = await metricsAtRest(2);
    const [intake, events] = await Promise.all([
      readLog(region, 'IN_eu'),
      readLog(region, 'EV_eu'),
    ]);
    const last = (log: readonly RawEntry[], part: RegExp): number | undefined =>
      log.findLast(({ subject }) => part.test(subject))?.sequence;
    const position = (service: string, read: string): number | undefined =>
      samples.get(`position{service="${service}",read="${read}"}`);
    expect(position('sessions', 'requests.IN_eu.for.eu')).toBeGreaterThanOrEqual(
      last(intake, /\.contact\./) as number,
    );
    expect(position('sessions', 'routing.EV.eu.for.eu')).toBeGreaterThanOrEqual(
      last(events, /\.routing\./) as number,
    );
    expect(position('routing', 'requests.IN_eu.for.eu')).toBeGreaterThanOrEqual(
      last(intake, /\.(agent|queue)\./) as number,
    );
    expect(position('routing', 'decisions.EV.eu.for.eu')).toBeGreaterThanOrEqual(
      last(events, /\.contact\./) as number,
    );
    for (const [service, read] of reads) {
      expect(samples.get(`lag_seconds{service="${service}",read="${read}"}`)).toBe(0);
    }
    // One agent: one contact was offered at once, the two others wait.
    expect(samples.get('offer_latency_seconds_count{service="routing"}')).toBe(1);
    const seconds = samples.get('offer_latency_seconds_sum{service="routing"}') as number;
    expect(seconds).toBeGreaterThanOrEqual(0);
    expect(samples.get('offer_latency_seconds_bucket{le="+Inf",service="routing"}')).toBe(1);
  });
});

describe('a process that is told to end', () => {
  it('is ready, answers what is under way, keeps its checkpoints and ends with code 0', async () => {
    const ready = await fetch(`${region.url}/health/ready`);
    expect(ready.status).toBe(200);
    expect(await ready.json()).toMatchObject({ ok: true, nats: 'connected', reasons: [] });

    // What was published and perhaps not handled yet, and a request of which half has arrived.
    await Promise.all(
      ['d1', 'd2', 'd3', 'd4', 'd5', 'd6'].map((contact) => publish(region, initiate(contact))),
    );
    const body = cloudEvent(initiate('half'));
    const half = httpRequest(`${region.url}/v1/events`, {
      method: 'POST',
      agent: false,
      headers: {
        authorization: `Bearer ${region.key}`,
        'content-type': 'application/cloudevents+json',
        'content-length': Buffer.byteLength(body),
        expect: '100-continue',
      },
    });
    const answered = once(half, 'response') as Promise<[IncomingMessage]>;
    await once(half, 'continue');
    half.write(body.slice(0, 20));

    const child = region.children.get('region');
    child?.kill('SIGTERM');
    // All else has ended: only the request under way keeps the process from closing its connections.
    await eventually('it takes no more', async () => {
      const response = await fetch(`${region.url}/health/live`).catch(() => undefined);
      return response === undefined || response.status === 503;
    });
    half.end(body.slice(20));
    const [response] = await answered;
    expect(await text(response)).toMatch(/^\{"accepted":\[\{/);
    expect(response.statusCode).toBe(202);

    await eventually('it ends', () => said.find((line) => line.startsWith('region ended')));
    const endedAt = Date.now();
    expect(said.find((line) => line.startsWith('region ended'))).toContain('exit code 0');
    await eventually(
      'another one is ready',
      async () => (await fetch(`${region.url}/health/ready`)).ok,
    );
    const log = await decisionsUntil(region, 'meridian.contact.initiated.v1', 'half');
    const samples = await metricsAtRest(2);
    // It went on exactly where the first one ended: nothing that had been decided came again.
    const decidedSince = log.filter(
      ({ subject, storedAt }) =>
        subject.includes('.contact.') && new Date(storedAt).getTime() > endedAt,
    );
    expect(decidedSince.length).toBeLessThanOrEqual(7);
    const handled = (read: string): number =>
      samples.get(`handler_duration_seconds_count{service="sessions",read="${read}"}`) ?? 0;
    expect(handled('requests')).toBe(decidedSince.length);
    // What the routing decided is read on from where the log says, a little before: it decides nothing.
    const routed = log.filter(({ subject }) => subject.includes('.routing.'));
    expect(handled('routing')).toBeLessThanOrEqual(routed.length);
    const initiated = storedEvents(log).filter(
      ({ type }) => type === 'meridian.contact.initiated.v1',
    );
    expect(initiated.map(({ subject }) => subject).toSorted()).toEqual([
      'c1',
      'c2',
      'c3',
      'd1',
      'd2',
      'd3',
      'd4',
      'd5',
      'd6',
      'half',
    ]);
  }, 60_000);
});
