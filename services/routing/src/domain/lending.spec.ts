import { describe, test } from '@jest/globals';
import type { RoutingLent, RoutingReturned } from '@meridian/wire';
import {
  partition,
  time,
  queue,
  agent,
  decided,
  chosen,
  place,
  lent,
  reservation,
  created,
  withdrawn,
  abandoned,
  completed,
  forgotten,
  nothing,
} from '../../test/lending-story.ts';
import type { Command, PartitionEvent } from './partition.ts';

describe('a partition that lends', () => {
  const lend: Command = { type: 'lend', subject: 'c1', data: { to: 'us' } };
  const takeBack = (data: object = {}): Command => ({
    type: 'take_back',
    subject: 'c1',
    data: { from: 'us', loan: 1, loanEpoch: 1, ...data },
  });
  const waits = [queue, decided({})] as const;

  test('forgets the place and remembers to whom it went; again, nothing', () => {
    partition
      .given(...waits)
      .when(lend)
      .then(lent())
      .thenView(
        ({ waiting, loans }) => [waiting.size, loans.lent.get('c1')?.to, loans.count],
        [0, 'us', 1],
      );
    partition
      .given(...waits, lent())
      .when(lend)
      .thenNothing();
  });

  test('lends who waits, not who is offered, served or unknown', () => {
    const offered = [queue, agent('a1'), decided(chosen('a1', 0)), created(1, 'a1', 0)];
    for (const past of [[queue], offered, [...offered, reservation('accepted', 1, 'a1', {})]]) {
      partition
        .given(...past)
        .when(lend)
        .thenNothing();
    }
  });

  test('tells how many offers there were, and counts its loans', () => {
    const rejected = [
      queue,
      agent('a1'),
      decided(chosen('a1', 0)),
      created(1, 'a1', 0),
      reservation('rejected', 1, 'a1', {}),
      decided({ trigger: 'OFFER_ENDED' }),
    ];
    partition
      .given(
        ...rejected,
        lent({ attempts: 1 }),
        decided({ trigger: 'CONTACT_RETURNED', attempts: 4 }),
      )
      .when({ ...lend, data: { to: 'ap' } } as Command)
      .then(lent({ to: 'ap', loan: 2, attempts: 4 }));
  });

  test('puts who comes back at the original place, and counts on', () => {
    partition
      .given(...waits, lent(), [agent('a1'), 30])
      .when(takeBack(), { at: 50 })
      .then(
        decided({ trigger: 'CONTACT_RETURNED', attempts: 1, ...chosen('a1', 20) }),
        created(2, 'a1', 50),
      );
    partition
      .given(...waits, lent())
      .when(takeBack(), { at: 50 })
      .then(decided({ trigger: 'CONTACT_RETURNED', attempts: 1 }))
      .thenView(
        ({ waiting, loans }) => [
          waiting.get('c1')?.rankMs,
          loans.lent.size,
          loans.returns.get('c1')?.get('us'),
        ],
        [1 - 2 * 60_000, 0, 50],
      );
  });

  test.each([
    ['told twice', [decided({ trigger: 'CONTACT_RETURNED', attempts: 1 })], {}],
    ['of a loan before', [], { loan: 0 }],
    ['of another partition', [], { from: 'ap' }],
    ['of a contact that has ended', [withdrawn(abandoned, { lentTo: 'us' })], {}],
  ])('passes over a return %s', (_, past, data) => {
    partition
      .given(...waits, lent(), ...past)
      .when(takeBack(data))
      .thenNothing();
  });

  test('passes over the return of a loan of another epoch, which does not count', () => {
    partition
      .given(...waits, lent({ loanEpoch: 2 }))
      .when(takeBack())
      .thenNothing();
    partition
      .given(...waits, lent({ loanEpoch: 2 }))
      .when(takeBack({ loanEpoch: 2 }), { at: 1 })
      .then(decided({ trigger: 'CONTACT_RETURNED', attempts: 1 }));
  });

  test('names the epoch in which it lends and offers, after the first', () => {
    partition
      .given(...waits)
      .when(lend, { epoch: 3 })
      .then(lent({ loanEpoch: 3 }));
    partition
      .given(...waits, lent({ loanEpoch: 2 }), [agent('a1'), 30])
      .when(takeBack({ loanEpoch: 2 }), { at: 50, epoch: 3 })
      .then(
        decided({ trigger: 'CONTACT_RETURNED', attempts: 1, ...chosen('a1', 20) }),
        created('2-e3', 'a1', 50),
      );
  });

  test('hears that it ended: the other partition is told, no trace is left', () => {
    partition
      .given(...waits, lent())
      .when({ type: 'contact_ended', subject: 'c1', data: { reason: abandoned } })
      .then(withdrawn(abandoned, { lentTo: 'us' }))
      .thenView(forgotten, nothing);
    partition
      .given(...waits, lent())
      .when({ type: 'contact_completed', subject: 'c1' })
      .then(withdrawn(completed, { lentTo: 'us' }))
      .thenView(forgotten, nothing);
  });

  test('does not queue it again, and keeps its queue', () => {
    const past = partition.given(...waits, lent());
    const data = { queueId: 'q1', channel: 'VOICE' as const, requirements: [] };
    past.when({ type: 'contact_queued', subject: 'c1', data, enqueuedAt: time(1) }).thenNothing();
    past
      .when({ type: 'meridian.queue.delete.v1', subject: 'q1', data: {} })
      .thenRejected({ code: 'QUEUE_NOT_EMPTY', facts: { queueId: 'q1', waitingCount: 1 } });
  });
});

describe('a partition that borrows', () => {
  const borrow = (data: object = {}, more: Partial<RoutingLent> = {}): Command => ({
    type: 'borrow',
    subject: 'c1',
    data: { home: 'eu', loan: 7, loanEpoch: 2, lent: { ...place, loan: 7, ...more }, ...data },
  });
  const returned = (
    reason: RoutingReturned['reason'],
    data: Partial<RoutingReturned> = {},
  ): PartitionEvent => ({
    type: 'meridian.routing.returned.v1',
    subject: 'c1',
    data: { contactHome: 'eu', loan: 7, loanEpoch: 2, attempts: 3, reason, ...data },
  });
  const contactHome = 'eu';
  const origin = { contactHome, attempts: 3, loan: 7, loanEpoch: 2 };
  const offered: readonly PartitionEvent[] = [
    queue,
    agent('a1'),
    decided({ trigger: 'CONTACT_BORROWED', ...chosen('a1', 0), ...origin }),
    created('4-e2', 'a1', 0, { contactHome }),
  ];
  const accepted = [...offered, reservation('accepted', '4-e2', 'a1', { contactHome })];

  test('offers at once, and counts on', () => {
    partition
      .given(queue, [agent('a1'), 30])
      .when(borrow({}, { attempts: 3 }), { at: 50 })
      .then(
        decided({ trigger: 'CONTACT_BORROWED', ...chosen('a1', 20), ...origin }),
        created('4-e2', 'a1', 50, { contactHome }),
      );
  });

  test('or gives back at once, and nobody waits', () => {
    partition
      .given(queue)
      .when(borrow({}, { attempts: 3 }))
      .then(returned('NO_AGENT'))
      .thenView(forgotten, nothing);
    partition
      .given(agent('a1'))
      .when(borrow({}, { attempts: 3 }))
      .then(returned('QUEUE_UNKNOWN'))
      .thenView(forgotten, nothing);
  });

  test('has a contact of the same name: that one stays', () => {
    partition
      .given(queue, decided({}))
      .when(borrow())
      .then(returned('CONTACT_KNOWN', { attempts: 0 }))
      .thenView(({ waiting }) => waiting.has('c1'), true);
    partition
      .given(...offered)
      .when({ type: 'contact_ended', subject: 'c1', data: { reason: abandoned } })
      .thenNothing();
    partition
      .given(...accepted)
      .when({ type: 'contact_wrapping', subject: 'c1', contactHome: 'ap' })
      .thenNothing();
  });

  test('answers each loan once; those of a later epoch are others', () => {
    for (const past of [offered, [queue, returned('NO_AGENT')]]) {
      partition
        .given(...past)
        .when(borrow())
        .thenNothing();
      partition
        .given(...past)
        .when(borrow({ loan: 6, loanEpoch: 2 }))
        .thenNothing();
    }
    partition
      .given(queue, returned('NO_AGENT'))
      .when(borrow({ loan: 1, loanEpoch: 3 }))
      .then(returned('NO_AGENT', { loan: 1, loanEpoch: 3, attempts: 0 }));
    partition
      .given(queue, returned('NO_AGENT'))
      .when(borrow({ home: 'ap', loan: 1, loanEpoch: 1 }))
      .then(returned('NO_AGENT', { contactHome: 'ap', loan: 1, loanEpoch: 1, attempts: 0 }));
  });

  test('gives back when the offer is rejected, though another agent is free', () => {
    partition
      .given(...offered, agent('a2'))
      .when({
        type: 'meridian.reservation.reject.v1',
        subject: 'c1-r4-e2',
        data: { agentId: 'a1' },
      })
      .then(
        reservation('rejected', '4-e2', 'a1', { contactHome }),
        returned('OFFER_ENDED', { attempts: 4 }),
      )
      .thenView(forgotten, nothing);
  });

  test('gives back when the offer rings out', () => {
    partition
      .given(...offered)
      .when({ type: 'time_passed', subject: 'demo' }, { at: 20_000 })
      .then(
        reservation('timed_out', '4-e2', 'a1', { contactHome }),
        {
          type: 'meridian.agent.not_responding.v1',
          subject: 'a1',
          data: { reservationId: 'c1-r4-e2' },
        },
        returned('OFFER_ENDED', { attempts: 4 }),
      )
      .thenView(forgotten, nothing);
  });

  test('gives back when its agent leaves, before anything else follows', () => {
    partition
      .given(...offered)
      .when({ type: 'meridian.agent.sign_out.v1', subject: 'a1', data: {} })
      .then(
        reservation('rescinded', '4-e2', 'a1', { contactHome, reason: 'AGENT_LEFT' }),
        { type: 'meridian.agent.signed_out.v1', subject: 'a1', data: { sessionId: 's1' } },
        returned('OFFER_ENDED', { attempts: 4 }),
      );
  });

  test('frees the agent for its own', () => {
    const own: PartitionEvent = { ...decided({ priority: 0 }), subject: 'c2' } as PartitionEvent;
    partition
      .given(...offered, own)
      .when({
        type: 'meridian.reservation.reject.v1',
        subject: 'c1-r4-e2',
        data: { agentId: 'a1' },
      })
      .then(
        reservation('rejected', '4-e2', 'a1', { contactHome }),
        returned('OFFER_ENDED', { attempts: 4 }),
        {
          ...decided({ trigger: 'AGENT_FREED', priority: 0, ...chosen('a1', 0) }),
          subject: 'c2',
        } as PartitionEvent,
        {
          type: 'meridian.reservation.created.v1',
          subject: 'c2-r1',
          data: {
            contactId: 'c2',
            agentId: 'a1',
            queueId: 'q1',
            channel: 'VOICE',
            expiresAt: time(20_000),
          },
        },
      );
  });

  test('takes the offer back when the contact ends, and gives nothing back', () => {
    const ended: Command = {
      type: 'contact_ended',
      subject: 'c1',
      contactHome,
      data: { reason: abandoned },
    };
    partition
      .given(...offered)
      .when(ended)
      .then(
        reservation('rescinded', '4-e2', 'a1', { contactHome, reason: 'CONTACT_ENDED' }),
        withdrawn(abandoned, { contactHome }),
      )
      .thenView(forgotten, nothing);
    partition
      .given(...accepted)
      .when(ended)
      .then(reservation('canceled', '4-e2', 'a1', { contactHome, reason: 'CONTACT_ENDED' }))
      .thenView(forgotten, nothing);
    partition.given(queue).when(ended).thenNothing();
  });

  test('follows the conversation to its end', () => {
    partition
      .given(...accepted)
      .when({ type: 'contact_wrapping', subject: 'c1', contactHome })
      .then(reservation('wrapping', '4-e2', 'a1', { contactHome }));
    partition
      .given(...accepted, reservation('wrapping', '4-e2', 'a1', { contactHome }))
      .when({ type: 'contact_completed', subject: 'c1', contactHome })
      .then(reservation('completed', '4-e2', 'a1', { contactHome }))
      .thenView(forgotten, nothing);
  });

  test('names both epochs in its offer, after its own first', () => {
    partition
      .given(queue, [agent('a1'), 30])
      .when(borrow({ loanEpoch: 1 }, { attempts: 3 }), { at: 50, epoch: 5 })
      .then(
        decided({ trigger: 'CONTACT_BORROWED', ...chosen('a1', 20), ...origin, loanEpoch: 1 }),
        created('4-e1-b5', 'a1', 50, { contactHome }),
      );
  });

  test('has it by a loan that does not count: gives back the one that does', () => {
    partition
      .given(...offered)
      .when(borrow({ loan: 7, loanEpoch: 3 }))
      .then(returned('CONTACT_KNOWN', { loanEpoch: 3, attempts: 0 }))
      .thenView(
        ({ loans, reservationOf }) => [
          loans.borrowed.get('c1')?.loanEpoch,
          reservationOf.get('c1'),
        ],
        [2, 'c1-r4-e2'],
      );
  });
});
