import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { memoryBeat, type Beat } from './beat.ts';
import { leaseAskSubject, leaseGrantSubject, parseLeaseAsk } from './leases-protocol.ts';
import type { LeaseAnswer, LeaseAsk } from './leases-protocol.ts';
import { openLeases, staticLeases, type Leases } from './leases.ts';

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

interface Stage {
  readonly leases: Leases;
  readonly asks: LeaseAsk[];
  readonly changes: { count: number };
  readonly answer: (answer: Partial<LeaseAnswer>) => void;
  readonly reconnect: () => void;
}

const us5 = { us: { epoch: 5, forMs: 4_000 } };

function stage(deciding: () => Record<string, number> = () => ({})): Stage {
  const reconnected = new Set<() => void>();
  const beat: Beat = {
    ...memoryBeat(),
    onReconnect: (callback) => {
      reconnected.add(callback);
      return () => reconnected.delete(callback);
    },
  };
  const asks: LeaseAsk[] = [];
  beat.subscribe(leaseAskSubject('eu', '*'), (text, subject) => {
    expect(subject).toBe('beat.eu.lease.ask.i1');
    asks.push(parseLeaseAsk(text) as LeaseAsk);
  });
  const leases = openLeases({ beat, region: 'eu', instance: 'i1', deciding });
  let answers = 0;
  const changes = { count: 0 };
  leases.onChange(() => {
    changes.count += 1;
  });
  return {
    leases,
    asks,
    changes,
    answer: (answer) =>
      beat.publish(
        leaseGrantSubject('eu', 'i1'),
        JSON.stringify({
          id: `r.${(answers += 1)}`,
          nonce: asks.at(-1)?.nonce ?? 0,
          intake: true,
          homes: {},
          ...answer,
        }),
      ),
    reconnect: () => {
      for (const callback of reconnected) callback();
    },
  };
}

describe('leases that are asked for', () => {
  it('asks at once and every 250 ms, says what is decided and what was heard', () => {
    const deciding: Record<string, number> = {};
    const { asks, answer } = stage(() => ({ ...deciding }));
    answer({ homes: us5 });
    deciding['us'] = 5;
    jest.advanceTimersByTime(500);
    expect(asks).toEqual([
      { instance: 'i1', nonce: 1, heard: '', deciding: {} },
      { instance: 'i1', nonce: 2, heard: 'r.1', deciding: { us: 5 } },
      { instance: 'i1', nonce: 3, heard: 'r.1', deciding: { us: 5 } },
    ]);
  });

  it('holds nothing and is shut until it was answered', () => {
    const { leases, answer, changes } = stage();
    expect([leases.holds('us'), leases.grantOf('us'), leases.intakeOpen]).toEqual([
      false,
      undefined,
      false,
    ]);
    answer({ homes: us5 });
    expect([leases.holds('us'), leases.grantOf('us'), leases.intakeOpen]).toEqual([
      true,
      { epoch: 5 },
      true,
    ]);
    expect(leases.holds('eu')).toBe(false);
    expect(changes.count).toBe(1);
  });

  it('counts a grant from the sending of its ask, however late the answer is', () => {
    const { leases, answer } = stage();
    jest.advanceTimersByTime(3_900);
    answer({ nonce: 1, homes: us5 });
    expect(leases.holds('us')).toBe(true);
    jest.advanceTimersByTime(100);
    expect(leases.holds('us')).toBe(false);
    expect(leases.grantOf('us')).toBeUndefined();
  });

  it('tells that a grant expired though nothing is answered', () => {
    const { leases, answer, changes } = stage();
    answer({ homes: us5 });
    jest.advanceTimersByTime(3_999);
    expect([changes.count, leases.holds('us')]).toEqual([1, true]);
    jest.advanceTimersByTime(1);
    expect([changes.count, leases.holds('us'), leases.intakeOpen]).toEqual([2, false, true]);
  });

  it('is taken back by an answer to the same ask, and not given again by an older one', () => {
    const { leases, answer, changes } = stage();
    jest.advanceTimersByTime(250);
    answer({ nonce: 2, homes: us5 });
    answer({ nonce: 2, homes: {} });
    expect(leases.holds('us')).toBe(false);
    answer({ nonce: 1, homes: us5 });
    expect(leases.holds('us')).toBe(false);
    expect(changes.count).toBe(2);
  });

  it('tells a new epoch, and not a mere renewal', () => {
    const { leases, answer, changes } = stage();
    answer({ homes: us5 });
    jest.advanceTimersByTime(250);
    answer({ homes: us5 });
    expect(changes.count).toBe(1);
    jest.advanceTimersByTime(250);
    answer({ homes: { us: { epoch: 6, forMs: 4_000 } } });
    expect([changes.count, leases.grantOf('us')]).toEqual([2, { epoch: 6 }]);
    jest.advanceTimersByTime(3_750);
    expect(leases.holds('us')).toBe(true);
  });

  it('after a reconnect takes only the answer to an ask sent since', () => {
    const { leases, answer, asks, reconnect } = stage();
    answer({ homes: us5 });
    reconnect();
    expect([leases.holds('us'), leases.intakeOpen, asks.length]).toEqual([false, false, 2]);
    answer({ nonce: 1, homes: us5 });
    expect([leases.holds('us'), leases.intakeOpen]).toEqual([false, false]);
    answer({ nonce: 2, homes: us5 });
    expect([leases.holds('us'), leases.intakeOpen]).toEqual([true, true]);
  });

  it.each([
    '',
    '{}',
    '{"id":"r","nonce":1,"intake":true}',
    '{"nonce":1,"intake":true,"homes":{"us":{"epoch":1,"forMs":9}}}',
    '{"id":"r","nonce":1,"intake":true,"homes":{"us":{"epoch":1,"forMs":"9"}}}',
    '{"id":"r","nonce":77,"intake":true,"homes":{"us":{"epoch":1,"forMs":9}}}',
  ])('passes over %j', (text) => {
    const beat = memoryBeat();
    const leases = openLeases({ beat, region: 'eu', instance: 'i1', deciding: () => ({}) });
    beat.publish('beat.eu.lease.grant.i1', text);
    expect([leases.holds('us'), leases.intakeOpen]).toEqual([false, false]);
    leases.close();
  });

  it('falls silent and lets go when closed', () => {
    const { leases, answer, asks, changes } = stage();
    answer({ homes: us5 });
    leases.close();
    expect([leases.holds('us'), leases.intakeOpen, changes.count]).toEqual([false, false, 2]);
    answer({ homes: us5 });
    jest.advanceTimersByTime(10_000);
    expect([leases.holds('us'), asks.length, jest.getTimerCount()]).toEqual([false, 1, 0]);
  });
});

describe('static leases', () => {
  it('hold the one home under its epoch, and the way in is open', () => {
    const leases = staticLeases('eu');
    expect([leases.holds('eu'), leases.grantOf('eu'), leases.intakeOpen]).toEqual([
      true,
      { epoch: 1 },
      true,
    ]);
    expect([leases.holds('us'), leases.grantOf('us')]).toEqual([false, undefined]);
    leases.close();
    expect(leases.holds('eu')).toBe(false);
  });
});

it('tells of a grant that comes when the one before has ended, though no timer has fired yet', () => {
  const beat = memoryBeat();
  let nowMs = 0;
  let nonce = 0;
  beat.subscribe(leaseAskSubject('eu', '*'), (text) => {
    nonce = (parseLeaseAsk(text) as LeaseAsk).nonce;
  });
  const leases = openLeases({
    beat,
    region: 'eu',
    instance: 'i1',
    deciding: () => ({}),
    monotonicMs: () => nowMs,
  });
  const seen: unknown[] = [];
  leases.onChange(() => seen.push(leases.grantOf('us')));
  const answer = (): void => {
    leases.tell();
    beat.publish(
      leaseGrantSubject('eu', 'i1'),
      JSON.stringify({ id: `r.${nonce}`, nonce, intake: true, homes: us5 }),
    );
  };
  answer();
  nowMs = 4_000;
  expect(leases.grantOf('us')).toBeUndefined();
  answer();
  nowMs = 5_000;
  answer();
  expect(seen).toEqual([{ epoch: 5 }, { epoch: 5 }]);
  leases.close();
});
