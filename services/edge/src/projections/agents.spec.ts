import { describe, expect, it } from '@jest/globals';
import type { DomainEvent } from '@meridian/wire';
import { at, given, rowsAfter } from '../../test/recorded.ts';
import { agentsProjection, channelsOf, type AgentRow } from './agents.ts';

type Timed = readonly [number, DomainEvent];
const subject = 'a1';
const skills = [{ skill: 'german', level: 3 }];
const capacities = [
  { channel: 'VOICE', limit: 1 },
  { channel: 'CHAT', limit: 2 },
] as const;

const signedIn: Timed = [
  0,
  {
    type: 'meridian.agent.signed_in.v1',
    subject,
    data: { sessionId: 's1', skills, capacities, presence: 'AVAILABLE' },
  },
];
const created = (
  offsetMs: number,
  id: string,
  contactId: string,
  channel: 'VOICE' | 'CHAT',
): Timed => [
  offsetMs,
  {
    type: 'meridian.reservation.created.v1',
    subject: id,
    data: {
      contactId,
      agentId: 'a1',
      queueId: 'sales',
      channel,
      expiresAt: '2026-01-05T08:00:20.000Z',
    },
  },
];
type Step = 'accepted' | 'rejected' | 'timed_out' | 'wrapping' | 'completed';
const about = (offsetMs: number, what: Step, id: string, contactId: string): Timed => [
  offsetMs,
  { type: `meridian.reservation.${what}.v1`, subject: id, data: { contactId, agentId: 'a1' } },
];
const state = (offsetMs: number, to: 'AVAILABLE' | 'AWAY', reasonCode?: string): Timed => [
  offsetMs,
  {
    type: 'meridian.agent.state_changed.v1',
    subject,
    data: { from: 'AVAILABLE', to, ...(reasonCode === undefined ? {} : { reasonCode }) },
  },
];

const available = {
  tenant: 'demo',
  id: 'a1',
  home: 'eu',
  presence: 'AVAILABLE',
  reason: null,
  presenceSince: at(0),
  sessionId: 's1',
  signedInAt: at(0),
  signingOut: false,
  skills,
  capacities,
  open: [],
  idleSince: at(0),
  lastStream: 'EV_eu',
  lastSequence: 1,
};

const after = (...events: Timed[]) =>
  rowsAfter(agentsProjection, given(...events)).get('demo/a1/eu') as unknown as AgentRow;
const channels = (...events: Timed[]) =>
  Object.fromEntries(channelsOf(after(...events)).map(({ channel, ...rest }) => [channel, rest]));

describe('agents', () => {
  it('signs in, goes away for a reason, comes back, signs out', () => {
    expect(after(signedIn)).toEqual(available);
    const away = after(signedIn, state(5, 'AWAY', 'break'));
    expect(away).toEqual({
      ...available,
      presence: 'AWAY',
      reason: 'break',
      presenceSince: at(5),
      idleSince: null,
      lastSequence: 2,
    });
    expect(after(signedIn, state(5, 'AWAY', 'break'), state(9, 'AVAILABLE'))).toEqual({
      ...available,
      presenceSince: at(9),
      idleSince: at(9),
      lastSequence: 3,
    });
    expect(
      after(signedIn, [
        7,
        { type: 'meridian.agent.signed_out.v1', subject, data: { sessionId: 's1' } },
      ]),
    ).toEqual({
      ...available,
      presence: 'OFFLINE',
      presenceSince: at(7),
      sessionId: null,
      signedInAt: null,
      idleSince: null,
      lastSequence: 2,
    });
  });

  it('fills and frees its channels with the reservations', () => {
    const ring = created(10, 'r1', 'c1', 'VOICE');
    expect(after(signedIn, ring)).toEqual({
      ...available,
      idleSince: null,
      lastSequence: 2,
      open: [{ reservationId: 'r1', contactId: 'c1', channel: 'VOICE', stage: 'OFFERED' }],
    });
    const idle = { state: 'IDLE', limit: 2, offered: 0, interacting: 0, wrapping: 0 };
    const voice = { state: 'IDLE', limit: 1, offered: 0, interacting: 0, wrapping: 0 };
    expect(channels(signedIn)).toEqual({ VOICE: voice, CHAT: idle });
    expect(channels(signedIn, ring)).toEqual({
      VOICE: { ...voice, state: 'OFFERED', offered: 1 },
      CHAT: idle,
    });
    const talk = about(20, 'accepted', 'r1', 'c1');
    expect(channels(signedIn, ring, talk)['VOICE']).toEqual({
      ...voice,
      state: 'INTERACTING',
      interacting: 1,
    });
    const wrap = about(30, 'wrapping', 'r1', 'c1');
    expect(channels(signedIn, ring, talk, wrap)['VOICE']).toEqual({
      ...voice,
      state: 'ACW',
      wrapping: 1,
    });
    expect(after(signedIn, ring, talk, wrap, about(40, 'completed', 'r1', 'c1'))).toEqual({
      ...available,
      idleSince: at(40),
      lastSequence: 5,
    });
    expect(after(signedIn, ring, about(15, 'rejected', 'r1', 'c1'))).toEqual({
      ...available,
      idleSince: at(15),
      lastSequence: 3,
    });
  });

  it('is at capacity on a channel for several contacts when it is full', () => {
    const both = [signedIn, created(1, 'r1', 'c1', 'CHAT'), created(2, 'r2', 'c2', 'CHAT')];
    expect(channels(...both)['CHAT']).toEqual({
      state: 'AT_CAPACITY',
      limit: 2,
      offered: 2,
      interacting: 0,
      wrapping: 0,
    });
    expect(channels(...both, about(3, 'timed_out', 'r1', 'c1'))['CHAT']).toEqual({
      state: 'OFFERED',
      limit: 2,
      offered: 1,
      interacting: 0,
      wrapping: 0,
    });
  });

  it('is off the queue when it does not respond, or is about to sign out', () => {
    const silent: Timed = [
      9,
      { type: 'meridian.agent.not_responding.v1', subject, data: { reservationId: 'r1' } },
    ];
    expect(channels(signedIn, silent)).toMatchObject({
      VOICE: { state: 'OFF_QUEUE' },
      CHAT: { state: 'OFF_QUEUE' },
    });
    const leaving = after(signedIn, [
      9,
      { type: 'meridian.agent.sign_out_requested.v1', subject, data: {} },
    ]);
    expect(leaving).toEqual({ ...available, signingOut: true, idleSince: null, lastSequence: 2 });
    expect(channelsOf(leaving).map((one) => one.state)).toEqual(['OFF_QUEUE', 'OFF_QUEUE']);
  });

  it('takes new skills, capacities and sessions', () => {
    expect(
      after(
        signedIn,
        [1, { type: 'meridian.agent.skills_changed.v1', subject, data: { skills: [] } }],
        [
          2,
          {
            type: 'meridian.agent.capacity_changed.v1',
            subject,
            data: { capacities: [{ channel: 'EMAIL', limit: 4 }] },
          },
        ],
        [
          3,
          {
            type: 'meridian.agent.session_superseded.v1',
            subject,
            data: { sessionId: 's1', supersededBy: 's2' },
          },
        ],
      ),
    ).toEqual({
      ...available,
      skills: [],
      capacities: [{ channel: 'EMAIL', limit: 4 }],
      sessionId: 's2',
      lastSequence: 4,
    });
  });

  it('shows a contact on a channel for which there is no capacity any more', () => {
    expect(
      channels(signedIn, created(1, 'r1', 'c1', 'VOICE'), about(2, 'accepted', 'r1', 'c1'), [
        3,
        { type: 'meridian.agent.capacity_changed.v1', subject, data: { capacities: [] } },
      ]),
    ).toEqual({
      VOICE: { state: 'INTERACTING', limit: 0, offered: 0, interacting: 1, wrapping: 0 },
    });
  });
});
