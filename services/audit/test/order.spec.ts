import { afterEach, describe, expect, it } from '@jest/globals';
import { Ledger } from '@meridian/journal';
import { eventually } from '@meridian/testing';
import { readOrderEntry } from '../src/order/order-event.ts';
import type { OrderedLog } from '../src/order/ordered-log.ts';
import { AuditBed } from './audit-bed.ts';

let bed: AuditBed;
afterEach(() => bed.close());

const noCheckpoints = { settings: { checkpointMs: 1_000_000 } };
/** Waits for a message to be read in the order, while every region says what it holds. */
async function isReadable(ordered: OrderedLog, stream: string, sequence: number): Promise<void> {
  await eventually(`${stream} ${sequence} in the order`, async () => {
    await bed.report();
    return ordered.rankOf(stream, sequence) !== undefined;
  });
}

async function places(ordered: OrderedLog): Promise<string[]> {
  const read = await ordered.read({ from: 0, direction: 'forwards', limit: 10_000 });
  expect(read.map(({ rank }) => rank)).toEqual(read.map((_, index) => index));
  return read.map(({ message }) => `${message.stream}:${message.sequence}`);
}

describe('The one order of a region that is alone', () => {
  it('holds everything stored, a request before its decision, and comes to rest', async () => {
    bed = new AuditBed();
    const { ordered } = await bed.open('eu', noCheckpoints);
    let grown = 0;
    ordered.onGrown(() => (grown += 1));
    for (let call = 0; call < 40; call += 1) {
      await bed.call('eu', `c${call}`);
      if (call % 10 === 0) await isReadable(ordered, 'IN_eu', call + 1);
    }
    await isReadable(ordered, 'IN_eu', 40);
    const all = await places(ordered);
    expect(new Set(all).size).toBe(all.length);
    expect(grown).toBeGreaterThan(3);
    // The first decision comes after its request; each stream is in order.
    expect(all.indexOf('IN_eu:1')).toBeLessThan(all.indexOf('EV_eu:1'));
    for (const stream of ['IN_eu', 'EV_eu']) {
      const own = all.filter((place) => place.startsWith(stream));
      expect(own).toEqual(own.map((_, index) => `${stream}:${index + 1}`));
    }
    // No entry of it orders nothing but entries of it.
    await bed.call('eu', 'last');
    await isReadable(ordered, 'IN_eu', 41);
    for (const message of await bed.log.load('EV_eu', 'ev.eu.eu.meridian.order.all')) {
      const { afterRank, ranges } = readOrderEntry(message)!;
      const limit = ranges.reduce((sum, { after, upTo }) => sum + upTo - after, 0);
      const read = await ordered.read({ from: afterRank, direction: 'forwards', limit });
      const subjects = read.map((one) => one.message.subject);
      expect(subjects.filter((subject) => !subject.includes('.order.'))).not.toEqual([]);
    }
  });

  it('is read from anywhere, both ways', async () => {
    bed = new AuditBed();
    const { ordered } = await bed.open('eu', noCheckpoints);
    for (let call = 0; call < 25; call += 1) await bed.call('eu', `c${call}`);
    await isReadable(ordered, 'IN_eu', 25);
    const { size } = ordered;
    const all = await ordered.read({ from: 0, direction: 'forwards', limit: size });
    expect(all).toHaveLength(size);
    for (const [from, limit] of [
      [0, 1],
      [3, 20],
      [size - 2, 10],
      [size, 5],
    ] as const) {
      const forwards = await ordered.read({ from, direction: 'forwards', limit });
      expect(forwards.map(({ rank }) => rank)).toEqual(
        all.slice(from, from + limit).map(({ rank }) => rank),
      );
      const backwards = await ordered.read({ from, direction: 'backwards', limit });
      const wanted = all.slice(Math.max(0, from - limit + 1), from + 1).reverse();
      expect(backwards.map(({ rank }) => rank)).toEqual(wanted.map(({ rank }) => rank));
    }
    expect(await ordered.read({ from: -1, direction: 'backwards', limit: 5 })).toEqual([]);
    const { rank, message } = all[7]!;
    expect(ordered.rankOf(message.stream, message.sequence)).toBe(rank);
  });

  it('goes on after a restart', async () => {
    bed = new AuditBed();
    const first = await bed.open('eu', noCheckpoints);
    await bed.call('eu', 'c1');
    await isReadable(first.ordered, 'EV_eu', 1);
    const before = await places(first.ordered);
    await bed.close();
    await bed.call('eu', 'c2');
    const { ordered } = await bed.open('eu', noCheckpoints);
    await isReadable(ordered, 'IN_eu', 2);
    expect((await places(ordered)).slice(0, before.length)).toEqual(before);
  });
});

describe('The one order of several regions', () => {
  const regions = ['eu', 'us'];
  const moved = (upTo: number) => ({
    home: 'eu',
    epoch: 2,
    owner: 'us',
    seals: [{ epoch: 1, owner: 'eu', upTo }],
  });

  it('shows nothing that no other region holds', async () => {
    bed = new AuditBed(regions);
    const eu = await bed.open('eu', noCheckpoints);
    const us = await bed.open('us', noCheckpoints);
    await bed.call('eu', 'c1');
    await bed.call('us', 'c2');
    // What came from the other region is held in two.
    await eventually(
      'an entry of the order',
      async () => (await bed.log.lastSequence('EV_eu')) > 1,
    );
    expect(eu.ordered.size).toBe(0);
    await eventually('IN_us 1', () => us.ordered.rankOf('IN_us', 1) !== undefined);
    expect(us.ordered.rankOf('IN_eu', 1)).toBeUndefined();
    await isReadable(us.ordered, 'IN_eu', 1);
    await isReadable(eu.ordered, 'IN_eu', 1);
    expect(await places(eu.ordered)).toEqual(await places(us.ordered));
  });

  it('is continued by the next owner, without a gap or a repeat', async () => {
    bed = new AuditBed(regions);
    const ledgers = { eu: new Ledger(), us: new Ledger() };
    let isCut = false;
    const eu = await bed.open('eu', {
      ...noCheckpoints,
      ledger: ledgers.eu,
      isGranted: () => !isCut,
    });
    const us = await bed.open('us', { ...noCheckpoints, ledger: ledgers.us });
    for (let call = 0; call < 10; call += 1) await bed.call('eu', `c${call}`);
    await isReadable(us.ordered, 'IN_eu', 10);
    await isReadable(eu.ordered, 'IN_eu', 10);
    isCut = true;
    const before = await places(us.ordered);
    const seal = await bed.log.lastSequence('EV_eu');
    // What eu still writes is an orphan, and is ordered like everything else.
    await bed.call('eu', 'orphan');
    for (const ledger of Object.values(ledgers)) ledger.take(moved(seal));
    await bed.call('us', 'later');
    await isReadable(us.ordered, 'IN_us', 1);
    await isReadable(eu.ordered, 'EV_eu', seal + 1);
    const after = await places(us.ordered);
    expect(after.slice(0, before.length)).toEqual(before);
    expect(new Set(after).size).toBe(after.length);
    const entries = await bed.log.load('EV_us', 'ev.us.eu.meridian.order.all');
    expect(entries[0]!.text()).toContain('"adoptedfrom":"EV_eu:');
    expect(bed.errors).toEqual([]);
  });

  it('is given anew from where it was lost, and says so', async () => {
    bed = new AuditBed(regions);
    const ledgers = { eu: new Ledger(), us: new Ledger() };
    let isCut = false;
    await bed.open('eu', { ...noCheckpoints, ledger: ledgers.eu, isGranted: () => !isCut });
    const us = await bed.open('us', { ...noCheckpoints, ledger: ledgers.us });
    await bed.call('eu', 'c1');
    await isReadable(us.ordered, 'IN_eu', 1);
    isCut = true;
    // The epoch ended before any entry of the order: a third region had held less, and was asked.
    for (const ledger of Object.values(ledgers)) ledger.take(moved(1));
    await eventually('an entry of the next epoch', async () => {
      await bed.report();
      return (await bed.log.load('EV_us', 'ev.us.eu.meridian.order.all')).length > 0;
    });
    await isReadable(us.ordered, 'IN_eu', 1);
    expect(bed.errors).toContain(
      'us: The order given from rank 0 on was lost with its region and is given anew.',
    );
  });
});
