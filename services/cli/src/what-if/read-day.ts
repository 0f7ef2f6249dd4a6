import type { Channel, QueueSettings, SkillRequirement } from '@meridian/wire';
import { listIn, numberIn, textIn, type LoggedEvent, type Source } from '../check/index.ts';
import { usageFault } from '../fault.ts';
import { meshTenant, placed, readMesh } from '../replay/index.ts';
import type {
  AgentDay,
  Handling,
  QueueAct,
  Reaction,
  RecordedContact,
  RecordedDay,
  RecordedOffer,
} from './day.ts';
import { AgentReader, type ReadOffer } from './read-agents.ts';

type Data = LoggedEvent['data'];

/** A contact while it is read. */
interface Guest {
  readonly id: string;
  readonly home: string;
  readonly channel: Channel;
  readonly isImported: boolean;
  queued: Pick<RecordedContact, 'queueId' | 'priority' | 'requirements' | 'queuedAtMs'> | undefined;
  outcome: RecordedContact['outcome'];
  waitedMs: number | undefined;
  agentId: string | undefined;
  connectedAtMs: number;
  talkMs: number | undefined;
  by: Handling['by'];
  wrapUpAtMs: number;
  wrapUpMs: number | null | undefined;
  endedAtMs: number | undefined;
  readonly offers: ReadOffer[];
}

/** An offer by its reservation, while it is read. */
interface Ringing {
  readonly offer: ReadOffer;
  readonly atMs: number;
}

/** Which part of a log is measured, and of which tenant. Absent: all of it, the only one. */
export interface DayChoice {
  readonly fromMs?: number;
  readonly toMs?: number;
  readonly tenant?: string;
}

/**
 * Makes of a log what customers, agents and administrators did, event by event in the order of
 * the log; decisions of the mesh count only for what they tell of people.
 * Memory: every contact of the log that joined a queue.
 */
export class DayReader {
  readonly #guests = new Map<string, Guest>();
  readonly #ringing = new Map<string, Ringing>();
  readonly #queues: QueueAct[] = [];
  readonly #agents = new AgentReader();
  readonly #homes = new Set<string>();
  readonly #lent = new Set<string>();
  #leftBeforeQueue = 0;
  #reaped = 0;
  #beginMs = Number.POSITIVE_INFINITY;
  #endMs = Number.NEGATIVE_INFINITY;

  /** Takes the next event. @param home of the aggregate that it belongs to */
  see(event: LoggedEvent, home: string): void {
    this.#homes.add(home);
    this.#beginMs = Math.min(this.#beginMs, event.timeMs);
    this.#endMs = Math.max(this.#endMs, event.timeMs);
    const [, entity = '', name = ''] = event.type.split('.');
    switch (entity) {
      case 'contact':
        this.#contact(name, event, home);
        break;
      case 'reservation':
        this.#reservation(name, event);
        break;
      case 'agent':
        this.#agents.see(name, event, home, (id) => this.#ringing.get(id)?.offer);
        break;
      case 'queue':
        this.#queue(name, event, home);
        break;
      case 'routing':
        if (name === 'lent') this.#lent.add(event.subject);
        break;
      default:
    }
  }

  /** What was read, once all of it was. @throws CommandFault (usage) when nothing can be measured */
  finish(
    tenant: string,
    { fromMs = this.#beginMs, toMs = this.#endMs + 1 }: DayChoice,
    mesh: { readonly failovers: number; readonly orphans: number },
  ): RecordedDay {
    const guests = [...this.#guests.values()]
      .filter(({ queued }) => queued !== undefined)
      .toSorted((a, b) => joinedAt(a) - joinedAt(b) || (a.id < b.id ? -1 : 1));
    const measured = guests.filter((one) => joinedAt(one) >= fromMs && joinedAt(one) < toMs);
    if (measured.length === 0) {
      throw usageFault(
        `No contact of tenant ${tenant} joined a queue from ${timeText(fromMs)} to ${timeText(toMs)}.\n` +
          `The log has ${guests.length} that did, from ${timeText(this.#beginMs)} to ` +
          `${timeText(this.#endMs)}: choose --from and --to within that.`,
      );
    }
    const agents = this.#agents.agents();
    const [first, end] = quietBounds(guests, fromMs, toMs);
    return {
      tenant,
      homes: [...this.#homes].toSorted(),
      fromMs,
      toMs,
      beginMs: this.#beginMs,
      endMs: this.#endMs,
      queues: this.#queues,
      agents,
      contacts: guests.slice(first, end).map((guest) => this.#recorded(guest)),
      notes: {
        leftBeforeQueue: this.#leftBeforeQueue,
        reaped: this.#reaped,
        ...mesh,
        lent: this.#lent.size,
        pinned: pinnedOf(guests.slice(first, end), agents),
      },
    };
  }

  #contact(name: string, { subject: id, timeMs, data }: LoggedEvent, home: string): void {
    if (name === 'initiated') {
      this.#guests.set(id, newGuest(id, home, data));
      return;
    }
    const guest = this.#guests.get(id);
    if (guest === undefined) return;
    switch (name) {
      case 'queued':
        guest.queued = {
          queueId: textIn(data, 'queueId'),
          priority: numberIn(data, 'priority'),
          requirements: requirementsOf(data),
          queuedAtMs: timeMs,
        };
        break;
      case 'connected_to_agent':
        guest.outcome = 'ANSWERED';
        guest.agentId = textIn(data, 'agentId');
        guest.connectedAtMs = timeMs;
        guest.waitedMs = timeMs - joinedAt(guest);
        break;
      case 'disconnected':
        guest.talkMs = timeMs - guest.connectedAtMs;
        guest.by = (textIn(data, 'by') || 'CUSTOMER') as Handling['by'];
        break;
      case 'acw_started':
        guest.wrapUpAtMs = timeMs;
        break;
      case 'acw_ended':
        guest.wrapUpMs = textIn(data, 'reason') === 'TIME_LIMIT' ? null : timeMs - guest.wrapUpAtMs;
        break;
      case 'completed':
        guest.endedAtMs = timeMs;
        break;
      case 'abandoned':
        this.#abandon(guest, timeMs);
        break;
      case 'orphan_reaped':
        this.#reap(guest, timeMs);
        break;
      default:
    }
  }

  #abandon(guest: Guest, timeMs: number): void {
    guest.endedAtMs = timeMs;
    if (guest.queued === undefined) {
      this.#leftBeforeQueue += 1;
      this.#guests.delete(guest.id);
      return;
    }
    guest.outcome = 'ABANDONED';
    guest.waitedMs = timeMs - joinedAt(guest);
  }

  #reap(guest: Guest, timeMs: number): void {
    this.#reaped += 1;
    guest.endedAtMs = timeMs;
    if (guest.queued !== undefined) guest.waitedMs ??= timeMs - joinedAt(guest);
  }

  #reservation(name: string, { subject: id, timeMs, data }: LoggedEvent): void {
    if (name === 'created') {
      const offer = {
        agentId: textIn(data, 'agentId'),
        reaction: { kind: 'UNKNOWN', afterMs: 0 } as Reaction,
      };
      this.#guests.get(textIn(data, 'contactId'))?.offers.push(offer);
      this.#ringing.set(id, { offer, atMs: timeMs });
      return;
    }
    const ringing = this.#ringing.get(id);
    if (ringing === undefined) return;
    const afterMs = timeMs - ringing.atMs;
    const reaction = reactionBy(name, afterMs, textIn(data, 'reason'));
    if (reaction === undefined) return;
    ringing.offer.reaction = reaction;
    if (reaction.kind !== 'MISSES') this.#ringing.delete(id);
  }

  #queue(name: string, { subject: queueId, timeMs: atMs, data }: LoggedEvent, home: string): void {
    if (name === 'deleted') this.#queues.push({ atMs, home, queueId });
    else if (name === 'created' || name === 'updated') {
      const given = data['settings'] as QueueSettings;
      const settings = { ...given, requirements: given.requirements ?? [] };
      this.#queues.push({ atMs, home, queueId, settings });
    }
  }

  #recorded(guest: Guest): RecordedContact {
    const { id, home, channel, queued, outcome, agentId, talkMs, wrapUpMs, by } = guest;
    const whole = talkMs !== undefined && wrapUpMs !== undefined;
    return {
      id,
      home,
      channel,
      ...(queued as NonNullable<typeof queued>),
      outcome,
      waitedMs: guest.waitedMs ?? this.#endMs - joinedAt(guest),
      ...(agentId === undefined ? {} : { agentId }),
      ...(whole ? { handling: { talkMs, wrapUpMs, by } } : {}),
      offers: guest.offers satisfies readonly RecordedOffer[],
    };
  }
}

/** Contacts of an import whose own requirements only one agent has. */
function pinnedOf(guests: readonly Guest[], agents: readonly AgentDay[]): number {
  const holders = new Map<string, Set<string>>();
  for (const { id, acts } of agents) {
    for (const act of acts) {
      if (act.kind !== 'SIGN_IN') continue;
      for (const { skill } of act.skills) {
        holders.set(skill, (holders.get(skill) ?? new Set()).add(id));
      }
    }
  }
  return guests.filter(
    ({ isImported, queued }) =>
      isImported && queued?.requirements.some(({ skill }) => holders.get(skill)?.size === 1),
  ).length;
}

const joinedAt = ({ queued }: Guest): number => queued?.queuedAtMs ?? Number.NaN;
const timeText = (ms: number): string =>
  Number.isFinite(ms) ? new Date(ms).toISOString() : 'its beginning';

/**
 * The contacts to act out: from the last moment before `fromMs` at which nobody was there to the
 * first one after `toMs`.
 * @param guests in the order in which they joined
 * @returns the first one, and the one after the last
 */
function quietBounds(guests: readonly Guest[], fromMs: number, toMs: number): [number, number] {
  let [first, end] = [0, guests.length];
  let busyUntilMs = Number.NEGATIVE_INFINITY;
  for (const [index, guest] of guests.entries()) {
    const atMs = joinedAt(guest);
    if (busyUntilMs < atMs) {
      if (atMs <= fromMs) first = index;
      if (atMs >= toMs) {
        end = index;
        break;
      }
    }
    busyUntilMs = Math.max(busyUntilMs, guest.endedAtMs ?? Number.POSITIVE_INFINITY);
  }
  return [first, end];
}

function newGuest(id: string, home: string, data: Data): Guest {
  const { attributes } = data;
  return {
    id,
    home,
    channel: textIn(data, 'channel') as Channel,
    isImported:
      typeof attributes === 'object' && attributes !== null && 'importedFrom' in attributes,
    queued: undefined,
    outcome: 'OPEN',
    waitedMs: undefined,
    agentId: undefined,
    connectedAtMs: Number.NaN,
    talkMs: undefined,
    by: 'CUSTOMER',
    wrapUpAtMs: Number.NaN,
    wrapUpMs: undefined,
    endedAtMs: undefined,
    offers: [],
  };
}

function reactionBy(name: string, afterMs: number, reason: string): Reaction | undefined {
  switch (name) {
    case 'accepted':
      return { kind: 'ACCEPTS', afterMs };
    case 'rejected':
      return { kind: 'REJECTS', afterMs, ...(reason === '' ? {} : { reason }) };
    case 'timed_out':
      return { kind: 'MISSES', backAfterMs: null };
    case 'rescinded':
      return { kind: 'UNKNOWN', afterMs };
    default:
      return undefined;
  }
}

function requirementsOf(data: Data): SkillRequirement[] {
  return listIn(data, 'requirements').map((one) => ({
    skill: textIn(one, 'skill'),
    minimumLevel: numberIn(one, 'minimumLevel'),
  }));
}

/**
 * Reads a day out of the streams of all regions, and tells every event that was read to `also`.
 * @throws CommandFault (usage) when it is of several tenants and none is named, or nothing of it
 *   can be measured
 */
export async function readDay(
  sources: readonly Source[],
  choice: DayChoice,
  also: (event: LoggedEvent, home: string) => void = () => {},
): Promise<RecordedDay> {
  const reader = new DayReader();
  const tenants = new Set<string>();
  const log = readMesh(sources);
  let failovers = 0;
  for await (const item of log.entries) {
    const { tenant, home } = item;
    if (tenant === meshTenant) {
      failovers += item.entry.data.includes('meridian.failover.completed.v1') ? 1 : 0;
      continue;
    }
    if (choice.tenant !== undefined && tenant !== choice.tenant) continue;
    tenants.add(tenant);
    for (const { event } of placed(item)) {
      reader.see(event, home);
      also(event, home);
    }
  }
  const [tenant, ...more] = [...tenants].toSorted();
  if (more.length > 0) {
    throw usageFault(
      `The log is of several tenants: ${[tenant, ...more].join(', ')}.\nChoose one with --tenant.`,
    );
  }
  const mesh = { failovers, orphans: log.orphans() };
  return reader.finish(tenant ?? choice.tenant ?? '', choice, mesh);
}
