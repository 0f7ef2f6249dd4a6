import { describe, expect, test } from '@jest/globals';
import { seeded } from '@meridian/core';
import { arbitraryData } from '@meridian/testing';
import { contracts, type DomainEvent } from '@meridian/wire';
import { react } from './react.ts';

const subject = 'c1';
const time = '2026-01-31T08:15:00.000Z';
const ends = { durations: [] };

describe("what a contact's decision means for the routing", () => {
  const queued = { queueId: 'sales', channel: 'VOICE' as const, priority: 2, requirements: [] };
  const served = { reservationId: 'c1-r1', agentId: 'a1' };
  test.each<[DomainEvent, ReturnType<typeof react>]>([
    [
      { type: 'meridian.contact.queued.v1', subject, data: queued },
      { type: 'contact_queued', subject, data: queued, enqueuedAt: time },
    ],
    [
      { type: 'meridian.contact.abandoned.v1', subject, data: { stage: 'QUEUED', ...ends } },
      { type: 'contact_ended', subject, data: { reason: 'meridian.contact.abandoned.v1' } },
    ],
    [
      {
        type: 'meridian.contact.orphan_reaped.v1',
        subject,
        data: { state: 'IVR', since: time, limitMs: 1, ...ends },
      },
      { type: 'contact_ended', subject, data: { reason: 'meridian.contact.orphan_reaped.v1' } },
    ],
    [
      { type: 'meridian.contact.disconnected.v1', subject, data: { by: 'AGENT' } },
      { type: 'contact_wrapping', subject },
    ],
    [
      { type: 'meridian.contact.completed.v1', subject, data: ends },
      { type: 'contact_completed', subject },
    ],
    [
      { type: 'meridian.contact.connected_to_agent.v1', subject, data: served },
      { type: 'contact_connected', subject, data: { reservationId: 'c1-r1' } },
    ],
  ])('%j', (event, expected) => {
    expect(react({ ...event, region: 'eu', epoch: 1 }, time, 'eu')).toStrictEqual(expected);
  });

  test.each([
    'meridian.contact.abandoned.v1',
    'meridian.contact.orphan_reaped.v1',
    'meridian.contact.disconnected.v1',
    'meridian.contact.completed.v1',
  ] as const)('%s of another home names that home', (type) => {
    const event = { type, subject, data: ends } as unknown as DomainEvent;
    expect(react({ ...event, region: 'us', epoch: 1 }, time, 'eu')).toStrictEqual({
      ...react({ ...event, region: 'eu', epoch: 1 }, time, 'eu'),
      contactHome: 'us',
    });
  });

  test('an offer that a contact took matters to the partitions of other homes', () => {
    const data = { ...served, expiresAt: time };
    const event = { type: 'meridian.contact.offered.v1' as const, subject, data };
    expect(react({ ...event, region: 'eu', epoch: 1 }, time, 'eu')).toBeUndefined();
    expect(react({ ...event, region: 'us', epoch: 1 }, time, 'eu')).toStrictEqual({
      type: 'contact_offered',
      subject,
      contactHome: 'us',
      data: { reservationId: 'c1-r1' },
    });
  });

  test('a contact of another home does not queue here', () => {
    const event = { type: 'meridian.contact.queued.v1' as const, subject, data: queued };
    expect(react({ ...event, region: 'us', epoch: 1 }, time, 'eu')).toBeUndefined();
  });

  const meant =
    /\.contact\.(?:queued|abandoned|orphan_reaped|connected_to_agent|disconnected|completed)\./;
  const others = contracts.filter(({ kind, type }) => kind === 'EVENT' && !meant.test(type));
  test.each(others.map((contract) => [contract.type, contract] as const))(
    '%s means nothing',
    (type, contract) => {
      const event = {
        type,
        subject,
        data: arbitraryData(contract, seeded(type)),
      } as unknown as DomainEvent;
      expect(react({ ...event, region: 'eu', epoch: 1 }, time, 'eu')).toBeUndefined();
    },
  );
});

describe("what another home's partition decided", () => {
  const lent = {
    to: 'eu',
    loan: 7,
    queueId: 'sales',
    channel: 'VOICE' as const,
    contactRequirements: [],
    enqueuedAt: time,
  };
  const returned = {
    contactHome: 'eu',
    loan: 7,
    loanEpoch: 2,
    attempts: 3,
    reason: 'NO_AGENT' as const,
  };
  const withdrawn = (reason: string, data: object = {}): DomainEvent => ({
    type: 'meridian.routing.withdrawn.v1',
    subject,
    data: { queueId: 'sales', reason, lentTo: 'eu', ...data },
  });
  const signedIn = { sessionId: 's1', skills: [], capacities: [], presence: 'AVAILABLE' as const };
  test.each<[DomainEvent, ReturnType<typeof react>]>([
    [
      { type: 'meridian.routing.lent.v1', subject, data: lent },
      { type: 'borrow', subject, data: { home: 'us', loan: 7, loanEpoch: 4, lent } },
    ],
    [
      { type: 'meridian.routing.returned.v1', subject, data: returned },
      { type: 'take_back', subject, data: { from: 'us', loan: 7, loanEpoch: 2 } },
    ],
    [
      withdrawn('meridian.contact.completed.v1'),
      { type: 'contact_completed', subject, contactHome: 'us' },
    ],
    [
      withdrawn('meridian.contact.abandoned.v1'),
      {
        type: 'contact_ended',
        subject,
        contactHome: 'us',
        data: { reason: 'meridian.contact.abandoned.v1' },
      },
    ],
    [
      withdrawn('meridian.contact.connected_to_agent.v1', { reservationId: 'c1-r1' }),
      {
        type: 'contact_connected',
        subject,
        contactHome: 'us',
        data: { reservationId: 'c1-r1' },
      },
    ],
    [
      { type: 'meridian.agent.signed_in.v1', subject: 'a1', data: signedIn },
      {
        type: 'signed_in_elsewhere',
        subject: 'a1',
        data: { home: 'us', at: time, winsTie: true },
      },
    ],
    [
      {
        type: 'meridian.agent.session_superseded.v1',
        subject: 'a1',
        data: { sessionId: 's1', supersededBy: 's2' },
      },
      {
        type: 'signed_in_elsewhere',
        subject: 'a1',
        data: { home: 'us', at: time, winsTie: true },
      },
    ],
  ])('%j', (event, expected) => {
    const stored = { ...event, region: 'us', epoch: 4 };
    expect(react(stored, time, 'eu')).toStrictEqual(expected);
    // Who is not meant passes over it; of an agent everybody is told but the home itself.
    const told = event.type.startsWith('meridian.agent.');
    expect(react(stored, time, 'ap') === undefined).toBe(!told);
    expect(react(stored, time, 'us')).toBeUndefined();
  });
});
