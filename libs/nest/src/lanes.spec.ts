import { describe, expect, it } from '@jest/globals';
import { Lanes } from './lanes.ts';

describe('Lanes', () => {
  it('runs tasks of one key in order, of different keys at once, also after a failure', async () => {
    const lanes = new Lanes();
    const did: string[] = [];
    const gate = Promise.withResolvers<void>();
    const first = lanes.run('a', async () => {
      did.push('a1 begins');
      await gate.promise;
      did.push('a1 ends');
      throw new Error('a1 failed');
    });
    const second = lanes.run('a', async () => {
      did.push('a2');
    });
    await lanes.run('b', async () => {
      did.push('b1');
    });
    expect(did).toEqual(['a1 begins', 'b1']);
    gate.resolve();
    await expect(first).rejects.toThrow('a1 failed');
    await second;
    expect(did).toEqual(['a1 begins', 'b1', 'a1 ends', 'a2']);
    expect(lanes.size).toBe(0);
  });
});
