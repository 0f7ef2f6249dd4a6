import { describe, expect, test } from '@jest/globals';
import { arbitraryData } from '@meridian/testing';
import { contracts, type DomainEvent } from '@meridian/wire';
import { seeded } from '@meridian/core';
import { react } from './react.ts';

const subject = 'c1-r1';
const parties = { contactId: 'c1', agentId: 'a1' };

describe('what the routing decided, to the contact', () => {
  test.each<[DomainEvent, ReturnType<typeof react>]>([
    [
      {
        type: 'meridian.reservation.created.v1',
        subject,
        data: {
          ...parties,
          queueId: 'sales',
          channel: 'VOICE',
          expiresAt: '2026-01-01T00:00:20.000Z',
        },
      },
      {
        type: 'offer',
        subject: 'c1',
        data: { reservationId: subject, agentId: 'a1', expiresAt: '2026-01-01T00:00:20.000Z' },
      },
    ],
    [
      { type: 'meridian.reservation.accepted.v1', subject, data: parties },
      { type: 'connect', subject: 'c1', data: { reservationId: subject, agentId: 'a1' } },
    ],
    [
      { type: 'meridian.reservation.rejected.v1', subject, data: { ...parties, reason: 'busy' } },
      { type: 'requeue', subject: 'c1', data: { reservationId: subject, reason: 'REJECTED' } },
    ],
    [
      { type: 'meridian.reservation.timed_out.v1', subject, data: parties },
      { type: 'requeue', subject: 'c1', data: { reservationId: subject, reason: 'TIMED_OUT' } },
    ],
    [
      {
        type: 'meridian.reservation.rescinded.v1',
        subject,
        data: { ...parties, reason: 'AGENT_LEFT' },
      },
      { type: 'requeue', subject: 'c1', data: { reservationId: subject, reason: 'RESCINDED' } },
    ],
  ])('%j', (event, expected) => {
    const { subject: id, data } = event;
    const borrowed = { ...event, data: { ...data, contactHome: 'ap' } } as DomainEvent;
    expect(id).toBe(subject);
    // The partition of the contact's own home decided it, or another's that had borrowed it.
    expect(react({ ...event, region: 'eu' }, 'eu')).toStrictEqual(expected);
    expect(react({ ...borrowed, region: 'eu' }, 'ap')).toStrictEqual(expected);
    expect(react({ ...event, region: 'eu' }, 'ap')).toBeUndefined();
    expect(react({ ...borrowed, region: 'eu' }, 'eu')).toBeUndefined();
  });

  const meant = /\.reservation\.(?:created|accepted|rejected|timed_out|rescinded)\./;
  const others = contracts.filter(({ kind, type }) => kind === 'EVENT' && !meant.test(type));
  test.each(others.map((contract) => [contract.type, contract] as const))(
    '%s means nothing',
    (type, contract) => {
      const event = {
        type,
        subject: 'x',
        data: arbitraryData(contract, seeded(type)),
      } as DomainEvent;
      expect(react({ ...event, region: 'eu' }, 'eu')).toBeUndefined();
    },
  );
});
