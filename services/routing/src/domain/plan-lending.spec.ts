import { describe, expect, test } from '@jest/globals';
import { fold, seeded, type Random } from '@meridian/core';
import type { Channel } from '@meridian/wire';
import { partitionDecider, type Partition, type PartitionEvent } from './partition.ts';
import { lendingDueMs, planLending } from './plan-lending.ts';

const time = (ms: number): string => new Date(ms).toISOString();
const queue = (id: string): PartitionEvent => ({
  type: 'meridian.queue.created.v1',
  subject: id,
  data: {
    settings: {
      requirements: [],
      strategy: 'LONGEST_IDLE',
      offerTtlMs: 20_000,
      ageingMsPerLevel: 60_000,
      serviceLevelMs: 20_000,
    },
  },
});
const agent = (subject: string, limit = 1, skills: readonly string[] = []): PartitionEvent => ({
  type: 'meridian.agent.signed_in.v1',
  subject,
  data: {
    sessionId: 's1',
    skills: skills.map((skill) => ({ skill, level: 3 })),
    capacities: [{ channel: 'VOICE', limit }],
    presence: 'AVAILABLE',
  },
});
const waits = (
  subject: string,
  enqueuedAtMs: number,
  asked: { queueId?: string; channel?: Channel; skill?: string } = {},
): PartitionEvent => ({
  type: 'meridian.routing.decided.v1',
  subject,
  data: {
    outcome: 'WAITING',
    trigger: 'CONTACT_QUEUED',
    queueId: asked.queueId ?? 'q1',
    channel: asked.channel ?? 'VOICE',
    requirements: [],
    enqueuedAt: time(enqueuedAtMs),
    candidates: [],
    exclusions: [],
    contactRequirements: asked.skill === undefined ? [] : [{ skill: asked.skill, minimumLevel: 2 }],
    algorithm: 'test',
  },
});
const lent = (subject: string, to: string, loan: number): PartitionEvent => ({
  type: 'meridian.routing.lent.v1',
  subject,
  data: {
    to,
    loan,
    queueId: 'q1',
    channel: 'VOICE',
    contactRequirements: [],
    enqueuedAt: time(1),
  },
});
const booked = (contactId: string, agentId: string): PartitionEvent => ({
  type: 'meridian.reservation.created.v1',
  subject: `${contactId}-r1`,
  data: { contactId, agentId, queueId: 'q1', channel: 'VOICE', expiresAt: time(9) },
});
const floor = (...events: PartitionEvent[]): Partition =>
  fold(partitionDecider, partitionDecider.initial(), [queue('q1'), ...events], 0);
const returns = (subject: string): PartitionEvent => {
  const back = waits(subject, 1);
  return { ...back, data: { ...back.data, trigger: 'CONTACT_RETURNED' } } as PartitionEvent;
};
const plan = (own: Partition, neighbours: Record<string, Partition>, nowMs = 0): string[] =>
  planLending(own, new Map(Object.entries(neighbours)), nowMs).map(
    ({ subject, data }) => `${subject} ${data.to}`,
  );

describe('who is lent', () => {
  test('in order of service, as many as there are free places', () => {
    const own = floor(waits('c3', 3), waits('c1', 1), waits('c2', 2));
    expect(plan(own, { us: floor(agent('a1', 2)) })).toEqual(['c1 us', 'c2 us']);
  });

  test('nobody when nobody waits, nobody is free, or there is no neighbour', () => {
    expect(plan(floor(), { us: floor(agent('a1')) })).toEqual([]);
    expect(plan(floor(waits('c1', 1)), {})).toEqual([]);
    expect(plan(floor(waits('c1', 1)), { us: floor(agent('a1'), booked('x', 'a1')) })).toEqual([]);
  });

  test('not who asks for what nobody there has, and who comes next instead', () => {
    const own = floor(waits('c1', 1, { skill: 'french' }), waits('c2', 2, { channel: 'CHAT' }));
    expect(plan(own, { us: floor(agent('a1')) })).toEqual([]);
    const more = floor(waits('c1', 1, { skill: 'french' }), waits('c2', 2));
    expect(plan(more, { us: floor(agent('a1')), ap: floor(agent('a2', 1, ['french'])) })).toEqual([
      'c1 ap',
      'c2 us',
    ]);
  });

  test('not for a queue that the neighbour does not know', () => {
    expect(plan(floor(waits('c1', 1, { queueId: 'q2' })), { us: floor(agent('a1')) })).toEqual([]);
  });

  test('not to whom contacts of their own home wait', () => {
    const busy = floor(agent('a1', 2), waits('x', 5));
    expect(plan(floor(waits('c1', 1)), { us: busy })).toEqual([]);
    const apart = floor(agent('a1', 2), waits('x', 5, { skill: 'french' }));
    expect(plan(floor(waits('c1', 1)), { us: apart })).toEqual(['c1 us']);
  });

  test('to the neighbour with the fewest contacts per agent, then the first by name', () => {
    const own = floor(waits('c1', 1), waits('c2', 2), waits('c3', 3), waits('c4', 4));
    const loaded = floor(agent('a1', 2), booked('x', 'a1'), agent('a2', 2));
    const free = floor(agent('a3', 2));
    expect(plan(own, { ap: loaded, us: free })).toEqual(['c1 us', 'c2 ap', 'c3 ap', 'c4 us']);
    expect(plan(own, { us: floor(agent('a1')), ap: floor(agent('a2')) })).toEqual([
      'c1 ap',
      'c2 us',
    ]);
  });

  test('what is on its way has its place', () => {
    const own = floor(waits('c0', 0), lent('c0', 'us', 1), waits('c1', 1), waits('c2', 2));
    expect(plan(own, { us: floor(agent('a1', 2)) })).toEqual(['c1 us']);
    // Its place is taken there, and counted once.
    const there = floor(agent('a1', 3), booked('c0', 'a1'));
    expect(plan(own, { us: there })).toEqual(['c1 us', 'c2 us']);
  });

  test('not to who gave the contact back just now', () => {
    const own = floor(waits('c1', 1), lent('c1', 'us', 1), returns('c1'), waits('c2', 2));
    const neighbours = { us: floor(agent('a1', 2)), zz: floor(agent('a2'), booked('x', 'a2')) };
    expect(plan(own, neighbours, 4_999)).toEqual(['c2 us']);
    expect([lendingDueMs(own, 4_999), lendingDueMs(own, 5_000)]).toEqual([5_000, undefined]);
    expect(plan(own, neighbours, 5_000)).toEqual(['c1 us', 'c2 us']);
    expect(lendingDueMs(floor(waits('c1', 1)), 0)).toBeUndefined();
  });
});

/** Agents, and contacts that wait: for them, or for somebody else. */
function arbitraryFloor(random: Random, name: string, asks: readonly string[]): Partition {
  const skills = ['french', 'italian'];
  const events = Array.from({ length: random.int(5) }, (_, index) =>
    agent(
      `${name}-a${index}`,
      1 + random.int(3),
      skills.filter(() => random.next() < 0.5),
    ),
  );
  for (let index = 0; index < random.int(6); index += 1) {
    const skill = random.pick(asks);
    const asked = skill === '' ? {} : { skill };
    events.push(waits(`${name}-c${index}`, random.int(5), asked));
  }
  return floor(...events);
}

test('every contact lent finds an agent, and who is passed over finds none', () => {
  let lentCount = 0;
  for (let seed = 0; seed < 2_000; seed += 1) {
    const random = seeded(`plan ${seed}`);
    const own = arbitraryFloor(random, 'eu', ['', 'french', 'italian']);
    const neighbours = new Map(
      ['us', 'ap'].map((home) => [home, arbitraryFloor(random, home, ['spanish'])]),
    );
    const lends = planLending(own, neighbours, 0);
    expect(planLending(own, neighbours, 0)).toEqual(lends);
    for (const { subject, data } of lends) {
      lentCount += 1;
      const place = own.waiting.get(subject);
      const to = neighbours.get(data.to) as Partition;
      const borrow = {
        type: 'borrow' as const,
        subject,
        data: {
          home: 'eu',
          loan: lentCount,
          loanEpoch: 1,
          lent: {
            to: data.to,
            loan: lentCount,
            queueId: 'q1',
            channel: 'VOICE' as const,
            contactRequirements: place?.contactRequirements ?? [],
            enqueuedAt: time(0),
          },
        },
      };
      const answer = partitionDecider.decide(to, borrow, { now: 0, random });
      const types = answer.accepted ? answer.events.map(({ type }) => type) : [];
      expect([seed, types]).toEqual([
        seed,
        ['meridian.routing.decided.v1', 'meridian.reservation.created.v1'],
      ]);
      if (answer.accepted) fold(partitionDecider, to, answer.events, 0);
      own.waiting.remove(subject);
    }
    expect([seed, planLending(own, neighbours, 0)]).toEqual([seed, []]);
  }
  expect(lentCount).toBeGreaterThan(1_000);
});
