import { describe, expect, it } from '@jest/globals';
import { emptyHead, encodeEntry, type EventToEncode } from '@meridian/wire';
import { journalOf, Ledger, memoryLog, readEntry, type MemoryLog } from '@meridian/journal';
import { eventually } from '@meridian/testing';
import { Orphans } from '../src/orphans.ts';
import { Records } from '../src/records.ts';

const regions = ['eu', 'us'];
const at = 1_769_847_300_000;

/** Home eu was decided by eu up to a seal, then by us. */
async function scene() {
  const log = memoryLog({ now: () => at });
  const ledger = new Ledger();
  const accounted: string[] = [];
  const failures: unknown[] = [];
  const epochOf = (home: string): number | undefined => (home === 'eu' ? 2 : undefined);
  const open = (): Orphans => {
    const records = new Records({ log, region: 'us', ledger, epochOf });
    const orphans = new Orphans({
      log,
      regions,
      ledger,
      records,
      epochOf,
      onAccounted: (home, fate) => accounted.push(`${home} ${fate}`),
      onFailure: (error) => failures.push(error),
    });
    orphans.open();
    return orphans;
  };
  return { log, ledger, accounted, failures, open };
}

const initiated = (id: string, causationId: string): EventToEncode => ({
  type: 'meridian.contact.initiated.v1',
  subject: id,
  data: { channel: 'VOICE', initiationMethod: 'INBOUND' },
  cause: { causationId },
  timeMs: at,
});

/** An entry of contact `id` of home eu, as a region wrote it. */
async function decide(log: MemoryLog, region: string, epoch: number, id: string, cause: string) {
  const writer = { region, home: 'eu', service: 'sessions', epoch };
  const aggregate = { tenant: 'demo', entity: 'contact', id };
  const { text } = encodeEntry(writer, aggregate, emptyHead, [initiated(id, cause)]);
  const subject = `ev.${region}.eu.demo.contact.${id}`;
  return (await log.append(`EV_${region}`, { subject, data: text })).sequence;
}

async function ask(log: MemoryLog, region: string, contact: string, id: string) {
  await log.append(`IN_${region}`, {
    subject: `in.${region}.demo.eu.contact.${contact}`,
    data: JSON.stringify({ specversion: '1.0', source: '/pbx', id, subject: contact }),
  });
}

async function accounts(log: MemoryLog) {
  const found = await log.load('EV_us', 'ev.us.eu.meridian.orphan.eu-1');
  return found
    .flatMap((message) => readEntry(message).events)
    .map(({ type, subject, data }) => {
      const { adoption, code } = data as { adoption?: string; code?: string };
      return [type.split('.')[2], subject, adoption ?? code];
    });
}

describe('orphans', () => {
  it('are each accounted for once, by what became of their cause', async () => {
    const { log, ledger, accounted, failures, open } = await scene();
    const seal = await decide(log, 'eu', 1, 'counted', '/pbx#0');
    ledger.take({
      home: 'eu',
      epoch: 2,
      owner: 'us',
      seals: [{ epoch: 1, owner: 'eu', upTo: seal }],
    });
    const first = open();
    await first.work();
    expect(await accounts(log)).toEqual([]);
    // Its tail comes with the lost region.
    await decide(log, 'eu', 1, 'again', '/pbx#1');
    await decide(log, 'eu', 1, 'waits', '/pbx#2');
    await decide(log, 'eu', 1, 'lost', '/pbx#3');
    await decide(log, 'eu', 1, 'timer', 'clock.demo.5');
    await decide(log, 'us', 2, 'again', '/pbx#1');
    await ask(log, 'eu', 'waits', '2');
    await eventually('all were found', () => first.countOpen('eu') === 4);
    await first.work();
    const expected = [
      ['adopted', 'EV_eu-2', 'REDECIDED'],
      ['adopted', 'EV_eu-3', 'WAITING'],
      ['set_aside', 'EV_eu-4', 'CAUSE_UNKNOWN'],
      ['set_aside', 'EV_eu-5', 'TIMER'],
    ];
    expect(await accounts(log)).toEqual(expected);
    expect(accounted).toEqual(['eu adopted', 'eu adopted', 'eu set_aside', 'eu set_aside']);
    await first.close();
    // Another process finds them again, and that they were accounted for.
    const second = open();
    await second.work();
    await eventually('nothing is left open', () => second.countOpen('eu') === 0);
    await second.work();
    expect(await accounts(log)).toEqual(expected);
    expect([accounted.length, failures]).toEqual([4, []]);
    await second.close();
  });

  it('are left to the owner of the home', async () => {
    const { log, ledger } = await scene();
    const records = new Records({ log, region: 'us', ledger, epochOf: () => undefined });
    const orphans = new Orphans({
      log,
      regions,
      ledger,
      records,
      epochOf: () => undefined,
      onAccounted: () => {},
      onFailure: () => {},
    });
    ledger.take({ home: 'eu', epoch: 2, owner: 'us', seals: [{ epoch: 1, owner: 'eu', upTo: 0 }] });
    orphans.open();
    await decide(log, 'eu', 1, 'c1', '/pbx#1');
    await eventually('it was found', () => orphans.countOpen('eu') === 1);
    await orphans.work();
    expect(await accounts(log)).toEqual([]);
    await orphans.close();
  });

  it('follow an entry that does not count: set aside', async () => {
    const { log, ledger, open } = await scene();
    ledger.take({ home: 'eu', epoch: 2, owner: 'us', seals: [{ epoch: 1, owner: 'eu', upTo: 0 }] });
    await decide(log, 'eu', 1, 'c1', '/pbx#1');
    await ask(log, 'eu', 'c1', '1');
    await decide(log, 'eu', 1, 'c2', 'demo.contact.c1.0');
    const orphans = open();
    await eventually('both were found', () => orphans.countOpen('eu') === 2);
    await orphans.work();
    expect(await accounts(log)).toEqual([
      ['adopted', 'EV_eu-1', 'WAITING'],
      ['set_aside', 'EV_eu-2', 'FOLLOWS_AN_ORPHAN'],
    ]);
    await orphans.close();
  });

  it('have a history that goes on without a gap', async () => {
    const { log, ledger, open } = await scene();
    ledger.take({ home: 'eu', epoch: 2, owner: 'us', seals: [{ epoch: 1, owner: 'eu', upTo: 0 }] });
    for (const id of ['c1', 'c2', 'c3']) await decide(log, 'eu', 1, id, 'clock.demo.1');
    const orphans = open();
    await eventually('all were found', () => orphans.countOpen('eu') === 3);
    await orphans.work();
    const journal = journalOf(
      log,
      { region: 'us', home: 'eu', service: 'x', epoch: 2 },
      { ledger },
    );
    const aggregate = { tenant: 'meridian', entity: 'orphan', id: 'eu-1' };
    const { entries } = await journal.load(aggregate);
    expect(entries.flatMap(({ events }) => events.map(({ revision }) => revision))).toEqual([
      0, 1, 2,
    ]);
    await orphans.close();
  });
});
