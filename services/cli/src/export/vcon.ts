import { createHash } from 'node:crypto';
import { isSealed } from '@meridian/wire';
import type { ContactAnswer } from '../commands/contact.ts';

/**
 * A contact as a vCon, the JSON container for conversations of draft-ietf-vcon-vcon-core (syntax
 * 0.4.0), unsigned. There is no recording in the log, so its dialogs have no content: of a contact
 * that was served a `recording` (or `text`) with its parties and times, of others an `incomplete` one.
 */
export interface Vcon {
  readonly vcon: '0.4.0';
  readonly uuid: string;
  readonly created_at: string;
  readonly subject: string;
  readonly parties: readonly VconParty[];
  readonly dialog: readonly VconDialog[];
  readonly analysis: readonly [];
  readonly attachments: readonly VconAttachment[];
}

interface VconParty {
  readonly tel?: string;
  readonly mailto?: string;
  readonly name?: string;
  readonly uuid?: string;
  readonly type: 'person';
}

interface PartyHistory {
  readonly party: number;
  readonly time: string;
  readonly event: 'join' | 'drop' | 'hold' | 'unhold';
}

interface VconDialog {
  readonly type: 'recording' | 'text' | 'incomplete';
  readonly start: string;
  /** Seconds. */
  readonly duration: number;
  readonly parties: readonly number[];
  readonly originator: number;
  readonly party_history: readonly PartyHistory[];
  readonly disposition?: 'hung-up' | 'failed' | 'no-answer';
}

interface VconAttachment {
  readonly purpose: string;
  readonly start: string;
  readonly party: number;
  readonly dialog: number;
  readonly mediatype: 'application/json';
  readonly encoding: 'json';
  readonly body: unknown;
}

type Contact = ContactAnswer & {
  readonly home?: string;
  readonly attributes?: object;
  /** What was opened, where it was asked for. */
  readonly personal?: object;
};

const customerIndex = 0;
const agentIndex = 1;

/**
 * @param contact as the edge answers it, with its whole timeline
 * @param createdAt RFC 3339
 */
export function vconOf(contact: Contact, createdAt: string): Vcon {
  const { id, home = '', method, channel, agentId, initiatedAt, connectedAt } = contact;
  const isServed = connectedAt !== null;
  const parties: VconParty[] = [customerOf(contact)];
  if (isServed && agentId !== null) parties.push({ uuid: agentId, name: agentId, type: 'person' });
  const { timeline, timelineComplete, personal: _, ...record } = contact;
  const attached = (purpose: string, body: unknown): VconAttachment => ({
    purpose,
    start: initiatedAt,
    party: customerIndex,
    dialog: 0,
    mediatype: 'application/json',
    encoding: 'json',
    body,
  });
  return {
    vcon: '0.4.0',
    uuid: uuidOf(`${home}/${id}/${initiatedAt}`),
    created_at: createdAt,
    subject: `${method} ${channel} ${id}`,
    parties,
    dialog: [isServed ? servedDialog(contact) : unservedDialog(contact)],
    analysis: [],
    attachments: [
      attached('meridian-contact-record', record),
      attached('meridian-timeline', {
        complete: timelineComplete,
        events: timeline.map(({ event }) => event),
      }),
    ],
  };
}

/**
 * The customer as the publisher knew them: a number, an address or a name. Where it was not opened the
 * sealed text is the name: a pseudonym, the same wherever the same region took the customer in.
 */
function customerOf({ timeline }: Contact): VconParty {
  const first = timeline.find(({ event }) => event.type === 'meridian.contact.initiated.v1');
  const { customer } = (first?.event.data ?? {}) as { readonly customer?: string };
  if (customer === undefined || customer === '') return { type: 'person' };
  if (isSealed(customer)) return { name: customer, type: 'person' };
  if (/^\+?[\d\s()./-]{3,}$/.test(customer)) return { tel: customer, type: 'person' };
  return customer.includes('@')
    ? { mailto: customer, type: 'person' }
    : { name: customer, type: 'person' };
}

const secondsBetween = (from: string, to: string): number =>
  Math.max(0, Date.parse(to) - Date.parse(from)) / 1000;

const timeOfEvent = ({ timeline }: Contact, name: string): string | undefined =>
  timeline.find(({ event }) => event.type === `meridian.contact.${name}.v1`)?.event.time;

/** The end as far as it is known: the contact's, or that of its last event. */
function endOf(contact: Contact): string {
  const { endedAt, timeline, initiatedAt } = contact;
  return endedAt ?? timeline.at(-1)?.event.time ?? initiatedAt;
}

function servedDialog(contact: Contact): VconDialog {
  const { channel, initiatedAt, connectedAt } = contact;
  const start = connectedAt ?? initiatedAt;
  const end = timeOfEvent(contact, 'disconnected') ?? endOf(contact);
  const isOver = timeOfEvent(contact, 'disconnected') !== undefined || contact.endedAt !== null;
  const held = contact.timeline.flatMap(({ event }): PartyHistory[] => {
    const what =
      event.type === 'meridian.contact.held.v1'
        ? 'hold'
        : event.type === 'meridian.contact.resumed.v1'
          ? 'unhold'
          : undefined;
    return what === undefined ? [] : [{ party: customerIndex, time: event.time, event: what }];
  });
  const both = (time: string, event: 'join' | 'drop'): PartyHistory[] =>
    [customerIndex, agentIndex].map((party) => ({ party, time, event }));
  return {
    type: channel === 'CHAT' || channel === 'EMAIL' ? 'text' : 'recording',
    start,
    duration: secondsBetween(start, end),
    parties: [customerIndex, agentIndex],
    originator: originatorOf(contact),
    party_history: [...both(start, 'join'), ...held, ...(isOver ? both(end, 'drop') : [])],
  };
}

function unservedDialog(contact: Contact): VconDialog {
  const { initiatedAt, state, endedAt } = contact;
  const end = endOf(contact);
  const history: PartyHistory[] = [{ party: customerIndex, time: initiatedAt, event: 'join' }];
  if (endedAt !== null) history.push({ party: customerIndex, time: end, event: 'drop' });
  return {
    type: 'incomplete',
    start: initiatedAt,
    duration: secondsBetween(initiatedAt, end),
    parties: [customerIndex],
    originator: customerIndex,
    party_history: history,
    disposition: state === 'ABANDONED' ? 'hung-up' : state === 'FAILED' ? 'failed' : 'no-answer',
  };
}

/** Who began: the agent where the company called. */
function originatorOf({ method }: Contact): number {
  return method === 'OUTBOUND' || method === 'CALLBACK' ? agentIndex : customerIndex;
}

/** A UUID of version 8 (RFC 9562) that is always the same for the same name. */
export function uuidOf(name: string): string {
  const bytes = createHash('sha256').update(name).digest().subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return [0, 8, 12, 16, 20].map((at, index, all) => hex.slice(at, all[index + 1])).join('-');
}
