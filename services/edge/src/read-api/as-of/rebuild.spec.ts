import { describe, expect, it } from '@jest/globals';
import { Ledger, memoryLog } from '@meridian/journal';
import { Rebuilding } from './rebuild.ts';

describe('questions about one contact of the past', () => {
  it('are answered a few at a time', async () => {
    const opened = Promise.withResolvers<never[]>();
    const log = Object.assign(memoryLog(), { load: () => opened.promise });
    const rebuilding = new Rebuilding({
      log,
      ledger: new Ledger(),
      regions: ['eu'],
      ledgerKnown: () => Promise.resolve(),
    });
    const ask = () => rebuilding.contact({ tenant: 'demo', id: 'c1', moment: { timeMs: 0 } });
    const four = [ask(), ask(), ask(), ask()];
    await expect(ask()).rejects.toThrow('try again');
    opened.resolve([]);
    expect(await Promise.all(four)).toEqual([undefined, undefined, undefined, undefined]);
    expect(await ask()).toBeUndefined();
    await log.close();
  });
});
