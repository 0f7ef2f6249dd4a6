import { describe, expect, it } from '@jest/globals';
import type { RawEntry } from '../check/index.ts';
import { inspectCopies } from './copies.ts';
import type { LogRange } from './edge.ts';

const regions = ['eu', 'us'];
const entry = (stream: string, sequence: number, id: string): RawEntry => ({
  stream,
  sequence,
  subject: `in.eu.demo.eu.contact.${id}`,
  storedAt: 1_000 + sequence,
  data: JSON.stringify({ id }),
});
const place = (sequence: number, id: string) => ({ id, stream: 'IN_eu', sequence, atMs: 5 });

/** Two regions that hold one another's streams, but for what is changed in a copy. */
function meshOf(changed: Readonly<Record<string, readonly RawEntry[]>> = {}) {
  const streams: Readonly<Record<string, readonly RawEntry[]>> = {
    IN_eu: [entry('IN_eu', 1, 'a'), entry('IN_eu', 2, 'b')],
    EV_eu: [entry('EV_eu', 1, 'x')],
    IN_us: [],
    EV_us: [entry('EV_us', 1, 'y'), entry('EV_us', 2, 'later')],
  };
  return {
    living: regions,
    async *copyOf(stream: string, region: string, { to = Infinity }: LogRange = {}) {
      const entries = changed[`${stream} in ${region}`] ?? streams[stream] ?? [];
      yield entries.filter(({ sequence }) => sequence <= to);
    },
  };
}

const ends = { IN_eu: 2, EV_eu: 1, IN_us: 0, EV_us: 1 };
const told = [place(1, 'a'), place(2, 'b')];

describe('the copies after a day', () => {
  it('are alike and hold what was acknowledged', async () => {
    expect(await inspectCopies(meshOf(), told, ends)).toEqual({ lost: [], differing: [] });
  });

  it('are not looked at beyond where all of them rested', async () => {
    const mesh = meshOf({ 'EV_us in eu': [entry('EV_us', 1, 'y')] });
    expect(await inspectCopies(mesh, told, ends)).toEqual({ lost: [], differing: [] });
    expect((await inspectCopies(mesh, told, { ...ends, EV_us: 2 })).differing).toEqual([
      'EV_us in eu',
    ]);
  });

  it('may lack what was acknowledged, or hold something else', async () => {
    const lost = [{ durability: 'region', stream: 'IN_eu', sequence: 2 }];
    const short = meshOf({ 'IN_eu in us': [entry('IN_eu', 1, 'a')] });
    expect(await inspectCopies(short, told, ends)).toEqual({ lost, differing: ['IN_eu in us'] });
    const other = meshOf({ 'IN_eu in us': [entry('IN_eu', 1, 'a'), entry('IN_eu', 2, 'c')] });
    expect(await inspectCopies(other, told, ends)).toEqual({ lost, differing: ['IN_eu in us'] });
    const nowhere = await inspectCopies(meshOf(), [...told, place(3, 'd')], ends);
    expect(nowhere.lost).toEqual([{ durability: 'region', stream: 'IN_eu', sequence: 3 }]);
  });
});
