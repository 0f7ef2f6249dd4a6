import type { DomainEvent, EventToEncode } from '@meridian/wire';

/** When the first contact came, epoch ms, and how many come a second, by the log's own clock. */
const startMs = Date.parse('2026-01-05T08:00:00Z');
const contactsPerSecond = 20;
const agents = 400;
const queues = ['sales', 'service', 'claims', 'cards'] as const;
/** One in so many contacts goes on after the end of the log. */
const livingEvery = 200;

export const tenant = 'demo';
export const agentIds = Array.from({ length: agents }, (_, index) => `a${index}`);
export const queueIds = queues;

/** How many entries a contact that ends has in its own history. */
export const stages = 6;

/** One contact's way through the log. */
export interface BenchContact {
  readonly id: string;
  readonly index: number;
  readonly agentId: string;
  readonly queueId: string;
  readonly reservationId: string;
}

export const contactOf = (index: number): BenchContact => ({
  id: `c${index}`,
  index,
  agentId: agentIds[index % agents] as string,
  queueId: queues[index % queues.length] as string,
  reservationId: `r${index}`,
});

/** After how many stages the contact is left as it is: a few are living when the log ends. */
export const stagesOf = ({ index }: BenchContact): number =>
  index % livingEvery === 0 ? 1 + ((index / livingEvery) % (stages - 1)) : stages;

export const beganAtMs = (index: number): number => startMs + (index * 1_000) / contactsPerSecond;

/** The request that begins a contact, as an edge stores it. */
export function requestOf({ id, index }: BenchContact): string {
  return JSON.stringify({
    specversion: '1.0',
    id: `q${index}`,
    source: '/pbx',
    type: 'meridian.contact.initiate.v1',
    subject: id,
    tenant,
    time: new Date(beganAtMs(index)).toISOString(),
    actor: 'pbx',
    data: { method: 'INBOUND', channel: 'VOICE', attributes: { line: '49301234' } },
  });
}

/** What is decided of a contact at each stage: its own entry, and the partition's. */
export function eventsOf(contact: BenchContact, stage: number): EventToEncode[] {
  const { index, agentId, queueId, reservationId } = contact;
  const timeMs = beganAtMs(index) + stage * 5_000;
  const expiresAt = new Date(timeMs + 20_000).toISOString();
  const subject = contact.id;
  const decided: readonly (readonly DomainEvent[])[] = [
    [
      {
        type: 'meridian.contact.initiated.v1',
        subject,
        data: { method: 'INBOUND', channel: 'VOICE', attributes: { line: '49301234' } },
      },
      { type: 'meridian.contact.connected_to_system.v1', subject, data: {} },
    ],
    [
      {
        type: 'meridian.contact.queued.v1',
        subject,
        data: { queueId, channel: 'VOICE', priority: index % 3, requirements: [] },
      },
    ],
    [
      {
        type: 'meridian.contact.offered.v1',
        subject,
        data: { reservationId, agentId, expiresAt },
      },
    ],
    [
      {
        type: 'meridian.contact.dequeued.v1',
        subject,
        data: { queueId, reason: 'TO_AGENT', waitedMs: 10_000 },
      },
      { type: 'meridian.contact.connected_to_agent.v1', subject, data: { agentId, reservationId } },
    ],
    [
      { type: 'meridian.contact.disconnected.v1', subject, data: { by: 'CUSTOMER' } },
      { type: 'meridian.contact.acw_started.v1', subject, data: { agentId, limitAt: expiresAt } },
    ],
    [
      { type: 'meridian.contact.acw_ended.v1', subject, data: { reason: 'BY_AGENT' } },
      { type: 'meridian.contact.completed.v1', subject, data: { durations: [] } },
    ],
  ];
  return (decided[stage] ?? []).map((event) => toEncode(event, index, timeMs));
}

/** What the partition decides of a contact after a stage; nothing after most of them. */
export function reservationOf(contact: BenchContact, stage: number): EventToEncode[] {
  const { id: contactId, index, agentId, queueId, reservationId: subject } = contact;
  const timeMs = beganAtMs(index) + stage * 5_000;
  const data = { contactId, agentId };
  const decided: Readonly<Record<number, DomainEvent>> = {
    2: {
      type: 'meridian.reservation.created.v1',
      subject,
      data: {
        ...data,
        queueId,
        channel: 'VOICE',
        expiresAt: new Date(timeMs + 20_000).toISOString(),
      },
    },
    3: { type: 'meridian.reservation.accepted.v1', subject, data },
    5: { type: 'meridian.reservation.completed.v1', subject, data },
  };
  const event = decided[stage];
  return event === undefined ? [] : [toEncode(event, index, timeMs)];
}

const toEncode = (event: DomainEvent, index: number, timeMs: number): EventToEncode => ({
  ...event,
  cause: { causationId: `/pbx#q${index}`, actor: 'pbx' },
  timeMs,
});
