import { requirementsIn, type Requirement } from './contact-fold.ts';
import { listIn, numberIn, textIn, timeIn, type LoggedEvent } from './raw.ts';

export type ReservationState =
  | 'PENDING'
  | 'ACCEPTED'
  | 'WRAPPING'
  | 'REJECTED'
  | 'TIMED_OUT'
  | 'RESCINDED'
  | 'CANCELED'
  | 'COMPLETED';

/** A contact that waits for an agent, as the routing's decisions tell it. */
export interface Waiting {
  readonly contactId: string;
  readonly queueId: string;
  readonly channel: string;
  readonly priority: number;
  /** The contact's own, beyond the queue's. */
  readonly requirements: readonly Requirement[];
  readonly enqueuedAtMs: number;
  /** The agents who declined it or let it ring out. */
  readonly declinedBy: Set<string>;
}

export interface FoldedReservation {
  readonly tenant: string;
  readonly id: string;
  readonly contactId: string;
  readonly agentId: string;
  /** The contact's home, when it is another than the partition's; empty otherwise. */
  readonly contactHome: string;
  readonly queueId: string;
  readonly channel: string;
  state: ReservationState;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  readonly createdSequence: number;
  /** The contact's place, to which it returns when the offer comes to nothing. */
  readonly place: Waiting | undefined;
}

export interface FoldedAgent {
  readonly tenant: string;
  readonly id: string;
  /** OFFLINE when signed out. */
  presence: string;
  reasonCode: string | null;
  sessionId: string | null;
  signingOut: boolean;
  /** When the presence last changed, epoch milliseconds; null before the first sign-in. */
  sinceMs: number | null;
  signedInAtMs: number | null;
  /** When the agent last became free: available, and nothing open. Null while not free. */
  idleSinceMs: number | null;
  readonly skills: Map<string, number>;
  /** Channel to how many contacts at once. */
  readonly capacities: Map<string, number>;
  /** Open reservations (PENDING, ACCEPTED, WRAPPING) by id. */
  readonly open: Map<string, FoldedReservation>;
}

export interface FoldedQueue {
  readonly tenant: string;
  readonly id: string;
  /** Whether it exists now: created and not deleted. */
  exists: boolean;
  deletedAtMs: number | null;
  /** As they were configured; null before. */
  settings: Readonly<Record<string, unknown>> | null;
  ageingMsPerLevel: number;
  serviceLevelMs: number;
  readonly waiting: Map<string, Waiting>;
  /** Contacts of the queue in QUEUED or OFFERED, by id, with when they joined. */
  readonly queued: Map<string, number>;
  enqueuedCount: number;
  answeredCount: number;
  answeredInTimeCount: number;
  abandonedCount: number;
  reapedCount: number;
  answerWaitMs: number;
}

const openStates: ReadonlySet<ReservationState> = new Set(['PENDING', 'ACCEPTED', 'WRAPPING']);

export const isOpen = (state: ReservationState): boolean => openStates.has(state);

/** The state that each event leads to, by the event's name within `reservation`. */
export const reservationStates: Readonly<Record<string, ReservationState>> = {
  created: 'PENDING',
  accepted: 'ACCEPTED',
  rejected: 'REJECTED',
  timed_out: 'TIMED_OUT',
  rescinded: 'RESCINDED',
  canceled: 'CANCELED',
  wrapping: 'WRAPPING',
  completed: 'COMPLETED',
};

/** The end of an event type: `created` of `meridian.reservation.created.v1`. */
export function nameOf(type: string, entity: string): string {
  const prefix = `meridian.${entity}.`;
  return type.startsWith(prefix) && type.endsWith('.v1') ? type.slice(prefix.length, -3) : '';
}

export function newAgent(tenant: string, id: string): FoldedAgent {
  return {
    tenant,
    id,
    presence: 'OFFLINE',
    reasonCode: null,
    sessionId: null,
    signingOut: false,
    sinceMs: null,
    signedInAtMs: null,
    idleSinceMs: null,
    skills: new Map(),
    capacities: new Map(),
    open: new Map(),
  };
}

function setSkills(agent: FoldedAgent, data: LoggedEvent['data']): void {
  agent.skills.clear();
  for (const one of listIn(data, 'skills')) {
    agent.skills.set(textIn(one, 'skill'), numberIn(one, 'level'));
  }
}

function setCapacities(agent: FoldedAgent, data: LoggedEvent['data']): void {
  agent.capacities.clear();
  for (const one of listIn(data, 'capacities')) {
    agent.capacities.set(textIn(one, 'channel'), numberIn(one, 'limit'));
  }
}

function setPresence(
  agent: FoldedAgent,
  presence: string,
  reasonCode: string,
  timeMs: number,
): void {
  if (agent.presence !== presence || agent.sinceMs === null) agent.sinceMs = timeMs;
  agent.presence = presence;
  agent.reasonCode = reasonCode === '' ? null : reasonCode;
}

/** Notes since when the agent is free, after anything about the agent or a reservation changed. */
export function noteIdle(agent: FoldedAgent, timeMs: number): void {
  const free = agent.presence === 'AVAILABLE' && !agent.signingOut && agent.open.size === 0;
  if (!free) agent.idleSinceMs = null;
  else agent.idleSinceMs ??= timeMs;
}

/** Folds one event about an agent. */
export function changeAgent(agent: FoldedAgent, event: LoggedEvent): void {
  const { data, timeMs } = event;
  switch (nameOf(event.type, 'agent')) {
    case 'signed_in':
      agent.sessionId = textIn(data, 'sessionId');
      agent.signingOut = false;
      setSkills(agent, data);
      setCapacities(agent, data);
      setPresence(agent, textIn(data, 'presence'), '', timeMs);
      agent.signedInAtMs = timeMs;
      agent.idleSinceMs = null;
      break;
    case 'signed_out':
      agent.sessionId = null;
      agent.signingOut = false;
      agent.signedInAtMs = null;
      setPresence(agent, 'OFFLINE', '', timeMs);
      break;
    case 'sign_out_requested':
      agent.signingOut = true;
      break;
    case 'session_superseded':
      agent.sessionId = textIn(data, 'supersededBy');
      agent.signingOut = false;
      break;
    case 'state_changed':
      setPresence(agent, textIn(data, 'to'), textIn(data, 'reasonCode'), timeMs);
      break;
    case 'skills_changed':
      setSkills(agent, data);
      break;
    case 'capacity_changed':
      setCapacities(agent, data);
      break;
    case 'not_responding':
      setPresence(agent, 'NOT_RESPONDING', '', timeMs);
      break;
    default:
  }
  noteIdle(agent, timeMs);
}

/** A queue before it is configured: a level of priority is worth a minute, 20 s are in time. */
export function newQueue(tenant: string, id: string): FoldedQueue {
  return {
    tenant,
    id,
    exists: false,
    deletedAtMs: null,
    settings: null,
    ageingMsPerLevel: 60_000,
    serviceLevelMs: 20_000,
    waiting: new Map(),
    queued: new Map(),
    enqueuedCount: 0,
    answeredCount: 0,
    answeredInTimeCount: 0,
    abandonedCount: 0,
    reapedCount: 0,
    answerWaitMs: 0,
  };
}

/** Folds one event about a queue. */
export function changeQueue(queue: FoldedQueue, event: LoggedEvent): void {
  const name = nameOf(event.type, 'queue');
  if (name === 'deleted') Object.assign(queue, { exists: false, deletedAtMs: event.timeMs });
  if (name !== 'created' && name !== 'updated') return;
  const { settings } = event.data;
  const given =
    typeof settings === 'object' && settings !== null ? (settings as Record<string, unknown>) : {};
  Object.assign(queue, {
    exists: true,
    deletedAtMs: null,
    settings: given,
    ageingMsPerLevel: numberIn(given, 'ageingMsPerLevel'),
    serviceLevelMs: numberIn(given, 'serviceLevelMs'),
  });
}

/** The waiting contact that a `routing.decided` speaks of. */
export function waitingOf(event: LoggedEvent, declinedBy: Set<string>): Waiting {
  const { data } = event;
  return {
    contactId: event.subject,
    queueId: textIn(data, 'queueId'),
    channel: textIn(data, 'channel'),
    priority: numberIn(data, 'priority'),
    requirements: requirementsIn(data, 'contactRequirements'),
    enqueuedAtMs: timeIn(data, 'enqueuedAt'),
    declinedBy,
  };
}

/** When a waiting contact's turn is, in epoch milliseconds: earlier is sooner. */
export function rankOf(waiting: Waiting, ageingMsPerLevel: number): number {
  return waiting.enqueuedAtMs - waiting.priority * ageingMsPerLevel;
}

/** Whether the agent has every skill asked for, well enough. */
export function satisfies(agent: FoldedAgent, requirements: readonly Requirement[]): boolean {
  return requirements.every(
    ({ skill, minimumLevel }) => (agent.skills.get(skill) ?? 0) >= minimumLevel,
  );
}
