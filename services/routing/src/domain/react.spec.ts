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
  ])('%j', (event, expected) => {
    expect(react({ ...event, region: 'eu', epoch: 1 }, time, 'eu')).toStrictEqual(expected);
  });

  const meant = /\.contact\.(?:queued|abandoned|orphan_reaped|disconnected|completed)\./;
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
