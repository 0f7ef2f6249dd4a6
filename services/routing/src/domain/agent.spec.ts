import { describe, expect, test } from '@jest/globals';
import { seeded, step } from '@meridian/core';
import { arbitraryData, specify } from '@meridian/testing';
import {
  contracts,
  type AgentCommand,
  type AgentEvent,
  type ChannelCapacity,
  type Presence,
  type ReservationEvent,
  type SignIn,
} from '@meridian/wire';
import { agentDecider, newAgent, openCount, type AgentRejection, type Command } from './agent.ts';
import { channelState } from './channel-state.ts';

const subject = 'a1';
const agent = specify(agentDecider);
const capacities: readonly ChannelCapacity[] = [
  { channel: 'VOICE', limit: 1 },
  { channel: 'CHAT', limit: 2 },
];
const skills = [{ skill: 'french', level: 3 }];
const signIn = (data: Partial<SignIn> = {}): AgentCommand => ({
  type: 'meridian.agent.sign_in.v1',
  subject,
  data: { sessionId: 's1', skills, capacities, ...data },
});
const signOut: AgentCommand = { type: 'meridian.agent.sign_out.v1', subject, data: {} };
const setPresence = (presence: Presence, reason?: string): AgentCommand => ({
  type: 'meridian.agent.set_presence.v1',
  subject,
  data: { presence, ...(reason === undefined ? {} : { reason }) },
});

const event = <Type extends AgentEvent['type']>(
  type: Type,
  data: Extract<AgentEvent, { type: Type }>['data'],
): AgentEvent => ({ type, subject, data }) as AgentEvent;
const signedIn = event('meridian.agent.signed_in.v1', {
  sessionId: 's1',
  skills,
  capacities,
  presence: 'AVAILABLE',
});
const changed = (from: Presence, to: Presence, reasonCode?: string): AgentEvent =>
  event('meridian.agent.state_changed.v1', {
    from,
    to,
    ...(reasonCode === undefined ? {} : { reasonCode }),
  });
const about = (name: string, contactId = 'c1', channel = 'VOICE'): ReservationEvent =>
  ({
    type: `meridian.reservation.${name}.v1`,
    subject: `${contactId}-r1`,
    data: {
      contactId,
      agentId: subject,
      ...(name === 'created'
        ? { queueId: 'q', channel, expiresAt: '1970-01-01T00:00:20.000Z' }
        : {}),
    },
  }) as ReservationEvent;
const requested = event('meridian.agent.sign_out_requested.v1', {});
const signedOut = event('meridian.agent.signed_out.v1', { sessionId: 's1' });
const busy = [signedIn, about('created'), about('accepted')];

describe('signs in', () => {
  test('available unless said otherwise', () => {
    agent
      .when(signIn(), { at: 7 })
      .then(signedIn)
      .thenState({
        id: '',
        sessionId: 's1',
        signedInAtMs: 7,
        presence: 'AVAILABLE',
        skills: new Map([['french', 3]]),
        capacities: new Map([
          ['VOICE', 1],
          ['CHAT', 2],
        ]),
        isSigningOut: false,
        idleSinceMs: 7,
        open: new Map(),
        declined: new Set(),
      });
    const bare = event('meridian.agent.signed_in.v1', {
      sessionId: 's1',
      skills: [],
      capacities,
      presence: 'AWAY',
    });
    const data = { sessionId: 's1', capacities, presence: 'AWAY' } as const;
    agent.when({ type: 'meridian.agent.sign_in.v1', subject, data }).then(bare);
  });

  test('a second time under the same session: nothing', () => {
    agent.given(signedIn).when(signIn()).thenNothing();
    agent
      .given(signedIn)
      .when(signIn({ skills: [] }))
      .thenNothing();
  });

  test('under another session: takes over, and says what differs', () => {
    const superseded = event('meridian.agent.session_superseded.v1', {
      sessionId: 's1',
      supersededBy: 's2',
    });
    agent
      .given(signedIn)
      .when(signIn({ sessionId: 's2' }))
      .then(superseded);
    const more = [{ skill: 'french', level: 4 }];
    const less = [{ channel: 'CHAT' as const, limit: 1 }];
    agent
      .given(...busy, requested)
      .when(signIn({ sessionId: 's2', skills: more, capacities: less, presence: 'AWAY' }))
      .then(
        superseded,
        event('meridian.agent.skills_changed.v1', { skills: more }),
        event('meridian.agent.capacity_changed.v1', { capacities: less }),
        changed('AVAILABLE', 'AWAY'),
      )
      .thenView(({ isSigningOut, open }) => [isSigningOut, open.size], [false, 1]);
  });

  test.each<[string, Partial<SignIn>, AgentRejection]>([
    [
      'a presence that is not asked for',
      { presence: 'BUSY' },
      { code: 'PRESENCE_NOT_ALLOWED', facts: { presence: 'BUSY' } },
    ],
    [
      'a channel twice',
      { capacities: [...capacities, ...capacities] },
      { code: 'CAPACITY_TWICE', facts: { capacities: [...capacities, ...capacities] } },
    ],
    [
      'a skill twice',
      { skills: [...skills, ...skills] },
      { code: 'SKILL_TWICE', facts: { skills: [...skills, ...skills] } },
    ],
  ])('refuses %s', (_, data, { code, facts }) => {
    agent.when(signIn(data)).thenRejected({ code, facts: { agentId: subject, ...facts } });
  });
});

describe('signs out', () => {
  test('at once with nothing but offers open, after the last contact otherwise', () => {
    agent.given(signedIn).when(signOut).then(signedOut);
    agent.given(signedIn, about('created')).when(signOut).then(signedOut);
    agent
      .given(...busy)
      .when(signOut)
      .then(requested);
    agent
      .given(...busy, requested)
      .when(signOut)
      .thenNothing();
    agent.given(signedIn, signedOut).when(signOut).thenNothing();
    agent.when(signOut).thenNothing();
  });
});

describe('sets the presence', () => {
  test('and why', () => {
    agent
      .given(signedIn)
      .when(setPresence('AWAY', 'meal'))
      .then(changed('AVAILABLE', 'AWAY', 'meal'));
    agent.given(signedIn).when(setPresence('BUSY')).then(changed('AVAILABLE', 'BUSY'));
    agent.given(signedIn).when(setPresence('AVAILABLE')).thenNothing();
  });

  test('back from where the offers rang out: available, idle anew, nothing declined', () => {
    const rang = event('meridian.agent.not_responding.v1', { reservationId: 'c1-r1' });
    agent
      .given([signedIn, 5], about('created'), [about('rejected'), 9], [rang, 10])
      .when(setPresence('AVAILABLE'), { at: 50 })
      .then(changed('NOT_RESPONDING', 'AVAILABLE'))
      .thenView(({ declined, idleSinceMs }) => [declined.size, idleSinceMs], [0, 50]);
  });

  test.each(['OFFLINE', 'NOT_RESPONDING'] as const)('refuses %s', (presence) => {
    agent
      .given(signedIn)
      .when(setPresence(presence))
      .thenRejected({ code: 'PRESENCE_NOT_ALLOWED', facts: { agentId: subject, presence } });
  });

  test('not while offline or on the way out', () => {
    agent
      .when(setPresence('AVAILABLE'))
      .thenRejected({ code: 'AGENT_OFFLINE', facts: { agentId: subject } });
    agent
      .given(...busy, requested)
      .when(setPresence('AWAY'))
      .thenRejected({ code: 'SIGNING_OUT', facts: { agentId: subject } });
  });
});

describe('the channels', () => {
  const after = (...events: (AgentEvent | ReservationEvent)[]) =>
    events.reduce((state, each, index) => agentDecider.evolve(state, each, index), newAgent('a1'));

  test.each<[string, (AgentEvent | ReservationEvent)[], string, string]>([
    ['offline', [], 'OFF_QUEUE', 'OFF_QUEUE'],
    ['signed in', [signedIn], 'IDLE', 'IDLE'],
    ['away', [signedIn, changed('AVAILABLE', 'AWAY')], 'OFF_QUEUE', 'OFF_QUEUE'],
    ['offered', [signedIn, about('created')], 'OFFERED', 'IDLE'],
    ['talking', busy, 'INTERACTING', 'IDLE'],
    ['wrapping up', [...busy, about('wrapping')], 'ACW', 'IDLE'],
    ['on the way out', [...busy, requested], 'INTERACTING', 'OFF_QUEUE'],
    ['one chat', [signedIn, about('created', 'c1', 'CHAT')], 'IDLE', 'OFFERED'],
    [
      'two chats',
      [signedIn, about('created', 'c1', 'CHAT'), about('created', 'c2', 'CHAT')],
      'IDLE',
      'AT_CAPACITY',
    ],
    ['done', [...busy, about('completed')], 'IDLE', 'IDLE'],
  ])('%s', (_, past, voice, chat) => {
    const state = after(...past);
    expect([channelState(state, 'VOICE'), channelState(state, 'CHAT')]).toEqual([voice, chat]);
  });

  const ends = ['rejected', 'timed_out', 'rescinded', 'canceled', 'completed'];
  test.each(ends)('%s frees, and the idle time begins', (name) => {
    const state = after(signedIn, about('created'), about(name));
    expect([openCount(state, 'VOICE'), state.idleSinceMs, [...state.declined]]).toEqual([
      0,
      2,
      name === 'rejected' ? ['c1'] : [],
    ]);
  });

  test('the end of a reservation that is not open leaves the idle time alone', () => {
    expect(
      after(signedIn, about('created'), about('completed'), about('completed')).idleSinceMs,
    ).toBe(2);
  });
});

describe('signs in in another home', () => {
  const elsewhere = (ms: number, winsTie = false): Command => ({
    type: 'signed_in_elsewhere',
    subject,
    data: { home: 'us', at: new Date(ms).toISOString(), winsTie },
  });
  const gone = event('meridian.agent.signed_out.v1', { sessionId: 's1', elsewhere: 'us' });

  test('later: the session here ends, at once or after the last contact', () => {
    agent.given([signedIn, 100]).when(elsewhere(101)).then(gone);
    agent.given([signedIn, 100], about('created')).when(elsewhere(101)).then(gone);
    const leaves = event('meridian.agent.sign_out_requested.v1', { elsewhere: 'us' });
    const engaged = [[signedIn, 100] as const, about('created'), about('accepted')];
    agent
      .given(...engaged)
      .when(elsewhere(101))
      .then(leaves);
    agent
      .given(...engaged, leaves)
      .when(elsewhere(101))
      .thenNothing();
  });

  test('earlier, or while offline: nothing', () => {
    agent.given([signedIn, 100]).when(elsewhere(99)).thenNothing();
    agent.when(elsewhere(101)).thenNothing();
  });

  test('in the same millisecond: one of the two goes on', () => {
    agent.given([signedIn, 100]).when(elsewhere(100, true)).then(gone);
    agent.given([signedIn, 100]).when(elsewhere(100, false)).thenNothing();
  });

  test('a session that superseded another here began then', () => {
    const superseded = event('meridian.agent.session_superseded.v1', {
      sessionId: 's1',
      supersededBy: 's2',
    });
    agent.given([signedIn, 100], [superseded, 200]).when(elsewhere(150)).thenNothing();
  });
});

describe('whatever happened', () => {
  const commands: Command[] = [
    {
      type: 'signed_in_elsewhere',
      subject,
      data: { home: 'us', at: '1970-01-01T00:00:00.008Z', winsTie: true },
    },
    signIn(),
    signIn({ sessionId: 's2', skills: [], presence: 'AWAY' }),
    signIn({ sessionId: 's3', capacities: [] }),
    signOut,
    setPresence('AVAILABLE'),
    setPresence('AWAY', 'meal'),
    setPresence('BUSY'),
    setPresence('OFFLINE'),
  ];
  const told = contracts.filter(
    ({ entity, kind }) => kind === 'EVENT' && (entity === 'agent' || entity === 'reservation'),
  );

  test('every event is folded, and a command decided again decides nothing', () => {
    for (let seed = 0; seed < 400; seed += 1) {
      const random = seeded(`agent ${seed}`);
      let state = newAgent(subject);
      for (let turn = 0; turn < 15; turn += 1) {
        const contract = random.pick(told);
        const past = {
          type: contract.type,
          subject,
          data: arbitraryData(contract, random),
        } as AgentEvent;
        state = agentDecider.evolve(state, past, turn);
        const command = random.pick(commands);
        const context = { now: turn, random };
        const first = step(agentDecider, state, command, context);
        if (!first.accepted) continue;
        const again = agentDecider.decide(first.state, command, context);
        expect([seed, command, again]).toEqual([seed, command, { accepted: true, events: [] }]);
      }
    }
  });
});
