import { describe, expect, it } from '@jest/globals';
import type { DomainEvent } from '@meridian/wire';
import { at, given, rowsAfter } from '../../test/recorded.ts';
import { contactsProjection, timelineProjection } from './contacts.ts';

const subject = 'c1';
type Timed = readonly [number, DomainEvent];

const initiated: Timed = [
  0,
  {
    type: 'meridian.contact.initiated.v1',
    subject,
    data: { method: 'INBOUND', channel: 'VOICE', attributes: { language: 'de' } },
  },
];
const queued: Timed = [
  1_000,
  {
    type: 'meridian.contact.queued.v1',
    subject,
    data: { queueId: 'sales', channel: 'VOICE', priority: 2, requirements: [] },
  },
];
const offered: Timed = [
  2_000,
  {
    type: 'meridian.contact.offered.v1',
    subject,
    data: { reservationId: 'r1', agentId: 'a1', expiresAt: '2026-01-05T08:00:22.000Z' },
  },
];
const dequeued = (reason: 'TO_AGENT' | 'GAVE_UP' | 'REAPED'): Timed => [
  4_000,
  {
    type: 'meridian.contact.dequeued.v1',
    subject,
    data: { queueId: 'sales', reason, waitedMs: 3_000 },
  },
];
const connected: Timed = [
  4_000,
  {
    type: 'meridian.contact.connected_to_agent.v1',
    subject,
    data: { agentId: 'a1', reservationId: 'r1' },
  },
];

const fresh = {
  tenant: 'demo',
  id: 'c1',
  home: 'eu',
  state: 'IN_SYSTEM',
  channel: 'VOICE',
  method: 'INBOUND',
  queueId: null,
  priority: 0,
  agentId: null,
  reservationId: null,
  initiatedAt: at(0),
  queuedAt: null,
  connectedAt: null,
  endedAt: null,
  waitedMs: null,
  disposition: null,
  attributes: { language: 'de' },
  lastStream: 'EV_eu',
  lastSequence: 1,
  revision: 0,
};
const inQueue = {
  ...fresh,
  state: 'QUEUED',
  queueId: 'sales',
  priority: 2,
  queuedAt: at(1_000),
  lastSequence: 2,
  revision: 1,
};
const inOffer = {
  ...inQueue,
  state: 'OFFERED',
  agentId: 'a1',
  reservationId: 'r1',
  lastSequence: 3,
  revision: 2,
};

const after = (...events: Timed[]) =>
  rowsAfter(contactsProjection, given(...events)).get('demo/c1/eu');

describe('contacts', () => {
  it('begins in the system', () => {
    expect(after(initiated)).toEqual(fresh);
  });

  it('says nothing of a contact whose beginning is not known', () => {
    expect(after(queued, offered)).toBeUndefined();
  });

  it('follows a contact from the IVR to its end', () => {
    expect(
      after(
        initiated,
        [10, { type: 'meridian.contact.connected_to_system.v1', subject, data: {} }],
        [20, { type: 'meridian.contact.ivr_started.v1', subject, data: { flow: 'main' } }],
      ),
    ).toEqual({ ...fresh, state: 'IVR', lastSequence: 3, revision: 2 });
    expect(after(initiated, queued)).toEqual(inQueue);
    expect(after(initiated, queued, offered)).toEqual(inOffer);
    const talking = {
      ...inOffer,
      state: 'CONNECTED',
      connectedAt: at(4_000),
      waitedMs: 3_000,
      lastSequence: 5,
      revision: 4,
    };
    expect(after(initiated, queued, offered, dequeued('TO_AGENT'), connected)).toEqual(talking);
    expect(
      after(
        initiated,
        queued,
        offered,
        dequeued('TO_AGENT'),
        connected,
        [5_000, { type: 'meridian.contact.disconnected.v1', subject, data: { by: 'CUSTOMER' } }],
        [
          5_000,
          {
            type: 'meridian.contact.acw_started.v1',
            subject,
            data: { agentId: 'a1', limitAt: '2026-01-05T08:01:00.000Z' },
          },
        ],
        [9_000, { type: 'meridian.contact.acw_ended.v1', subject, data: { reason: 'BY_AGENT' } }],
        [9_000, { type: 'meridian.contact.disposed.v1', subject, data: { disposition: 'solved' } }],
        [9_000, { type: 'meridian.contact.completed.v1', subject, data: { durations: [] } }],
      ),
    ).toEqual({
      ...talking,
      state: 'COMPLETED',
      endedAt: at(9_000),
      disposition: 'solved',
      lastSequence: 10,
      revision: 9,
    });
  });

  it('holds and resumes, and wraps up', () => {
    const held: Timed = [5_000, { type: 'meridian.contact.held.v1', subject, data: {} }];
    const resumed: Timed = [6_000, { type: 'meridian.contact.resumed.v1', subject, data: {} }];
    expect(after(initiated, queued, offered, connected, held)).toMatchObject({
      state: 'HELD',
      agentId: 'a1',
    });
    expect(after(initiated, queued, offered, connected, held, resumed)).toMatchObject({
      state: 'CONNECTED',
    });
  });

  it('returns a contact to its place when the offer came to nothing', () => {
    expect(
      after(initiated, queued, offered, [
        22_000,
        {
          type: 'meridian.contact.requeued.v1',
          subject,
          data: {
            reservationId: 'r1',
            reason: 'TIMED_OUT',
            enqueuedAt: '2026-01-05T08:00:01.000Z',
          },
        },
      ]),
    ).toEqual({ ...inQueue, lastSequence: 4, revision: 3 });
  });

  it("ends an abandoned contact as nobody's, with the time it waited", () => {
    expect(
      after(initiated, queued, offered, dequeued('GAVE_UP'), [
        4_000,
        {
          type: 'meridian.contact.abandoned.v1',
          subject,
          data: { stage: 'OFFERED', durations: [] },
        },
      ]),
    ).toEqual({
      ...inQueue,
      state: 'ABANDONED',
      endedAt: at(4_000),
      waitedMs: 3_000,
      lastSequence: 5,
      revision: 4,
    });
  });

  it('keeps the agent of a contact that a watchdog ended while they spoke', () => {
    expect(
      after(initiated, queued, offered, connected, [
        9_000,
        {
          type: 'meridian.contact.orphan_reaped.v1',
          subject,
          data: {
            state: 'CONNECTED',
            since: '2026-01-05T08:00:04.000Z',
            limitMs: 5_000,
            durations: [],
          },
        },
      ]),
    ).toMatchObject({ state: 'FAILED', agentId: 'a1', endedAt: at(9_000) });
  });

  it('adds and replaces attributes', () => {
    expect(
      after(initiated, [
        5,
        {
          type: 'meridian.contact.attributes_updated.v1',
          subject,
          data: { attributes: { language: 'fr', vip: 'yes' } },
        },
      ]),
    ).toEqual({
      ...fresh,
      attributes: { language: 'fr', vip: 'yes' },
      lastSequence: 2,
      revision: 1,
    });
  });

  it('never changes the row it is given', () => {
    const [first, second] = given(initiated, queued);
    const row = contactsProjection.evolve(undefined, first!, ['demo', 'c1']);
    const copy = structuredClone(row);
    contactsProjection.evolve(Object.freeze(row), second!, ['demo', 'c1']);
    expect(row).toEqual(copy);
  });
});

describe('timeline', () => {
  const rows = (...events: Timed[]) =>
    given(...events).flatMap((one) => timelineProjection.rows(one));

  it("holds the contact's own events and those about it elsewhere, as they are stored", () => {
    const [stored] = given(initiated);
    const listed = rows(
      initiated,
      [
        1,
        {
          type: 'meridian.reservation.accepted.v1',
          subject: 'r1',
          data: { contactId: 'c1', agentId: 'a1' },
        },
      ],
      [
        2,
        {
          type: 'meridian.routing.withdrawn.v1',
          subject: 'c1',
          data: { queueId: 'sales', reason: 'x' },
        },
      ],
    );
    expect(listed[0]).toEqual({
      tenant: 'demo',
      contactId: 'c1',
      home: 'eu',
      stream: 'EV_eu',
      sequence: 1,
      index: 0,
      type: 'meridian.contact.initiated.v1',
      time: at(0),
      subject: 'c1',
      event: stored?.text,
    });
    expect(listed.map(({ contactId, type, sequence }) => [contactId, type, sequence])).toEqual([
      ['c1', 'meridian.contact.initiated.v1', 1],
      ['c1', 'meridian.reservation.accepted.v1', 2],
      ['c1', 'meridian.routing.withdrawn.v1', 3],
    ]);
  });

  it('holds nothing of what names no contact', () => {
    expect(
      rows(
        [0, { type: 'meridian.agent.signed_out.v1', subject: 'a1', data: { sessionId: 's1' } }],
        [
          1,
          {
            type: 'meridian.agent.not_responding.v1',
            subject: 'a1',
            data: { reservationId: 'r1' },
          },
        ],
        [2, { type: 'meridian.queue.deleted.v1', subject: 'sales', data: {} }],
      ),
    ).toEqual([]);
  });
});
