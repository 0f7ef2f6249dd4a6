import { describe, expect, test } from '@jest/globals';
import { seeded } from '@meridian/core';
import type { ExclusionReason } from '@meridian/wire';
import { newAgent, type Agent } from './agent.ts';
import { choose, exclusionOf, levelSum, mergeRequirements, type Demand } from './match.ts';

const need = (skill: string, minimumLevel: number) => ({ skill, minimumLevel });
const demand: Demand = { contactId: 'c1', channel: 'VOICE', requirements: [need('french', 2)] };
const ready = (id: string, more: Partial<Agent> = {}): Agent => ({
  ...newAgent(id),
  sessionId: 's',
  presence: 'AVAILABLE',
  skills: new Map([['french', 3]]),
  capacities: new Map([['VOICE', 1]]),
  ...more,
});
const open = new Map([
  ['r1', { contactId: 'x', channel: 'VOICE' as const, stage: 'ACCEPTED' as const }],
]);

describe('why an agent cannot be offered a contact: the first reason counts', () => {
  test.each<[ExclusionReason | undefined, Partial<Agent>]>([
    [undefined, {}],
    ['NOT_AVAILABLE', { presence: 'AWAY', capacities: new Map() }],
    ['NOT_AVAILABLE', { isSigningOut: true }],
    ['NO_CHANNEL', { capacities: new Map([['CHAT', 1]]), skills: new Map() }],
    ['AT_CAPACITY', { open, skills: new Map() }],
    [undefined, { open, capacities: new Map([['VOICE', 2]]) }],
    ['SKILL_MISSING', { skills: new Map([['italian', 5]]), declined: new Set(['c1']) }],
    ['SKILL_TOO_LOW', { skills: new Map([['french', 1]]), declined: new Set(['c1']) }],
    ['DECLINED', { declined: new Set(['c1']) }],
    [undefined, { declined: new Set(['c2']) }],
  ])('%s', (reason, more) => {
    expect(exclusionOf(ready('a', more), demand)).toBe(reason);
  });

  test('a skill that is missing counts before one that is too low, in any order', () => {
    const requirements = [need('french', 5), need('italian', 1)];
    expect(exclusionOf(ready('a'), { ...demand, requirements })).toBe('SKILL_MISSING');
    expect(exclusionOf(ready('a'), { ...demand, requirements: requirements.toReversed() })).toBe(
      'SKILL_MISSING',
    );
  });
});

describe('requirements of the queue and the contact', () => {
  test.each([
    [[], [], []],
    [[need('a', 1)], [], [need('a', 1)]],
    [[], [need('a', 1)], [need('a', 1)]],
    [[need('a', 1), need('b', 2)], [need('c', 3)], [need('a', 1), need('b', 2), need('c', 3)]],
    [[need('a', 1)], [need('a', 3)], [need('a', 3)]],
    [[need('a', 3)], [need('a', 1)], [need('a', 3)]],
    [[need('a', 1), need('b', 1), need('a', 2)], [], [need('a', 2), need('b', 1)]],
    [[], [need('a', 2), need('a', 1)], [need('a', 2)]],
  ])('%j and %j', (queue, contact, expected) => {
    expect(mergeRequirements(queue, contact)).toStrictEqual(expected);
  });
});

describe('the choice', () => {
  const agents = [
    ready('a1', { idleSinceMs: 20 }),
    ready('a2', { idleSinceMs: 10 }),
    ready('a3', { idleSinceMs: 10, skills: new Map([['french', 5]]) }),
    ready('a4', { presence: 'AWAY' }),
    newAgent('offline'),
  ];

  test('longest idle, ties by id; the skilled first when asked so', () => {
    expect(choose(agents, demand, 'LONGEST_IDLE', 100)).toStrictEqual({
      agentId: 'a2',
      candidates: [
        { agentId: 'a2', levelSum: 3, idleMs: 90 },
        { agentId: 'a3', levelSum: 5, idleMs: 90 },
        { agentId: 'a1', levelSum: 3, idleMs: 80 },
      ],
      candidateCount: 3,
      exclusions: [{ reason: 'NOT_AVAILABLE', count: 1, agentIds: ['a4'] }],
    });
    expect(
      choose(agents, demand, 'MOST_SKILLED', 100).candidates.map(({ agentId }) => agentId),
    ).toEqual(['a3', 'a2', 'a1']);
  });

  test('nobody', () => {
    expect(choose([], demand, 'LONGEST_IDLE', 0)).toStrictEqual({
      agentId: undefined,
      candidates: [],
      candidateCount: 0,
      exclusions: [],
    });
  });

  test('five are listed and three left out are named, the same whatever the order', () => {
    const many = Array.from({ length: 20 }, (_, index) =>
      ready(`a${index + 10}`, {
        idleSinceMs: index % 3,
        ...(index % 2 === 0 ? {} : { presence: 'AWAY' as const }),
      }),
    );
    const expected = choose(many, demand, 'LONGEST_IDLE', 5);
    expect([expected.candidates.length, expected.candidateCount]).toEqual([5, 10]);
    expect(expected.exclusions).toEqual([
      { reason: 'NOT_AVAILABLE', count: 10, agentIds: ['a11', 'a13', 'a15'] },
    ]);
    for (let seed = 0; seed < 50; seed += 1) {
      expect(choose(seeded(seed).shuffle(many), demand, 'LONGEST_IDLE', 5)).toStrictEqual(expected);
    }
  });
});

test('the sum of levels counts what is asked for', () => {
  const skilled = ready('a', {
    skills: new Map([
      ['french', 3],
      ['italian', 4],
    ]),
  });
  expect(levelSum(skilled, [need('french', 1), need('german', 1)])).toBe(3);
});
