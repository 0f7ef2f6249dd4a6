import { describe, expect, it } from '@jest/globals';
import type { Reaction, RecordedContact, RecordedDay } from './day.ts';
import { Habits, ownCurveFrom } from './habits.ts';

const noNotes = { leftBeforeQueue: 0, reaped: 0, failovers: 0, orphans: 0, lent: 0, pinned: 0 };

function contactOf(id: string, rest: Partial<RecordedContact>): RecordedContact {
  return {
    id,
    home: 'eu',
    channel: 'VOICE',
    queueId: 'q1',
    priority: 0,
    requirements: [],
    queuedAtMs: 0,
    outcome: 'ANSWERED',
    waitedMs: 0,
    offers: [],
    ...rest,
  };
}

function dayOf(
  contacts: readonly RecordedContact[],
  agents: RecordedDay['agents'] = [],
): RecordedDay {
  const moments = { fromMs: 0, toMs: 1, beginMs: 0, endMs: 1 };
  return {
    tenant: 'demo',
    homes: ['eu'],
    ...moments,
    queues: [],
    agents,
    contacts,
    notes: noNotes,
  };
}

const gaveUp = (id: string, waitedMs: number, queueId = 'q1'): RecordedContact =>
  contactOf(id, { outcome: 'ABANDONED', waitedMs, queueId });
const seeds = Array.from({ length: 400 }, (_, index) => `s${index}`);

describe('patience', () => {
  const contacts = [gaveUp('g1', 10_000), gaveUp('g2', 20_000), gaveUp('g3', 40_000)];
  const served = contactOf('served', { waitedMs: 15_000 });
  const habits = new Habits(dayOf([...contacts, served]));

  it('is what it was for who gave up, whatever the seed', () => {
    for (const seed of seeds.slice(0, 20)) {
      expect(contacts.map((one) => habits.draws(seed).patienceMs(one))).toEqual([
        10_000, 20_000, 40_000,
      ]);
    }
  });

  it('is drawn beyond the wait for who was served, as the product-limit estimate has it', () => {
    const drawn = seeds.map((seed) => habits.draws(seed).patienceMs(served));
    // At risk at 20 s: g2 and g3. Half of those who wait longer than 15 s give up at 20 s.
    const short = drawn.filter((patienceMs) => patienceMs === 20_000).length;
    expect(drawn.every((patienceMs) => patienceMs === 20_000 || patienceMs === 40_000)).toBe(true);
    expect(Math.abs(short / seeds.length - 0.5)).toBeLessThan(0.1);
    expect(habits.draws('s1').patienceMs(served)).toBe(habits.draws('s1').patienceMs(served));
  });

  it('never ends where nobody gave up, and always outlasts the wait that was borne', () => {
    const nobody = new Habits(dayOf([served]));
    expect(nobody.draws('s').patienceMs(served)).toBe(Infinity);
    const longest = contactOf('longest', { waitedMs: 90_000 });
    const all = new Habits(dayOf([...contacts, served, longest]));
    for (const seed of seeds) expect(all.draws(seed).patienceMs(longest)).toBeGreaterThan(90_000);
  });

  it('follows the curve of its own queue where enough gave up in it', () => {
    const quick = Array.from({ length: ownCurveFrom }, (_, i) => gaveUp(`x${i}`, 1_000 + i, 'q2'));
    const both = new Habits(dayOf([...contacts, ...quick]));
    expect(both.ownCurves).toEqual(['q2']);
    const impatient = contactOf('i', { queueId: 'q2', waitedMs: 500 });
    for (const seed of seeds.slice(0, 50)) {
      expect(both.draws(seed).patienceMs(impatient)).toBeLessThan(1_100);
    }
  });
});

describe('reactions to offers', () => {
  const accepts = (afterMs: number): Reaction => ({ kind: 'ACCEPTS', afterMs });
  const misses: Reaction = { kind: 'MISSES', backAfterMs: 30_000 };
  const answered = (id: string, agentId: string, reaction: Reaction): RecordedContact =>
    contactOf(id, { offers: [{ agentId, reaction }] });
  const [quick, slow, missed] = [
    answered('c1', 'fast', accepts(1_000)),
    answered('c2', 'fast', accepts(3_000)),
    answered('c3', 'fast', misses),
  ];
  const others = [
    answered('c4', 'calm', accepts(10_000)),
    answered('c5', 'calm', accepts(12_000)),
    answered('c6', 'calm', { kind: 'REJECTS', afterMs: 4_000, reason: 'no' }),
  ];
  const taken = answered('c7', 'calm', { kind: 'UNKNOWN', afterMs: 11_000 });
  const agents = [
    { id: 'twin', like: 'calm', acts: [] },
    { id: 'stranger', acts: [] },
  ];
  const habits = new Habits(dayOf([quick, slow, missed, ...others, taken], agents));
  const draws = habits.draws('seed');

  it('are the recorded ones for the same offer to the same agent', () => {
    expect(draws.reaction(quick, 1, 'fast')).toEqual(accepts(1_000));
    expect(draws.reaction(missed, 1, 'fast')).toEqual(misses);
  });

  it('are as quick among the answers of another agent as they were among the first one’s', () => {
    expect(draws.reaction(quick, 1, 'calm')).toEqual(accepts(10_000));
    expect(draws.reaction(slow, 1, 'calm')).toEqual(accepts(12_000));
    expect(draws.reaction(missed, 1, 'calm')).toMatchObject({ kind: 'REJECTS', reason: 'no' });
    expect(draws.reaction(quick, 1, 'twin')).toEqual(accepts(10_000));
  });

  it('are drawn where the record has no such offer: the agent’s own, else anybody’s', () => {
    const own = new Set(
      seeds.map((seed) => JSON.stringify(habits.draws(seed).reaction(quick, 2, 'calm'))),
    );
    expect(own.size).toBe(3);
    const any = new Set(
      seeds.map((seed) => JSON.stringify(habits.draws(seed).reaction(quick, 2, 'stranger'))),
    );
    expect(any.size).toBe(6);
  });

  it('come after the time at which an offer was taken back without one', () => {
    for (const seed of seeds.slice(0, 50)) {
      expect(habits.draws(seed).reaction(taken, 1, 'calm')).toEqual(accepts(12_000));
    }
  });
});

it('work that was not seen is drawn from those served in the queue, else from all', () => {
  const done = (id: string, queueId: string, talkMs: number): RecordedContact =>
    contactOf(id, { queueId, handling: { talkMs, wrapUpMs: null, by: 'AGENT' } });
  const lost = gaveUp('lost', 5_000, 'q1');
  const elsewhere = gaveUp('elsewhere', 5_000, 'q3');
  const habits = new Habits(
    dayOf([done('a', 'q1', 1), done('b', 'q1', 2), done('c', 'q2', 3), lost, elsewhere]),
  );
  const talks = (contact: RecordedContact): number[] => [
    ...new Set(seeds.map((seed) => habits.draws(seed).handling(contact).talkMs)),
  ];
  expect(talks(lost).toSorted((a, b) => a - b)).toEqual([1, 2]);
  expect(talks(elsewhere).toSorted((a, b) => a - b)).toEqual([1, 2, 3]);
});
