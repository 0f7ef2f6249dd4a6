import { coveredMs, overlapMs, type Interval } from '../day/index.ts';

/** An event, as far as a figure follows from it. */
export interface TalliedEvent {
  readonly type: string;
  readonly subject: string;
  readonly timeMs: number;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Of one queue, or of all of them. Shares and means of nothing are null. */
export interface Figures {
  /** Contacts that joined. */
  readonly contacts: number;
  readonly answered: number;
  readonly abandoned: number;
  /** Neither answered nor given up at the end. */
  readonly open: number;
  /** Answered within the queue's seconds, of answered and abandoned. */
  readonly serviceLevel: number | null;
  /** Mean wait of the answered, ms. */
  readonly asaMs: number | null;
  /** Abandoned, of answered and abandoned. */
  readonly abandonment: number | null;
  /** Of answered and abandoned, ms. */
  readonly longestWaitMs: number | null;
  readonly offers: number;
  readonly offersRejected: number;
  readonly offersTimedOut: number;
}

export interface DayFigures {
  /** Of the agents' time signed in, the share with at least one contact; null without agents. */
  readonly occupancy: number | null;
  readonly all: Figures;
  /** By queue. */
  readonly queues: Readonly<Record<string, Figures>>;
}

/** What became of a contact. */
export interface Ending {
  readonly outcome: 'ANSWERED' | 'ABANDONED' | 'OPEN';
  readonly waitedMs: number;
  readonly agentId: string;
}

interface Guest {
  readonly queueId: string;
  readonly queuedAtMs: number;
  outcome: Ending['outcome'];
  waitedMs: number;
  agentId: string;
  offers: number;
  rejected: number;
  timedOut: number;
}

interface Desk {
  readonly signedIn: Interval[];
  readonly busy: Interval[];
  /** By home, epoch ms. */
  readonly since: Map<string, number>;
  /** By reservation, epoch ms. */
  readonly work: Map<string, number>;
}

/** What is measured of what was seen. */
export interface Measure {
  /** Contacts that joined at or after this, epoch ms. */
  readonly fromMs: number;
  /** And before this. */
  readonly toMs: number;
  /** By queue: the wait within which an answer is in time, ms, itself included. */
  readonly serviceLevelMs: ReadonlyMap<string, number>;
}

/** The service level of a queue that nobody set up, as the routing has it. */
export const usualServiceLevelMs = 20_000;

const nameOf = (type: string): string =>
  type.startsWith('meridian.') && type.endsWith('.v1') ? type.slice(9, -3) : type;

function text(data: TalliedEvent['data'], name: string): string {
  const value = data[name];
  return typeof value === 'string' ? value : '';
}

/**
 * Counts what happened between two moments from the events alone: the same for a log and for a
 * simulation of it.
 */
export class DayTally {
  readonly #guests = new Map<string, Guest>();
  readonly #desks = new Map<string, Desk>();

  /** @param home of the aggregate that the event belongs to */
  see({ type, subject, timeMs, data }: TalliedEvent, home: string): void {
    switch (nameOf(type)) {
      case 'contact.queued':
        this.#guests.set(subject, newGuest(text(data, 'queueId'), timeMs));
        break;
      case 'contact.connected_to_agent':
        this.#end(subject, timeMs, 'ANSWERED', text(data, 'agentId'));
        break;
      case 'contact.abandoned':
        this.#end(subject, timeMs, 'ABANDONED');
        break;
      case 'reservation.created':
        this.#offer(data, 'offers');
        break;
      case 'reservation.rejected':
        this.#offer(data, 'rejected');
        break;
      case 'reservation.timed_out':
        this.#offer(data, 'timedOut');
        break;
      case 'reservation.accepted':
        this.#desk(text(data, 'agentId')).work.set(subject, timeMs);
        break;
      case 'reservation.completed':
      case 'reservation.canceled':
        this.#work(this.#desk(text(data, 'agentId')), subject, timeMs);
        break;
      case 'agent.signed_in':
        this.#desk(subject).since.set(home, timeMs);
        break;
      case 'agent.signed_out':
        this.#leave(this.#desk(subject), home, timeMs);
        break;
      default:
    }
  }

  /** What became of each contact that joined a queue, whenever it did. */
  endings(): ReadonlyMap<string, Ending> {
    return this.#guests;
  }

  /** What was seen of the contacts that joined between two moments, and of the agents then. */
  figures(measure: Measure): DayFigures {
    const { fromMs, toMs } = measure;
    const guests = [...this.#guests.values()].filter(
      ({ queuedAtMs }) => queuedAtMs >= fromMs && queuedAtMs < toMs,
    );
    const byQueue = [...Map.groupBy(guests, ({ queueId }) => queueId)].toSorted(([a], [b]) =>
      a < b ? -1 : 1,
    );
    return {
      occupancy: this.#occupancy(measure),
      all: sumOf(guests, measure),
      queues: Object.fromEntries(byQueue.map(([id, some]) => [id, sumOf(some, measure)])),
    };
  }

  #end(id: string, timeMs: number, outcome: Ending['outcome'], agentId = ''): void {
    const guest = this.#guests.get(id);
    if (guest?.outcome !== 'OPEN') return;
    Object.assign(guest, { outcome, agentId, waitedMs: timeMs - guest.queuedAtMs });
  }

  #offer(data: TalliedEvent['data'], what: 'offers' | 'rejected' | 'timedOut'): void {
    const guest = this.#guests.get(text(data, 'contactId'));
    if (guest !== undefined) guest[what] += 1;
  }

  #desk(id: string): Desk {
    let desk = this.#desks.get(id);
    if (desk === undefined) {
      desk = { signedIn: [], busy: [], since: new Map(), work: new Map() };
      this.#desks.set(id, desk);
    }
    return desk;
  }

  #work(desk: Desk, reservationId: string, endAt: number): void {
    const startAt = desk.work.get(reservationId);
    desk.work.delete(reservationId);
    if (startAt !== undefined) desk.busy.push({ startAt, endAt });
  }

  #leave(desk: Desk, home: string, endAt: number): void {
    const startAt = desk.since.get(home);
    desk.since.delete(home);
    if (startAt !== undefined) desk.signedIn.push({ startAt, endAt });
  }

  #occupancy({ fromMs, toMs }: Measure): number | null {
    let [signedInMs, busyMs] = [0, 0];
    const within = (stretches: readonly Interval[], open: Iterable<number>): Interval[] =>
      [...stretches, ...[...open].map((startAt) => ({ startAt, endAt: toMs }))].flatMap((one) => {
        const startAt = Math.max(one.startAt, fromMs);
        const endAt = Math.min(one.endAt, toMs);
        return endAt > startAt ? [{ startAt, endAt }] : [];
      });
    for (const { signedIn, busy, since, work } of this.#desks.values()) {
      const present = within(signedIn, since.values());
      signedInMs += coveredMs(present);
      busyMs += overlapMs(present, within(busy, work.values()));
    }
    return signedInMs === 0 ? null : busyMs / signedInMs;
  }
}

function sumOf(guests: readonly Guest[], { serviceLevelMs }: Measure): Figures {
  const answered = guests.filter(({ outcome }) => outcome === 'ANSWERED');
  const abandoned = guests.filter(({ outcome }) => outcome === 'ABANDONED');
  const inTime = answered.filter(
    ({ queueId, waitedMs }) => waitedMs <= (serviceLevelMs.get(queueId) ?? usualServiceLevelMs),
  );
  const ended = answered.length + abandoned.length;
  const total = (of: (guest: Guest) => number, some = guests): number =>
    some.reduce((sum, guest) => sum + of(guest), 0);
  const share = (part: number): number | null => (ended === 0 ? null : part / ended);
  const longest = [...answered, ...abandoned].reduce(
    (most, one) => Math.max(most, one.waitedMs),
    0,
  );
  return {
    contacts: guests.length,
    answered: answered.length,
    abandoned: abandoned.length,
    open: guests.length - ended,
    serviceLevel: share(inTime.length),
    asaMs:
      answered.length === 0 ? null : total(({ waitedMs }) => waitedMs, answered) / answered.length,
    abandonment: share(abandoned.length),
    longestWaitMs: ended === 0 ? null : longest,
    offers: total(({ offers }) => offers),
    offersRejected: total(({ rejected }) => rejected),
    offersTimedOut: total(({ timedOut }) => timedOut),
  };
}

function newGuest(queueId: string, queuedAtMs: number): Guest {
  return {
    queueId,
    queuedAtMs,
    outcome: 'OPEN',
    waitedMs: 0,
    agentId: '',
    offers: 0,
    rejected: 0,
    timedOut: 0,
  };
}
