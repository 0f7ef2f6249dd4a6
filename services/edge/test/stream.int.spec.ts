import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { journalOf, memoryLog, type Journal, type Log } from '@meridian/journal';
import { emptyHead, type EventToEncode, type Head } from '@meridian/wire';
import { eventually } from '@meridian/testing';
import { startEdge, type EdgeUnderTest } from './edge-under-test.ts';
import { openStream, type SseClient } from './sse.ts';

const writer = { region: 'eu', home: 'eu', service: 'sessions', epoch: 1 };
const contactEvents = (subject: string, padding = 0): EventToEncode[] =>
  [
    'meridian.contact.initiated.v1',
    'meridian.contact.connected_to_system.v1',
    'meridian.contact.ivr_started.v1',
  ].map((type) => ({
    type,
    subject,
    timeMs: 0,
    cause: { causationId: 'x' },
    data: {
      method: 'INBOUND',
      channel: 'VOICE',
      ...(padding === 0 ? {} : { attributes: { padding: 'x'.repeat(padding) } }),
    },
  }));
const routingEvents = (contact: string): EventToEncode[] => [
  {
    type: 'meridian.routing.decided.v1',
    subject: contact,
    timeMs: 0,
    cause: { causationId: 'x' },
    data: {},
  },
  {
    type: 'meridian.reservation.created.v1',
    subject: `${contact}-r1`,
    timeMs: 0,
    cause: { causationId: 'x' },
    data: {},
  },
];

describe('GET /v1/stream', () => {
  let log: Log;
  let journal: Journal;
  let edge: EdgeUnderTest;
  let token: string;
  const heads = new Map<string, Head>();
  const clients: SseClient[] = [];

  const append = async (
    entity: string,
    id: string,
    events: readonly EventToEncode[],
    tenant = 'demo',
  ): Promise<number> => {
    const name = `${tenant}.${entity}.${id}`;
    const head = await journal.append(
      { tenant, entity, id },
      { events, head: heads.get(name) ?? emptyHead },
    );
    heads.set(name, head);
    return head.sequence;
  };
  const open = async (
    ...given: Parameters<typeof openStream> extends [string, string, ...infer Rest] ? Rest : never
  ): Promise<SseClient> => {
    const client = await openStream(edge.url, token, ...given);
    clients.push(client);
    return client;
  };

  beforeEach(async () => {
    heads.clear();
    log = memoryLog();
    journal = journalOf(log, writer);
    edge = await startEdge({ log, heartbeatMs: 30, feedLimits: { entries: 8, bytes: 1_048_576 } });
    token = edge.token(['read']);
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.cut();
    await edge.close();
    expect(edge.faults).toEqual([]);
  });

  it('sends what is stored from now on, as it is stored', async () => {
    await append('contact', 'old', contactEvents('old'));
    const client = await open();
    await append('contact', 'c1', contactEvents('c1'));
    const events = await client.has(3);
    expect(events.map(({ id, event }) => [id, event])).toEqual([
      ['EV_eu:2.0', 'meridian.contact.initiated.v1'],
      ['EV_eu:2.1', 'meridian.contact.connected_to_system.v1'],
      ['EV_eu:2.2', 'meridian.contact.ivr_started.v1'],
    ]);
    const stored = await log.get('EV_eu', 2);
    expect(events.map(({ data }) => data)).toEqual(JSON.parse(stored!.text()));
  });

  it('filters by entity, type and subject, and shows no other tenant', async () => {
    await append('contact', 'c1', contactEvents('c1'));
    await append('contact', 'c1', contactEvents('c1'), 'other');
    await append('routing', 'eu', routingEvents('c1'));
    await append('contact', 'c2', contactEvents('c2'));
    const ids = async (query: string): Promise<string[]> => {
      const client = await open(`?from=start&to=4${query}`);
      await eventually('the end', () => client.ended);
      return client.events.map(({ id }) => id.slice('EV_eu:'.length));
    };
    expect(await ids('')).toEqual(['1.0', '1.1', '1.2', '3.0', '3.1', '4.0', '4.1', '4.2']);
    expect(await ids('&entity=reservation')).toEqual(['3.1']);
    expect(await ids('&entity=reservation,contact&subject=c2')).toEqual(['4.0', '4.1', '4.2']);
    expect(await ids('&entity=routing&entity=reservation')).toEqual(['3.0', '3.1']);
    expect(await ids('&type=meridian.contact.ivr_started.v1')).toEqual(['1.2', '4.2']);
    expect(await ids('&subject=c1')).toEqual(['1.0', '1.1', '1.2', '3.0']);
  });

  it('applies the same filters to what comes live', async () => {
    const client = await open('?entity=reservation');
    await append('contact', 'c1', contactEvents('c1'));
    await append('routing', 'eu', routingEvents('c1'), 'other');
    await append('routing', 'eu', routingEvents('c1'));
    await append('routing', 'eu', routingEvents('c2'));
    expect((await client.has(2)).map(({ id }) => id)).toEqual(['EV_eu:3.1', 'EV_eu:4.1']);
  });

  it('goes on with the very next event, also within an entry', async () => {
    for (const id of ['c1', 'c2', 'c3']) await append('contact', id, contactEvents(id));
    const client = await open('', 'EV_eu:2.0');
    expect((await client.has(5)).map(({ id }) => id)).toEqual([
      'EV_eu:2.1',
      'EV_eu:2.2',
      'EV_eu:3.0',
      'EV_eu:3.1',
      'EV_eu:3.2',
    ]);
  });

  it('sends every event exactly once across cuts', async () => {
    const received: string[] = [];
    let lastId: string | undefined;
    let written = 0;
    const writing = (async () => {
      for (; written < 300; written += 1) {
        await append('contact', `c${written}`, contactEvents(`c${written}`));
        if (written % 10 === 0) {
          await new Promise((resolve) => {
            setImmediate(resolve);
          });
        }
      }
    })();
    for (let cut = 0; received.length < 900; cut += 1) {
      const client = await open(lastId === undefined ? '?from=start' : '', lastId);
      const before = received.length;
      await eventually(
        'some events',
        () => client.events.length > cut % 7 || received.length + client.events.length === 900,
      );
      client.cut();
      // What a client had got when it was cut off is what it has.
      received.push(...client.events.map(({ id }) => id));
      lastId = received.at(-1);
      expect(received.length).toBeGreaterThan(before);
    }
    await writing;
    const expected = Array.from({ length: 300 }, (_, entry) =>
      [0, 1, 2].map((index) => `EV_eu:${entry + 1}.${index}`),
    ).flat();
    expect(received).toEqual(expected);
  });

  it('keeps nothing for a reader that does not read, and skips nothing either', async () => {
    const client = await open('', undefined, true);
    const entries = 200;
    // 200 entries of about 150 kB: far beyond what sockets buffer, and beyond the ring of 8.
    for (let index = 0; index < entries; index += 1) {
      await append('contact', `c${index}`, contactEvents(`c${index}`, 50_000));
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    }
    // About 30 MB were written; what waits for the client is one chunk, and the ring has moved on.
    expect(edge.hub.waitingBytes).toBeGreaterThan(0);
    expect(edge.hub.waitingBytes).toBeLessThan(1_000_000);
    expect(edge.feed.ring?.first).toBeGreaterThan(entries / 2);
    client.read();
    const events = await client.has(entries * 3);
    expect(events.map(({ id }) => id)).toEqual(
      Array.from({ length: entries }, (_, entry) =>
        [0, 1, 2].map((index) => `EV_eu:${entry + 1}.${index}`),
      ).flat(),
    );
  });

  it('shows many readers the same, and lets go of those who left', async () => {
    const readers = await Promise.all(Array.from({ length: 20 }, () => open()));
    for (let index = 0; index < 50; index += 1) {
      await append('contact', `c${index}`, contactEvents(`c${index}`));
    }
    for (const reader of readers) await reader.has(150);
    const texts = new Set(readers.map((reader) => JSON.stringify(reader.events)));
    expect(texts.size).toBe(1);
    expect(edge.feed.readers).toBe(20);
    for (const reader of readers) reader.cut();
    await eventually('nobody reads', () => edge.feed.readers === 0 && edge.hub.size === 0);
    expect(edge.feed.ring).toBeUndefined();
  });

  it('says that it lives', async () => {
    const client = await open();
    await eventually('heartbeats', () => client.comments >= 2);
  });

  it('ends where it is asked to, and says when nothing is left', async () => {
    for (const id of ['c1', 'c2']) await append('contact', id, contactEvents(id));
    const client = await open('?from=start&to=3');
    await client.has(6);
    await append('contact', 'c3', contactEvents('c3'));
    await append('contact', 'c4', contactEvents('c4'));
    await eventually('the end', () => client.ended);
    expect(client.lastId).toBe('EV_eu:3.2');
    const nothing = await open('?to=3', 'EV_eu:4.2');
    expect(nothing.status).toBe(204);
  });

  it.each([
    ['?from=x', undefined, 'invalid-parameter'],
    ['?from=0', undefined, 'invalid-parameter'],
    ['?from=5&to=3', undefined, 'invalid-parameter'],
    ['?from=3', undefined, 'position-ahead'],
    ['?from=1e3', undefined, 'invalid-parameter'],
    ['?entity=agents', undefined, 'invalid-parameter'],
    ['?type=meridian.contact.initiate.v1', undefined, 'invalid-parameter'],
    ['?subject=a.b', undefined, 'invalid-parameter'],
    ['?colour=blue', undefined, 'unknown-parameter'],
    ['?to=1&to=2', undefined, 'invalid-parameter'],
    ['', 'EV_us:1.0', 'invalid-parameter'],
    ['', 'EV_eu:1', 'invalid-parameter'],
    ['', 'EV_eu:2.0', 'position-ahead'],
  ])('refuses %s with Last-Event-ID %s', async (query, lastEventId, code) => {
    await append('contact', 'c1', contactEvents('c1'));
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
