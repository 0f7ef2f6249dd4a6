import { describe, expect, it } from '@jest/globals';
import { memoryLog } from '@meridian/journal';
import { MemoryOrder } from '../../test/eventstore/memory-order.ts';
import { Fold } from './fold.ts';

async function foldOf(count: number): Promise<Fold> {
  const log = memoryLog();
  for (let n = 0; n < count; n += 1) {
    const data = `[{"revision":0,"n":${n}}]`;
    await log.append('EV_eu', { subject: `ev.eu.eu.demo.contact.c${n}`, data });
  }
  const ordered = new MemoryOrder(log, ['EV_eu']);
  ordered.extend();
  const fold = new Fold({ ordered, keyOf: () => Buffer.alloc(32, 1), share: 1 });
  expect(await fold.advance(count)).toBe(true);
  return fold;
}

describe('what is kept of a fold', () => {
  it('goes on as if nothing had happened', async () => {
    const [fold, other] = [await foldOf(9), await foldOf(0)];
    other.restore(fold.serialise());
    expect(await other.result()).toEqual(await fold.result());
    expect(other.lastForeign).toBe(9);
  });

  it('is not taken when any of its bytes is another', async () => {
    const kept = (await foldOf(9)).serialise();
    const other = await foldOf(0);
    for (const at of [0, 32, 47, 60, kept.length - 1]) {
      const bad = Buffer.from(kept);
      bad[at]! ^= 1;
      expect(() => other.restore(bad)).toThrow(RangeError);
    }
    expect(() => other.restore(kept.subarray(0, -1))).toThrow(RangeError);
    expect(other.size).toBe(0);
  });
});
