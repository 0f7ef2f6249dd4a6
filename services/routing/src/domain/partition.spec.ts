import { describe, test } from '@jest/globals';
import { specify } from '@meridian/testing';
import type {
  AgentEvent,
  Candidate,
  Exclusion,
  QueueSettings,
  RoutingDecided,
} from '@meridian/wire';
import { partitionDecider, type Command, type PartitionEvent } from './partition.ts';

const partition = specify(partitionDecider);
const time = (ms: number): string => new Date(ms).toISOString();
const settings: QueueSettings = {
  requirements: [],
  strategy: 'LONGEST_IDLE',
  offerTtlMs: 20_000,
  ageingMsPerLevel: 60_000,
  serviceLevelMs: 20_000,
};
const queue = (id: string, more: Partial<QueueSettings> = {}): PartitionEvent => ({
  type: 'meridian.queue.created.v1',
  subject: id,
  data: { settings: { ...settings, ...more } },
});
const capacities = [{ channel: 'VOICE' as const, limit: 1 }];
const signedIn = (subject: string, limit = 1): AgentEvent => ({
  type: 'meridian.agent.signed_in.v1',
  subject,
  data: {
    sessionId: 's1',
    skills: [],
    capacities: [{ channel: 'VOICE', limit }],
    presence: 'AVAILABLE',
  },
});
const joins = (subject: string, enqueuedAtMs: number, queueId = 'q1'): Command => ({
  type: 'contact_queued',
  subject,
  enqueuedAt: time(enqueuedAtMs),
  data: { queueId, channel: 'VOICE', requirements: [] },
});

interface Said {
  readonly contact: string;
  readonly trigger: RoutingDecided['trigger'];
  readonly enqueuedAtMs: number;
  readonly waitingCount: number;
  readonly candidates?: readonly Candidate[];
  readonly exclusions?: readonly Exclusion[];
  readonly outcome?: RoutingDecided['outcome'];
}

/** What the partition says of a choice; the first candidate is the one chosen. */
function decided(said: Said): PartitionEvent {
  const { contact, trigger, enqueuedAtMs, waitingCount, candidates = [], exclusions = [] } = said;
  const [best] = candidates;
  return {
    type: 'meridian.routing.decided.v1',
    subject: contact,
    data: {
      outcome: said.outcome ?? (best === undefined ? 'WAITING' : 'OFFERED'),
      trigger,
      ...(best === undefined ? {} : { agentId: best.agentId }),
      queueId: 'q1',
      channel: 'VOICE',
      priority: 0,
      requirements: [],
      enqueuedAt: time(enqueuedAtMs),
      waitingCount,
      strategy: 'LONGEST_IDLE',
      candidates,
      candidateCount: candidates.length,
      exclusions,
      contactRequirements: [],
      algorithm: 'skills-longest-idle/1',
    },
  };
}
const created = (
  contactId: string,
  agentId: string,
  expiresAtMs: number,
  attempt = 1,
): PartitionEvent => ({
  type: 'meridian.reservation.created.v1',
  subject: `${contactId}-r${attempt}`,
  data: { contactId, agentId, queueId: 'q1', channel: 'VOICE', expiresAt: time(expiresAtMs) },
});
type Name =
  | 'accepted'
  | 'rejected'
  | 'timed_out'
  | 'wrapping'
  | 'completed'
  | 'rescinded'
  | 'canceled';
const reservation = (
  name: Name,
  contactId: string,
  agentId: string,
  reason?: string,
): PartitionEvent =>
  ({
    type: `meridian.reservation.${name}.v1`,
    subject: `${contactId}-r1`,
    data: { contactId, agentId, ...(reason === undefined ? {} : { reason }) },
  }) as PartitionEvent;
const candidate = (agentId: string, idleMs: number): Candidate => ({
  agentId,
  levelSum: 0,
  idleMs,
});
const out = (reason: Exclusion['reason'], ...agentIds: string[]): Exclusion => ({
  reason,
  count: agentIds.length,
  agentIds,
});

const offers = (
  contact: string,
  trigger: RoutingDecided['trigger'],
  enqueuedAtMs: number,
  waitingCount: number,
  best: Candidate,
): PartitionEvent => decided({ contact, trigger, enqueuedAtMs, waitingCount, candidates: [best] });
const waits = (contact: string, enqueuedAtMs: number): PartitionEvent =>
  decided({ contact, trigger: 'CONTACT_QUEUED', enqueuedAtMs, waitingCount: 1 });
const offered = [
  queue('q1'),
  signedIn('a1'),
  offers('c1', 'CONTACT_QUEUED', 0, 1, candidate('a1', 0)),
  created('c1', 'a1', 20_000),
];

describe('a contact that joins', () => {
  test('is offered to whoever is idle longest', () => {
    partition
      .given([queue('q1'), 0], [signedIn('a2'), 100], [signedIn('a1'), 200])
      .when(joins('c1', 250), { at: 300 })
      .then(
        decided({
          contact: 'c1',
          trigger: 'CONTACT_QUEUED',
          enqueuedAtMs: 250,
          waitingCount: 1,
          candidates: [candidate('a2', 200), candidate('a1', 100)],
        }),
        created('c1', 'a2', 20_300),
      )
      .thenView(
        ({ due, waiting, offered: places }) => [due.next(), waiting.size, [...places.keys()]],
        [20_300, 0, ['c1']],
      );
  });

  test('waits when nobody can, in its place; told twice, nothing', () => {
    const asked = partition.given(queue('q1'), [waits('c0', 1), 2]);
    asked
      .when(joins('c1', 5), { at: 6 })
      .then(decided({ contact: 'c1', trigger: 'CONTACT_QUEUED', enqueuedAtMs: 5, waitingCount: 2 }))
      .thenView(
        ({ waiting }) => waiting.ofQueue('q1').map(({ contactId }) => contactId),
        ['c0', 'c1'],
      );
    asked.when(joins('c0', 1)).thenNothing();
  });

  test('waits for a queue that is not there, and is offered when it is', () => {
    const unroutable = decided({
      contact: 'c1',
      trigger: 'CONTACT_QUEUED',
      enqueuedAtMs: 5,
      waitingCount: 1,
      outcome: 'UNROUTABLE',
    });
    partition
      .given([signedIn('a1'), 1])
      .when(joins('c1', 5), { at: 6 })
      .then(unroutable);
    partition
      .given([signedIn('a1'), 1], [unroutable, 6])
      .when({ type: 'meridian.queue.configure.v1', subject: 'q1', data: { settings } }, { at: 10 })
      .then(
        queue('q1'),
        offers('c1', 'QUEUE_CHANGED', 5, 1, candidate('a1', 9)),
        created('c1', 'a1', 20_010),
      )
      .thenView(({ configVersion }) => configVersion, 1);
  });
});

describe('an offer', () => {
  test('is accepted: the contact is no longer in the queue', () => {
    partition
      .given(...offered)
      .when(
        { type: 'meridian.reservation.accept.v1', subject: 'c1-r1', data: { agentId: 'a1' } },
        { at: 5 },
      )
      .then(reservation('accepted', 'c1', 'a1'))
      .thenView(
        ({ due, offered: places, attempts, reservationOf }) => [
          due.next(),
          places.size,
          attempts.size,
          reservationOf.get('c1'),
        ],
        [undefined, 0, 0, 'c1-r1'],
      );
  });

  test('is declined: another gets it, and who declined gets whom they have not', () => {
    partition
      .given(...offered, waits('c2', 9), [signedIn('a2'), 10], [signedIn('a3'), 11])
      .when(
        {
          type: 'meridian.reservation.reject.v1',
          subject: 'c1-r1',
          data: { agentId: 'a1', reason: 'no' },
        },
        { at: 50 },
      )
      .then(
        reservation('rejected', 'c1', 'a1', 'no'),
        decided({
          contact: 'c1',
          trigger: 'OFFER_ENDED',
          enqueuedAtMs: 0,
          waitingCount: 2,
          candidates: [candidate('a2', 40), candidate('a3', 39)],
          exclusions: [out('DECLINED', 'a1')],
        }),
        created('c1', 'a2', 20_050, 2),
        offers('c2', 'AGENT_FREED', 9, 1, candidate('a1', 0)),
        created('c2', 'a1', 20_050),
      );
  });

  test('rings out: nobody is asked who does not respond, and the contact keeps its place', () => {
    const past = partition.given(...offered);
    past.when({ type: 'time_passed', subject: 'demo' }, { at: 19_999 }).thenNothing();
    past
      .when({ type: 'time_passed', subject: 'demo' }, { at: 20_000 })
      .then(
        reservation('timed_out', 'c1', 'a1'),
        {
          type: 'meridian.agent.not_responding.v1',
          subject: 'a1',
          data: { reservationId: 'c1-r1' },
        },
        decided({
          contact: 'c1',
          trigger: 'OFFER_ENDED',
          enqueuedAtMs: 0,
          waitingCount: 1,
          exclusions: [out('NOT_AVAILABLE', 'a1')],
        }),
      )
      .thenView(
        ({ waiting, due }) => [waiting.get('c1')?.enqueuedAtMs, due.next()],
        [0, undefined],
      );
  });

  test('is taken back when its agent leaves', () => {
    partition
      .given(...offered)
      .when(
        {
          type: 'meridian.agent.set_presence.v1',
          subject: 'a1',
          data: { presence: 'AWAY', reason: 'meal' },
        },
        { at: 7 },
      )
      .then(
        reservation('rescinded', 'c1', 'a1', 'AGENT_LEFT'),
        {
          type: 'meridian.agent.state_changed.v1',
          subject: 'a1',
          data: { from: 'AVAILABLE', to: 'AWAY', reasonCode: 'meal' },
        },
        decided({
          contact: 'c1',
          trigger: 'OFFER_ENDED',
          enqueuedAtMs: 0,
          waitingCount: 1,
          exclusions: [out('NOT_AVAILABLE', 'a1')],
        }),
      );
  });

  test('of several that end at once, the contact first in order is offered first', () => {
    const both = [
      offers('c1', 'CONTACT_QUEUED', 9, 1, candidate('a1', 0)),
      created('c1', 'a1', 20_000),
      offers('c2', 'CONTACT_QUEUED', 8, 1, candidate('a1', 0)),
      created('c2', 'a1', 20_000),
    ];
    partition
      .given(queue('q1'), signedIn('a1', 2), ...both, [signedIn('a2'), 10])
      .when({ type: 'meridian.agent.sign_out.v1', subject: 'a1', data: {} }, { at: 30 })
      .then(
        reservation('rescinded', 'c1', 'a1', 'AGENT_LEFT'),
        reservation('rescinded', 'c2', 'a1', 'AGENT_LEFT'),
        { type: 'meridian.agent.signed_out.v1', subject: 'a1', data: { sessionId: 's1' } },
        offers('c2', 'OFFER_ENDED', 8, 2, candidate('a2', 20)),
        created('c2', 'a2', 20_030, 2),
        decided({
          contact: 'c1',
          trigger: 'OFFER_ENDED',
          enqueuedAtMs: 9,
          waitingCount: 1,
          exclusions: [out('AT_CAPACITY', 'a2')],
        }),
      );
  });
});

describe('a contact ends', () => {
  const reason = 'meridian.contact.abandoned.v1';
  const withdrawn = (contact: string): PartitionEvent => ({
    type: 'meridian.routing.withdrawn.v1',
    subject: contact,
    data: { queueId: 'q1', reason },
  });
  const ends: Command = { type: 'contact_ended', subject: 'c1', data: { reason } };

  test('waiting, alerting, answered, unknown', () => {
    partition.given(queue('q1'), waits('c1', 1)).when(ends).then(withdrawn('c1'));
    partition
      .given(...offered)
      .when(ends)
      .then(reservation('rescinded', 'c1', 'a1', 'CONTACT_ENDED'), withdrawn('c1'))
      .thenView(
        ({ waiting, offered: places, reservations, attempts }) => [
          waiting.size,
          places.size,
          reservations.size,
          attempts.size,
        ],
        [0, 0, 0, 0],
      );
    partition
      .given(...offered, reservation('accepted', 'c1', 'a1'))
      .when(ends)
      .then(reservation('canceled', 'c1', 'a1', 'CONTACT_ENDED'));
    partition.when(ends).thenNothing();
  });
});

describe('an agent is freed', () => {
  const served = [
    ...offered,
    reservation('accepted', 'c1', 'a1'),
    reservation('wrapping', 'c1', 'a1'),
  ];

  test('and booked again in the same decision', () => {
    partition
      .given(...offered, reservation('accepted', 'c1', 'a1'))
      .when({ type: 'contact_wrapping', subject: 'c1' })
      .then(reservation('wrapping', 'c1', 'a1'));
    partition
      .given(...served, waits('c3', 4), waits('c2', 3))
      .when({ type: 'contact_completed', subject: 'c1' }, { at: 90 })
      .then(
        reservation('completed', 'c1', 'a1'),
        offers('c2', 'AGENT_FREED', 3, 2, candidate('a1', 0)),
        created('c2', 'a1', 20_090),
      );
  });

  test('and goes home when that was asked for', () => {
    const asked: PartitionEvent = {
      type: 'meridian.agent.sign_out_requested.v1',
      subject: 'a1',
      data: {},
    };
    partition
      .given(...served, waits('c2', 3), asked)
      .when({ type: 'contact_completed', subject: 'c1' }, { at: 90 })
      .then(reservation('completed', 'c1', 'a1'), {
        type: 'meridian.agent.signed_out.v1',
        subject: 'a1',
        data: { sessionId: 's1' },
      });
  });

  test('for as many as there is room', () => {
    const data = {
      sessionId: 's1',
      capacities: [{ channel: 'VOICE' as const, limit: 2 }],
      skills: [],
    };
    partition
      .given(queue('q1'), waits('c1', 1), waits('c2', 2), waits('c3', 3))
      .when({ type: 'meridian.agent.sign_in.v1', subject: 'a1', data }, { at: 5 })
      .then(
        signedIn('a1', 2),
        offers('c1', 'AGENT_FREED', 1, 3, candidate('a1', 0)),
        created('c1', 'a1', 20_005),
        offers('c2', 'AGENT_FREED', 2, 2, candidate('a1', 0)),
        created('c2', 'a1', 20_005),
      );
  });
});

test('a queue with contacts in it, waiting or alerting, is not deleted', () => {
  partition
    .given(...offered, waits('c2', 3))
    .when({ type: 'meridian.queue.delete.v1', subject: 'q1', data: {} })
    .thenRejected({ code: 'QUEUE_NOT_EMPTY', facts: { queueId: 'q1', waitingCount: 2 } });
});

test('what concerns nobody known is refused or nothing', () => {
  partition
    .when({ type: 'meridian.reservation.accept.v1', subject: 'x', data: { agentId: 'a1' } })
    .thenRejected({ code: 'RESERVATION_UNKNOWN', facts: { reservationId: 'x', stage: 'NONE' } });
  partition.when({ type: 'contact_completed', subject: 'x' }).thenNothing();
  partition
    .when({ type: 'meridian.agent.set_presence.v1', subject: 'a1', data: { presence: 'AWAY' } })
    .thenRejected({ code: 'AGENT_OFFLINE', facts: { agentId: 'a1' } });
  partition
    .when({
      type: 'meridian.agent.sign_in.v1',
      subject: 'a1',
      data: { sessionId: 's1', capacities },
    })
    .then(signedIn('a1'));
});
