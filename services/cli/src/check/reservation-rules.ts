import { Fingerprints } from './fingerprints.ts';
import { requirementsIn } from './contact-fold.ts';
import type { OrphanTraces } from './orphan-traces.ts';
import { textIn, timeIn, timestampOf, type LoggedEvent, type Place } from './raw.ts';
import {
  isOpen,
  nameOf,
  rankOf,
  reservationStates,
  satisfies,
  waitingOf,
  type FoldedReservation,
  type ReservationState,
} from './routing-fold.ts';
import type { Report } from './violation.ts';
import { Whereabouts } from './whereabouts.ts';
import { keyOf, type World } from './world.ts';

/** How long after its expiry a reservation may still be PENDING, in milliseconds of log time. */
export const offerGraceMs = 1000;

const legalFrom: Readonly<Record<ReservationState, readonly ReservationState[]>> = {
  PENDING: [],
  ACCEPTED: ['PENDING'],
  REJECTED: ['PENDING'],
  TIMED_OUT: ['PENDING'],
  RESCINDED: ['PENDING'],
  CANCELED: ['ACCEPTED'],
  WRAPPING: ['ACCEPTED'],
  COMPLETED: ['ACCEPTED', 'WRAPPING'],
};

/**
 * Rules 1, 3 and the order of 6: judges an event of a routing partition by what the world was
 * before it. Kept beyond the world: 24 to 48 bytes for each reservation that ended.
 */
export class ReservationRules {
  readonly #world: World;
  readonly #report: Report;
  readonly #ended = new Fingerprints();
  readonly #whereabouts: Whereabouts;
  readonly #traces: OrphanTraces;
  readonly #places = new Map<string, Place>();
  /** When the present epoch of the partition's home began, in epoch ms. */
  #resumedAtMs = Number.NEGATIVE_INFINITY;

  /** @param whereabouts of the contacts of all partitions */
  constructor(world: World, report: Report, whereabouts: Whereabouts, traces: OrphanTraces) {
    this.#world = world;
    this.#report = report;
    this.#whereabouts = whereabouts;
    this.#traces = traces;
  }

  check(place: Place, event: LoggedEvent): void {
    if (event.type === 'meridian.routing.decided.v1') this.#checkOrder(place, event);
    if (event.type.startsWith('meridian.routing.')) this.#whereabouts.check(place, event);
    const state = reservationStates[nameOf(event.type, 'reservation')];
    if (state === undefined) return;
    if (state === 'PENDING') this.#checkCreated(place, event);
    else this.#checkChanged(place, event, state);
  }

  /** Another region took the home over: what nobody could end in between is due from then on. */
  resumed(atMs: number): void {
    this.#resumedAtMs = atMs;
  }

  /** By when a reservation that is PENDING must have ended, in epoch ms. */
  #latestMs({ expiresAtMs }: FoldedReservation): number {
    return Math.max(expiresAtMs, this.#resumedAtMs) + offerGraceMs;
  }

  /** What is only known at the end of the log: offers that nobody ended. */
  finish(): void {
    for (const [key, reservation] of this.#world.reservations) {
      const place = this.#places.get(key);
      if (reservation.state !== 'PENDING' || place === undefined) continue;
      const latestMs = this.#latestMs(reservation);
      if (this.#world.atMs > latestMs) {
        this.#report(
          place,
          'offer-end',
          `${reservation.id} to end by ${timestampOf(latestMs)}`,
          `still PENDING at ${timestampOf(this.#world.atMs)}`,
        );
      }
    }
  }

  #checkCreated(place: Place, event: LoggedEvent): void {
    const key = keyOf(event.tenant, event.subject);
    const contactKey = Whereabouts.keyOf(place, event);
    if (this.#world.reservations.has(key) || this.#ended.has(key)) {
      this.#report(
        place,
        'reservation',
        'a reservation of a new id',
        `${event.subject} created again`,
      );
    }
    this.#checkOnlyOne(place, event, contactKey);
    this.#checkAgent(place, event);
    this.#whereabouts.check(place, event);
    this.#places.set(key, place);
    if (!(timeIn(event.data, 'expiresAt') > event.timeMs)) {
      const found = textIn(event.data, 'expiresAt') || 'nothing';
      this.#report(place, 'reservation', `expiresAt after ${event.time}`, found);
    }
  }

  /** A contact has one offer, but for those by loans that do not count. */
  #checkOnlyOne(place: Place, event: LoggedEvent, contactKey: string): void {
    const own = this.#whereabouts.strayLoan(contactKey, place.aggregate.home);
    for (const other of this.#whereabouts.offersOf(contactKey)) {
      const { state } = this.#world.reservations.get(keyOf(event.tenant, other.id)) ?? {
        state: 'open',
      };
      const expected = `no second reservation of ${keyOf(event.tenant, textIn(event.data, 'contactId'))}`;
      const found = `${event.subject} beside ${other.id} (${state})`;
      const loan = own ?? other.loan;
      if (loan === undefined) this.#report(place, 'one-offer', expected, found);
      else this.#traces.unlessLentBy(loan, place, [['one-offer', expected, found]]);
    }
  }

  #checkAgent(place: Place, event: LoggedEvent): void {
    const agentId = textIn(event.data, 'agentId');
    const agent = this.#world.agents.get(keyOf(event.tenant, agentId));
    const presence = agent?.presence ?? 'OFFLINE';
    if (presence !== 'AVAILABLE' || agent?.signingOut === true) {
      const found = agent?.signingOut === true ? `${presence}, signing out` : presence;
      this.#report(place, 'not-available', `${agentId} AVAILABLE`, found);
    }
    if (agent === undefined) return;
    const channel = textIn(event.data, 'channel');
    const open = [...agent.open.values()].filter((one) => one.channel === channel).length;
    const capacity = agent.capacities.get(channel) ?? 0;
    if (open + 1 > capacity) {
      const expected = `at most ${capacity} open ${channel} reservations of ${agentId}`;
      this.#report(place, 'capacity', expected, `${open + 1} with ${event.subject}`);
    }
  }

  #checkChanged(place: Place, event: LoggedEvent, to: ReservationState): void {
    const key = keyOf(event.tenant, event.subject);
    const reservation = this.#world.reservations.get(key);
    if (reservation === undefined) {
      const found = this.#ended.has(key) ? 'one that had ended' : 'one that was never created';
      this.#report(
        place,
        'reservation',
        `an open reservation ${event.subject}`,
        `${to} of ${found}`,
      );
      return;
    }
    if (!legalFrom[to].includes(reservation.state)) {
      const expected = `${to} from ${legalFrom[to].join(' or ')}`;
      this.#report(place, 'reservation', expected, `${to} from ${reservation.state}`);
    }
    for (const name of ['contactId', 'agentId', 'contactHome'] as const) {
      const found = textIn(event.data, name);
      if (found !== reservation[name]) {
        this.#report(
          place,
          'reservation',
          `${name}: ${reservation[name] || 'nothing'}`,
          found || 'nothing',
        );
      }
    }
    this.#checkInTime(place, event, reservation);
    if (to !== 'ACCEPTED') this.#whereabouts.closed(Whereabouts.keyOf(place, event), event.subject);
    if (isOpen(to)) return;
    this.#ended.set(key, 0);
    this.#places.delete(key);
  }

  #checkInTime(place: Place, event: LoggedEvent, reservation: FoldedReservation): void {
    const latestMs = this.#latestMs(reservation);
    if (reservation.state === 'PENDING' && !(event.timeMs <= latestMs)) {
      this.#report(
        place,
        'offer-end',
        `${reservation.id} to end by ${timestampOf(latestMs)}`,
        event.time,
      );
    }
  }

  /** Nobody of the same queue whom the freed agent could serve may have an earlier turn. */
  #checkOrder(place: Place, event: LoggedEvent): void {
    const { data, tenant } = event;
    if (textIn(data, 'outcome') !== 'OFFERED' || textIn(data, 'trigger') !== 'AGENT_FREED') return;
    const agentId = textIn(data, 'agentId');
    const agent = this.#world.agents.get(keyOf(tenant, agentId));
    const queue = this.#world.queues.get(keyOf(tenant, textIn(data, 'queueId')));
    if (agent === undefined || queue === undefined) return;
    const asked = requirementsIn(queue.settings ?? {});
    const own = rankOf(waitingOf(event, new Set()), queue.ageingMsPerLevel);
    for (const other of queue.waiting.values()) {
      const rank = rankOf(other, queue.ageingMsPerLevel);
      if (other.contactId === event.subject || !(rank < own) || other.declinedBy.has(agentId)) {
        continue;
      }
      if (other.channel !== textIn(data, 'channel') || !satisfies(agent, asked)) continue;
      if (!satisfies(agent, other.requirements)) continue;
      this.#report(
        place,
        'order',
        `${other.contactId} first (turn ${timestampOf(rank)})`,
        `${event.subject} (turn ${timestampOf(own)}) offered to ${agentId}`,
      );
      return;
    }
  }
}
