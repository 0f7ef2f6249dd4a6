import { describe, expect, it } from '@jest/globals';
import { Ledger, memoryLog, readEntry, type MemoryLog } from '@meridian/journal';
import type { ProgressReport } from '@meridian/nest';
import { emptyHead, encodeEntry, eventStream, eventSubject, type Head } from '@meridian/wire';
import { OrphanKeeper } from './orphan-keeper.ts';

const seals = [{ epoch: 1, owner: 'eu', upTo: 2 }];

/** Stores a decision on contact c1 of home eu. @returns where its history ends then */
async function decide(
  log: MemoryLog,
  region: string,
  epoch: number,
  head: Head,
  causationId: string,
  key: string,
): Promise<Head> {
  const aggregate = { tenant: 'demo', entity: 'contact', id: 'c1' };
  const { text, revision, hash } = encodeEntry(
    { region, home: 'eu', service: 'sessions', epoch },
    aggregate,
    head,
    [
      {
        type: 'meridian.contact.attributes_updated.v1',
        subject: 'c1',
        data: { attributes: { [key]: 'x' } },
        cause: { causationId },
        timeMs: 1_000,
      },
    ],
  );
  const subject = eventSubject(region, 'eu', aggregate);
  const { sequence } = await log.append(eventStream(region), { subject, data: text });
  return { sequence, revision, hash };
}

function setUp(position = Number.MAX_SAFE_INTEGER) {
  const log = memoryLog();
  const ledger = new Ledger();
  const filter = 'in.eu.*.eu.contact.*';
  const report: ProgressReport = {
    service: 'sessions',
    instance: 'i1',
    clock: null,
    nextDueMs: null,
    reads: [{ stream: 'IN_eu', filter, position }],
  };
  const keeperIn = (region: string, epoch: number): OrphanKeeper =>
    new OrphanKeeper({
      log,
      ledger,
      region,
      homes: ['eu'],
      leases: { holds: () => true, grantOf: () => ({ epoch }) },
      progress: {
        count: 0,
        reports: () => new Map([['sessions', report]]),
        moreThan: () => new Promise((resolve) => setImmediate(resolve)),
      },
      deciders: ['sessions'],
      now: () => 2_000,
      onFault: (error) => {
        throw error;
      },
    });
  const outcomes = (): string[] =>
    log.messages('EV_us').flatMap((message) =>
      readEntry(message).events.flatMap(({ type, data }) => {
        if (!type.startsWith('meridian.orphan.')) return [];
        const { entry, code = 'ADOPTED' } = data as {
          entry: { stream: string; sequence: number };
          code?: string;
        };
        return [`${entry.stream}:${entry.sequence} ${code}`];
      }),
    );
  return { log, ledger, keeperIn, outcomes };
}

/** Region eu decides four times; two of them are beyond the seal. Region us decides one again. */
async function failedOver(log: MemoryLog, ledger: Ledger): Promise<void> {
  let head = emptyHead;
  for (const [cause, key] of [
    ['/crm#1', 'a'],
    ['/crm#2', 'b'],
    ['/crm#3', 'c'],
    ['watchdog.c1', 'd'],
  ] as const) {
    head = await decide(log, 'eu', 1, head, cause, key);
  }
  ledger.take({ home: 'eu', epoch: 2, owner: 'us', seals });
  await decide(log, 'us', 2, emptyHead, '/crm#3', 'c');
}

describe('the keeper of orphans', () => {
  it('adopts what was decided again and sets the rest aside, each once', async () => {
    const { log, ledger, keeperIn, outcomes } = setUp();
    await failedOver(log, ledger);
    const keeper = keeperIn('us', 2);
    expect(await keeper.sweep('eu')).toBe(2);
    expect(outcomes()).toEqual(['EV_eu:3 ADOPTED', 'EV_eu:4 SUPERSEDED']);
    expect(await keeper.sweep('eu')).toBe(0);
    expect(await keeperIn('us', 2).sweep('eu')).toBe(0);
    expect(outcomes()).toHaveLength(2);
  });

  it('accounts for a tail that comes later', async () => {
    const { log, ledger, keeperIn, outcomes } = setUp();
    await failedOver(log, ledger);
    const keeper = keeperIn('us', 2);
    await keeper.sweep('eu');
    await decide(log, 'eu', 1, emptyHead, '/crm#9', 'e');
    expect(await keeper.sweep('eu')).toBe(1);
    expect(outcomes().at(-1)).toBe('EV_eu:5 REFUSED_AGAIN');
  });

  it('leaves them to the owner of the home, and to who holds its grant', async () => {
    const { log, ledger, keeperIn, outcomes } = setUp();
    await failedOver(log, ledger);
    expect(await keeperIn('ap', 1).sweep('eu')).toBe(0);
    expect(outcomes()).toEqual([]);
  });

  it('waits until the deciders have read what was there', async () => {
    const { log, ledger, keeperIn, outcomes } = setUp(0);
    await failedOver(log, ledger);
    await log.append('IN_eu', { subject: 'in.eu.demo.eu.contact.c1', data: '{}' });
    const keeper = keeperIn('us', 2);
    keeper.open();
    await new Promise((resolve) => setImmediate(resolve));
    await keeper.close();
    expect(outcomes()).toEqual([]);
  });

  it('finds none in a home that was never failed over', async () => {
    const { log, keeperIn } = setUp();
    await decide(log, 'eu', 1, emptyHead, '/crm#1', 'a');
    expect(await keeperIn('eu', 1).sweep('eu')).toBe(0);
  });
});
