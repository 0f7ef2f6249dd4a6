import { readEvents, type LoggedEvent, type RawEntry } from '../check/index.ts';
import type { AgentSample, ContactSample, DaySamples, Interval } from '../day/index.ts';
import type { Places } from './edge.ts';
import type { RunNames } from './names.ts';

interface LoggedContact {
  outcome: ContactSample['outcome'];
  queuedAt: number | null;
  connectedAt: number | null;
  disconnectedAt: number | null;
  endedAt: number | null;
  agentId: string | null;
}

interface LoggedAgent {
  readonly signedIn: Interval[];
  readonly busy: Interval[];
  /** NaN while signed out. */
  sinceAt: number;
}

/** What the log says of one run: contacts, agents, and how much was stored. */
export interface LoggedDay {
  readonly samples: DaySamples;
  /** Contacts that were initiated. */
  readonly contacts: number;
  /** Decided events of the run's tenant, but for who read its log. */
  readonly events: number;
}

/**
 * Tells from the raw entries of the event stream what became of a run. It knows of the run only
 * the ids of contacts and agents, and takes nothing from those who played.
 */
export class DayFromLog {
  readonly #names: RunNames;
  readonly #first: Places;
  readonly #last: Places;
  readonly #tenant: string;
  readonly #contacts = new Map<string, LoggedContact>();
  readonly #agents = new Map<string, LoggedAgent>();
  readonly #agentIds: ReadonlySet<string>;
  #events = 0;
  #endAt = -Infinity;

  /**
   * @param agentIds of the plan
   * @param run where it begins and ends in each stream, and for which tenant
   */
  constructor(
    names: RunNames,
    agentIds: Iterable<string>,
    run: {
      readonly first: Places;
      readonly last: Places;
      readonly tenant: string;
    },
  ) {
    this.#names = names;
    this.#agentIds = new Set(agentIds);
    this.#first = run.first;
    this.#last = run.last;
    this.#tenant = run.tenant;
  }

  /** Takes the next entry of its home; entries of different homes may come in any order. */
  read(entry: RawEntry): void {
    const { stream, sequence, subject } = entry;
    if (!(sequence >= Number(this.#first[stream]))) return;
    if (sequence > Number(this.#last[stream])) return;
    const [, , , tenant, entity] = subject.split('.');
    // Who reads the log is recorded on it: that is nothing of the day.
    if (tenant !== this.#tenant || entity === 'privacy') return;
    for (const event of readEvents(entry)) {
      this.#events += 1;
      this.#endAt = Math.max(this.#endAt, event.timeMs);
      if (event.type.startsWith('meridian.contact.')) this.#contact(event);
      else if (event.type.startsWith('meridian.agent.')) this.#agent(event);
    }
  }

  /** What was read, once all of it was. */
  finish(): LoggedDay {
    const agents: AgentSample[] = [];
    for (const { signedIn, busy, sinceAt } of this.#agents.values()) {
      if (!Number.isNaN(sinceAt)) signedIn.push({ startAt: sinceAt, endAt: this.#endAt });
      agents.push({ signedIn, busy });
    }
    return {
      samples: { contacts: [...this.#contacts.values()].map(sampleOf), agents },
      contacts: this.#contacts.size,
      events: this.#events,
    };
  }

  #contact({ type, subject, timeMs, data }: LoggedEvent): void {
    if (this.#names.planned(subject) === undefined) return;
    if (type === 'meridian.contact.initiated.v1') {
      this.#contacts.set(subject, {
        outcome: 'UNFINISHED',
        queuedAt: null,
        connectedAt: null,
        disconnectedAt: null,
        endedAt: null,
        agentId: null,
      });
    }
    const contact = this.#contacts.get(subject);
    if (contact === undefined) return;
    switch (type) {
      case 'meridian.contact.queued.v1':
        contact.queuedAt ??= timeMs;
        break;
      case 'meridian.contact.connected_to_agent.v1':
        contact.connectedAt ??= timeMs;
        contact.agentId = String(data['agentId']);
        break;
      case 'meridian.contact.disconnected.v1':
        contact.disconnectedAt = timeMs;
        break;
      case 'meridian.contact.abandoned.v1':
        contact.outcome = contact.queuedAt === null ? 'LEFT_IN_IVR' : 'ABANDONED';
        contact.endedAt = timeMs;
        break;
      case 'meridian.contact.completed.v1':
        contact.outcome = 'SERVED';
        this.#endWork(contact, timeMs);
        break;
      case 'meridian.contact.orphan_reaped.v1':
        this.#endWork(contact, timeMs);
        break;
      default:
    }
  }

  #endWork(contact: LoggedContact, endAt: number): void {
    contact.endedAt = endAt;
    const { agentId, connectedAt } = contact;
    if (agentId === null || connectedAt === null) return;
    this.#agentOf(agentId)?.busy.push({ startAt: connectedAt, endAt });
  }

  /** An agent of the plan; who served a contact of another home may be read before they signed in. */
  #agentOf(id: string): LoggedAgent | undefined {
    if (!this.#agentIds.has(id)) return undefined;
    let agent = this.#agents.get(id);
    if (agent === undefined) {
      agent = { signedIn: [], busy: [], sinceAt: Number.NaN };
      this.#agents.set(id, agent);
    }
    return agent;
  }

  #agent({ type, subject, timeMs }: LoggedEvent): void {
    const agent = this.#agentOf(subject);
    if (agent === undefined) return;
    if (type === 'meridian.agent.signed_in.v1') agent.sinceAt = timeMs;
    else if (type === 'meridian.agent.signed_out.v1' && !Number.isNaN(agent.sinceAt)) {
      agent.signedIn.push({ startAt: agent.sinceAt, endAt: timeMs });
      agent.sinceAt = Number.NaN;
    }
  }
}

function sampleOf(contact: LoggedContact): ContactSample {
  const { outcome, queuedAt, connectedAt, disconnectedAt, endedAt } = contact;
  if (outcome !== 'SERVED' || connectedAt === null || disconnectedAt === null || endedAt === null) {
    const finished = outcome === 'ABANDONED' || outcome === 'LEFT_IN_IVR';
    return {
      outcome: finished ? outcome : 'UNFINISHED',
      queuedAt,
      connectedAt: null,
      endedAt: finished ? endedAt : null,
      talkSeconds: 0,
      wrapUpSeconds: 0,
    };
  }
  return {
    outcome,
    queuedAt,
    connectedAt,
    endedAt: disconnectedAt,
    talkSeconds: (disconnectedAt - connectedAt) / 1000,
    wrapUpSeconds: (endedAt - disconnectedAt) / 1000,
  };
}
