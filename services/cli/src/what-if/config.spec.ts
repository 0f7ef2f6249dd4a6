import { describe, expect, it } from '@jest/globals';
import type { QueueSettings } from '@meridian/wire';
import { changeDay } from './change-day.ts';
import { parseChanges } from './config.ts';
import { lastSettings, type AgentAct, type AgentDay, type RecordedDay } from './day.ts';

const settings: QueueSettings = {
  requirements: [],
  strategy: 'LONGEST_IDLE',
  offerTtlMs: 20_000,
  ageingMsPerLevel: 60_000,
  serviceLevelMs: 20_000,
};
const hour = 3_600_000;

const agentOf = (id: string): AgentDay => ({
  id,
  acts: [
    {
      kind: 'SIGN_IN',
      atMs: hour,
      home: 'eu',
      sessionId: `${id}-s1`,
      skills: [
        { skill: 'x', level: 2 },
        { skill: 'y', level: 1 },
      ],
      capacities: [{ channel: 'VOICE', limit: 1 }],
      presence: 'AVAILABLE',
    },
    { kind: 'SIGN_OUT', atMs: 9 * hour, home: 'eu' },
  ],
});

const day: RecordedDay = {
  tenant: 'demo',
  homes: ['eu', 'us'],
  fromMs: 0,
  toMs: 10 * hour,
  beginMs: 0,
  endMs: 10 * hour,
  queues: [
    { atMs: 0, home: 'eu', queueId: 'q1', settings },
    { atMs: 0, home: 'eu', queueId: 'q2', settings },
    { atMs: hour, home: 'eu', queueId: 'q1', settings: { ...settings, offerTtlMs: 30_000 } },
  ],
  agents: [agentOf('a1'), agentOf('a2')],
  contacts: [
    {
      id: 'c1',
      home: 'eu',
      channel: 'VOICE',
      queueId: 'q1',
      priority: 0,
      requirements: [
        { skill: 'agent-a1', minimumLevel: 1 },
        { skill: 'x', minimumLevel: 1 },
      ],
      queuedAtMs: 0,
      outcome: 'ANSWERED',
      waitedMs: 0,
      offers: [],
    },
  ],
  notes: { leftBeforeQueue: 0, reaped: 0, failovers: 0, orphans: 0, lent: 0, pinned: 0 },
};

const changed = (config: object): RecordedDay =>
  changeDay(day, parseChanges(JSON.stringify(config), 'c.json', day));
const signIn = (agent: AgentDay | undefined): AgentAct | undefined => agent?.acts[0];

function faultOf(config: unknown): string {
  try {
    parseChanges(typeof config === 'string' ? config : JSON.stringify(config), 'c.json', day);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('nothing was wrong');
}

describe('a changed day', () => {
  it('has the settings of a queue over those of all, whenever it was set up', () => {
    const { queues } = changed({
      queues: { '*': { strategy: 'MOST_SKILLED' }, q1: { offerTtlMs: 10_000 } },
    });
    expect(
      queues.map((act) => [act.queueId, act.settings?.strategy, act.settings?.offerTtlMs]),
    ).toEqual([
      ['q1', 'MOST_SKILLED', 10_000],
      ['q2', 'MOST_SKILLED', 20_000],
      ['q1', 'MOST_SKILLED', 10_000],
    ]);
  });

  it('has agents like others, with other abilities or hours, and without those removed', () => {
    const { agents } = changed({
      agents: {
        remove: ['a2'],
        add: [
          { like: 'a1', count: 2, skills: [{ skill: 'z', level: 5 }] },
          {
            id: 'temp',
            from: '1970-01-01T02:00:00Z',
            to: '1970-01-01T03:00:00Z',
            home: 'us',
            skills: [],
            capacities: [{ channel: 'CHAT', limit: 2 }],
          },
        ],
      },
    });
    expect(agents.map(({ id, like }) => [id, like])).toEqual([
      ['a1', undefined],
      ['a1-more', 'a1'],
      ['a1-more-2', 'a1'],
      ['temp', undefined],
    ]);
    expect(signIn(agents[1])).toMatchObject({ atMs: hour, skills: [{ skill: 'z', level: 5 }] });
    expect(signIn(agents[3])).toMatchObject({ atMs: 2 * hour, home: 'us', kind: 'SIGN_IN' });
    expect(agents[3]?.acts[1]).toMatchObject({ atMs: 3 * hour, kind: 'SIGN_OUT' });
  });

  it('has agents with skills more and less, and contacts that ask for less', () => {
    const { agents, contacts } = changed({
      agents: {
        change: {
          '*': { addSkills: [{ skill: 'x', level: 5 }] },
          a2: { dropSkills: ['y'], capacities: [{ channel: 'VOICE', limit: 3 }] },
        },
      },
      contacts: { dropSkills: ['agent-*'] },
    });
    expect(signIn(agents[0])).toMatchObject({
      skills: [
        { skill: 'x', level: 5 },
        { skill: 'y', level: 1 },
      ],
    });
    expect(signIn(agents[1])).toMatchObject({
      skills: [{ skill: 'x', level: 5 }],
      capacities: [{ channel: 'VOICE', limit: 3 }],
    });
    expect(contacts[0]?.requirements).toEqual([{ skill: 'x', minimumLevel: 1 }]);
  });

  it('leaves the record as it is', () => {
    const before = structuredClone(day);
    changed({ queues: { '*': { strategy: 'MOST_SKILLED' } }, agents: { add: [{ like: 'a1' }] } });
    expect(day).toEqual(before);
    expect(lastSettings(day).get('q1')?.offerTtlMs).toBe(30_000);
  });
});

describe('a file that cannot be used', () => {
  it.each([
    ['{ "queues": ', /^c\.json is no JSON .*\nWrite an object such as \{ "queues"/],
    ['[]', /The file is \[\]; it must be an object/],
    [{}, /The file changes nothing/],
    [{ queue: {} }, /The file\.queue is not known; known are queues, agents, contacts/],
    [{ queues: { q9: {} } }, /queues\.q9 names "q9"; the record has no such queue\. It has q1, q2/],
    [{ queues: { q1: { ttl: 1 } } }, /queues\.q1\.ttl is not known; known are requirements/],
    [
      { queues: { q1: { offerTtlMs: 5 } } },
      /  queues\.q1\.offerTtlMs is 5; at least 1000 is needed/,
    ],
    [
      { queues: { '*': { strategy: 'BEST' } } },
      /  queues\.\*\.strategy is "BEST"; allowed are LONGEST_IDLE/,
    ],
    [{ agents: { remove: ['a9'] } }, /agents\.remove\[0\] names "a9".*such agent\. It has a1, a2/],
    [{ agents: { add: [{}] } }, /agents\.add\[0\]\.id is missing\. Say whom/],
    [{ agents: { add: [{ like: 'a1', count: 0 }] } }, /agents\.add\[0\]\.count is 0/],
    [{ agents: { add: [{ like: 'a1', id: 'a2' }] } }, /names "a2", who is in the record/],
    [{ agents: { add: [{ like: 'a1', home: 'ap' }] } }, /no such home\. It has eu, us/],
    [{ agents: { add: [{ like: 'a1', from: 'noon' }] } }, /from is "noon"; it must be a time/],
    [
      { agents: { change: { a1: { skills: [{ skill: 'x', level: 9 }] } } } },
      /  agents\.change\.a1\.skills\[0\]\.level is 9; at most 5/,
    ],
    [
      {
        agents: {
          change: {
            a1: {
              skills: [
                { skill: 'x', level: 1 },
                { skill: 'x', level: 2 },
              ],
            },
          },
        },
      },
      /agents\.change\.a1\.skills names "x" twice/,
    ],
    [{ contacts: { dropSkills: 'x' } }, /contacts\.dropSkills is "x"; it must be a list/],
  ])('%j', (config, expected) => {
    expect(faultOf(config)).toMatch(expected);
  });

  it('is told of all its mistakes at once', () => {
    const fault = faultOf({ queues: { q9: {} }, agents: { remove: ['a9', 'a8'] } });
    expect(fault.split('\n')).toHaveLength(5);
    expect(fault).toMatch(/\nCorrect it; a file looks like/);
  });
});
