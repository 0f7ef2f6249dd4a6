import { specify } from '@meridian/testing';
import type { QueueSettings, RoutingDecided, RoutingLent } from '@meridian/wire';
import { partitionDecider, type Partition, type PartitionEvent } from '../src/domain/partition.ts';

// What happens around contact `c1` of queue `q1`, as events of a partition.

export const partition = specify(partitionDecider);
export const time = (ms: number): string => new Date(ms).toISOString();
export const settings: QueueSettings = {
  requirements: [],
  strategy: 'LONGEST_IDLE',
  offerTtlMs: 20_000,
  ageingMsPerLevel: 60_000,
  serviceLevelMs: 20_000,
};
export const queue: PartitionEvent = {
  type: 'meridian.queue.created.v1',
  subject: 'q1',
  data: { settings },
};
export const agent = (subject: string): PartitionEvent => ({
  type: 'meridian.agent.signed_in.v1',
  subject,
  data: {
    sessionId: 's1',
    skills: [],
    capacities: [{ channel: 'VOICE', limit: 1 }],
    presence: 'AVAILABLE',
  },
});

/** What is said of `c1`, which joined at 1. */
export const decided = (data: Partial<RoutingDecided>): PartitionEvent => ({
  type: 'meridian.routing.decided.v1',
  subject: 'c1',
  data: {
    outcome: 'WAITING',
    trigger: 'CONTACT_QUEUED',
    queueId: 'q1',
    channel: 'VOICE',
    priority: 2,
    requirements: [],
    enqueuedAt: time(1),
    waitingCount: 1,
    strategy: 'LONGEST_IDLE',
    candidates: [],
    candidateCount: 0,
    exclusions: [],
    contactRequirements: [],
    algorithm: 'skills-longest-idle/1',
    ...data,
  },
});
export const chosen = (agentId: string, idleMs: number): Partial<RoutingDecided> => ({
  outcome: 'OFFERED',
  agentId,
  candidates: [{ agentId, levelSum: 0, idleMs }],
  candidateCount: 1,
});
export const place: RoutingLent = {
  to: 'us',
  loan: 1,
  queueId: 'q1',
  channel: 'VOICE',
  priority: 2,
  contactRequirements: [],
  enqueuedAt: time(1),
  attempts: 0,
};
export const lent = (data: Partial<RoutingLent> = {}): PartitionEvent => ({
  type: 'meridian.routing.lent.v1',
  subject: 'c1',
  data: { ...place, ...data },
});
export const reservation = (
  name: string,
  number: number | string,
  agentId: string,
  data: object,
): PartitionEvent =>
  ({
    type: `meridian.reservation.${name}.v1`,
    subject: `c1-r${number}`,
    data: { contactId: 'c1', agentId, ...data },
  }) as PartitionEvent;
export const created = (
  number: number | string,
  agentId: string,
  atMs: number,
  data: object = {},
): PartitionEvent =>
  reservation('created', number, agentId, {
    queueId: 'q1',
    channel: 'VOICE',
    expiresAt: time(atMs + 20_000),
    ...data,
  });
export const withdrawn = (reason: string, data: object): PartitionEvent => ({
  type: 'meridian.routing.withdrawn.v1',
  subject: 'c1',
  data: { queueId: 'q1', reason, ...data },
});
export const abandoned = 'meridian.contact.abandoned.v1';
export const completed = 'meridian.contact.completed.v1';

/** Nothing is known of `c1` any more. */
export const forgotten = ({
  waiting,
  offered,
  reservations,
  attempts,
  loans,
}: Partition): unknown => [
  waiting.has('c1') || offered.has('c1') || attempts.has('c1'),
  reservations.size,
  loans.lent.size + loans.borrowed.size + loans.returns.size,
];
export const nothing = [false, 0, 0];
