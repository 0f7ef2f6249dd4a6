import { describe, expect, it } from '@jest/globals';
import {
  LogUnavailable,
  memoryLog,
  StreamMissing,
  type AppendFate,
  type LogMessage,
} from '@meridian/journal';
import { eventually } from '@meridian/testing';
import { pino } from 'pino';
import { listAside, requestRetry } from './aside.ts';
import { memoryBeat } from './beat.ts';
import { memoryCheckpoints } from './checkpoints.ts';
import { systemClock } from './clock.ts';
import type { FollowContext, FollowOptions, HandlerResult } from './follow.ts';
import { MetricsRegistry } from './metrics.ts';
import { Services } from './services.ts';

type Handle = (
  message: LogMessage,
  context: FollowContext,
) => HandlerResult | Promise<HandlerResult>;

function setUp(onAppend: (stream: string) => AppendFate = () => 'store') {
  const log = memoryLog({ onAppend });
  const checkpoints = memoryCheckpoints();
  const registry = new MetricsRegistry();
  const make = () =>
    new Services({
      region: 'eu',
      log,
      clock: systemClock(),
      beat: memoryBeat(),
      checkpoints,
      registry,
      logger: pino({ level: 'silent' }),
    }).of('test');
  const service = make();
  const options: FollowOptions = {
    service: 'test',
    name: 'intake',
    stream: 'IN',
    filters: ['in.{region}.>'],
    order: 'key',
  };
  const open = (handle: Handle, part: Partial<FollowOptions> = {}) =>
    service.open([{ options: { ...options, ...part }, handle }]);
  const append = (data: string) =>
    log.append('IN_eu', { subject: 'in.eu.demo.eu.contact.c1', data });
  return { log, service, make, options, open, append, checkpoints, registry };
}

describe('ServiceRuntime', () => {
  it('does its opening work in order before it follows, and its closing work in reverse after', async () => {
    const { service, open, append } = setUp();
    const did: string[] = [];
    service.onOpen(async () => {
      did.push('open 1');
    });
    service.onOpen(() => {
      did.push('open 2');
    });
    service.onClose(() => {
      did.push('close 1');
    });
    service.onClose(() => {
      did.push('close 2');
    });
    await append('m');
    await open((message) => {
      did.push(message.text());
    });
    await eventually('it is handled', () => did.includes('m'));
    await service.close();
    await append('late');
    expect(did).toEqual(['open 1', 'open 2', 'm', 'close 2', 'close 1']);
    expect(service.status.state).toBe('closed');
  });

  it('does opening work again that failed because the log was away', async () => {
    const { service, open } = setUp();
    let attempts = 0;
    service.onOpen(() => {
      attempts += 1;
      if (attempts < 3) throw new LogUnavailable('The log is away.', 'Try again.');
    });
    await open(() => {});
    expect(attempts).toBe(3);
    await service.close();
  });

  it('starts where the service says, and never keeps a lower checkpoint', async () => {
    const { service, open, append, checkpoints } = setUp();
    for (const data of ['1', '2', '3', '4']) await append(data);
    await checkpoints.save('test', 'intake', 3);
    service.startAfter('intake', (checkpoint) => checkpoint - 2);
    const seen: string[] = [];
    const held = Promise.withResolvers<void>();
    await open((message) => {
      seen.push(message.text());
      return message.text() === '4' ? held.promise : undefined;
    });
    await eventually('all are seen', () => seen.length === 3);
    expect(seen).toEqual(['2', '3', '4']);
    const closing = service.close();
    held.resolve();
    await closing;
    expect(await checkpoints.load('test', 'intake')).toBe(4);
  });

  it('with order submit starts the next without waiting, and sets a failure aside at once', async () => {
    const { log, service, open, append } = setUp();
    const gate = Promise.withResolvers<void>();
    const started: string[] = [];
    await open(
      async (message) => {
        started.push(message.text());
        if (message.text() === 'a') throw new LogUnavailable('The log is away.', 'Try again.');
        await gate.promise;
      },
      { order: 'submit' },
    );
    for (const data of ['a', 'b', 'c']) await append(data);
    await eventually('all are started', () => started.length === 3);
    expect(started).toEqual(['a', 'b', 'c']);
    const item = await eventually(
      'it is set aside',
      async () => (await listAside(log, 'eu')).items[0],
    );
    expect(item).toMatchObject({
      sequence: 1,
      status: 'failed',
      attempts: 1,
      reason: { code: 'log_unavailable' },
    });
    gate.resolve();
    await service.close();
  });

  it('passes no message before its record is kept', async () => {
    let aside: AppendFate = 'refuse';
    const { log, service, open, append } = setUp((stream) =>
      stream === 'ASIDE_eu' ? aside : 'store',
    );
    await append('m');
    let handled = 0;
    await open(() => {
      handled += 1;
      return { kind: 'rejected', rejection: { code: 'no', facts: {} } };
    });
    await eventually('it was handled', () => handled === 1);
    const position = () =>
      service.progress.snapshot().reads.find(({ stream }) => stream === 'IN_eu')?.position;
    expect(position()).toBe(0);
    aside = 'store';
    await eventually('the record is kept', async () => (await log.lastSequence('ASIDE_eu')) === 1);
    await eventually('the position follows', () => position() === 1);
    expect(handled).toBe(1);
    await service.close();
  });

  it('stops at a fault that no message is to blame for, and says why', async () => {
    const { service, open, append, checkpoints } = setUp();
    await open((message) => {
      if (message.text() === 'b') throw new StreamMissing('EV_eu');
    });
    for (const data of ['a', 'b', 'c']) await append(data);
    await eventually('it has stopped', () => service.status.state === 'stopped');
    expect(service.status.detail).toContain('stream_missing: There is no stream EV_eu');
    await service.close();
    expect(await checkpoints.load('test', 'intake')).toBe(1);
    expect(service.status.state).toBe('stopped');
  });

  it('answers a request for a retry that it cannot fulfil', async () => {
    const { log, service, open, append, options, make } = setUp();
    await append('poison');
    await open(() => {
      throw new TypeError('no');
    });
    await eventually(
      'it is set aside',
      async () => (await listAside(log, 'eu')).items.length === 1,
    );
    await service.close();
    await requestRetry(log, 'eu', 'test.IN_eu.1', 0);
    const next = make();
    await next.open([
      { options: { ...options, name: 'other', filters: ['in.eu.other.>'] }, handle: () => {} },
    ]);
    const item = await eventually(
      'it is answered',
      async () => (await listAside(log, 'eu', { status: 'failed' })).items[0],
    );
    expect(item.reason).toMatchObject({ code: 'no_handler' });
    await next.close();
  });

  it('counts what handlers return', async () => {
    const { service, open, append, registry } = setUp();
    const event = { type: 'meridian.contact.queued.v1', subject: 'c1', data: {} };
    await open(() => [
      { kind: 'decided', events: [event, event], sequence: 1 },
      { kind: 'decided', events: [], sequence: 1 },
      { kind: 'rejected', rejection: { code: 'full', facts: {} } },
    ]);
    await append('m');
    await eventually('it is counted', async () => {
      const text = await registry.text();
      return (
        text.includes(
          'meridian_events_total{service="test",type="meridian.contact.queued.v1"} 2',
        ) &&
        text.includes('meridian_decisions_total{service="test"} 1') &&
        text.includes('meridian_rejections_total{service="test",code="full"} 1')
      );
    });
    await service.close();
  });
});
