import { describe, test } from '@jest/globals';
import { specify } from '@meridian/testing';
import type { ContactEvent } from '@meridian/wire';
import { at, histories, reservation, type Past } from '../../test/histories.ts';
import { contactDecider, type Command } from './contact.ts';

const subject = 'c1';
const contact = specify(contactDecider);
const time = (ms: number): string => new Date(ms).toISOString();
const event = <Type extends ContactEvent['type']>(
  type: Type,
  data: Extract<ContactEvent, { type: Type }>['data'],
): ContactEvent => ({ type, subject, data }) as ContactEvent;
const ask = (type: 'offer' | 'requeue' | 'connect', data: object): Command =>
  ({ type, subject, data }) as Command;

describe('an offer of another partition', () => {
  const later = { reservationId: 'c1-r2', agentId: 'a2' };
  const expiresAt = time(at.command + 20_000);
  const offeredLater = event('meridian.contact.offered.v1', { ...later, expiresAt });
  const reoffered: Past = [...histories.OFFERED, [offeredLater, at.requeued]];

  test('is heard of before the end of the one before', () => {
    contact
      .given(...histories.OFFERED)
      .when(ask('offer', { ...later, expiresAt }), { at: at.requeued })
      .then(
        event('meridian.contact.requeued.v1', {
          reservationId: 'c1-r1',
          reason: 'SUPERSEDED',
          enqueuedAt: time(at.queued),
        }),
        offeredLater,
      );
  });

  test.each(['REJECTED', 'TIMED_OUT', 'RESCINDED'] as const)(
    'whose turn is over is passed over: %s',
    (reason) => {
      contact
        .given(...reoffered)
        .when(ask('requeue', { reservationId: 'c1-r1', reason }))
        .thenNothing();
    },
  );

  test('with a lower number than the last is passed over, and cannot be answered', () => {
    const first = ask('offer', { ...reservation, expiresAt });
    const jumped: Past = [...histories.QUEUED, [offeredLater, at.offered]];
    contact
      .given(...jumped)
      .when(first)
      .thenNothing();
    contact
      .given(...jumped)
      .when(ask('connect', reservation))
      .thenRejected({
        code: 'OFFER_STALE',
        facts: { contactId: 'c1', state: 'OFFERED', reservationId: 'c1-r1' },
      });
  });

  test.each([
    ['c1-r9', 'c1-r10', true],
    ['c1-r10', 'c1-r9', false],
    ['c1-r10', 'c1-r10', false],
    ['c1-r10', 'c1-r1-e2', true],
    ['c1-r1-e2', 'c1-r10', false],
    ['c1-r1-e1-b2', 'c1-r1', false],
  ])('after %s, %s is heard: %s', (last, next, isHeard) => {
    const known = event('meridian.contact.offered.v1', {
      reservationId: last,
      agentId: 'a1',
      expiresAt,
    });
    const back = event('meridian.contact.requeued.v1', {
      reservationId: last,
      reason: 'TIMED_OUT',
      enqueuedAt: time(at.queued),
    });
    const data = { reservationId: next, agentId: 'a2', expiresAt };
    const answer = contact
      .given(...histories.QUEUED, [known, at.offered], [back, at.requeued])
      .when(ask('offer', data));
    if (isHeard) answer.then(event('meridian.contact.offered.v1', data));
    else answer.thenNothing();
  });
});
