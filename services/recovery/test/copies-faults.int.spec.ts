import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { jetstreamManager } from '@nats-io/jetstream';
import { eventually } from '@meridian/testing';
import type { CopyNote } from '../src/copies/index.ts';
import { Bed, regions } from './copies-bed.ts';
import { cutHalf, firstBlock, flipBit, keepFiles, lastBlock, putBack } from './copies-files.ts';

const stream = 'EV_eu';
const patience = { timeoutMs: 240_000, pauseMs: 20 };
let bed: Bed;

beforeAll(async () => {
  bed = await Bed.start();
  await bed.fill('eu', 5_000);
  for (const { keeper, writer } of bed.all) {
    keeper.start();
    writer.start();
  }
  await bed.mirrored(stream);
}, 240_000);

afterAll(() => bed.stop(), 60_000);

interface Damage {
  readonly what: string;
  /** Something to be done some time before. */
  readonly before?: (region: string) => Promise<void>;
  readonly damage: (region: string) => Promise<void>;
  /** Whether the server alone may put it right before anybody looks. */
  readonly mayHeal?: 'at a mirror';
}

const store = (region: string): string => bed.of(region).storeDir;
const down = (work: (region: string) => void) => (region: string) =>
  bed.whileDown(region, () => work(region));
const kept = (region: string): string => join(bed.mesh.folder, `kept-${region}`);

const damages: Damage[] = [
  {
    what: 'a flipped bit in a block, the server running',
    damage: (region) => Promise.resolve(flipBit(firstBlock(store(region), stream))),
  },
  {
    what: 'a flipped bit in a block, the server stopped',
    damage: down((region) => flipBit(firstBlock(store(region), stream))),
  },
  {
    what: 'a truncated block, the server stopped',
    damage: down((region) => cutHalf(firstBlock(store(region), stream))),
  },
  {
    what: 'a flipped bit in the last block, the server stopped',
    damage: down((region) => flipBit(lastBlock(store(region), stream))),
    mayHeal: 'at a mirror',
  },
  {
    what: 'a deleted stream',
    damage: async (region) => {
      const manager = await jetstreamManager(bed.of(region).connection);
      await manager.streams.delete(stream);
    },
  },
  {
    what: 'a power loss before a sync',
    before: (region) => keepFiles(store(region), stream, kept(region)),
    damage: down((region) => putBack(store(region), stream, kept(region))),
    mayHeal: 'at a mirror',
  },
];

/** Damages the copy of one region, and waits until all are the same again. */
async function tryOut({ what, before, damage, mayHeal }: Damage, region: string): Promise<void> {
  const victim = bed.of(region);
  const isOrigin = region === 'eu';
  const others = bed.all.filter((one) => one !== victim);
  await before?.(region);
  if (before !== undefined) {
    const wanted = bed.of('eu').writer.acknowledged.length + 40;
    await eventually('more', () => bed.of('eu').writer.acknowledged.length >= wanted, patience);
  }
  // What was acknowledged and mirrored must never be lost, whatever happens.
  await Promise.all(bed.all.map(({ writer }) => writer.stop()));
  const promised = bed.all.flatMap(({ writer }) => writer.acknowledged);
  for (const name of regions) {
    await bed.mirrored(`IN_${name}`);
    await bed.mirrored(`EV_${name}`);
  }
  for (const { notes } of bed.all) notes.length = 0;
  for (const { writer } of others) writer.start();
  const writtenBefore = others.map(({ writer }) => writer.acknowledged.length);
  const beganMs = performance.now();
  await damage(region);
  victim.writer.start();

  const mended = await eventually(
    `${what} is mended in ${region}`,
    async (): Promise<{ readonly note?: CopyNote; readonly atMs: number } | undefined> => {
      const told = victim.notes.find(({ note }) => note.what === 'mended');
      if (told !== undefined || mayHeal === undefined || isOrigin) return told;
      const digests = await bed.digests();
      return new Set(digests[stream]).size === 1 ? { atMs: performance.now() } : undefined;
    },
    patience,
  );
  const noticed = victim.notes.find(({ note }) => note.what === 'wrong');
  if (mended.note !== undefined) {
    expect(noticed?.note).toMatchObject({ what: 'wrong', stream, region });
    // Fenced from the notice on, and nobody else's copy was touched.
    expect(
      others.flatMap(({ notes }) => notes.filter(({ note }) => note.what === 'mending')),
    ).toEqual([]);
  }
  for (const [index, { name, writer }] of others.entries()) {
    const wanted = (writtenBefore[index] as number) + 10;
    await eventually(`${name} writes`, () => writer.acknowledged.length >= wanted, patience);
  }
  await eventually('the fence is open', () => !victim.writer.isFenced, patience);
  const now = victim.writer.acknowledged.length;
  await eventually(`${region} writes`, () => victim.writer.acknowledged.length > now, patience);
  await Promise.all(bed.all.map(({ writer }) => writer.stop()));
  for (const [name, digests] of Object.entries(await bed.digests())) {
    expect([name, new Set(digests).size]).toEqual([name, 1]);
  }
  for (const name of regions) {
    const held = await bed.subjects(name);
    expect(promised.filter((subject) => !held.has(subject))).toEqual([]);
  }
  const ms = (atMs: number | undefined): string =>
    atMs === undefined ? 'by the server alone' : `${Math.round(atMs - beganMs)} ms`;
  const failed = victim.notes.filter(({ note }) => note.what === 'mend_failed').length;
  const again = failed === 0 ? '' : `, ${failed} attempts failed before`;
  process.stderr.write(
    `${what}, in ${region}: noticed ${ms(noticed?.atMs)}, mended ${ms(mended.atMs)}${again}\n`,
  );
  for (const { writer } of bed.all) writer.start();
}

describe.each([
  ['the origin', 'eu'],
  ['a mirror', 'us'],
])('on %s', (_, region) => {
  it.each(damages)(
    '$what is noticed and mended from another region while the others go on',
    (damage) => tryOut(damage, region),
    600_000,
  );
});
