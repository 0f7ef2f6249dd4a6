import type { RecordedEvent, RowProjection } from '@meridian/readmodel';
import type {
  AgentEvent,
  Channel,
  ChannelCapacity,
  Presence,
  ReservationEvent,
  SkillLevel,
} from '@meridian/wire';
import { bigint, boolean, jsonb, pgTable, primaryKey, text, timestamp } from 'drizzle-orm/pg-core';

const moment = (name: string) => timestamp(name, { withTimezone: true, precision: 3 });

/** A contact that an agent is held for. */
export interface OpenReservation {
  readonly reservationId: string;
  readonly contactId: string;
  readonly channel: Channel;
  readonly stage: 'OFFERED' | 'INTERACTING' | 'WRAPPING';
}

/** Every agent who ever signed in, once for each home: who moves is in one of them at a time. */
export const agents = pgTable(
  'agents',
  {
    tenant: text('tenant').notNull(),
    id: text('id').notNull(),
    /** The partition that the agent signed in to. */
    home: text('home').notNull(),
    presence: text('presence').$type<Presence>().notNull(),
    /** Why the agent is away, as the agent said. */
    reason: text('reason'),
    /** When the presence began. */
    presenceSince: moment('presence_since'),
    sessionId: text('session_id'),
    signedInAt: moment('signed_in_at'),
    /** Asked to sign out with contacts still open: no new offer. */
    signingOut: boolean('signing_out').notNull(),
    skills: jsonb('skills').$type<readonly SkillLevel[]>().notNull(),
    capacities: jsonb('capacities').$type<readonly ChannelCapacity[]>().notNull(),
    /** In the order in which they were created. */
    open: jsonb('open').$type<readonly OpenReservation[]>().notNull(),
    /** When the agent last became free; null unless available with nothing open. */
    idleSince: moment('idle_since'),
    /** The stream and the sequence of the entry with the last event about the agent. */
    lastStream: text('last_stream').notNull(),
    lastSequence: bigint('last_sequence', { mode: 'number' }).notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenant, table.id, table.home] })],
);

export type AgentRow = typeof agents.$inferSelect;

export type ChannelState = 'OFF_QUEUE' | 'IDLE' | 'OFFERED' | 'INTERACTING' | 'ACW' | 'AT_CAPACITY';

/** What an agent does on one channel. */
export interface AgentChannel {
  readonly channel: Channel;
  readonly state: ChannelState;
  /** How many contacts of the channel the agent may have at once. */
  readonly limit: number;
  readonly offered: number;
  readonly interacting: number;
  readonly wrapping: number;
}

const reservationPrefix = 'meridian.reservation.';
const agentPrefix = 'meridian.agent.';

/** The agent that an event is about; undefined when it is about none. */
function agentOf({ event }: RecordedEvent): string | undefined {
  if (event.type.startsWith(agentPrefix)) return event.subject;
  if (!event.type.startsWith(reservationPrefix)) return undefined;
  return (event as ReservationEvent).data.agentId;
}

export const agentsProjection: RowProjection<typeof agents> = {
  table: agents,
  keys(recorded) {
    const id = agentOf(recorded);
    return id === undefined ? [] : [[recorded.event.tenant, id, recorded.event.region]];
  },
  evolve(row, recorded, [tenant, id, home]) {
    const { event, stream, sequence } = recorded;
    const before = row ?? newAgent(tenant as string, id as string, home as string);
    const time = new Date(event.time);
    const changed = event.type.startsWith(agentPrefix)
      ? change(before, event as AgentEvent, time)
      : changeOpen(before, event as ReservationEvent);
    return {
      ...changed,
      idleSince: idleSince(before, changed, event.type, time),
      lastStream: stream,
      lastSequence: sequence,
    };
  },
};

function newAgent(tenant: string, id: string, home: string): AgentRow {
  return {
    tenant,
    id,
    home,
    presence: 'OFFLINE',
    reason: null,
    presenceSince: null,
    sessionId: null,
    signedInAt: null,
    signingOut: false,
    skills: [],
    capacities: [],
    open: [],
    idleSince: null,
    lastStream: '',
    lastSequence: 0,
  };
}

function change(row: AgentRow, event: AgentEvent, time: Date): AgentRow {
  switch (event.type) {
    case 'meridian.agent.signed_in.v1': {
      const { sessionId, skills, capacities, presence } = event.data;
      return {
        ...become(row, presence, time),
        sessionId,
        skills,
        capacities,
        signedInAt: time,
        signingOut: false,
      };
    }
    case 'meridian.agent.signed_out.v1':
      return {
        ...become(row, 'OFFLINE', time),
        sessionId: null,
        signedInAt: null,
        signingOut: false,
      };
    case 'meridian.agent.sign_out_requested.v1':
      return { ...row, signingOut: true };
    case 'meridian.agent.session_superseded.v1':
      return { ...row, sessionId: event.data.supersededBy, signingOut: false };
    case 'meridian.agent.state_changed.v1':
      return { ...become(row, event.data.to, time), reason: event.data.reasonCode ?? null };
    case 'meridian.agent.skills_changed.v1':
      return { ...row, skills: event.data.skills };
    case 'meridian.agent.capacity_changed.v1':
      return { ...row, capacities: event.data.capacities };
    case 'meridian.agent.not_responding.v1':
      return become(row, 'NOT_RESPONDING', time);
    default:
      return row;
  }
}

function become(row: AgentRow, presence: Presence, time: Date): AgentRow {
  return { ...row, presence, reason: null, presenceSince: time };
}

function changeOpen(row: AgentRow, event: ReservationEvent): AgentRow {
  const { subject: reservationId } = event;
  const others = row.open.filter((one) => one.reservationId !== reservationId);
  switch (event.type) {
    case 'meridian.reservation.created.v1': {
      const { contactId, channel } = event.data;
      return { ...row, open: [...others, { reservationId, contactId, channel, stage: 'OFFERED' }] };
    }
    case 'meridian.reservation.accepted.v1':
      return { ...row, open: staged(row, reservationId, 'INTERACTING') };
    case 'meridian.reservation.wrapping.v1':
      return { ...row, open: staged(row, reservationId, 'WRAPPING') };
    case 'meridian.reservation.rejected.v1':
    case 'meridian.reservation.timed_out.v1':
    case 'meridian.reservation.rescinded.v1':
    case 'meridian.reservation.canceled.v1':
    case 'meridian.reservation.completed.v1':
      return { ...row, open: others };
    default:
      return row;
  }
}

function staged(
  { open }: AgentRow,
  reservationId: string,
  stage: OpenReservation['stage'],
): OpenReservation[] {
  return open.map((one) => (one.reservationId === reservationId ? { ...one, stage } : one));
}

const isFree = ({ presence, signingOut, open }: AgentRow): boolean =>
  presence === 'AVAILABLE' && !signingOut && open.length === 0;

function idleSince(before: AgentRow, after: AgentRow, type: string, time: Date): Date | null {
  if (!isFree(after)) return null;
  return isFree(before) && type !== 'meridian.agent.signed_in.v1' ? before.idleSince : time;
}

/** The agent's channels, each with its state: those with a capacity first, then others in use. */
export function channelsOf(row: AgentRow): AgentChannel[] {
  const limits = new Map<Channel, number>(
    row.capacities.map(({ channel, limit }) => [channel, limit]),
  );
  for (const { channel } of row.open) if (!limits.has(channel)) limits.set(channel, 0);
  return [...limits].map(([channel, limit]) => {
    const count = (stage: OpenReservation['stage']): number =>
      row.open.filter((one) => one.channel === channel && one.stage === stage).length;
    const counts = {
      offered: count('OFFERED'),
      interacting: count('INTERACTING'),
      wrapping: count('WRAPPING'),
    };
    return { channel, state: channelState(row, limit, counts), limit, ...counts };
  });
}

/** As routing has it: a channel for several contacts is at capacity when full, whatever they do. */
function channelState(
  { presence, signingOut }: AgentRow,
  limit: number,
  { offered, interacting, wrapping }: Pick<AgentChannel, 'offered' | 'interacting' | 'wrapping'>,
): ChannelState {
  if (limit > 1 && offered + interacting + wrapping >= limit) return 'AT_CAPACITY';
  if (offered > 0) return 'OFFERED';
  if (interacting > 0) return 'INTERACTING';
  if (wrapping > 0) return 'ACW';
  return limit > 0 && presence === 'AVAILABLE' && !signingOut ? 'IDLE' : 'OFF_QUEUE';
}
