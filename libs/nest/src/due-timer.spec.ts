import { describe, expect, it } from '@jest/globals';
import { eventually } from '@meridian/testing';
import { DrivenClock, systemClock } from './clock.ts';
import { DueTimer } from './due-timer.ts';

function timerOn(clock = new DrivenClock()) {
  const due: number[] = [];
  const fired: number[] = [];
  const failures: unknown[] = [];
  let gate: Promise<void> = Promise.resolve();
  let trouble: unknown;
  const timer = new DueTimer({
    clock,
    timer: {
      name: 'test',
      next: () => due[0],
      fire: async (now) => {
        fired.push(now);
        await gate;
        if (trouble !== undefined) throw trouble;
        while (due[0] !== undefined && due[0] <= now) due.shift();
      },
    },
    onFired: () => {},
    onFailure: (error) => {
      failures.push(error);
    },
  });
  return {
    clock,
    due,
    fired,
    failures,
    timer,
    hold: (): (() => void) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      gate = promise;
      return resolve;
    },
    fail: (error: unknown): void => {
      trouble = error;
    },
  };
}

describe('DueTimer', () => {
  it('fires within the change of a driven clock, and is busy until what it did is stored', async () => {
    const { clock, due, fired, timer, hold } = timerOn();
    due.push(1_000, 3_000);
    timer.open();
    clock.set({ at: 500, wallAt: 1, rate: 0 });
    expect([fired, timer.busy, timer.nextDueMs]).toEqual([[], false, 1_000]);
    const letGo = hold();
    clock.set({ at: 1_000, wallAt: 2, rate: 0 });
    expect([fired, timer.busy]).toEqual([[1_000], true]);
    letGo();
    await eventually('it is quiet', () => !timer.busy);
    expect([fired, timer.nextDueMs]).toEqual([[1_000], 3_000]);
    await timer.close();
  });

  it('is busy already when something is due that it has not looked at', () => {
    const { clock, due, timer } = timerOn();
    timer.open();
    clock.set({ at: 1_000, wallAt: 1, rate: 0 });
    due.push(1_000);
    expect(timer.busy).toBe(true);
  });

  it('fires one at a time what becomes due while it fires', async () => {
    const { clock, due, fired, timer, hold } = timerOn();
    timer.open();
    due.push(1_000);
    const letGo = hold();
    clock.set({ at: 1_000, wallAt: 1, rate: 0 });
    due.push(1_500);
    clock.set({ at: 2_000, wallAt: 2, rate: 0 });
    timer.touch();
    expect(fired).toEqual([1_000]);
    letGo();
    await eventually('both are fired', () => due.length === 0);
    expect(fired).toEqual([1_000, 2_000]);
    await timer.close();
  });

  it('fires again what failed, or what stayed due', async () => {
    const { clock, due, fired, failures, timer, fail } = timerOn();
    timer.open();
    due.push(1_000);
    fail(new Error('away'));
    clock.set({ at: 1_000, wallAt: 1, rate: 0 });
    await eventually('it has failed twice', () => failures.length === 2);
    expect(timer.busy).toBe(true);
    expect(timer.failures).toBe(2);
    fail(undefined);
    await eventually('it is fired', () => due.length === 0);
    expect(fired.length).toBeGreaterThanOrEqual(3);
    await timer.close();
  });

  it('fires by the rate of a driven clock, and by the clock of the machine', async () => {
    const running = timerOn();
    running.due.push(60_000);
    running.timer.open();
    running.clock.set({ at: 0, wallAt: Date.now(), rate: 10_000 });
    await eventually('it is fired', () => running.due.length === 0);
    expect(running.fired[0]).toBeGreaterThanOrEqual(60_000);
    await running.timer.close();
    const machine = timerOn(systemClock() as DrivenClock);
    const dueMs = Date.now() + 20;
    machine.due.push(dueMs);
    machine.timer.open();
    await eventually('it is fired', () => machine.due.length === 0);
    expect(machine.fired[0]).toBeGreaterThanOrEqual(dueMs);
    await machine.timer.close();
  });

  it('fires nothing once it is closed, and its closing waits for the firing under way', async () => {
    const { clock, due, fired, timer, hold } = timerOn();
    timer.open();
    due.push(1_000, 2_000);
    const letGo = hold();
    clock.set({ at: 1_000, wallAt: 1, rate: 0 });
    let closed = false;
    const closing = timer.close().then(() => {
      closed = true;
    });
    await Promise.resolve();
    expect(closed).toBe(false);
    letGo();
    await closing;
    clock.set({ at: 2_000, wallAt: 2, rate: 0 });
    expect(fired).toEqual([1_000]);
  });
});
