import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '@meridian/testing';
import { Bed, regions } from './copies-bed.ts';

let bed: Bed;

beforeAll(async () => {
  bed = await Bed.start();
  await bed.fill('eu', 4_000);
  for (const { keeper, writer } of bed.all) {
    keeper.start();
    writer.start();
  }
}, 60_000);

afterAll(() => bed.stop(), 60_000);

describe('copies in three regions', () => {
  it('are hashed and compared while they are written to, and nothing is wrong', async () => {
    for (const { name, writer } of bed.all) {
      await eventually(`${name} writes`, () => writer.acknowledged.length >= 100);
    }
    for (const { name } of bed.all) {
      const peers = regions.filter((one) => one !== name);
      await eventually(`${name} compares`, async () => {
        const same = await bed.compared(name, 'same');
        return peers.every((peer) => (same[peer] ?? 0) >= 30);
      });
      expect(await bed.compared(name, 'differs')).toEqual({});
    }
    expect(bed.all.flatMap(({ notes }) => notes)).toEqual([]);
    expect(bed.all.flatMap(({ troubles }) => troubles)).toEqual([]);
  });
});
