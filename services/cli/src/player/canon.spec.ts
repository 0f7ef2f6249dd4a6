import { describe, expect, it } from '@jest/globals';
import type { RawEntry } from '../check/index.ts';
import { byStorage, Canon } from './canon.ts';

function entry(region: string, sequence: number, storedAt: number, epoch = 1): RawEntry {
  return {
    stream: `EV_${region}`,
    sequence,
    subject: `ev.${region}.eu.demo.contact.c1`,
    storedAt,
    data: JSON.stringify([{ id: 'x', epoch }]),
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
    const seals = [
      { epoch: 1, owner: 'eu', upTo: 2 },
      { epoch: 2, owner: 'us', upTo: 5 },
    ];
    const home = { home: 'eu', owner: 'ap', epoch: 3, state: 'ACTIVE', seals };
    const taken: string[] = [];
    const canon = new Canon([home], (one) => taken.push(`${one.stream}:${one.sequence}`));
    const counts = [
      entry('ap', 1, 0, 3),
      entry('eu', 2, 0),
      entry('eu', 3, 0),
      entry('us', 5, 0, 2),
      entry('us', 6, 0, 2),
    ].map((one) => canon.read(one));
    expect(counts).toEqual([true, true, false, true, false]);
    expect(taken).toEqual(['EV_eu:2']);
    canon.finish();
    expect(taken).toEqual(['EV_eu:2', 'EV_us:5', 'EV_ap:1']);
    expect(canon.orphans).toBe(2);
  });
});
