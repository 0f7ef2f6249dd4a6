import {
  credentials,
  makeClientConstructor,
  status,
  type ClientReadableStream,
} from '@grpc/grpc-js';
import { describe, expect, it } from '@jest/globals';
import { LogUnavailable } from '@meridian/journal';
import { eventually } from '@meridian/testing';
import { invalidArgument, toStatus } from '../../src/eventstore/faults.ts';
import { compileFilter } from '../../src/eventstore/filters.ts';
import { parseStreamName, streamNameOf } from '../../src/eventstore/names.ts';
import { Sink } from '../../src/eventstore/calls/sink.ts';
import { followStream } from '../../src/eventstore/calls/subscription.ts';
import type { ReadResp } from '../../src/eventstore/protocol/messages.ts';
import { streamsService } from '../../src/eventstore/protocol/services.ts';
import { readUuid, uuidOf, writeUuid } from '../../src/eventstore/protocol/uuid.ts';
import { OrderReader } from '../../src/eventstore/reading/order-reader.ts';
import { SegmentReader } from '../../src/eventstore/reading/segments.ts';
import { Tail } from '../../src/eventstore/reading/tail.ts';
import { recordedOf, type Recorded } from '../../src/eventstore/recorded.ts';
import { parseSubject } from '@meridian/wire';
import { regions, Stage } from './stage.ts';

const Client = makeClientConstructor(streamsService, 'Streams');
const initiated = 'meridian.contact.initiated.v1';
const queued = 'meridian.contact.queued.v1';
const c1 = { tenant: 'demo', entity: 'contact', id: 'c1' };
const stream = { kind: 'aggregate', aggregate: c1 } as const;

function scene() {
  const stage = new Stage();
  const { log, order: ordered, ledger } = stage;
  const tail = new Tail(ordered);
  const segments = new SegmentReader({ log, ordered, ledger, regions });
  const order = new OrderReader({ ordered, ledger, tail });
  const revisions = async (batches: AsyncIterable<readonly Recorded[]>): Promise<number[]> => {
    const seen: number[] = [];
    for await (const events of batches) seen.push(...events.map(({ revision }) => revision));
    return seen;
  };
  const forwards = async (from = 0): Promise<number[]> =>
    revisions(segments.forwards((await segments.of(stream)) ?? [], from, 'demo'));
  const backwards = async (from = Infinity): Promise<number[]> =>
    revisions(segments.backwards((await segments.of(stream)) ?? [], from, 'demo'));
  return { stage, tail, segments, order, forwards, backwards };
}

/** Home eu was eu's up to a seal and is us's from there on; eu wrote one entry more. */
async function failedOver(stage: Stage): Promise<void> {
  const upTo = await stage.decide('c1', [initiated, queued]);
  stage.adopt('c1', 'eu', 'us', 'eu');
  await stage.decide('c1', ['meridian.contact.ivr_ended.v1']);
  stage.ledger.take({
    home: 'eu',
    epoch: 2,
    owner: 'us',
    seals: [{ epoch: 1, owner: 'eu', upTo }],
  });
  await stage.decide('c1', ['meridian.contact.dequeued.v1', 'meridian.contact.abandoned.v1'], {
    region: 'us',
    home: 'eu',
    epoch: 2,
  });
}

describe('who follows', () => {
  it('goes on when the log did not answer for a while', async () => {
    const stage = new Stage();
    const seen: string[] = [];
    await stage.decide('c1', [initiated]);
    stage.order.extend();
    await stage.open('demo');
    const client = new Client(`127.0.0.1:${stage.gateway.port}`, credentials.createInsecure());
    const errors: Error[] = [];
    const follow = (options: object): ClientReadableStream<ReadResp> =>
      client['read']!({
        options: { ...options, subscription: {}, noFilter: {}, uuidOption: { structured: {} } },
      }) as unknown as ClientReadableStream<ReadResp>;
    const name = { streamName: Buffer.from('contact-c1') };
    const calls = [
      follow({ all: { start: {} } }),
      follow({ stream: { streamIdentifier: name, start: {} } }),
    ];
    calls.forEach((call, index) => {
      call.on('error', (error) => errors.push(error));
      call.on('data', ({ event }: ReadResp) => {
        if (event) seen.push(`${index}@${event.event?.streamRevision}`);
      });
    });
    try {
      await eventually('what was there', () => seen.length === 2, { timeoutMs: 50_000 });
      let failures = 0;
      const read = stage.order.read.bind(stage.order);
      stage.order.read = () => {
        failures += 1;
        if (failures > 4) stage.order.read = read;
        return Promise.reject(new LogUnavailable('The log did not answer.', 'Try again.'));
      };
      await stage.decide('c1', [queued]);
      stage.order.extend();
      await eventually('what came', () => seen.length === 4 || errors.length > 0, {
        timeoutMs: 50_000,
      });
      expect(failures).toBeGreaterThan(4);
      expect(errors).toEqual([]);
      expect(seen.toSorted()).toEqual(['0@0', '0@1', '1@0', '1@1']);
    } finally {
      for (const call of calls) call.on('error', () => {}).cancel();
      client.close();
      await stage.gateway.close();
    }
  });

  it('shares what was made of a message', async () => {
    const stage = new Stage();
    await stage.decide('c1', [initiated]);
    const [message] = stage.log.messages('EV_eu');
    const address = parseSubject(message!.subject)!;
    const made = recordedOf(message!, address, 7, 'demo');
    expect(recordedOf(message!, address, 7, 'demo')).toBe(made);
    // Ranks that were taken back may be given anew.
    expect(recordedOf(message!, address, 8, 'demo')[0]?.position).toBe(8 * 1_024);
    expect(recordedOf(message!, address, 8, 'meridian')[0]?.stream).toBe('demo~contact-c1');
  });
});

describe('a stream', () => {
  it('goes on in the next owner after a failover, without the orphans', async () => {
    const { stage, order, forwards, backwards } = scene();
    await failedOver(stage);
    stage.order.extend();
    expect(await forwards()).toEqual([0, 1, 2, 3]);
    expect(await forwards(2)).toEqual([2, 3]);
    expect(await backwards()).toEqual([3, 2, 1, 0]);
    expect(await backwards(1)).toEqual([1, 0]);
    const all = await order.forwards(0, { viewer: 'demo' }, 100);
    expect(all.events.map(({ type }) => type.split('.')[2])).toEqual([
      'initiated',
      'queued',
      'dequeued',
      'abandoned',
    ]);
  });

  it('is not read past what is not in the one order yet', async () => {
    const { stage, forwards, backwards } = scene();
    await failedOver(stage);
    stage.order.extend(['EV_us']);
    expect(await forwards()).toEqual([]);
    expect(await backwards()).toEqual([]);
    stage.order.extend();
    expect(await forwards()).toEqual([0, 1, 2, 3]);
  });

  it('is followed in the order of its revisions, whatever is ordered first', async () => {
    const { stage, tail, segments, order } = scene();
    const seen: ReadResp[] = [];
    const gone = new AbortController();
    const { signal } = gone;
    const call = { write: (sent: ReadResp) => seen.push(sent) > 0, once() {}, off() {} };
    const following = followStream(
      { order, segments, tail, now: () => 0 },
      {
        sink: new Sink(call, { signal }),
        signal,
        presentation: {
          structuredIds: false,
          viewer: 'demo',
          resolveLinks: false,
          sealing: { open: (event: Recorded) => event },
        },
      },
      stream,
      0,
    );
    const revisions = (): number[] =>
      seen.flatMap(({ event }) => (event === undefined ? [] : [event.event.streamRevision]));
    await failedOver(stage);
    stage.order.extend(['EV_us']);
    stage.order.extend();
    await eventually('all four', () => revisions().length === 4);
    expect(revisions()).toEqual([0, 1, 2, 3]);
    gone.abort();
    await following;
  });

  it('is read backwards in parts, however much lies between its entries', async () => {
    const { stage, backwards } = scene();
    const others = async (count: number): Promise<void> => {
      for (let n = 0; n < count; n += 1) await stage.decide(`other${n}`, [initiated]);
    };
    await stage.decide('c1', [initiated]);
    await others(3_000);
    for (let n = 0; n < 2_500; n += 1) await stage.decide('c1', [queued]);
    await others(700);
    await stage.decide('c1', [queued, queued]);
    stage.order.extend();
    const down = Array.from({ length: 2_503 }, (_, index) => 2_502 - index);
    expect(await backwards()).toEqual(down);
    expect(await backwards(1_000)).toEqual(down.slice(-1_001));
  });
});

describe('what cannot be read', () => {
  it('is shown as it is', async () => {
    const { stage, order } = scene();
    await stage.log.append('EV_eu', { subject: 'ev.eu.eu.demo.contact.c9', data: 'no JSON' });
    await stage.log.append('IN_eu', { subject: 'in.eu.demo.eu.contact.c9', data: '{"a":1}' });
    stage.order.extend(['EV_eu', 'IN_eu']);
    const { events } = await order.forwards(0, { viewer: 'demo' }, 10);
    expect(
      events.map(({ stream, type, data }) => [stream, type, Buffer.from(data).toString()]),
    ).toEqual([
      ['unreadable-EV_eu', '$unreadable', 'no JSON'],
      ['intake-eu', '$unreadable', '{"a":1}'],
    ]);
  });
});

describe('a fault of ours', () => {
  it('is not told to clients', () => {
    const { code, details } = toStatus(new Error('EV_eu 17 of acme: ev.eu.eu.acme.contact.x1'));
    expect(code).toBe(status.UNAVAILABLE);
    expect(details).not.toContain('acme');
    expect(toStatus(invalidArgument('Say more.'))).toMatchObject({ details: 'Say more.' });
  });
});

describe('the end of the one order', () => {
  it('is read once for all who follow, and by itself by who is far behind', async () => {
    const { stage, tail } = scene();
    for (let n = 0; n < 5_000; n += 1) await stage.ask(`c${n}`);
    stage.order.extend();
    const reads: number[] = [];
    const read = stage.order.read.bind(stage.order);
    stage.order.read = (options) => {
      reads.push(options.from);
      return read(options);
    };
    const from = 4_900;
    const [one, other] = await Promise.all([tail.read(from, 50), tail.read(from, 50)]);
    expect([one[0]?.rank, other.length, reads]).toEqual([from, 50, [from]]);
    expect((await tail.read(from + 50, 50))[0]?.rank).toBe(from + 50);
    expect((await tail.read(0, 10)).map(({ rank }) => rank)[9]).toBe(9);
    expect(reads).toEqual([from, 0]);
    expect(await tail.read(5_000, 10)).toEqual([]);
  });
});

describe('a filter', () => {
  const matches = (options: object, type: string): boolean =>
    compileFilter(options)({ stream: 'contact-c1', type });

  it('takes prefixes and expressions on names and types', () => {
    expect(matches({ eventType: { prefix: ['a', 'meridian.contact.'] } }, queued)).toBe(true);
    expect(matches({ eventType: { regex: '^[^$].*' } }, '$meridian.order.extended.v1')).toBe(false);
    expect(matches({ streamIdentifier: { regex: '^(contact|agent)-' } }, '')).toBe(true);
  });

  it('takes time in proportion to the text, and refuses what it cannot run', () => {
    expect(matches({ eventType: { regex: '(a+)+$' } }, `${'a'.repeat(400)}b`)).toBe(false);
    for (const regex of ['(', '(?=a)b', '(a{1000}){1000}', '[ab]{900}', 'a'.repeat(1_001)]) {
      expect(() => compileFilter({ eventType: { regex } })).toThrow(/expression/);
    }
  });
});

describe('a client that takes nothing', () => {
  it('is let go after a while, and one that drains goes on', async () => {
    const drains: (() => void)[] = [];
    const call = {
      write: () => false,
      once: (_: 'drain', listener: () => void) => drains.push(listener),
      off: () => undefined,
    };
    const { signal } = new AbortController();
    const stalled = new Sink(call, { signal, stallLimitMs: 1 }).write({});
    await expect(stalled).rejects.toThrow(/was taken for 1 ms/);
    const patient = new Sink(call, { signal, stallLimitMs: 60_000 }).write({});
    drains.at(-1)?.();
    await expect(patient).resolves.toBeUndefined();
  });
});

describe('names', () => {
  it('mean what the one who asks may see', () => {
    const parse = (name: string, viewer = 'demo') => parseStreamName(name, viewer, regions);
    expect(parse('contact-c-1')).toEqual({
      kind: 'aggregate',
      aggregate: { tenant: 'demo', entity: 'contact', id: 'c-1' },
    });
    expect(parse('intake-us')).toEqual({ kind: 'intake', tenant: 'demo', region: 'us' });
    expect(parse('$ce-acme~contact', 'meridian')).toEqual({
      kind: 'category',
      tenant: 'acme',
      entity: 'contact',
    });
    expect(parse('acme~contact-c1')).toBe('denied');
    for (const none of [
      '',
      'contact',
      'contact-',
      'contact-a.b',
      'contact->',
      'intake-ap',
      '$$a-b',
    ]) {
      expect(parse(none)).toBeUndefined();
    }
    expect(streamNameOf('meridian', c1)).toBe('demo~contact-c1');
  });

  it('of events are UUIDs, the same for ever and in both forms', () => {
    const uuid = uuidOf('demo.contact.c1.0');
    expect(uuid).toBe('df24415c-54be-8215-b675-ab13ffc29b52');
    expect(readUuid(writeUuid(uuid, true))).toBe(uuid);
    expect(readUuid({ string: uuid.toUpperCase() })).toBe(uuid);
    expect(readUuid({ string: 'c1' })).toBeUndefined();
  });
});
