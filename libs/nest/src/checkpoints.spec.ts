import { describe, expect, it } from '@jest/globals';
import { CheckpointWriter } from './checkpoints.ts';

function writer(kept: number) {
  const saved: number[] = [];
  const failures: unknown[] = [];
  let trouble: Error | undefined;
  const one = new CheckpointWriter(
    kept,
    async (position) => {
      if (trouble !== undefined) throw trouble;
      saved.push(position);
    },
    (error) => {
      failures.push(error);
    },
  );
  return {
    one,
    saved,
    failures,
    fail: (error: Error | undefined): void => {
      trouble = error;
    },
  };
}

describe('CheckpointWriter', () => {
  it('writes the last of many positions once', async () => {
    const { one, saved } = writer(0);
    for (const position of [1, 2, 3]) one.moved(position);
    await one.flush();
    await one.flush();
    expect(saved).toEqual([3]);
    expect(one.kept).toBe(3);
  });

  it('never writes below what is kept', async () => {
    const { one, saved } = writer(10);
    one.moved(9);
    await one.flush();
    one.moved(11);
    one.moved(4);
    await one.flush();
    expect(saved).toEqual([11]);
  });

  it('tells of a failure and writes at the next movement', async () => {
    const { one, saved, failures, fail } = writer(0);
    fail(new Error('away'));
    one.moved(5);
    await one.flush();
    expect([saved, failures.length, one.kept]).toEqual([[], 1, 0]);
    fail(undefined);
    one.moved(5);
    await one.flush();
    expect(saved).toEqual([5]);
  });
});
