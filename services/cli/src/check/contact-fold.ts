import { listIn, numberIn, textIn, type LoggedEvent } from './raw.ts';

export type ContactState =
  | 'IN_SYSTEM'
  | 'IVR'
  | 'QUEUED'
  | 'OFFERED'
  | 'CONNECTED'
  | 'HELD'
  | 'WRAP_UP'
  | 'COMPLETED'
  | 'ABANDONED'
  | 'FAILED';

/** A skill asked for. */
export interface Requirement {
  readonly skill: string;
  readonly minimumLevel: number;
}

/** A contact as its events tell it. Times are epoch milliseconds; null where there is none. */
export interface FoldedContact {
  readonly tenant: string;
  readonly id: string;
  readonly home: string;
  state: ContactState;
  readonly channel: string;
  readonly method: string;
  readonly customer: string | null;
  attributes: Record<string, string>;
  queueId: string | null;
  priority: number;
  requirements: readonly Requirement[];
  agentId: string | null;
  reservationId: string | null;
  readonly initiatedAtMs: number;
  queuedAtMs: number | null;
  connectedAtMs: number | null;
  endedAtMs: number | null;
  waitedMs: number | null;
  disposition: string | null;
  /** When the present state began. */
  sinceMs: number;
  /** Its latest event: revision and time. */
  revision: number;
  lastAtMs: number;
  /** Milliseconds in each state that was left. */
  readonly spentMs: Map<ContactState, number>;
  /** The latest event that leads to another one of the same decision, such as `ivr_ended`. */
  phase: 'ivr_ended' | 'dequeued' | 'disconnected' | 'acw_ended' | null;
}

export const endStates: ReadonlySet<ContactState> = new Set(['COMPLETED', 'ABANDONED', 'FAILED']);

/** What an event is called within its entity: `queued` of `meridian.contact.queued.v1`. */
export function contactEventName(type: string): string | undefined {
  const prefix = 'meridian.contact.';
  return type.startsWith(prefix) && type.endsWith('.v1')
    ? type.slice(prefix.length, -3)
    : undefined;
}

/** The skills asked for in a piece of data. */
export function requirementsIn(
  data: Readonly<Record<string, unknown>>,
  field = 'requirements',
): Requirement[] {
  return listIn(data, field).map((one) => ({
    skill: textIn(one, 'skill'),
    minimumLevel: numberIn(one, 'minimumLevel'),
  }));
}

function attributesIn(data: Readonly<Record<string, unknown>>): Record<string, string> {
  const { attributes } = data;
  if (typeof attributes !== 'object' || attributes === null) return {};
  return Object.fromEntries(
    Object.entries(attributes).map(([name, value]) => [name, String(value)]),
  );
}

/** The contact of its first event. */
export function beginContact(event: LoggedEvent): FoldedContact {
  const { data, timeMs } = event;
  return {
    tenant: event.tenant,
    id: event.subject,
    home: textIn(event.attributes, 'region'),
    state: 'IN_SYSTEM',
    channel: textIn(data, 'channel'),
    method: textIn(data, 'method'),
    customer: textIn(data, 'customer') || null,
    attributes: attributesIn(data),
    queueId: null,
    priority: 0,
    requirements: [],
    agentId: null,
    reservationId: null,
    initiatedAtMs: timeMs,
    queuedAtMs: null,
    connectedAtMs: null,
    endedAtMs: null,
    waitedMs: null,
    disposition: null,
    sinceMs: timeMs,
    revision: numberIn(event.attributes, 'revision'),
    lastAtMs: timeMs,
    spentMs: new Map(),
    phase: null,
  };
}

function enter(contact: FoldedContact, state: ContactState, timeMs: number): void {
  const spent = timeMs - contact.sinceMs;
  contact.spentMs.set(contact.state, (contact.spentMs.get(contact.state) ?? 0) + spent);
  contact.state = state;
  contact.sinceMs = timeMs;
  contact.phase = null;
  if (endStates.has(state)) contact.endedAtMs = timeMs;
}

function takeAgent(contact: FoldedContact, data: LoggedEvent['data']): void {
  contact.agentId = textIn(data, 'agentId');
  contact.reservationId = textIn(data, 'reservationId');
}

/** A contact that ends before anybody answered is nobody's. */
function end(contact: FoldedContact, state: 'ABANDONED' | 'FAILED', timeMs: number): void {
  enter(contact, state, timeMs);
  if (contact.connectedAtMs !== null) return;
  contact.agentId = null;
  contact.reservationId = null;
}

type Change = (contact: FoldedContact, data: LoggedEvent['data'], timeMs: number) => void;

/** What each event changes. An event that is not named here changes nothing. */
const changes: Readonly<Record<string, Change>> = {
  ivr_started: (contact, _data, timeMs) => enter(contact, 'IVR', timeMs),
  ivr_ended: (contact) => {
    contact.phase = 'ivr_ended';
  },
  attributes_updated: (contact, data) => {
    contact.attributes = { ...contact.attributes, ...attributesIn(data) };
  },
  queued: (contact, data, timeMs) => {
    enter(contact, 'QUEUED', timeMs);
    contact.queueId = textIn(data, 'queueId');
    contact.priority = numberIn(data, 'priority');
    contact.requirements = requirementsIn(data);
    contact.queuedAtMs = timeMs;
    contact.waitedMs = null;
  },
  offered: (contact, data, timeMs) => {
    enter(contact, 'OFFERED', timeMs);
    takeAgent(contact, data);
  },
  requeued: (contact, _data, timeMs) => {
    enter(contact, 'QUEUED', timeMs);
    contact.agentId = null;
    contact.reservationId = null;
  },
  dequeued: (contact, data) => {
    contact.phase = 'dequeued';
    contact.waitedMs = numberIn(data, 'waitedMs');
  },
  connected_to_agent: (contact, data, timeMs) => {
    enter(contact, 'CONNECTED', timeMs);
    takeAgent(contact, data);
    contact.connectedAtMs = timeMs;
  },
  held: (contact, _data, timeMs) => enter(contact, 'HELD', timeMs),
  resumed: (contact, _data, timeMs) => enter(contact, 'CONNECTED', timeMs),
  disconnected: (contact) => {
    contact.phase = 'disconnected';
  },
  acw_started: (contact, _data, timeMs) => enter(contact, 'WRAP_UP', timeMs),
  acw_ended: (contact) => {
    contact.phase = 'acw_ended';
  },
  disposed: (contact, data) => {
    contact.disposition = textIn(data, 'disposition');
  },
  completed: (contact, _data, timeMs) => enter(contact, 'COMPLETED', timeMs),
  abandoned: (contact, _data, timeMs) => end(contact, 'ABANDONED', timeMs),
  orphan_reaped: (contact, _data, timeMs) => end(contact, 'FAILED', timeMs),
};

/** Folds one more event into a contact. */
export function changeContact(contact: FoldedContact, event: LoggedEvent): void {
  changes[contactEventName(event.type) ?? '']?.(contact, event.data, event.timeMs);
  contact.revision = numberIn(event.attributes, 'revision');
  contact.lastAtMs = event.timeMs;
}

/** The durations that an end names, by state; milliseconds. A state named twice counts twice. */
export function durationsIn(data: LoggedEvent['data']): Map<string, number> {
  const durations = new Map<string, number>();
  for (const one of listIn(data, 'durations')) {
    const state = textIn(one, 'state');
    durations.set(state, (durations.get(state) ?? 0) + numberIn(one, 'durationMs'));
  }
  return durations;
}

/** A contact's time in each state until `atMs`, states without time left out; milliseconds. */
export function spentUntil(contact: FoldedContact, atMs: number): Map<string, number> {
  const spent = new Map<string, number>(contact.spentMs);
  if (!endStates.has(contact.state)) {
    spent.set(contact.state, (spent.get(contact.state) ?? 0) + atMs - contact.sinceMs);
  }
  return new Map([...spent].filter(([, durationMs]) => durationMs !== 0));
}
