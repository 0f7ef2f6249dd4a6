import { describe, expect, it } from '@jest/globals';
import { eventually } from '@meridian/testing';
import { memoryBeat } from './beat.ts';
import { eventTimeOf, whenClockShows } from './clock-gate.ts';
import {
  clockSubject,
  DrivenClock,
  openDrivenClock,
  parseClockSetting,
  publishClock,
  setClock,
  systemClock,
} from './clock.ts';

describe('DrivenClock', () => {
  it('does not know the time before it was set', () => {
    const clock = new DrivenClock();
    expect(clock.started).toBe(false);
    expect(() => clock.now()).toThrow('has not been set');
    expect(clock.realMsUntil(0)).toBe(Infinity);
  });

  it('stands still at rate 0, and runs at its rate otherwise', () => {
    let realMs = 500;
    const clock = new DrivenClock(() => realMs);
    clock.set({ at: 10_000, wallAt: 500, rate: 0 });
    realMs = 900;
    expect(clock.now()).toBe(10_000);
    expect([10_000, 10_001].map((time) => clock.realMsUntil(time))).toEqual([0, Infinity]);
    clock.set({ at: 20_000, wallAt: 1_000, rate: 60 });
    expect(clock.now()).toBe(20_000);
    realMs = 1_500;
    expect(clock.now()).toBe(50_000);
    expect(clock.realMsUntil(50_061)).toBe(2);
  });

  it('passes over a setting that is older or the same, and tells of each other one', () => {
    const clock = new DrivenClock();
    const told: (number | undefined)[] = [];
    const forget = clock.onChange(() => {
      told.push(clock.setting?.at);
    });
    clock.set({ at: 2, wallAt: 20, rate: 0 });
    clock.set({ at: 1, wallAt: 10, rate: 0 });
    clock.set({ at: 2, wallAt: 20, rate: 0 });
    clock.set({ at: 3, wallAt: 21, rate: 0 });
    forget();
    clock.set({ at: 4, wallAt: 22, rate: 0 });
    expect(told).toEqual([2, 3]);
  });
});

describe('openDrivenClock', () => {
  it('takes the last message kept, then each as it comes, and passes over what is no setting', async () => {
    const beat = memoryBeat();
    const first = publishClock(beat, 'eu', { at: 1_000, rate: 0 });
    const clock = await openDrivenClock(beat, 'eu');
    expect(clock.now()).toBe(1_000);
    const second = publishClock(beat, 'eu', { at: 2_000, rate: 0 }, first);
    expect(second.wallAt).toBeGreaterThan(first.wallAt);
    beat.publish(clockSubject('eu'), 'nonsense');
    expect(clock.now()).toBe(2_000);
    clock.close();
    publishClock(beat, 'eu', { at: 3_000, rate: 0 }, second);
    expect(clock.now()).toBe(2_000);
  });

  it('tells the stream again what it no longer keeps', async () => {
    const beat = memoryBeat();
    const setting = publishClock(beat, 'eu', { at: 1_000, rate: 0 });
    const clock = await openDrivenClock(beat, 'eu');
    const younger = memoryBeat();
    // The stream was lost with its server: another, empty one is in its place.
    beat.last = (subject) => younger.last(subject);
    const told: string[] = [];
    beat.publish = (subject, text) => {
      told.push(text);
      younger.publish(subject, text);
    };
    const kept = await eventually('it is kept again', () => younger.last(clockSubject('eu')));
    expect(parseClockSetting(kept)).toEqual(setting);
    clock.close();
    expect(told).toHaveLength(1);
  });

  it('hears what it missed from another clock while there is no stream', async () => {
    const beat = memoryBeat();
    const first = await openDrivenClock(beat, 'eu');
    publishClock(beat, 'eu', { at: 5_000, rate: 0 });
    expect(first.now()).toBe(5_000);
    // It listens only since after the message, and no stream has kept it.
    const second = await openDrivenClock({ ...beat, last: () => Promise.resolve(undefined) }, 'eu');
    expect(second.started).toBe(false);
    beat.last = () => Promise.reject(new Error('stream not found'));
    await eventually('it hears it', () => second.started);
    expect(second.now()).toBe(5_000);
    first.close();
    second.close();
  });

  it.each([
    '',
    'null',
    '{}',
    '{"at":1,"wallAt":1}',
    '{"at":1,"wallAt":1,"rate":-1}',
    '{"at":"1","wallAt":1,"rate":0}',
  ])('does not take %j for a setting', (text) => {
    expect(parseClockSetting(text)).toBeUndefined();
  });
});

describe('setClock', () => {
  it('sends a setting again until the clock shows it', async () => {
    const beat = memoryBeat();
    const clock = await openDrivenClock(beat, 'eu');
    const publish = beat.publish.bind(beat);
    const sent: string[] = [];
    beat.publish = (subject, text) => {
      sent.push(text);
      // The first ones are lost.
      if (sent.length > 2) publish(subject, text);
    };
    const end = setClock(beat, 'eu', { at: 7_000, rate: 0 }, clock);
    expect(clock.started).toBe(false);
    await eventually('the clock shows it', () => clock.started);
    expect(clock.now()).toBe(7_000);
    expect(new Set(sent).size).toBe(1);
    end();
    clock.close();
  });
});

describe('systemClock', () => {
  it('shows the time of the machine', () => {
    const clock = systemClock();
    const before = Date.now();
    expect(clock.now()).toBeGreaterThanOrEqual(before);
    expect(clock.realMsUntil(before)).toBe(0);
    expect(clock.setting).toBeUndefined();
  });
});

describe('whenClockShows', () => {
  it('waits for the time of a decision made ahead of the clock', async () => {
    const clock = new DrivenClock();
    clock.set({ at: 1_000, wallAt: 1, rate: 0 });
    const order: string[] = [];
    clock.onChange(() => {
      order.push('timers');
    });
    const shown = whenClockShows(clock, 2_000, 60_000).then(() => {
      order.push('handler');
    });
    clock.set({ at: 1_500, wallAt: 2, rate: 0 });
    clock.set({ at: 2_000, wallAt: 3, rate: 0 });
    await shown;
    expect(order).toEqual(['timers', 'timers', 'handler']);
  });

  it('goes on after its limit when the clock was set back, and comes true by the rate', async () => {
    const clock = new DrivenClock();
    clock.set({ at: 1_000, wallAt: 1, rate: 0 });
    await whenClockShows(clock, 2_000, 1);
    clock.set({ at: 1_000, wallAt: Date.now(), rate: 1_000 });
    await whenClockShows(clock, 3_000, 60_000);
    expect(clock.now()).toBeGreaterThanOrEqual(3_000);
  });

  it('reads the time of an entry from its first event', () => {
    const text = (time: string) => ({
      text: () => `[{"specversion":"1.0","time":"${time}","data":{}}]`,
    });
    expect(eventTimeOf(text('2026-11-22T08:00:00.250Z'))).toBe(
      Date.UTC(2026, 10, 22, 8, 0, 0, 250),
    );
    expect(eventTimeOf(text('today'))).toBeUndefined();
  });
});
