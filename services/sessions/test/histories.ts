import type { ContactEvent, ContactState } from '@meridian/wire';

/** When things happen to the contact `c1` of the histories, in epoch ms. */
export const at = {
  initiated: 1_000_000,
  queued: 1_030_000,
  offered: 1_040_000,
  requeued: 1_050_000,
  connected: 1_045_000,
  held: 1_060_000,
  resumed: 1_070_000,
  disconnected: 1_100_000,
  completed: 1_130_000,
  /** When a command of the tables comes. */
  command: 1_200_000,
} as const;

export type Past = readonly (readonly [ContactEvent, number])[];

const subject = 'c1';
export const reservation = { reservationId: 'c1-r1', agentId: 'a1' };

const begun: Past = [
  [
    {
      type: 'meridian.contact.initiated.v1',
      subject,
      data: {
        method: 'INBOUND',
        channel: 'VOICE',
        customer: '+49 30 1',
        attributes: { plan: 'gold' },
      },
    },
    at.initiated,
  ],
  [{ type: 'meridian.contact.connected_to_system.v1', subject, data: {} }, at.initiated],
];
const ivr: Past = [
  ...begun,
  [{ type: 'meridian.contact.ivr_started.v1', subject, data: { flow: 'main' } }, at.initiated],
];
const queued: Past = [
  ...ivr,
  [{ type: 'meridian.contact.ivr_ended.v1', subject, data: { exit: 'TO_QUEUE' } }, at.queued],
  [
    {
      type: 'meridian.contact.queued.v1',
      subject,
      data: { queueId: 'sales', channel: 'VOICE', priority: 2, requirements: [] },
    },
    at.queued,
  ],
];
const offered: Past = [
  ...queued,
  [
    {
      type: 'meridian.contact.offered.v1',
      subject,
      data: { ...reservation, expiresAt: new Date(at.offered + 20_000).toISOString() },
    },
    at.offered,
  ],
];
const connected: Past = [
  ...offered,
  [
    {
      type: 'meridian.contact.dequeued.v1',
      subject,
      data: { queueId: 'sales', reason: 'TO_AGENT', waitedMs: at.connected - at.queued },
    },
    at.connected,
  ],
  [{ type: 'meridian.contact.connected_to_agent.v1', subject, data: reservation }, at.connected],
];
const wrappingUp: Past = [
  ...connected,
  [{ type: 'meridian.contact.held.v1', subject, data: {} }, at.held],
  [{ type: 'meridian.contact.resumed.v1', subject, data: {} }, at.resumed],
  [
    { type: 'meridian.contact.disconnected.v1', subject, data: { by: 'CUSTOMER' } },
    at.disconnected,
  ],
  [
    {
      type: 'meridian.contact.acw_started.v1',
      subject,
      data: { agentId: 'a1', limitAt: new Date(at.disconnected + 300_000).toISOString() },
    },
    at.disconnected,
  ],
];

/** How the contact `c1` came into each state; REQUEUED is QUEUED again after an offer. */
export const histories: Readonly<
  Record<'NONE' | Exclude<ContactState, 'CANCELED'> | 'REQUEUED', Past>
> = {
  NONE: [],
  IN_SYSTEM: begun,
  IVR: ivr,
  QUEUED: queued,
  OFFERED: offered,
  REQUEUED: [
    ...offered,
    [
      {
        type: 'meridian.contact.requeued.v1',
        subject,
        data: {
          reservationId: 'c1-r1',
          reason: 'REJECTED',
          enqueuedAt: new Date(at.queued).toISOString(),
        },
      },
      at.requeued,
    ],
  ],
  CONNECTED: connected,
  HELD: [...connected, [{ type: 'meridian.contact.held.v1', subject, data: {} }, at.held]],
  WRAP_UP: wrappingUp,
  COMPLETED: [
    ...wrappingUp,
    [
      { type: 'meridian.contact.acw_ended.v1', subject, data: { reason: 'BY_AGENT' } },
      at.completed,
    ],
    [
      {
        type: 'meridian.contact.completed.v1',
        subject,
        data: { durations: [{ state: 'IVR', durationMs: 130_000 }] },
      },
      at.completed,
    ],
  ],
  ABANDONED: [
    ...offered,
    [
      {
        type: 'meridian.contact.dequeued.v1',
        subject,
        data: { queueId: 'sales', reason: 'GAVE_UP', waitedMs: at.requeued - at.queued },
      },
      at.requeued,
    ],
    [
      { type: 'meridian.contact.abandoned.v1', subject, data: { stage: 'OFFERED', durations: [] } },
      at.requeued,
    ],
  ],
  FAILED: [
    ...begun,
    [
      {
        type: 'meridian.contact.orphan_reaped.v1',
        subject,
        data: {
          state: 'IN_SYSTEM',
          since: new Date(at.initiated).toISOString(),
          limitMs: 3_600_000,
          durations: [],
        },
      },
      at.initiated + 3_600_000,
    ],
  ],
};
