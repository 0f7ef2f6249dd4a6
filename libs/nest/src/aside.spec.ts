import { describe, expect, it } from '@jest/globals';
import { memoryLog, type Log, type LogMessage } from '@meridian/journal';
import { AsideStore, listAside, readAside, requestRetry } from './aside.ts';

async function setUp(maxPayloadBytes?: number) {
  const log = memoryLog(maxPayloadBytes === undefined ? {} : { maxPayloadBytes });
  const store = new AsideStore({
    log,
    region: 'eu',
    service: 'sessions',
    now: () => Date.UTC(2026, 0, 1),
  });
  const message = async (id: string, data: string): Promise<LogMessage> => {
    const { sequence } = await log.append('IN_eu', {
      subject: `in.eu.demo.eu.contact.${id}`,
      data,
    });
    return (await log.get('IN_eu', sequence))!;
  };
  return { log, store, message };
}
const handling = { handler: 'intake', attempts: 1 };
const reason = { code: 'type_error', detail: 'no', facts: {} };
const count = (log: Log) => log.lastSequence('ASIDE_eu');

describe('AsideStore', () => {
  it('keeps a rejection with the original, once however often it is delivered', async () => {
    const { log, store, message } = await setUp();
    const one = await message('c1', '{"id":"x"}');
    await store.rejected(one, { code: 'contact_over', facts: { contact: 'c1' } }, handling);
    await store.rejected(one, { code: 'contact_over', facts: { contact: 'c1' } }, handling);
    expect(await count(log)).toBe(1);
    expect(await readAside(log, 'eu', 'sessions.IN_eu.1')).toEqual({
      id: 'sessions.IN_eu.1',
      position: 1,
      status: 'rejected',
      service: 'sessions',
      stream: 'IN_eu',
      sequence: 1,
      subject: 'in.eu.demo.eu.contact.c1',
      attempts: 1,
      handler: 'intake',
      event: { id: 'x' },
      reason: {
        code: 'contact_over',
        detail: 'The decider refused it: contact_over.',
        facts: { contact: 'c1' },
      },
      at: '2026-01-01T00:00:00.000Z',
    });
  });

  it('keeps no personal text in the clear a second time', async () => {
    const { log, store, message } = await setUp();
    const type = 'meridian.contact.initiate.v1';
    const sealed = `sealed:1:${'0f'.repeat(16)}:${'A'.repeat(38)}`;
    for (const data of [
      { customer: 'Anna', flow: 'main', personalAttributes: { city: 'Bonn', known: sealed } },
      { customer: ['Anna'] },
    ]) {
      await store.failed(
        await message('c1', JSON.stringify({ id: '1', type, data })),
        reason,
        handling,
      );
    }
    const { items } = await listAside(log, 'eu');
    expect(items.map(({ event }) => event)).toEqual([
      {
        id: '1',
        type,
        data: {
          customer: '(personal)',
          flow: 'main',
          personalAttributes: { city: '(personal)', known: sealed },
        },
      },
      { id: '1', type },
    ]);
  });

  it('leaves out what cannot be read, and what is too large', async () => {
    const { log, store, message } = await setUp(1_000);
    await store.failed(await message('c1', 'no JSON'), reason, handling);
    await store.failed(await message('c1', JSON.stringify('x'.repeat(800))), reason, handling);
    const { items } = await listAside(log, 'eu');
    expect(items.map(({ id, event }) => [id, event])).toEqual([
      ['sessions.IN_eu.1', undefined],
      ['sessions.IN_eu.2', undefined],
    ]);
  });

  it('goes from failed over retry_requested to resolved, and is asked only once', async () => {
    const { log, store, message } = await setUp();
    const one = await message('c1', '{}');
    await store.failed(one, reason, { handler: 'intake', attempts: 3 });
    const asked = (await requestRetry(log, 'eu', 'sessions.IN_eu.1', 0))!;
    expect(asked).toMatchObject({ status: 'retry_requested', attempts: 3, position: 2 });
    expect(await requestRetry(log, 'eu', 'sessions.IN_eu.1', 0)).toMatchObject({ position: 2 });
    await store.resolved(one, { handler: 'intake', attempts: 1, asked });
    // A second instance that handled it too writes nothing.
    await store.failed(one, reason, { handler: 'intake', attempts: 1, asked });
    expect(await readAside(log, 'eu', 'sessions.IN_eu.1')).toMatchObject({
      status: 'resolved',
      attempts: 4,
      position: 3,
    });
    expect(await requestRetry(log, 'eu', 'sessions.IN_eu.1', 0)).toMatchObject({
      status: 'resolved',
    });
    expect(await count(log)).toBe(3);
  });

  it('says so when a message cannot be tried again', async () => {
    const { log, store, message } = await setUp();
    await store.failed(await message('c1', '{}'), reason, handling);
    const asked = (await requestRetry(log, 'eu', 'sessions.IN_eu.1', 0))!;
    await store.notTried(asked, { code: 'gone', detail: 'gone', facts: {} });
    expect(await readAside(log, 'eu', 'sessions.IN_eu.1')).toMatchObject({
      status: 'failed',
      reason: { code: 'gone' },
    });
  });

  it('knows nothing of an id that is none', async () => {
    const { log } = await setUp();
    for (const id of ['', 'x', 'sessions.IN_eu.9', 'a.b.c', '*.IN_eu.1', 'a.>.1']) {
      expect(await readAside(log, 'eu', id)).toBeUndefined();
      expect(await requestRetry(log, 'eu', id, 0)).toBeUndefined();
    }
  });
});

describe('listAside', () => {
  it('lists present states in pages, by status and service', async () => {
    const { log, store, message } = await setUp();
    for (let index = 0; index < 7; index += 1) {
      await store.failed(await message('c1', '{}'), reason, handling);
    }
    await requestRetry(log, 'eu', 'sessions.IN_eu.2', 0);
    const ids: string[] = [];
    let after: number | undefined;
    do {
      const from = after === undefined ? {} : { after };
      const page = await listAside(log, 'eu', { status: 'failed', limit: 4, ...from });
      ids.push(...page.items.map(({ sequence }) => String(sequence)));
      after = page.next;
    } while (after !== undefined);
    expect(ids).toEqual(['1', '3', '4', '5', '6', '7']);
    const { items } = await listAside(log, 'eu', { status: 'retry_requested' });
    expect(items.map(({ sequence }) => sequence)).toEqual([2]);
    expect((await listAside(log, 'eu', { service: 'routing' })).items).toEqual([]);
  });
});
