import {
  accept,
  fromTimestamp,
  reject,
  unreachable,
  type Decider,
  type Decision,
} from '@meridian/core';
import type {
  AgentCommand,
  AgentEvent,
  Channel,
  ChannelCapacity,
  Presence,
  ReservationEvent,
  SkillLevel,
} from '@meridian/wire';

// --- State

/** A contact that an agent is held for. */
export interface Open {
  readonly contactId: string;
  readonly channel: Channel;
  readonly stage: 'PENDING' | 'ACCEPTED' | 'WRAPPING';
}

/** What an agent is ready for: presence on one axis, what is open per channel on the other. */
export interface Agent {
  readonly id: string;
  /** Undefined while OFFLINE. */
  sessionId: string | undefined;
  /** When the session began, in epoch ms; the later of two in different homes counts. */
  signedInAtMs: number;
  presence: Presence;
  skills: ReadonlyMap<string, number>;
  capacities: ReadonlyMap<Channel, number>;
  /** Asked to sign out with contacts still open. */
  isSigningOut: boolean;
  /** When the agent last became free, in epoch ms. */
  idleSinceMs: number;
  /** By reservation. */
  readonly open: Map<string, Open>;
  /** Contacts that the agent declined since last becoming available. */
  readonly declined: Set<string>;
}

// --- Commands

/** The agent began a session in another home: nobody works in two partitions. */
export interface SignedInElsewhere {
  readonly type: 'signed_in_elsewhere';
  readonly subject: string;
  readonly data: {
    /** The other home. */
    readonly home: string;
    /** When the session there began, RFC 3339. */
    readonly at: string;
    /** Whether the other home's session counts of two that began in the same millisecond. */
    readonly winsTie: boolean;
  };
}

/** `sign_out` takes effect at once when nothing is open; see `AgentSignOutRequested`. */
export type Command = AgentCommand | SignedInElsewhere;

// --- Rejections

export interface AgentRejection {
  readonly code:
    | 'AGENT_OFFLINE'
    | 'PRESENCE_NOT_ALLOWED'
    | 'SIGNING_OUT'
    | 'CAPACITY_TWICE'
    | 'SKILL_TWICE';
  readonly facts: Readonly<Record<string, unknown>>;
}

// --- Evolve

/** An agent nobody has heard of yet. */
export function newAgent(id: string): Agent {
  return {
    id,
    sessionId: undefined,
    signedInAtMs: 0,
    presence: 'OFFLINE',
    skills: new Map(),
    capacities: new Map(),
    isSigningOut: false,
    idleSinceMs: 0,
    open: new Map(),
    declined: new Set(),
  };
}

const skillMap = (skills: readonly SkillLevel[]): Map<string, number> =>
  new Map(skills.map(({ skill, level }) => [skill, level]));

const capacityMap = (capacities: readonly ChannelCapacity[]): Map<Channel, number> =>
  new Map(capacities.map(({ channel, limit }) => [channel, limit]));

function becomePresent(agent: Agent, presence: Presence, timeMs: number): void {
  if (presence === 'AVAILABLE') {
    agent.idleSinceMs = timeMs;
    agent.declined.clear();
  }
  agent.presence = presence;
}

function close(agent: Agent, reservationId: string, timeMs: number): void {
  if (agent.open.delete(reservationId)) agent.idleSinceMs = timeMs;
}

function evolve(agent: Agent, event: AgentEvent | ReservationEvent, timeMs: number): Agent {
  switch (event.type) {
    case 'meridian.agent.signed_in.v1':
      agent.sessionId = event.data.sessionId;
      agent.signedInAtMs = timeMs;
      agent.skills = skillMap(event.data.skills);
      agent.capacities = capacityMap(event.data.capacities);
      agent.isSigningOut = false;
      becomePresent(agent, event.data.presence, timeMs);
      agent.idleSinceMs = timeMs;
      break;
    case 'meridian.agent.signed_out.v1':
      agent.sessionId = undefined;
      agent.presence = 'OFFLINE';
      agent.isSigningOut = false;
      agent.declined.clear();
      break;
    case 'meridian.agent.sign_out_requested.v1':
      agent.isSigningOut = true;
      break;
    case 'meridian.agent.session_superseded.v1':
      agent.sessionId = event.data.supersededBy;
      agent.signedInAtMs = timeMs;
      agent.isSigningOut = false;
      break;
    case 'meridian.agent.state_changed.v1':
      becomePresent(agent, event.data.to, timeMs);
      break;
    case 'meridian.agent.skills_changed.v1':
      agent.skills = skillMap(event.data.skills);
      break;
    case 'meridian.agent.capacity_changed.v1':
      agent.capacities = capacityMap(event.data.capacities);
      break;
    case 'meridian.agent.not_responding.v1':
      agent.presence = 'NOT_RESPONDING';
      break;
    default:
      evolveOpen(agent, event, timeMs);
  }
  return agent;
}

function evolveOpen(agent: Agent, event: ReservationEvent, timeMs: number): void {
  const { contactId } = event.data;
  switch (event.type) {
    case 'meridian.reservation.created.v1':
      agent.open.set(event.subject, { contactId, channel: event.data.channel, stage: 'PENDING' });
      break;
    case 'meridian.reservation.accepted.v1':
    case 'meridian.reservation.wrapping.v1': {
      const open = agent.open.get(event.subject);
      const stage = event.type === 'meridian.reservation.accepted.v1' ? 'ACCEPTED' : 'WRAPPING';
      if (open !== undefined) agent.open.set(event.subject, { ...open, stage });
      break;
    }
    case 'meridian.reservation.rejected.v1':
      agent.declined.add(contactId);
      close(agent, event.subject, timeMs);
      break;
    case 'meridian.reservation.timed_out.v1':
    case 'meridian.reservation.rescinded.v1':
    case 'meridian.reservation.canceled.v1':
    case 'meridian.reservation.completed.v1':
      close(agent, event.subject, timeMs);
      break;
    default:
      unreachable(event);
  }
}

// --- Decide

type Answer = Decision<AgentEvent, AgentRejection>;

/** How many of the agent's contacts of a channel are open, whatever their stage. */
export function openCount(agent: Agent, channel: Channel): number {
  let count = 0;
  for (const open of agent.open.values()) if (open.channel === channel) count += 1;
  return count;
}

function sameMap<K, V>(a: ReadonlyMap<K, V>, b: ReadonlyMap<K, V>): boolean {
  return a.size === b.size && [...a].every(([key, value]) => b.get(key) === value);
}

function signIn(
  agent: Agent,
  { subject, data }: Extract<Command, { type: 'meridian.agent.sign_in.v1' }>,
): Answer {
  const { sessionId, capacities, skills = [], presence = 'AVAILABLE' } = data;
  const facts = { agentId: subject };
  if (presence !== 'AVAILABLE' && presence !== 'AWAY') {
    return reject({ code: 'PRESENCE_NOT_ALLOWED', facts: { ...facts, presence } });
  }
  if (capacityMap(capacities).size !== capacities.length) {
    return reject({ code: 'CAPACITY_TWICE', facts: { ...facts, capacities } });
  }
  if (skillMap(skills).size !== skills.length) {
    return reject({ code: 'SKILL_TWICE', facts: { ...facts, skills } });
  }
  if (agent.sessionId === undefined) {
    return accept<AgentEvent>({
      type: 'meridian.agent.signed_in.v1',
      subject,
      data: { sessionId, skills, capacities, presence },
    });
  }
  if (agent.sessionId === sessionId) return accept();
  const events: AgentEvent[] = [
    {
      type: 'meridian.agent.session_superseded.v1',
      subject,
      data: { sessionId: agent.sessionId, supersededBy: sessionId },
    },
  ];
  if (!sameMap(agent.skills, skillMap(skills))) {
    events.push({ type: 'meridian.agent.skills_changed.v1', subject, data: { skills } });
  }
  if (!sameMap(agent.capacities, capacityMap(capacities))) {
    events.push({ type: 'meridian.agent.capacity_changed.v1', subject, data: { capacities } });
  }
  if (agent.presence !== presence) {
    events.push({
      type: 'meridian.agent.state_changed.v1',
      subject,
      data: { from: agent.presence, to: presence },
    });
  }
  return accept(...events);
}

/** Ends the session: at once, or after the last contact that was accepted. */
function leave(agent: Agent, subject: string, sessionId: string, elsewhere?: string): Answer {
  const why = elsewhere === undefined ? {} : { elsewhere };
  const isEngaged = [...agent.open.values()].some((open) => open.stage !== 'PENDING');
  if (!isEngaged) {
    return accept<AgentEvent>({
      type: 'meridian.agent.signed_out.v1',
      subject,
      data: { sessionId, ...why },
    });
  }
  if (agent.isSigningOut) return accept();
  return accept<AgentEvent>({
    type: 'meridian.agent.sign_out_requested.v1',
    subject,
    data: why,
  });
}

/**
 * The later session counts, by the times of the log. Both homes compare the same two times, so
 * exactly one of two sessions goes on, in whatever order the homes hear of each other.
 */
function signedInElsewhere(agent: Agent, { subject, data }: SignedInElsewhere): Answer {
  if (agent.sessionId === undefined) return accept();
  const atMs = fromTimestamp(data.at);
  const isLater = atMs > agent.signedInAtMs || (atMs === agent.signedInAtMs && data.winsTie);
  return isLater ? leave(agent, subject, agent.sessionId, data.home) : accept();
}

function decide(agent: Agent, command: Command): Answer {
  const { subject } = command;
  if (command.type === 'meridian.agent.sign_in.v1') return signIn(agent, command);
  if (command.type === 'signed_in_elsewhere') return signedInElsewhere(agent, command);
  if (agent.sessionId === undefined) {
    return command.type === 'meridian.agent.sign_out.v1'
      ? accept()
      : reject({ code: 'AGENT_OFFLINE', facts: { agentId: subject } });
  }
  switch (command.type) {
    case 'meridian.agent.sign_out.v1':
      return leave(agent, subject, agent.sessionId);
    case 'meridian.agent.set_presence.v1': {
      const { presence, reason } = command.data;
      if (presence !== 'AVAILABLE' && presence !== 'AWAY' && presence !== 'BUSY') {
        return reject({ code: 'PRESENCE_NOT_ALLOWED', facts: { agentId: subject, presence } });
      }
      if (agent.presence === presence) return accept();
      if (agent.isSigningOut) return reject({ code: 'SIGNING_OUT', facts: { agentId: subject } });
      return accept<AgentEvent>({
        type: 'meridian.agent.state_changed.v1',
        subject,
        data: {
          from: agent.presence,
          to: presence,
          ...(reason === undefined ? {} : { reasonCode: reason }),
        },
      });
    }
    default:
      return unreachable(command);
  }
}

/** One agent. `evolve` takes the events of the agent's reservations too: they fill the channels. */
export const agentDecider: Decider<Agent, AgentEvent | ReservationEvent, Command, AgentRejection> =
  {
    initial: () => newAgent(''),
    evolve,
    decide,
  };
