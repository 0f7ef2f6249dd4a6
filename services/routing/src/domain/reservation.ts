import {
  accept,
  fromTimestamp,
  reject,
  unreachable,
  type Context,
  type Decider,
  type Decision,
} from '@meridian/core';
import type {
  Channel,
  ReservationCommand,
  ReservationCreated,
  ReservationEvent,
} from '@meridian/wire';

// --- State

interface Parties {
  readonly contactId: string;
  readonly agentId: string;
  /** The contact's home, when it is another than the partition's. */
  readonly contactHome?: string;
}

/** A reservation that holds its agent. */
export interface LiveReservation extends Parties {
  readonly stage: 'PENDING' | 'ACCEPTED' | 'WRAPPING';
  readonly queueId: string;
  readonly channel: Channel;
  readonly expiresAtMs: number;
}

/** A reservation that came to its end, good or bad. */
interface OverReservation extends Parties {
  readonly stage: 'REJECTED' | 'TIMED_OUT' | 'RESCINDED' | 'CANCELED' | 'COMPLETED';
}

export type Reservation = { readonly stage: 'NONE' } | LiveReservation | OverReservation;

// --- Commands: the agent's answers, and what follows from the contact and from time

export type InnerCommand =
  | { readonly type: 'create'; readonly subject: string; readonly data: ReservationCreated }
  /** Time has passed. */
  | { readonly type: 'time_out'; readonly subject: string }
  /** The offer is taken back, or what was accepted comes to nothing. */
  | {
      readonly type: 'withdraw';
      readonly subject: string;
      readonly data: { readonly reason: string };
    }
  | { readonly type: 'wrap'; readonly subject: string }
  | { readonly type: 'complete'; readonly subject: string };

export type Command = ReservationCommand | InnerCommand;

// --- Rejections

export interface ReservationRejection {
  readonly code:
    | 'RESERVATION_UNKNOWN'
    | 'RESERVATION_OVER'
    | 'RESERVATION_EXISTS'
    | 'NOT_YOURS'
    | 'OFFER_EXPIRED'
    | 'ALREADY_ACCEPTED';
  readonly facts: Readonly<Record<string, unknown>>;
}

// --- Evolve

const endStages = {
  'meridian.reservation.rejected.v1': 'REJECTED',
  'meridian.reservation.timed_out.v1': 'TIMED_OUT',
  'meridian.reservation.rescinded.v1': 'RESCINDED',
  'meridian.reservation.canceled.v1': 'CANCELED',
  'meridian.reservation.completed.v1': 'COMPLETED',
} as const;

/** Whether the agent is still held. */
export function isLive(reservation: Reservation): reservation is LiveReservation {
  const { stage } = reservation;
  return stage === 'PENDING' || stage === 'ACCEPTED' || stage === 'WRAPPING';
}

function partiesOf({ contactId, agentId, contactHome }: Parties): Parties {
  return { contactId, agentId, ...(contactHome === undefined ? {} : { contactHome }) };
}

function evolve(reservation: Reservation, event: ReservationEvent): Reservation {
  switch (event.type) {
    case 'meridian.reservation.created.v1': {
      const { queueId, channel, expiresAt } = event.data;
      return {
        stage: 'PENDING',
        ...partiesOf(event.data),
        queueId,
        channel,
        expiresAtMs: fromTimestamp(expiresAt),
      };
    }
    case 'meridian.reservation.accepted.v1':
      return isLive(reservation) ? { ...reservation, stage: 'ACCEPTED' } : reservation;
    case 'meridian.reservation.wrapping.v1':
      return isLive(reservation) ? { ...reservation, stage: 'WRAPPING' } : reservation;
    case 'meridian.reservation.rejected.v1':
    case 'meridian.reservation.timed_out.v1':
    case 'meridian.reservation.rescinded.v1':
    case 'meridian.reservation.canceled.v1':
    case 'meridian.reservation.completed.v1': {
      return { stage: endStages[event.type], ...partiesOf(event.data) };
    }
    default:
      return unreachable(event);
  }
}

// --- Decide

type Answer = Decision<ReservationEvent, ReservationRejection>;

function decide(reservation: Reservation, command: Command, { now }: Context): Answer {
  const { subject } = command;
  const refuse = (
    code: ReservationRejection['code'],
    facts: Record<string, unknown> = {},
  ): Answer =>
    reject({ code, facts: { reservationId: subject, stage: reservation.stage, ...facts } });
  if (command.type === 'create') {
    if (reservation.stage !== 'NONE') {
      return reservation.stage === 'PENDING' ? accept() : refuse('RESERVATION_EXISTS');
    }
    return accept<ReservationEvent>({
      type: 'meridian.reservation.created.v1',
      subject,
      data: command.data,
    });
  }
  if (reservation.stage === 'NONE') return refuse('RESERVATION_UNKNOWN');
  const { stage, agentId } = reservation;
  const data = partiesOf(reservation);
  switch (command.type) {
    case 'meridian.reservation.accept.v1':
      if (command.data.agentId !== agentId) {
        return refuse('NOT_YOURS', { agentId: command.data.agentId });
      }
      if (stage === 'ACCEPTED' || stage === 'WRAPPING' || stage === 'COMPLETED') return accept();
      if (!isLive(reservation)) return refuse('RESERVATION_OVER');
      if (now > reservation.expiresAtMs) {
        return refuse('OFFER_EXPIRED', { expiresAtMs: reservation.expiresAtMs, nowMs: now });
      }
      return accept<ReservationEvent>({ type: 'meridian.reservation.accepted.v1', subject, data });
    case 'meridian.reservation.reject.v1':
      if (command.data.agentId !== agentId) {
        return refuse('NOT_YOURS', { agentId: command.data.agentId });
      }
      if (stage === 'REJECTED') return accept();
      if (stage === 'ACCEPTED' || stage === 'WRAPPING') return refuse('ALREADY_ACCEPTED');
      if (stage !== 'PENDING') return refuse('RESERVATION_OVER');
      return accept<ReservationEvent>({
        type: 'meridian.reservation.rejected.v1',
        subject,
        data: {
          ...data,
          ...(command.data.reason === undefined ? {} : { reason: command.data.reason }),
        },
      });
    case 'time_out':
      if (stage !== 'PENDING' || !isLive(reservation) || now < reservation.expiresAtMs) {
        return accept();
      }
      return accept<ReservationEvent>({ type: 'meridian.reservation.timed_out.v1', subject, data });
    case 'withdraw':
      return withdraw(stage, subject, { ...data, reason: command.data.reason });
    case 'wrap':
      return stage === 'ACCEPTED'
        ? accept<ReservationEvent>({ type: 'meridian.reservation.wrapping.v1', subject, data })
        : accept();
    case 'complete':
      if (stage === 'ACCEPTED' || stage === 'WRAPPING') {
        return accept<ReservationEvent>({
          type: 'meridian.reservation.completed.v1',
          subject,
          data,
        });
      }
      return stage === 'PENDING'
        ? withdraw(stage, subject, { ...data, reason: 'CONTACT_COMPLETED' })
        : accept();
    default:
      return unreachable(command);
  }
}

function withdraw(
  stage: Reservation['stage'],
  subject: string,
  data: Parties & { readonly reason: string },
): Answer {
  if (stage === 'PENDING') {
    return accept<ReservationEvent>({ type: 'meridian.reservation.rescinded.v1', subject, data });
  }
  if (stage === 'ACCEPTED') {
    return accept<ReservationEvent>({ type: 'meridian.reservation.canceled.v1', subject, data });
  }
  // They have spoken: nothing is canceled any more, the agent is only let go.
  if (stage === 'WRAPPING') {
    return accept<ReservationEvent>({
      type: 'meridian.reservation.completed.v1',
      subject,
      data: partiesOf(data),
    });
  }
  return accept();
}

/** The booking of one agent for one contact. */
export const reservationDecider: Decider<
  Reservation,
  ReservationEvent,
  Command,
  ReservationRejection
> = {
  initial: () => ({ stage: 'NONE' }),
  evolve,
  decide,
};
