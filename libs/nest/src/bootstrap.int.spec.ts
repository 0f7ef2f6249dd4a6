import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Inject, Module } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import {
  LogUnavailable,
  connectNats,
  jetstreamLog,
  type Log,
  type LogMessage,
} from '@meridian/journal';
import { eventually, startNatsServer, type NatsServer } from '@meridian/testing';
import { jetstreamManager, StorageType } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import { listAside, requestRetry } from './aside.ts';
import { natsBeat } from './beat.ts';
import { bootstrap, type Running } from './bootstrap.ts';
import { kvCheckpoints } from './checkpoints.ts';
import { publishClock } from './clock.ts';
import { readConfig } from './config.ts';
import { Follow, type FollowContext, type HandlerResult } from './follow.ts';
import { ProgressWatch, waitUntilSettled } from './progress-watch.ts';
import { serviceModule } from './region.module.ts';
import type { Service } from './service.ts';
import { LOG, SERVICE } from './tokens.ts';

interface Seen {
  readonly service: string;
  readonly text: string;
  readonly sequence: number;
  readonly attempt: number;
  readonly asked: boolean;
}

/** What the handlers did, and what they are to do; the controllers are made anew by each test. */
const seen: Seen[] = [];
const opened: string[] = [];
let react: (
  message: LogMessage,
  context: FollowContext,
) => HandlerResult | Promise<HandlerResult> = () => {};
let due: number | undefined;
const fired: number[] = [];

function record(service: string, message: LogMessage, context: FollowContext): void {
  const { sequence } = message;
  seen.push({
    service,
    text: message.text(),
    sequence,
    attempt: context.attempt,
    asked: context.asked,
  });
}

@Controller()
class KeyedHandlers {
  readonly #log: Log;

  constructor(@Inject(SERVICE) service: Service, @Inject(LOG) log: Log) {
    this.#log = log;
    service.onOpen(() => {
      opened.push(service.name);
    });
    service.timer({
      name: 'test',
      next: () => due,
      fire: async (now) => {
        await this.#log.append('EV_eu', {
          subject: 'ev.eu.eu.demo.contact.timer',
          data: `fired ${now}`,
        });
        fired.push(now);
        due = undefined;
      },
    });
  }

  @Follow({
    service: 'keyed',
    name: 'intake',
    stream: 'IN',
    filters: ['in.{region}.*.{region}.contact.*'],
    order: 'key',
  })
  async intake(
    @Payload() message: LogMessage,
    @Ctx() context: FollowContext,
  ): Promise<HandlerResult> {
    record('keyed', message, context);
    return react(message, context);
  }
}

@Controller()
class SubmitHandlers {
  @Follow({
    service: 'submitting',
    name: 'intake',
    stream: 'IN',
    filters: ['in.{region}.>'],
    order: 'submit',
  })
  async intake(
    @Payload() message: LogMessage,
    @Ctx() context: FollowContext,
  ): Promise<HandlerResult> {
    record('submitting', message, context);
  }
}

@Module({ imports: [serviceModule('keyed')], controllers: [KeyedHandlers] })
class KeyedModule {}
@Module({ imports: [serviceModule('submitting')], controllers: [SubmitHandlers] })
class SubmitModule {}
@Module({ imports: [KeyedModule, SubmitModule] })
class BothModule {}

const textsOf = (service: string): string[] =>
  seen.filter((one) => one.service === service).map(({ text }) => text);

describe('a service on a real nats-server', () => {
  let server: NatsServer;
  let connection: NatsConnection;
  let log: Log;
  const running: Running[] = [];

  const start = async (
    module: new () => object = KeyedModule,
    clock = 'system',
  ): Promise<Running> => {
    const config = readConfig({
      MERIDIAN_NATS_URL: server.url,
      MERIDIAN_HTTP_PORT: '0',
      MERIDIAN_CLOCK: clock,
      LOG_LEVEL: 'silent',
    });
    const one = await bootstrap(module, { service: 'test', config, signals: false });
    running.push(one);
    return one;
  };
  const append = async (id: string, data: string): Promise<number> =>
    (await log.append('IN_eu', { subject: `in.eu.demo.eu.contact.${id}`, data })).sequence;

  beforeAll(async () => {
    server = await startNatsServer();
  });
  afterAll(() => server.stop());

  beforeEach(async () => {
    seen.length = 0;
    opened.length = 0;
    fired.length = 0;
    due = undefined;
    react = () => {};
    connection = await connectNats({ servers: server.url });
    const manager = await jetstreamManager(connection);
    for (const name of ['IN_eu', 'EV_eu', 'ASIDE_eu', 'BEAT_eu', 'KV_CHECKPOINT_eu']) {
      await manager.streams.delete(name).catch(() => {});
      const subjects = [
        name.startsWith('KV_')
          ? '$KV.CHECKPOINT_eu.>'
          : `${name.split('_')[0]!.toLowerCase()}.eu.>`,
      ];
      await manager.streams.add({
        name,
        subjects,
        storage: StorageType.File,
        allow_direct: true,
        allow_rollup_hdrs: true,
      });
    }
    log = await jetstreamLog({ connection });
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((one) => one.close()));
    await log.close();
    await connection.close();
  });

  it('opens, follows in order, and tells of its health and its metrics', async () => {
    await append('a', 'a1');
    const { url, opened: following } = await start();
    await following;
    await append('a', 'a2');
    await eventually('both are seen', () => textsOf('keyed').length === 2);
    expect(textsOf('keyed')).toEqual(['a1', 'a2']);
    expect(opened).toEqual(['keyed']);
    for (const route of ['live', 'ready']) {
      const response = await fetch(`${url}/health/${route}`);
      expect(response.status).toBe(200);
      expect(await response.json()).toMatchObject({ ok: true, reasons: [], nats: 'connected' });
    }
    await eventually('the metrics show it', async () => {
      const text = await (await fetch(`${url}/metrics`)).text();
      return (
        text.includes('meridian_handler_duration_seconds_count{service="keyed",read="intake"} 2') &&
        text.includes('meridian_lag_events{service="keyed",read="intake"} 0')
      );
    });
  });

  it('keeps the order of a key through a retry, while other keys go on', async () => {
    const { opened: following } = await start();
    await following;
    let failures = 0;
    let otherWasSeen = false;
    react = (message) => {
      if (message.text() === 'b1') otherWasSeen = true;
      // The first of key a fails until the other key was handled.
      if (message.text() === 'a1' && (!otherWasSeen || failures < 2)) {
        failures += 1;
        throw new LogUnavailable('The log is away.', 'Try again.');
      }
    };
    await append('a', 'a1');
    await append('a', 'a2');
    await append('b', 'b1');
    await eventually('all are handled', () => textsOf('keyed').includes('a2'));
    const firstOfA2 = textsOf('keyed').indexOf('a2');
    expect(textsOf('keyed').lastIndexOf('a1')).toBeLessThan(firstOfA2);
    expect(textsOf('keyed').indexOf('b1')).toBeLessThan(firstOfA2);
    expect(failures).toBeGreaterThanOrEqual(2);
  });

  it('starts handlers strictly in order of the stream with order submit', async () => {
    const { opened: following } = await start(BothModule);
    await following;
    const sent = Array.from({ length: 2_000 }, (_, index) => `m${index}`);
    await Promise.all(sent.map((text, index) => append(`c${index % 7}`, text)));
    await eventually('all are seen', () => textsOf('submitting').length === sent.length);
    const sequences = seen
      .filter(({ service }) => service === 'submitting')
      .map(({ sequence }) => sequence);
    expect(sequences).toEqual(sequences.toSorted((a, b) => a - b));
  });

  it('sets poison aside, goes on, and tries it again when asked', async () => {
    const { opened: following } = await start();
    await following;
    let broken = true;
    react = (message) => {
      if (message.text().includes('poison') && broken) throw new TypeError('cannot read it');
      if (!message.text().includes('refused')) return undefined;
      return { kind: 'rejected', rejection: { code: 'no_such_queue', facts: { queue: 'x' } } };
    };
    const sequence = await append('a', '{"poison":1}');
    await append('a', '{"after":1}');
    await append('b', '{"refused":1}');
    const failed = await eventually(
      'it is set aside',
      async () => (await listAside(log, 'eu', { status: 'failed' })).items[0],
    );
    expect(failed).toMatchObject({
      id: `keyed.IN_eu.${sequence}`,
      handler: 'intake',
      attempts: 3,
      event: { poison: 1 },
      reason: { code: 'type_error', detail: 'cannot read it', facts: {} },
    });
    await eventually('the next is handled', () => textsOf('keyed').includes('{"after":1}'));
    const rejected = await eventually(
      'the rejection is kept',
      async () => (await listAside(log, 'eu', { status: 'rejected' })).items[0],
    );
    expect(rejected.reason).toMatchObject({ code: 'no_such_queue', facts: { queue: 'x' } });
    broken = false;
    expect(await requestRetry(log, 'eu', failed.id, 0)).toMatchObject({
      status: 'retry_requested',
    });
    const resolved = await eventually(
      'it is resolved',
      async () => (await listAside(log, 'eu', { status: 'resolved' })).items[0],
    );
    expect(resolved).toMatchObject({ id: failed.id, attempts: 4 });
    expect(seen.filter(({ asked }) => asked)).toMatchObject([{ text: '{"poison":1}', sequence }]);
  });

  it('goes on at the checkpoint, which never passes a message that is not settled', async () => {
    const first = await start();
    await first.opened;
    let letGo = (): void => {};
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    react = (message) => (message.text() === 'held' ? held : undefined);
    await append('a', 'one');
    const heldAt = await append('b', 'held');
    await append('c', 'three');
    await eventually('three is handled', () => textsOf('keyed').includes('three'));
    const checkpoints = kvCheckpoints(connection, 'eu');
    await eventually(
      'the checkpoint is kept',
      async () => (await checkpoints.load('keyed', 'intake')) === heldAt - 1,
    );
    // Another process takes over from the checkpoint while this one hangs, as after a crash.
    react = () => {};
    seen.length = 0;
    const second = await start();
    await second.opened;
    await eventually('what was not settled comes again', () => textsOf('keyed').length === 2);
    expect(textsOf('keyed')).toEqual(['held', 'three']);
    letGo();
  });

  it('drains: lets handlers end, gives up retries, keeps the checkpoint', async () => {
    const one = await start();
    await one.opened;
    let letGo = (): void => {};
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    react = (message) => {
      if (message.text() === 'held') return held;
      if (message.text() === 'failing') throw new LogUnavailable('Away.', 'Try again.');
      return undefined;
    };
    const heldAt = await append('a', 'held');
    await append('b', 'failing');
    await eventually('both are under way', () => textsOf('keyed').length >= 2);
    const closing = one.close();
    letGo();
    await closing;
    expect(await kvCheckpoints(connection, 'eu').load('keyed', 'intake')).toBe(heldAt);
    expect((await listAside(log, 'eu')).items).toEqual([]);
  });

  it('waits for the driven clock, fires what is due, and says when everything is settled', async () => {
    const beat = natsBeat(connection, 'eu');
    const watch = new ProgressWatch(beat, 'eu');
    const { opened: following } = await start(KeyedModule, 'driven');
    await append('a', 'a1');
    const wait = (at: number) =>
      waitUntilSettled({ log, watch, required: ['keyed'], at, timeoutMs: 20_000 });
    const setting = publishClock(beat, 'eu', { at: 1_000, rate: 0 });
    await following;
    react = () => {
      due = 5_000;
    };
    await append('a', 'a2');
    expect(await wait(1_000)).toEqual({ settled: true, nextDueMs: 5_000 });
    expect(textsOf('keyed')).toEqual(['a1', 'a2']);
    expect(fired).toEqual([]);
    publishClock(beat, 'eu', { at: 5_000, rate: 0 }, setting);
    expect(await wait(5_000)).toEqual({ settled: true, nextDueMs: null });
    expect(fired).toEqual([5_000]);
    expect((await log.get('EV_eu', 1))?.text()).toBe('fired 5000');
    watch.close();
  });

  it('goes on after the server was killed and started again', async () => {
    const { opened: following, url } = await start();
    await following;
    await append('a', 'a1');
    await eventually('the first is seen', () => textsOf('keyed').length === 1);
    const checkpoints = kvCheckpoints(connection, 'eu');
    await eventually(
      'its checkpoint is kept',
      async () => (await checkpoints.load('keyed', 'intake')) === 1,
    );
    await server.kill();
    await eventually('it says that the connection is away', async () => {
      const response = await fetch(`${url}/health/ready`);
      return (
        response.status === 503 &&
        (await response.text()).includes('the connection to NATS is away')
      );
    });
    expect((await fetch(`${url}/health/live`)).status).toBe(200);
    await server.restart();
    await eventually('the next is stored', () => append('a', 'a2'));
    await eventually('and seen', () => textsOf('keyed').includes('a2'));
    expect(textsOf('keyed')[0]).toBe('a1');
    await eventually(
      'it is ready again',
      async () => (await fetch(`${url}/health/ready`)).status === 200,
    );
  });

  it('waits for streams that are not there yet, and refuses to go on beyond the end of one', async () => {
    const manager = await jetstreamManager(connection);
    const { config } = await manager.streams.info('EV_eu');
    await manager.streams.delete('EV_eu');
    await kvCheckpoints(connection, 'eu').save('keyed', 'intake', 7);
    const { url, opened: following } = await start();
    await eventually('it says what it waits for', async () =>
      (await (await fetch(`${url}/health/ready`)).text()).includes('waits for the stream EV_eu'),
    );
    await manager.streams.add(config);
    await expect(following).rejects.toThrow(
      'keyed.intake should go on after sequence 7 of IN_eu, which ends at 0',
    );
    const live = await fetch(`${url}/health/live`);
    expect(live.status).toBe(503);
    expect(await live.text()).toContain('keyed has stopped');
  });
});
