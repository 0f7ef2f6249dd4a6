import { describe, expect, it } from '@jest/globals';
import { seeded } from '@meridian/core';
import { memoryLog, type Log } from '@meridian/journal';
import { eventually } from '@meridian/testing';
import { pino } from 'pino';
import { memoryBeat } from './beat.ts';
import { memoryCheckpoints } from './checkpoints.ts';
import { DrivenClock } from './clock.ts';
import { MetricsRegistry } from './metrics.ts';
import type { ProgressReport } from './progress-report.ts';
import { ProgressWatch, waitUntilSettled } from './progress-watch.ts';
import { progressSubject } from './progress.ts';
import { Services } from './services.ts';
import { settled } from './settled.ts';

const report = (part: Partial<ProgressReport>): ProgressReport => ({
  service: 'a',
  instance: 'i',
  clock: 1_000,
  nextDueMs: null,
  reads: [{ stream: 'IN_eu', filter: 'in.eu.>', position: 5 }],
  ...part,
});
const ask = (
  reports: readonly ProgressReport[],
  last: number | undefined,
  at: number | undefined = 1_000,
) =>
  settled({
    ...(at === undefined ? {} : { at }),
    required: ['a', 'b'],
    reports: new Map(reports.map((one) => [one.service, one])),
    lastSequence: () => last,
  });

describe('settled', () => {
  it('holds when every required service has read everything and come to the time', () => {
    const b = report({ service: 'b', nextDueMs: 7_000, reads: [] });
    expect(ask([report({ nextDueMs: 9_000 }), b], 5)).toEqual({ settled: true, nextDueMs: 7_000 });
    expect(ask([report({}), report({ service: 'b' })], 4)).toEqual({
      settled: true,
      nextDueMs: null,
    });
  });

  it.each([
    ['has not reported', [report({})], 5, 'b has not reported yet'],
    [
      'is at another time',
      [report({}), report({ service: 'b', clock: 999 })],
      5,
      'b has not fired everything due at 1000 yet',
    ],
    [
      'is firing',
      [report({}), report({ service: 'b', clock: null })],
      5,
      'b has not fired everything due at 1000 yet',
    ],
  ])('does not hold while one %s', (_, reports, last, expected) => {
    expect(ask(reports, last)).toEqual({ settled: false, waitingFor: [expected] });
  });

  it('does not hold while one has not read to the end, or the end is not known', () => {
    const reports = [report({}), report({ service: 'b', reads: [] })];
    expect(ask(reports, 6)).toEqual({
      settled: false,
      waitingFor: ['a has read IN_eu under in.eu.> to 5 of 6'],
    });
    expect(ask(reports, undefined)).toEqual({
      settled: false,
      waitingFor: ['the end of IN_eu under in.eu.> is not known'],
    });
  });

  it('needs no time when none is asked for', () => {
    const reports = [report({ clock: null }), report({ service: 'b', clock: null })];
    const byService = new Map(reports.map((one) => [one.service, one]));
    expect(settled({ required: ['a', 'b'], reports: byService, lastSequence: () => 5 })).toEqual({
      settled: true,
      nextDueMs: null,
    });
  });
});

/**
 * Two services that hand work to each other through the log, with timers, and stop after a number
 * of steps. Whenever `waitUntilSettled` says so, nothing may move any more.
 */
function twoServices(seed: number) {
  const random = seeded(String(seed));
  const below = (limit: number): number => random.int(limit);
  const inner = memoryLog();
  // Appends take a while: turns of the event loop, as many as the seed says.
  const log: Log = Object.assign(Object.create(inner) as Log, {
    append: async (...args: Parameters<Log['append']>) => {
      for (let turns = below(4); turns > 0; turns -= 1) {
        await new Promise((resolve) => {
          setImmediate(resolve);
        });
      }
      return inner.append(...args);
    },
    lastSequence: (...args: Parameters<Log['lastSequence']>) => inner.lastSequence(...args),
    follow: (...args: Parameters<Log['follow']>) => inner.follow(...args),
    replayBatches: (...args: Parameters<Log['replayBatches']>) => inner.replayBatches(...args),
    load: (...args: Parameters<Log['load']>) => inner.load(...args),
    close: () => inner.close(),
  });
  const clock = new DrivenClock();
  const beat = memoryBeat();
  const services = new Services({
    region: 'eu',
    log,
    clock,
    beat,
    checkpoints: memoryCheckpoints(),
    registry: new MetricsRegistry(),
    logger: pino({ level: 'silent' }),
  });
  const due: number[] = [];
  let actions = 0;
  const act = async (service: string, energy: number): Promise<void> => {
    if (energy <= 0) return;
    actions += 1;
    if (below(3) === 0) due.push(clock.now() + below(3) * 500);
    due.sort((a, b) => a - b);
    await log.append('EV_eu', {
      subject: `ev.eu.eu.demo.${service}.x${below(3)}`,
      data: String(energy - 1),
    });
  };
  const pair = [
    ['one', 'two'],
    ['two', 'one'],
  ] as const;
  const open = Promise.all(
    pair.map(([own, other], index) => {
      const runtime = services.of(own);
      if (index === 0) {
        runtime.timer({
          name: 'due',
          next: () => due[0],
          fire: async (now) => {
            while (due[0] !== undefined && due[0] <= now) {
              await act(own, below(4));
              due.shift();
            }
          },
        });
      }
      const handle = (energy: string): Promise<void> => act(own, Number(energy));
      return runtime.open([
        {
          options: {
            service: own,
            name: 'events',
            stream: 'EV',
            filters: [`ev.{region}.*.*.${other}.*`],
            order: 'key',
          },
          handle: (message) => handle(message.text()),
        },
        {
          options: {
            service: own,
            name: 'intake',
            stream: 'IN',
            filters: [`in.{region}.*.*.${own}.*`],
            order: 'key',
          },
          handle: (message) => handle(message.text()),
        },
      ]);
    }),
  );
  // A report may come at any moment, as those of liveness do: here at every turn of the event loop.
  let talking = true;
  const talk = (): void => {
    if (!talking) return;
    for (const { name, progress } of services.all()) {
      beat.publish(progressSubject('eu', name), JSON.stringify(progress.snapshot()));
    }
    setImmediate(talk);
  };
  void open.then(talk);
  const close = async (): Promise<void> => {
    talking = false;
    await Promise.all(services.all().map((one) => one.close()));
    await log.close();
  };
  return { log, clock, beat, due, open, close, actions: () => actions };
}

describe('waitUntilSettled', () => {
  it.each(Array.from({ length: 12 }, (_, seed) => seed))(
    'is never early (seed %i)',
    async (seed) => {
      const { log, clock, beat, due, open, close, actions } = twoServices(seed);
      const watch = new ProgressWatch(beat, 'eu');
      clock.set({ at: 0, wallAt: 1, rate: 0 });
      await open;
      for (let step = 1; step <= 12; step += 1) {
        const at = step * 250;
        clock.set({ at, wallAt: step + 1, rate: 0 });
        for (let request = step % 4; request > 0; request -= 1) {
          await log.append('IN_eu', {
            subject: `in.eu.demo.eu.${request % 2 === 0 ? 'one' : 'two'}.r`,
            data: '6',
          });
        }
        const answer = await waitUntilSettled({
          log,
          watch,
          required: ['one', 'two'],
          at,
          timeoutMs: 20_000,
        });
        expect(answer).toMatchObject({ settled: true });
        const before = [actions(), await log.lastSequence('EV_eu'), due.length];
        expect(answer).toEqual({ settled: true, nextDueMs: due[0] ?? null });
        for (let turns = 0; turns < 20; turns += 1) {
          await new Promise((resolve) => {
            setImmediate(resolve);
          });
        }
        expect([actions(), await log.lastSequence('EV_eu'), due.length]).toEqual(before);
      }
      watch.close();
      await close();
    },
  );

  it('says what it waits for when the time is over', async () => {
    const watch = new ProgressWatch(memoryBeat(), 'eu');
    const answer = await waitUntilSettled({
      log: memoryLog(),
      watch,
      required: ['a'],
      at: 1,
      timeoutMs: 5,
    });
    expect(answer).toEqual({ settled: false, waitingFor: ['a has not reported yet'] });
    await eventually('nothing is left waiting', () => watch.count === 0);
    watch.close();
  });
});
