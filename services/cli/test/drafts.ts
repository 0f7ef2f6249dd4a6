import { at, type Draft } from './log-builder.ts';

const durations = (spent: Readonly<Record<string, number>>): object[] =>
  Object.entries(spent).map(([state, seconds]) => ({ state, durationMs: seconds * 1000 }));

/** The events of contact `id`, as the contract has them. Durations in seconds by state. */
export const contact = {
  initiated: (id: string, flow = true): Draft[] => [
    {
      type: 'meridian.contact.initiated.v1',
      subject: id,
      data: { method: 'INBOUND', channel: 'VOICE' },
    },
    { type: 'meridian.contact.connected_to_system.v1', subject: id, data: {} },
    ...(flow
      ? [{ type: 'meridian.contact.ivr_started.v1' as const, subject: id, data: { flow: 'main' } }]
      : []),
  ],
  queued: (id: string, priority = 0, requirements: object[] = []): Draft[] => [
    { type: 'meridian.contact.ivr_ended.v1', subject: id, data: { exit: 'TO_QUEUE' } },
    {
      type: 'meridian.contact.queued.v1',
      subject: id,
      data: { queueId: 'q1', channel: 'VOICE', priority, requirements },
    },
  ],
  offered: (id: string, reservationId: string, agentId: string, expires: number): Draft[] => [
    {
      type: 'meridian.contact.offered.v1',
      subject: id,
      data: { reservationId, agentId, expiresAt: at(expires) },
    },
  ],
  requeued: (id: string, reservationId: string, enqueued: number): Draft[] => [
    {
      type: 'meridian.contact.requeued.v1',
      subject: id,
      data: { reservationId, reason: 'TIMED_OUT', enqueuedAt: at(enqueued) },
    },
  ],
  connected: (id: string, reservationId: string, agentId: string, waited: number): Draft[] => [
    {
      type: 'meridian.contact.dequeued.v1',
      subject: id,
      data: { queueId: 'q1', reason: 'TO_AGENT', waitedMs: waited * 1000 },
    },
    {
      type: 'meridian.contact.connected_to_agent.v1',
      subject: id,
      data: { agentId, reservationId },
    },
  ],
  held: (id: string): Draft[] => [{ type: 'meridian.contact.held.v1', subject: id, data: {} }],
  resumed: (id: string): Draft[] => [
    { type: 'meridian.contact.resumed.v1', subject: id, data: {} },
  ],
  hungUp: (id: string, agentId: string, limit: number): Draft[] => [
    { type: 'meridian.contact.disconnected.v1', subject: id, data: { by: 'CUSTOMER' } },
    { type: 'meridian.contact.acw_started.v1', subject: id, data: { agentId, limitAt: at(limit) } },
  ],
  completed: (id: string, spent: Readonly<Record<string, number>>): Draft[] => [
    { type: 'meridian.contact.acw_ended.v1', subject: id, data: { reason: 'BY_AGENT' } },
    { type: 'meridian.contact.completed.v1', subject: id, data: { durations: durations(spent) } },
  ],
  gaveUp: (id: string, waited: number, spent: Readonly<Record<string, number>>): Draft[] => [
    {
      type: 'meridian.contact.dequeued.v1',
      subject: id,
      data: { queueId: 'q1', reason: 'GAVE_UP', waitedMs: waited * 1000 },
    },
    {
      type: 'meridian.contact.abandoned.v1',
      subject: id,
      data: { stage: 'QUEUED', durations: durations(spent) },
    },
  ],
  reaped: (id: string, since: number, spent: Readonly<Record<string, number>>): Draft[] => [
    { type: 'meridian.contact.ivr_ended.v1', subject: id, data: { exit: 'WATCHDOG' } },
    {
      type: 'meridian.contact.orphan_reaped.v1',
      subject: id,
      data: { state: 'IVR', since: at(since), limitMs: 3_600_000, durations: durations(spent) },
    },
  ],
};

/** The events of the routing partition. */
export const routing = {
  queue: (id: string, settings: object = {}): Draft => ({
    type: 'meridian.queue.created.v1',
    subject: id,
    data: {
      settings: {
        strategy: 'LONGEST_IDLE',
        offerTtlMs: 20_000,
        ageingMsPerLevel: 60_000,
        serviceLevelMs: 20_000,
        ...settings,
      },
    },
  }),
  signedIn: (id: string, capacity = 1, presence = 'AVAILABLE', skills: object[] = []): Draft => ({
    type: 'meridian.agent.signed_in.v1',
    subject: id,
    data: {
      sessionId: `${id}-s1`,
      skills,
      capacities: [{ channel: 'VOICE', limit: capacity }],
      presence,
    },
  }),
  signedOut: (id: string): Draft => ({
    type: 'meridian.agent.signed_out.v1',
    subject: id,
    data: { sessionId: `${id}-s1` },
  }),
  presence: (id: string, from: string, to: string): Draft => ({
    type: 'meridian.agent.state_changed.v1',
    subject: id,
    data: { from, to },
  }),
  notResponding: (id: string, reservationId: string): Draft => ({
    type: 'meridian.agent.not_responding.v1',
    subject: id,
    data: { reservationId },
  }),
  decided: (
    id: string,
    outcome: 'OFFERED' | 'WAITING',
    trigger: string,
    enqueued: number,
    more: object = {},
  ): Draft => ({
    type: 'meridian.routing.decided.v1',
    subject: id,
    data: {
      outcome,
      trigger,
      queueId: 'q1',
      channel: 'VOICE',
      priority: 0,
      requirements: [],
      contactRequirements: [],
      enqueuedAt: at(enqueued),
      waitingCount: 1,
      strategy: 'LONGEST_IDLE',
      candidates: [],
      candidateCount: 0,
      exclusions: [],
      algorithm: 'skills-longest-idle/1',
      ...more,
    },
  }),
  withdrawn: (id: string): Draft => ({
    type: 'meridian.routing.withdrawn.v1',
    subject: id,
    data: { queueId: 'q1', reason: 'meridian.contact.abandoned.v1' },
  }),
  created: (id: string, contactId: string, agentId: string, expires: number): Draft => ({
    type: 'meridian.reservation.created.v1',
    subject: id,
    data: { contactId, agentId, queueId: 'q1', channel: 'VOICE', expiresAt: at(expires) },
  }),
  changed: (
    what:
      | 'accepted'
      | 'rejected'
      | 'timed_out'
      | 'rescinded'
      | 'canceled'
      | 'wrapping'
      | 'completed',
    id: string,
    contactId: string,
    agentId: string,
  ): Draft => ({
    type: `meridian.reservation.${what}.v1`,
    subject: id,
    data: {
      contactId,
      agentId,
      ...(what === 'rescinded' || what === 'canceled' ? { reason: 'TEST' } : {}),
    },
  }),
};
