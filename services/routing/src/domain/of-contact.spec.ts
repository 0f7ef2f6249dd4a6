import { describe, test } from '@jest/globals';
import {
  partition,
  queue,
  agent,
  decided,
  chosen,
  lent,
  reservation,
  created,
  withdrawn,
  forgotten,
  nothing,
} from '../../test/lending-story.ts';
import type { Command, PartitionEvent } from './partition.ts';

describe('a contact that was offered by a loan that does not count', () => {
  const contactHome = 'eu';
  const borrowed: readonly PartitionEvent[] = [
    queue,
    agent('a1'),
    decided({
      trigger: 'CONTACT_BORROWED',
      ...chosen('a1', 0),
      contactHome,
      attempts: 3,
      loan: 7,
      loanEpoch: 1,
    }),
    created(4, 'a1', 0, { contactHome }),
  ];
  const accepted = [...borrowed, reservation('accepted', 4, 'a1', { contactHome })];
  const connected = 'meridian.contact.connected_to_agent.v1';
  const offer = (reservationId: string, more: object = { contactHome }): Command => ({
    type: 'contact_offered',
    subject: 'c1',
    data: { reservationId },
    ...more,
  });
  const connect = (reservationId: string, more: object = {}): Command => ({
    type: 'contact_connected',
    subject: 'c1',
    data: { reservationId },
    ...more,
  });

  test('takes a later offer: the agent is let go, whether it rings or was accepted', () => {
    partition
      .given(...borrowed)
      .when(offer('c1-r4-e2'))
      .then(reservation('rescinded', 4, 'a1', { contactHome, reason: 'SUPERSEDED' }), {
        type: 'meridian.routing.returned.v1',
        subject: 'c1',
        data: { contactHome, loan: 7, loanEpoch: 1, attempts: 4, reason: 'OFFER_ENDED' },
      })
      .thenView(forgotten, nothing);
    partition
      .given(...accepted)
      .when(offer('c1-r4-e2'))
      .then(reservation('canceled', 4, 'a1', { contactHome, reason: 'SUPERSEDED' }))
      .thenView(forgotten, nothing);
  });

  test.each([
    ['this one', offer('c1-r4')],
    ['an earlier one', offer('c1-r3')],
    ['another contact of that name', offer('c1-r4-e2', { contactHome: 'ap' })],
    ['this one, and is served', connect('c1-r4', { contactHome })],
    ['another contact of that name, and is served', connect('c1-r1-e2', { contactHome: 'ap' })],
  ])('takes %s: nothing', (_, command) => {
    partition
      .given(...borrowed)
      .when(command)
      .thenNothing();
  });

  test('is served by another: the agent is let go, nothing is given back', () => {
    partition
      .given(...borrowed)
      .when(connect('c1-r1-e2', { contactHome }))
      .then(
        reservation('rescinded', 4, 'a1', { contactHome, reason: 'SERVED_ELSEWHERE' }),
        withdrawn(connected, { contactHome, reservationId: 'c1-r1-e2' }),
      )
      .thenView(forgotten, nothing);
  });

  test('is served by it: its own home keeps no place for it', () => {
    const reservationId = 'c1-r4';
    partition
      .given(queue, decided({}))
      .when(connect(reservationId))
      .then(withdrawn(connected, { reservationId }))
      .thenView(forgotten, nothing);
    const offered = [queue, agent('a2'), decided(chosen('a2', 0)), created('1-e2', 'a2', 0)];
    partition
      .given(...offered)
      .when(connect(reservationId))
      .then(
        reservation('rescinded', '1-e2', 'a2', { reason: 'SERVED_ELSEWHERE' }),
        withdrawn(connected, { reservationId }),
      )
      .thenView(forgotten, nothing);
    partition
      .given(queue, decided({}), lent({ loan: 8, loanEpoch: 2 }))
      .when(connect(reservationId))
      .then(withdrawn(connected, { lentTo: 'us', reservationId }))
      .thenView(forgotten, nothing);
  });

  test('is served by the loan that counts, or by its own home: nothing', () => {
    partition
      .given(queue, decided({}), lent({ loan: 8, loanEpoch: 2 }))
      .when(connect('c1-r1-e2-b3'))
      .thenNothing();
    const own = [queue, agent('a2'), decided(chosen('a2', 0)), created(1, 'a2', 0)];
    partition
      .given(...own, reservation('accepted', 1, 'a2', {}))
      .when(connect('c1-r1'))
      .thenNothing();
  });
});
