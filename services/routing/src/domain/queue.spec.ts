import { describe, expect, test } from '@jest/globals';
import { specify } from '@meridian/testing';
import type { QueueSettings } from '@meridian/wire';
import { queueDecider, sameSettings, type Command } from './queue.ts';

const subject = 'sales';
const settings: QueueSettings = {
  requirements: [
    { skill: 'french', minimumLevel: 2 },
    { skill: 'billing', minimumLevel: 1 },
  ],
  strategy: 'MOST_SKILLED',
  offerTtlMs: 15_000,
  ageingMsPerLevel: 30_000,
  serviceLevelMs: 20_000,
};
const reordered = { ...settings, requirements: (settings.requirements ?? []).toReversed() };
const configure = (to: QueueSettings): Command => ({
  type: 'meridian.queue.configure.v1',
  subject,
  data: { settings: to },
});
const created = { type: 'meridian.queue.created.v1' as const, subject, data: { settings } };
const remove: Command = { type: 'meridian.queue.delete.v1', subject, data: {} };
const deleted = { type: 'meridian.queue.deleted.v1' as const, subject, data: {} };
const queue = specify(queueDecider);

test('is created, once', () => {
  queue.when(configure(settings)).then(created).thenState({ exists: true, settings });
  queue.given(created).when(configure(settings)).thenNothing();
  queue.given(created).when(configure(reordered)).thenNothing();
});

test.each<[string, Partial<QueueSettings>]>([
  ['strategy', { strategy: 'LONGEST_IDLE' }],
  ['offerTtlMs', { offerTtlMs: 15_001 }],
  ['ageingMsPerLevel', { ageingMsPerLevel: 1 }],
  ['serviceLevelMs', { serviceLevelMs: 1 }],
  ['requirements', { requirements: [] }],
  [
    'a level',
    {
      requirements: [
        { skill: 'french', minimumLevel: 3 },
        { skill: 'billing', minimumLevel: 1 },
      ],
    },
  ],
])('is updated when it differs in %s', (_, other) => {
  const changed = { ...settings, ...other };
  queue
    .given(created)
    .when(configure(changed))
    .then({ type: 'meridian.queue.updated.v1', subject, data: { settings: changed } })
    .thenState({ exists: true, settings: changed });
});

test('is deleted when nobody is in it, and can be created again', () => {
  queue.given(created).when(remove).then(deleted).thenState({ exists: false, settings });
  queue
    .given(created)
    .when({ ...remove, waitingCount: 0 })
    .then(deleted);
  queue
    .given(created)
    .when({ ...remove, waitingCount: 2 })
    .thenRejected({ code: 'QUEUE_NOT_EMPTY', facts: { queueId: subject, waitingCount: 2 } });
  queue.given(created, deleted).when(remove).thenNothing();
  queue.when(remove).thenNothing();
  queue.given(created, deleted).when(configure(settings)).then(created);
});

describe('sameSettings', () => {
  test('no requirements are the same as none given', () => {
    const { requirements: _, ...bare } = settings;
    expect(sameSettings({ ...settings, requirements: [] }, bare)).toBe(true);
    expect(sameSettings(settings, bare)).toBe(false);
  });
});
