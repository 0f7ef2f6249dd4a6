import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { memoryLog, type Log } from '@meridian/journal';
import { eventually } from '@meridian/testing';
import { startEdge, type EdgeUnderTest } from './edge-under-test.ts';
import { MeshHistory } from './mesh-history.ts';
import { openStream, type SseClient } from './sse.ts';

const regions = ['eu', 'us', 'ap'];
const eu = { region: 'eu', home: 'eu' };
const us = { region: 'us', home: 'us' };
const ap = { region: 'ap', home: 'ap' };
const begun = (id: string) =>
  [
    ['meridian.contact.initiated.v1', id, { method: 'INBOUND', channel: 'VOICE' }],
    ['meridian.contact.connected_to_system.v1', id],
  ] as const;

describe('GET /v1/stream over three regions', () => {
  let log: Log;
  let history: MeshHistory;
  let edge: EdgeUnderTest;
  let token: string;
  const clients: SseClient[] = [];

  const open = async (query = '', lastEventId?: string): Promise<SseClient> => {
    const client = await openStream(edge.url, token, query, lastEventId);
    clients.push(client);
    return client;
  };
  const whole = async (query: string, lastEventId?: string): Promise<readonly string[]> => {
    const client = await open(query, lastEventId);
    await eventually('the end', () => client.ended);
    return client.events.map(({ id }) => id);
  };

  beforeEach(async () => {
    log = memoryLog();
    history = new MeshHistory(log);
    edge = await startEdge({ log, regions, feedLimits: { entries: 8, bytes: 1_048_576 } });
    token = edge.token(['read']);
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.cut();
    await edge.close();
    expect(edge.faults).toEqual([]);
  });

  it('sends what every region decides, each id saying how far all were sent', async () => {
    await history.entry(eu, 'contact', 'old', begun('old'));
    const client = await open();
    await eventually('it has begun', () => client.begunAt !== undefined);
    expect(client.begunAt).toBe('EV_ap:0,EV_eu:1,EV_us:0');
    await history.entry(us, 'contact', 'c1', begun('c1'));
    await client.has(2);
    await history.entry(eu, 'contact', 'c2', begun('c2'));
    await client.has(4);
    await history.entry(ap, 'contact', 'c3', begun('c3'));
    expect((await client.has(6)).map(({ id, data }) => [id, data.subject])).toEqual([
      ['EV_ap:0,EV_eu:1,EV_us:1.0', 'c1'],
      ['EV_ap:0,EV_eu:1,EV_us:1.1', 'c1'],
      ['EV_ap:0,EV_eu:2.0,EV_us:1', 'c2'],
      ['EV_ap:0,EV_eu:2.1,EV_us:1', 'c2'],
      ['EV_ap:1.0,EV_eu:2,EV_us:1', 'c3'],
      ['EV_ap:1.1,EV_eu:2,EV_us:1', 'c3'],
    ]);
  });

  it('goes on with the very next event of each stream', async () => {
    for (const id of ['c1', 'c2']) {
      await history.entry(us, 'contact', id, begun(id));
      await history.entry(eu, 'contact', `e${id}`, begun(`e${id}`));
    }
    const to = 'to=EV_eu:2,EV_us:2';
    const ids = await whole(`?${to}`, 'EV_us:1.0,EV_eu:1');
    const own = (stream: string): string[] =>
      ids
        .flatMap((id) => id.split(','))
        .filter((place, index, all) => place.startsWith(stream) && all.indexOf(place) === index);
    // One stream goes on from within the entry where it stood.
    expect(own('EV_us').filter((place) => place !== 'EV_us:1.0' && place.includes('.'))).toEqual([
      'EV_us:1.1',
      'EV_us:2.0',
      'EV_us:2.1',
    ]);
    expect(own('EV_eu').filter((place) => place.includes('.'))).toEqual(['EV_eu:2.0', 'EV_eu:2.1']);
    expect(ids).toHaveLength(5);
    expect(await whole(`?from=EV_us:2.0,EV_eu:2,EV_ap:0&${to}`)).toEqual([
      'EV_ap:0,EV_eu:2,EV_us:2.1',
    ]);
    // A region that the client did not know of is sent from its beginning.
    expect(await whole(`?from=EV_eu:2&${to}`)).toHaveLength(4);
    expect((await open(`?${to}`, 'EV_ap:0,EV_eu:2,EV_us:2')).status).toBe(204);
    // A sequence is one of this region's stream.
    expect(await whole('?from=2&to=2')).toEqual([
      'EV_ap:0,EV_eu:2.0,EV_us:2',
      'EV_ap:0,EV_eu:2.1,EV_us:2',
    ]);
  });

  it('waits for what another region has not copied here yet', async () => {
    await history.entry(us, 'contact', 'c1', begun('c1'));
    const client = await open('', 'EV_ap:0,EV_eu:0,EV_us:2.1');
    await history.entry(us, 'contact', 'c2', begun('c2'));
    await history.entry(us, 'contact', 'c3', begun('c3'));
    expect((await client.has(2)).map(({ id }) => id)).toEqual([
      'EV_ap:0,EV_eu:0,EV_us:3.0',
      'EV_ap:0,EV_eu:0,EV_us:3.1',
    ]);
  });

  it('shows the homes asked for, whoever decides for them', async () => {
    await history.entry(us, 'contact', 'c1', begun('c1'));
    await history.entry(eu, 'contact', 'c2', begun('c2'));
    const live = await open('?home=us');
    await history.ownership('us', 2, 'eu', [{ epoch: 1, owner: 'us', upTo: 1 }]);
    await history.entry({ ...eu, home: 'us', epoch: 2 }, 'contact', 'c3', begun('c3'));
    await history.entry(eu, 'contact', 'c4', begun('c4'));
    await history.entry({ ...eu, home: 'us', epoch: 2 }, 'contact', 'c5', begun('c5'));
    const subjects = (client: SseClient): string[] => client.events.map(({ data }) => data.subject);
    await live.has(4);
    expect(subjects(live)).toEqual(['c3', 'c3', 'c5', 'c5']);
    const from = async (query: string, count: number): Promise<string[]> => {
      const client = await open(`?from=start&${query}`);
      await client.has(count);
      return subjects(client).toSorted();
    };
    expect(await from('home=us', 6)).toEqual(['c1', 'c1', 'c3', 'c3', 'c5', 'c5']);
    expect(await from('home=eu,ap', 4)).toEqual(['c2', 'c2', 'c4', 'c4']);
  });

  it('leaves out what a lost owner decided beyond its seal', async () => {
    await history.entry(us, 'contact', 'counts', begun('counts'));
    await history.entry(us, 'contact', 'orphan', begun('orphan'));
    await history.ownership('us', 2, 'eu', [{ epoch: 1, owner: 'us', upTo: 1 }]);
    await history.entry({ ...eu, home: 'us', epoch: 2 }, 'contact', 'after', begun('after'));
    const client = await open('?from=start&home=us');
    await client.has(4);
    // An owner that does not know yet goes on for a moment.
    await history.entry(us, 'contact', 'late', begun('late'));
    await history.entry({ ...eu, home: 'us', epoch: 2 }, 'contact', 'then', begun('then'));
    await client.has(6);
    expect(new Set(client.events.map(({ data }) => data.subject))).toEqual(
      new Set(['counts', 'after', 'then']),
    );
  });

  it('merges what was stored before by the time it was stored', async () => {
    const expected: string[] = [];
    for (let index = 0; index < 40; index += 1) {
      const home = [eu, us, ap][index % 3] as typeof eu;
      await history.entry(home, 'contact', `c${index}`, begun(`c${index}`));
      expected.push(`c${index}`, `c${index}`);
    }
    const client = await open('?from=start');
    await client.has(80);
    const subjects = client.events.map(({ data }) => data.subject);
    expect(new Set(subjects)).toEqual(new Set(expected));
    expect(subjects).toHaveLength(expected.length);
    const times = await Promise.all(
      client.events.map(async ({ id, data }) => {
        const stream = `EV_${data.region}`;
        const sequence = Number(new RegExp(`${stream}:(\\d+)`).exec(id)?.[1]);
        return (await log.get(stream, sequence))?.storedAtMs ?? 0;
      }),
    );
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  });

  it('sends every event exactly once across cuts', async () => {
    const entries = 150;
    const writing = (async () => {
      for (let index = 0; index < entries; index += 1) {
        const home = [eu, us, ap][index % 3] as typeof eu;
        await history.entry(home, 'contact', `c${index}`, begun(`c${index}`));
        if (index % 10 === 0) {
          await new Promise((resolve) => {
            setImmediate(resolve);
          });
        }
      }
    })();
    const received: string[] = [];
    let lastId: string | undefined;
    for (let cut = 0; received.length < entries * 2; cut += 1) {
      const client = await open(lastId === undefined ? '?from=start' : '', lastId);
      const before = received.length;
      await eventually(
        'some events',
        () =>
          client.events.length > cut % 7 || received.length + client.events.length === entries * 2,
      );
      client.cut();
      received.push(...client.events.map(({ data }) => data.id));
      lastId = client.lastId ?? lastId;
      expect(received.length).toBeGreaterThan(before);
    }
    await writing;
    const expected = Array.from({ length: entries }, (_, index) => [
      `demo.contact.c${index}.0`,
      `demo.contact.c${index}.1`,
    ]).flat();
    expect(received.toSorted()).toEqual(expected.toSorted());
  });

  it.each([
    ['?from=EV_xx:1', undefined, 'invalid-parameter'],
    ['?from=EV_us:1,EV_us:2', undefined, 'invalid-parameter'],
    ['?from=EV_us:-1', undefined, 'invalid-parameter'],
    ['?from=EV_us:1.1.1', undefined, 'invalid-parameter'],
    ['?from=EV_us:', undefined, 'invalid-parameter'],
    ['?from=,', undefined, 'invalid-parameter'],
    [`?from=${'EV_us:1,'.repeat(100)}`, undefined, 'invalid-parameter'],
    ['?from=EV_eu:9', undefined, 'position-ahead'],
    ['?from=9', undefined, 'position-ahead'],
    ['?from=2&to=1', undefined, 'invalid-parameter'],
    ['?to=EV_xx:1', undefined, 'invalid-parameter'],
    ['?home=xx', undefined, 'invalid-parameter'],
    ['?home=', undefined, 'invalid-parameter'],
    ['?home=eu.>', undefined, 'invalid-parameter'],
    ['', 'EV_xx:1.0', 'invalid-parameter'],
    ['', 'EV_us:99999999999999999999', 'invalid-parameter'],
    ['', 'EV_eu:1.0,', 'invalid-parameter'],
    ['', 'EV_eu:2.0', 'position-ahead'],
    ['', 'EV_eu:0.0', 'invalid-parameter'],
  ])('refuses %s with Last-Event-ID %s', async (query, lastEventId, code) => {
    await history.entry(eu, 'contact', 'c1', begun('c1'));
    const response = await fetch(`${edge.url}/v1/stream${query}`, {
      headers: {
        authorization: `Bearer ${token}`,
        ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
      },
    });
    expect([response.status, ((await response.json()) as any).type]).toEqual([
      400,
      `urn:meridian:problem:${code}`,
    ]);
    expect(edge.feed.readers).toBe(0);
  });
});
