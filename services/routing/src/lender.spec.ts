import { describe, expect, it } from '@jest/globals';
import { Lender } from './lender.ts';
import type { Routing } from './routing.ts';

const homes = ['ap', 'eu', 'us'];

/** A desk that says whether somebody waits, and notes when it was asked to lend. */
class FakeDesk {
  hasWaiting = true;
  againMs: number | undefined;
  readonly lent: (readonly string[])[] = [];
  fails = false;

  lendingDueMs(): number | undefined {
    return this.againMs;
  }

  async lend(neighbours: ReadonlyMap<string, Routing>): Promise<number> {
    if (this.fails) throw new Error('the log is away');
    this.lent.push([...neighbours.keys()]);
    return 0;
  }
}

function lenderOf(open: readonly string[]) {
  const desks = new Map(homes.map((home) => [home, new FakeDesk()]));
  const time = { now: 3_000 };
  let touched = 0;
  const lender = new Lender(() => time.now);
  const all = [...desks] as unknown as readonly (readonly [string, Routing])[];
  lender.keeps({ all: () => all, allOpen: () => all.filter(([home]) => open.includes(home)) });
  lender.onDue(() => {
    touched += 1;
  });
  const desk = (home: string): FakeDesk => desks.get(home) as FakeDesk;
  return { lender, desk, time, touches: () => touched };
}

describe('looking for contacts to lend', () => {
  it('comes soon after a change, of each home at a time that no other has', async () => {
    const due = homes.map((home) => {
      const { lender, touches } = lenderOf([home]);
      lender.moved();
      expect(touches()).toBe(1);
      return lender.nextDueMs();
    });
    expect(new Set(due)).toEqual(new Set([3_001, 3_002, 3_003]));
  });

  it('is for the home that is due alone, among its neighbours', async () => {
    const { lender, desk, time } = lenderOf(homes);
    lender.moved();
    const looked: (readonly [number, string])[] = [];
    for (let next = lender.nextDueMs(); next !== undefined; next = lender.nextDueMs()) {
      time.now = next;
      const before = homes.map((home) => desk(home).lent.length);
      await lender.fire();
      for (const [index, home] of homes.entries()) {
        if (desk(home).lent.length > (before[index] ?? 0)) looked.push([next, home]);
      }
    }
    expect(looked).toEqual([
      [3_001, 'eu'],
      [3_002, 'us'],
      [3_003, 'ap'],
    ]);
    expect(desk('eu').lent).toEqual([['ap', 'us']]);
  });

  it('is not repeated at every change, and not while nobody waits', async () => {
    const { lender, desk, time, touches } = lenderOf(['eu']);
    lender.moved();
    lender.moved();
    expect(touches()).toBe(1);
    time.now = 3_001;
    await lender.fire();
    lender.moved();
    expect(lender.nextDueMs()).toBe(3_103);
    time.now = 3_103;
    desk('eu').hasWaiting = false;
    await lender.fire();
    lender.moved();
    expect(lender.nextDueMs()).toBeUndefined();
  });

  it('comes again when a contact that was given back may be lent again, and when it failed', async () => {
    const { lender, desk, time } = lenderOf(['us']);
    lender.moved();
    time.now = 3_002;
    desk('us').againMs = 8_000;
    desk('us').fails = true;
    await expect(lender.fire()).rejects.toThrow('the log is away');
    expect(lender.nextDueMs()).toBe(3_002);
    desk('us').fails = false;
    await lender.fire();
    expect(lender.nextDueMs()).toBe(8_000);
  });
});
