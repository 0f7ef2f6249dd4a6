import {
  accept,
  reject,
  toTimestamp,
  unreachable,
  type Context,
  type Decider,
  type Decision,
} from '@meridian/core';
import type {
  Channel,
  ContactCommand,
  ContactEvent,
  ContactState,
  DequeueReason,
  OfferEnd,
  SkillRequirement,
} from '@meridian/wire';
import { currentOffer, isHeardOf } from './heard-offers.ts';
import { watchdogLimitsMs, wrapUpLimitMs } from './limits.ts';
import { durations, enter } from './time-spent.ts';

// --- State

/** What every contact has, whatever state it is in. */
export interface Life {
  readonly channel: Channel;
  readonly method: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly initiatedAtMs: number;
  /** When the present state began. */
  readonly sinceMs: number;
  /** Time spent in the states left behind, in ms, in the order in which they were first entered. */
  readonly spent: ReadonlyMap<ContactState, number>;
}

/** A contact that has been in a queue. The place counts from `enqueuedAtMs` until it is answered. */
interface Queueing extends Life {
  readonly queueId: string;
  readonly priority: number;
  readonly requirements: readonly SkillRequirement[];
  readonly enqueuedAtMs: number;
}

/** A contact for which an agent is reserved. */
interface Served extends Queueing {
  readonly reservationId: string;
  readonly agentId: string;
}

export type Contact =
  | { readonly state: 'NONE' }
  | (Life & { readonly state: 'IN_SYSTEM' })
  | (Life & { readonly state: 'IVR' })
  | (Queueing & { readonly state: 'QUEUED' })
  | (Served & { readonly state: 'OFFERED' | 'CONNECTED' | 'HELD' })
  | (Served & { readonly state: 'WRAP_UP'; readonly limitAtMs: number })
  | (Life & Partial<Served> & { readonly state: 'COMPLETED' | 'ABANDONED' | 'FAILED' });

export type Known = Exclude<Contact, { state: 'NONE' }>;
type Alive = Exclude<Known, { state: 'COMPLETED' | 'ABANDONED' | 'FAILED' }>;

// --- Commands: what is asked from outside, and what follows from the routing's decisions

export type InnerCommand =
  | {
      readonly type: 'offer';
      readonly subject: string;
      readonly data: {
        readonly reservationId: string;
        readonly agentId: string;
        readonly expiresAt: string;
      };
    }
  | {
      readonly type: 'requeue';
      readonly subject: string;
      readonly data: { readonly reservationId: string; readonly reason: OfferEnd };
    }
  | {
      readonly type: 'connect';
      readonly subject: string;
      readonly data: { readonly reservationId: string; readonly agentId: string };
    }
  /** Time has passed: end what has lasted too long. */
  | { readonly type: 'watch'; readonly subject: string };

export type Command = ContactCommand | InnerCommand;

// --- Rejections

export interface ContactRejection {
  readonly code:
    | 'CONTACT_UNKNOWN'
    | 'CONTACT_EXISTS'
    | 'CONTACT_OVER'
    | 'ALREADY_QUEUED'
    | 'NOT_CONNECTED'
    | 'NOT_HELD'
    | 'NOT_WRAPPING_UP'
    | 'OFFER_STALE';
  readonly facts: Readonly<Record<string, unknown>>;
}

// --- Evolve

function begin(
  event: Extract<ContactEvent, { type: 'meridian.contact.initiated.v1' }>,
  timeMs: number,
): Contact {
  const { channel, method, attributes } = event.data;
  return {
    state: 'IN_SYSTEM',
    channel,
    method,
    attributes: attributes ?? {},
    initiatedAtMs: timeMs,
    sinceMs: timeMs,
    spent: new Map(),
  };
}

function evolve(contact: Contact, event: ContactEvent, timeMs: number): Contact {
  if (event.type === 'meridian.contact.initiated.v1') return begin(event, timeMs);
  if (contact.state === 'NONE') return contact;
  switch (event.type) {
    case 'meridian.contact.connected_to_system.v1':
    case 'meridian.contact.ivr_ended.v1':
    case 'meridian.contact.dequeued.v1':
    case 'meridian.contact.disconnected.v1':
    case 'meridian.contact.acw_ended.v1':
    case 'meridian.contact.disposed.v1':
      return contact;
    case 'meridian.contact.ivr_started.v1':
      return enter(contact, 'IVR', timeMs);
    case 'meridian.contact.attributes_updated.v1':
      return { ...contact, attributes: { ...contact.attributes, ...event.data.attributes } };
    case 'meridian.contact.queued.v1': {
      const { queueId, priority = 0, requirements } = event.data;
      return {
        ...enter(contact, 'QUEUED', timeMs),
        queueId,
        priority,
        requirements,
        enqueuedAtMs: timeMs,
      };
    }
    case 'meridian.contact.offered.v1': {
      const { reservationId, agentId } = event.data;
      // A log that offers what never was queued is read as if it had been queued then.
      return {
        enqueuedAtMs: timeMs,
        ...enter(contact, 'OFFERED', timeMs),
        reservationId,
        agentId,
      } as Contact;
    }
    case 'meridian.contact.requeued.v1':
      return enter(contact, 'QUEUED', timeMs) as Contact;
    case 'meridian.contact.connected_to_agent.v1': {
      const { reservationId, agentId } = event.data;
      return { ...enter(contact, 'CONNECTED', timeMs), reservationId, agentId } as Contact;
    }
    case 'meridian.contact.held.v1':
      return enter(contact, 'HELD', timeMs) as Contact;
    case 'meridian.contact.resumed.v1':
      return enter(contact, 'CONNECTED', timeMs) as Contact;
    case 'meridian.contact.acw_started.v1':
      return {
        ...enter(contact, 'WRAP_UP', timeMs),
        limitAtMs: Date.parse(event.data.limitAt),
      } as Contact;
    case 'meridian.contact.abandoned.v1':
      return enter(contact, 'ABANDONED', timeMs);
    case 'meridian.contact.completed.v1':
      return enter(contact, 'COMPLETED', timeMs);
    case 'meridian.contact.orphan_reaped.v1':
      return enter(contact, 'FAILED', timeMs);
    default:
      return unreachable(event);
  }
}

// --- Decide

/** Whether the contact has come to an end. */
export function isOver(contact: Contact): contact is Exclude<Known, Alive> {
  return (
    contact.state === 'COMPLETED' || contact.state === 'ABANDONED' || contact.state === 'FAILED'
  );
}

/** When the watchdog (or the end of the wrap-up) is due, in epoch ms; undefined when never. */
export function dueAtMs(contact: Contact): number | undefined {
  if (contact.state === 'NONE' || isOver(contact)) return undefined;
  if (contact.state === 'WRAP_UP') return contact.limitAtMs;
  return contact.sinceMs + (watchdogLimitsMs[contact.state] as number);
}

type Answer = Decision<ContactEvent, ContactRejection>;

function decide(contact: Contact, command: Command, { now }: Context): Answer {
  const refuse = (code: ContactRejection['code'], facts: Record<string, unknown> = {}): Answer =>
    reject({ code, facts: { contactId: command.subject, state: contact.state, ...facts } });

  if (command.type === 'meridian.contact.initiate.v1') return initiate(contact, command, refuse);
  if (contact.state === 'NONE') {
    return command.type === 'watch' ? accept() : refuse('CONTACT_UNKNOWN');
  }
  switch (command.type) {
    case 'meridian.contact.enter_queue.v1':
      return enterQueue(contact, command, refuse);
    case 'meridian.contact.hang_up.v1':
      return hangUp(contact, command, now, refuse);
    case 'meridian.contact.hold.v1':
      if (contact.state === 'HELD') return accept();
      if (contact.state !== 'CONNECTED') return refuse('NOT_CONNECTED');
      return accept<ContactEvent>({
        type: 'meridian.contact.held.v1',
        subject: command.subject,
        data: {},
      });
    case 'meridian.contact.resume.v1':
      if (contact.state === 'CONNECTED') return accept();
      if (contact.state !== 'HELD') return refuse('NOT_HELD');
      return accept<ContactEvent>({
        type: 'meridian.contact.resumed.v1',
        subject: command.subject,
        data: {},
      });
    case 'meridian.contact.complete_wrap_up.v1':
      return completeWrapUp(contact, command, now, refuse);
    case 'meridian.contact.update_attributes.v1':
      return updateAttributes(contact, command, refuse);
    case 'offer':
      return offer(contact, command, refuse);
    case 'requeue':
      return requeue(contact, command, refuse);
    case 'connect':
      return connect(contact, command, now, refuse);
    case 'watch':
      return watch(contact, command.subject, now);
    default:
      return unreachable(command);
  }
}

type Refuse = (code: ContactRejection['code'], facts?: Record<string, unknown>) => Answer;
type Of<Type extends Command['type']> = Extract<Command, { type: Type }>;

function initiate(
  contact: Contact,
  { subject, data }: Of<'meridian.contact.initiate.v1'>,
  refuse: Refuse,
): Answer {
  if (contact.state !== 'NONE') {
    if (contact.channel === data.channel && contact.method === data.method) return accept();
    return refuse('CONTACT_EXISTS', { channel: contact.channel, method: contact.method });
  }
  const { method, channel, customer, flow, attributes, personalAttributes } = data;
  return accept<ContactEvent>(
    {
      type: 'meridian.contact.initiated.v1',
      subject,
      data: {
        method,
        channel,
        ...(customer === undefined ? {} : { customer }),
        ...(attributes === undefined ? {} : { attributes }),
        ...(personalAttributes === undefined ? {} : { personalAttributes }),
      },
    },
    { type: 'meridian.contact.connected_to_system.v1', subject, data: {} },
    ...(flow === undefined
      ? []
      : [{ type: 'meridian.contact.ivr_started.v1' as const, subject, data: { flow } }]),
  );
}

function enterQueue(
  contact: Known,
  { subject, data }: Of<'meridian.contact.enter_queue.v1'>,
  refuse: Refuse,
): Answer {
  if (contact.state !== 'IN_SYSTEM' && contact.state !== 'IVR') {
    if (contact.queueId === data.queueId) return accept();
    return isOver(contact)
      ? refuse('CONTACT_OVER')
      : refuse('ALREADY_QUEUED', { queueId: contact.queueId });
  }
  const queued: ContactEvent = {
    type: 'meridian.contact.queued.v1',
    subject,
    data: {
      queueId: data.queueId,
      channel: contact.channel,
      priority: data.priority ?? 0,
      requirements: data.requirements ?? [],
    },
  };
  return contact.state === 'IVR'
    ? accept<ContactEvent>(
        { type: 'meridian.contact.ivr_ended.v1', subject, data: { exit: 'TO_QUEUE' } },
        queued,
      )
    : accept(queued);
}

function dequeued(
  contact: Queueing,
  subject: string,
  reason: DequeueReason,
  nowMs: number,
): ContactEvent {
  const { queueId, enqueuedAtMs } = contact;
  return {
    type: 'meridian.contact.dequeued.v1',
    subject,
    data: { queueId, reason, waitedMs: nowMs - enqueuedAtMs },
  };
}

/** What the contact leaves behind when it ends before an agent answered. */
function leaveBehind(
  contact: Alive,
  subject: string,
  reason: 'GAVE_UP' | 'REAPED',
  nowMs: number,
): ContactEvent[] {
  if (contact.state === 'IVR') {
    const exit = reason === 'GAVE_UP' ? ('HUNG_UP' as const) : ('WATCHDOG' as const);
    return [{ type: 'meridian.contact.ivr_ended.v1', subject, data: { exit } }];
  }
  return contact.state === 'QUEUED' || contact.state === 'OFFERED'
    ? [dequeued(contact, subject, reason, nowMs)]
    : [];
}

function hangUp(
  contact: Known,
  { subject, data }: Of<'meridian.contact.hang_up.v1'>,
  nowMs: number,
  refuse: Refuse,
): Answer {
  switch (contact.state) {
    case 'IN_SYSTEM':
    case 'IVR':
    case 'QUEUED':
    case 'OFFERED':
      if (data.by === 'AGENT') return refuse('NOT_CONNECTED');
      return accept<ContactEvent>(...leaveBehind(contact, subject, 'GAVE_UP', nowMs), {
        type: 'meridian.contact.abandoned.v1',
        subject,
        data: { stage: contact.state, durations: durations(contact, nowMs) },
      });
    case 'CONNECTED':
    case 'HELD':
      return accept<ContactEvent>(
        { type: 'meridian.contact.disconnected.v1', subject, data },
        {
          type: 'meridian.contact.acw_started.v1',
          subject,
          data: { agentId: contact.agentId, limitAt: toTimestamp(nowMs + wrapUpLimitMs) },
        },
      );
    default:
      return accept();
  }
}

function completeWrapUp(
  contact: Known,
  { subject, data }: Of<'meridian.contact.complete_wrap_up.v1'>,
  nowMs: number,
  refuse: Refuse,
): Answer {
  if (contact.state === 'COMPLETED') return accept();
  if (contact.state !== 'WRAP_UP') {
    return refuse(isOver(contact) ? 'CONTACT_OVER' : 'NOT_WRAPPING_UP');
  }
  const { disposition } = data;
  return accept<ContactEvent>(
    { type: 'meridian.contact.acw_ended.v1', subject, data: { reason: 'BY_AGENT' } },
    ...(disposition === undefined || disposition === ''
      ? []
      : [{ type: 'meridian.contact.disposed.v1' as const, subject, data: { disposition } }]),
    {
      type: 'meridian.contact.completed.v1',
      subject,
      data: { durations: durations(contact, nowMs) },
    },
  );
}

function updateAttributes(
  contact: Known,
  { subject, data }: Of<'meridian.contact.update_attributes.v1'>,
  refuse: Refuse,
): Answer {
  const news = Object.entries(data.attributes).filter(
    ([name, value]) =>
      !Object.hasOwn(contact.attributes, name) || contact.attributes[name] !== value,
  );
  if (news.length === 0) return accept();
  if (isOver(contact)) return refuse('CONTACT_OVER');
  return accept<ContactEvent>({
    type: 'meridian.contact.attributes_updated.v1',
    subject,
    data: { attributes: Object.fromEntries(news) },
  });
}

// What the routing decided while the contact ended crosses its end: there is nothing left to do.

function offer(contact: Known, { subject, data }: Of<'offer'>, refuse: Refuse): Answer {
  if (isOver(contact) || isHeardOf(contact, data.reservationId)) return accept();
  const offered: ContactEvent = { type: 'meridian.contact.offered.v1', subject, data };
  if (contact.state === 'QUEUED') return accept(offered);
  if (contact.state !== 'OFFERED') {
    return refuse('OFFER_STALE', { reservationId: data.reservationId });
  }
  // Another partition offers it: the offer known here has ended, its end is still on the way.
  return accept(requeued(contact, subject, contact.reservationId, 'SUPERSEDED'), offered);
}

function requeue(contact: Known, { subject, data }: Of<'requeue'>, refuse: Refuse): Answer {
  const { reservationId, reason } = data;
  if (contact.state === 'QUEUED' || isOver(contact)) return accept();
  const current = currentOffer(contact);
  if (contact.state === 'OFFERED' && current === reservationId) {
    return accept(requeued(contact, subject, reservationId, reason));
  }
  const isPast = current !== reservationId && isHeardOf(contact, reservationId);
  return isPast ? accept() : refuse('OFFER_STALE', { reservationId });
}

function requeued(
  { enqueuedAtMs }: Queueing,
  subject: string,
  reservationId: string,
  reason: OfferEnd,
): ContactEvent {
  return {
    type: 'meridian.contact.requeued.v1',
    subject,
    data: { reservationId, reason, enqueuedAt: toTimestamp(enqueuedAtMs) },
  };
}

function connect(
  contact: Known,
  { subject, data }: Of<'connect'>,
  nowMs: number,
  refuse: Refuse,
): Answer {
  if (isOver(contact)) return accept();
  const isMine = currentOffer(contact) === data.reservationId;
  if (isMine && contact.state !== 'OFFERED' && contact.state !== 'QUEUED') return accept();
  if (contact.state !== 'OFFERED' || !isMine) {
    return refuse('OFFER_STALE', { reservationId: data.reservationId });
  }
  return accept<ContactEvent>(dequeued(contact, subject, 'TO_AGENT', nowMs), {
    type: 'meridian.contact.connected_to_agent.v1',
    subject,
    data,
  });
}

function watch(contact: Known, subject: string, nowMs: number): Answer {
  const due = dueAtMs(contact);
  if (due === undefined || nowMs < due || isOver(contact)) return accept();
  if (contact.state === 'WRAP_UP') {
    return accept<ContactEvent>(
      { type: 'meridian.contact.acw_ended.v1', subject, data: { reason: 'TIME_LIMIT' } },
      {
        type: 'meridian.contact.completed.v1',
        subject,
        data: { durations: durations(contact, nowMs) },
      },
    );
  }
  return accept<ContactEvent>(...leaveBehind(contact, subject, 'REAPED', nowMs), {
    type: 'meridian.contact.orphan_reaped.v1',
    subject,
    data: {
      state: contact.state,
      since: toTimestamp(contact.sinceMs),
      limitMs: watchdogLimitsMs[contact.state] as number,
      durations: durations(contact, nowMs),
    },
  });
}

/** The life of one contact, from the first ring to the end of the after-call work. */
export const contactDecider: Decider<Contact, ContactEvent, Command, ContactRejection> = {
  initial: () => ({ state: 'NONE' }),
  evolve,
  decide,
};
