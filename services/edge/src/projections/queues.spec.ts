import { describe, expect, it } from '@jest/globals';
import type { DomainEvent } from '@meridian/wire';
import { at, given, rowsAfter } from '../../test/recorded.ts';
import { figuresOf, queuesProjection, type QueueRow } from './queues.ts';

type Timed = readonly [number, DomainEvent];
const settings = {
  strategy: 'LONGEST_IDLE' as const,
  offerTtlMs: 20_000,
  ageingMsPerLevel: 60_000,
  serviceLevelMs: 5_000,
};
const created: Timed = [
  0,
  { type: 'meridian.queue.created.v1', subject: 'sales', data: { settings } },
];
const queued: Timed = [
  1,
  {
    type: 'meridian.contact.queued.v1',
    subject: 'c1',
    data: { queueId: 'sales', channel: 'VOICE', requirements: [] },
  },
];
const left = (reason: 'TO_AGENT' | 'GAVE_UP' | 'REAPED', waitedMs: number): Timed => [
  2,
  {
    type: 'meridian.contact.dequeued.v1',
    subject: 'c1',
    data: { queueId: 'sales', reason, waitedMs },
  },
];

const empty = {
  tenant: 'demo',
  id: 'sales',
  home: 'eu',
  settings,
  deletedAt: null,
  queued: 0,
  answered: 0,
  answeredWithinServiceLevel: 0,
  abandoned: 0,
  reaped: 0,
  sumWaitMs: 0,
  lastStream: 'EV_eu',
  lastSequence: 1,
};
const after = (...events: Timed[]) =>
  rowsAfter(queuesProjection, given(...events)).get('demo/sales/eu') as unknown as QueueRow;

describe('queues', () => {
  it('counts who joined and how they left', () => {
    expect(
      after(
        created,
        queued,
        queued,
        queued,
        queued,
        queued,
        left('TO_AGENT', 5_000),
        left('TO_AGENT', 5_001),
        left('GAVE_UP', 9_000),
        left('REAPED', 60_000),
      ),
    ).toEqual({
      ...empty,
      queued: 5,
      answered: 2,
      answeredWithinServiceLevel: 1,
      abandoned: 1,
      reaped: 1,
      sumWaitMs: 10_001,
      lastSequence: 10,
    });
  });

  it('judges each answer by the service level in force at that moment', () => {
    const updated: Timed = [
      3,
      {
        type: 'meridian.queue.updated.v1',
        subject: 'sales',
        data: { settings: { ...settings, serviceLevelMs: 100 } },
      },
    ];
    expect(after(created, left('TO_AGENT', 200), updated, left('TO_AGENT', 200))).toMatchObject({
      answered: 2,
      answeredWithinServiceLevel: 1,
      settings: { serviceLevelMs: 100 },
    });
  });

  it('counts for a queue that was never configured, by the default service level', () => {
    expect(after(queued, left('TO_AGENT', 20_000), left('TO_AGENT', 20_001))).toEqual({
      ...empty,
      settings: null,
      queued: 1,
      answered: 2,
      answeredWithinServiceLevel: 1,
      sumWaitMs: 40_001,
      lastSequence: 3,
    });
  });

  it('keeps the totals of a queue that is deleted and made again', () => {
    const deleted: Timed = [7, { type: 'meridian.queue.deleted.v1', subject: 'sales', data: {} }];
    expect(after(created, queued, deleted)).toEqual({
      ...empty,
      queued: 1,
      deletedAt: at(7),
      lastSequence: 3,
    });
    expect(after(created, queued, deleted, created)).toEqual({
      ...empty,
      queued: 1,
      lastSequence: 4,
    });
  });

  it('computes service level and ASA from the totals, and nothing from none', () => {
    expect(figuresOf(empty as QueueRow)).toEqual({
      serviceLevel: null,
      averageSpeedOfAnswerMs: null,
    });
    const totals = {
      ...empty,
      answered: 3,
      answeredWithinServiceLevel: 2,
      abandoned: 1,
      sumWaitMs: 9_000,
    };
    expect(figuresOf(totals as QueueRow)).toEqual({
      serviceLevel: 0.5,
      averageSpeedOfAnswerMs: 3_000,
    });
  });
});
