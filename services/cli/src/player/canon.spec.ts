import { describe, expect, it } from '@jest/globals';
import { OwnershipLedger, type RawEntry } from '../check/index.ts';
import { byStorage, Canon } from './canon.ts';
import { Takeovers } from './takeovers.ts';

function entry(region: string, sequence: number, storedAt: number, epoch = 1): RawEntry {
  return {
    stream: `EV_${region}`,
    sequence,
    subject: `ev.${region}.eu.demo.contact.c1`,
    storedAt,
    data: JSON.stringify([{ id: 'x', epoch }]),
  };
}

/** The first entry of an epoch of home eu. */
function ownership(
  epoch: number,
  owner: string,
  previous: { readonly epoch: number; readonly owner: string; readonly upTo: number },
): RawEntry {
  const seals = [{ epoch: 1, owner: 'eu', upTo: 2 }, previous].slice(0, epoch - 1);
  const data = {
    home: 'eu',
    epoch,
    owner,
    previousEpoch: previous.epoch,
    previousOwner: previous.owner,
    upTo: previous.upTo,
    kind: 'UNPLANNED',
    detectedAt: '1970-01-01T00:00:06.500Z',
    rpoMs: 12,
    seals,
  };
  return {
    ...entry(owner, 1, 0, epoch),
    subject: `ev.${owner}.eu.meridian.ownership.eu`,
    data: JSON.stringify([{ type: 'meridian.failover.completed.v1', epoch, data }]),
  };
}

async function* from(entries: readonly RawEntry[]): AsyncGenerator<RawEntry> {
  yield* entries;
}

describe('the streams of several regions', () => {
  it('are read by when their entries were stored, each in its order', async () => {
    const eu = [entry('eu', 1, 10), entry('eu', 2, 30), entry('eu', 3, 20)];
    const us = [entry('us', 4, 15), entry('us', 9, 30)];
    const read: string[] = [];
    for await (const one of byStorage([from(eu), from([]), from(us)])) {
      read.push(`${one.stream}:${one.sequence}`);
    }
    expect(read).toEqual(['EV_eu:1', 'EV_us:4', 'EV_eu:2', 'EV_eu:3', 'EV_us:9']);
  });

  it('give the canonical history of a home: epoch after epoch, orphans left out', () => {
    const ledger = new OwnershipLedger();
    ledger.learn(ownership(3, 'ap', { epoch: 2, owner: 'us', upTo: 5 }));
    ledger.learn(entry('eu', 9, 0));
    const taken: string[] = [];
    const canon = new Canon(ledger, (one) => taken.push(`${one.stream}:${one.sequence}`));
    const counts = [
      entry('ap', 2, 0, 3),
      entry('eu', 2, 0),
      entry('eu', 3, 0),
      entry('us', 5, 0, 2),
      entry('us', 6, 0, 2),
    ].map((one) => canon.read(one));
    expect(counts).toEqual([true, true, false, true, false]);
    expect(taken).toEqual(['EV_eu:2']);
    canon.finish();
    expect(taken).toEqual(['EV_eu:2', 'EV_us:5', 'EV_ap:2']);
    expect(canon.orphans).toBe(2);
  });

  it('count as they come where there is one alone', () => {
    const taken: number[] = [];
    const canon = new Canon(undefined, ({ sequence }) => taken.push(sequence));
    expect([entry('eu', 1, 0, 7), entry('eu', 2, 0, 7)].map((one) => canon.read(one))).toEqual([
      true,
      true,
    ]);
    canon.finish();
    expect(taken).toEqual([1, 2]);
  });
});

describe('takeovers', () => {
  it('are found in the log, with the first offer that came of each', () => {
    const takeovers = new Takeovers();
    const offer = (sequence: number, storedAt: number, epoch: number): RawEntry => ({
      ...entry('us', sequence, storedAt),
      subject: 'ev.us.eu.demo.routing.eu',
      data: JSON.stringify([{ type: 'meridian.reservation.created.v1', epoch }]),
    });
    takeovers.read(offer(1, 5_000, 1));
    takeovers.read({
      ...ownership(2, 'us', { epoch: 1, owner: 'eu', upTo: 2 }),
      storedAt: 7_000,
    });
    takeovers.read(offer(3, 7_500, 2));
    takeovers.read(offer(4, 7_900, 2));
    expect(takeovers.list()).toEqual([
      {
        home: 'eu',
        epoch: 2,
        from: 'eu',
        to: 'us',
        kind: 'UNPLANNED',
        detectedAt: 6_500,
        completedAt: 7_000,
        rpoMs: 12,
        firstOfferAt: 7_500,
      },
    ]);
  });
});
