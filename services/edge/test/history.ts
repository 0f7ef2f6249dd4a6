import { seeded, toTimestamp, type Random } from '@meridian/core';
import type { MessageToAppend } from '@meridian/journal';
import {
  emptyHead,
  encodeEntry,
  eventSubject,
  type AggregateId,
  type DomainEvent,
  type Head,
  type Writer,
} from '@meridian/wire';

const writer: Writer = { region: 'eu', home: 'eu', service: 'test', epoch: 1 };
const startMs = Date.UTC(2026, 0, 5, 8);
const wrapUpLimitMs = 60_000;

export interface HistoryOptions {
  readonly seed: string | number;
  /** How many entries to make. */
  readonly entries: number;
  readonly tenants?: readonly string[];
  readonly agents?: number;
  readonly queues?: number;
  /** How many contacts are under way at once in each tenant. */
  readonly open?: number;
}

interface OpenContact {
  readonly id: string;
  state:
    | 'NONE'
    | 'IN_SYSTEM'
    | 'IVR'
    | 'QUEUED'
    | 'OFFERED'
    | 'CONNECTED'
    | 'HELD'
    | 'WRAP_UP'
    | 'OVER';
  queueId: string;
  queuedAtMs: number;
  reservationId: string;
  agent: Worker | undefined;
}

interface Worker {
  readonly id: string;
  presence: 'OFFLINE' | 'AVAILABLE' | 'AWAY' | 'NOT_RESPONDING';
  session: number;
  open: number;
}

/**
 * A random history as the services would write it: contacts of several tenants side by side, agents
 * and queues that come and go, every branch of the state machine. The same seed gives the same.
 * @returns the messages of `EV_eu`, in order
 */
export function randomHistory(options: HistoryOptions): MessageToAppend[] {
  const random = seeded(options.seed);
  const recorder = new Recorder(random);
  const tenants = (options.tenants ?? ['demo', 'other']).map(
    (tenant) => new Tenant(tenant, random.fork(tenant), recorder, options),
  );
  while (recorder.messages.length < options.entries) random.pick(tenants).step();
  return recorder.messages.slice(0, options.entries);
}

class Recorder {
  readonly messages: MessageToAppend[] = [];
  readonly #heads = new Map<string, Head>();
  readonly #random: Random;
  nowMs = startMs;

  constructor(random: Random) {
    this.#random = random.fork('time');
  }

  store(aggregate: AggregateId, events: readonly DomainEvent[]): void {
    this.nowMs += this.#random.int(900);
    const subject = eventSubject(writer.region, writer.home, aggregate);
    const head = this.#heads.get(subject) ?? emptyHead;
    const toEncode = events.map((event) => ({
      ...event,
      cause: { causationId: `test#${this.messages.length}` },
      timeMs: this.nowMs,
    }));
    const { text, revision, hash } = encodeEntry(writer, aggregate, head, toEncode);
    this.messages.push({ subject, data: text });
    this.#heads.set(subject, { sequence: this.messages.length, revision, hash });
  }
}

class Tenant {
  readonly #tenant: string;
  readonly #random: Random;
  readonly #recorder: Recorder;
  readonly #agents: Worker[];
  readonly #queueIds: string[];
  readonly #contacts: OpenContact[] = [];
  readonly #open: number;
  #made = 0;

  constructor(tenant: string, random: Random, recorder: Recorder, options: HistoryOptions) {
    this.#tenant = tenant;
    this.#random = random;
    this.#recorder = recorder;
    this.#open = options.open ?? 12;
    this.#agents = Array.from({ length: options.agents ?? 6 }, (_, at) => ({
      id: `a${at}`,
      presence: 'OFFLINE' as const,
      session: 0,
      open: 0,
    }));
    this.#queueIds = Array.from({ length: options.queues ?? 3 }, (_, at) => `q${at}`);
  }

  step(): void {
    const roll = this.#random.next();
    if (roll < 0.02) this.#stepQueue();
    else if (roll < 0.12) this.#stepAgent(this.#random.pick(this.#agents));
    else this.#stepContact(this.#anyContact());
  }

  #anyContact(): OpenContact {
    const under = this.#contacts.filter(({ state }) => state !== 'OVER');
    this.#contacts.splice(0, this.#contacts.length, ...under);
    if (under.length < this.#open) {
      under.push({
        id: `c${this.#made++}`,
        state: 'NONE',
        queueId: '',
        queuedAtMs: 0,
        reservationId: '',
        agent: undefined,
      });
      this.#contacts.push(under.at(-1) as OpenContact);
    }
    return this.#random.pick(under);
  }

  #route(...events: DomainEvent[]): void {
    this.#recorder.store({ tenant: this.#tenant, entity: 'routing', id: writer.home }, events);
  }

  #tell(contact: OpenContact, ...events: DomainEvent[]): void {
    this.#recorder.store({ tenant: this.#tenant, entity: 'contact', id: contact.id }, events);
  }

  #stepQueue(): void {
    const subject = this.#random.pick(this.#queueIds);
    const settings = {
      strategy: 'LONGEST_IDLE' as const,
      offerTtlMs: 20_000,
      ageingMsPerLevel: 60_000,
      serviceLevelMs: 2_000 * this.#random.int(10),
    };
    const type = this.#random.pick(['created', 'updated', 'deleted'] as const);
    if (type === 'deleted') this.#route({ type: 'meridian.queue.deleted.v1', subject, data: {} });
    else this.#route({ type: `meridian.queue.${type}.v1`, subject, data: { settings } });
  }

  #stepAgent(agent: Worker): void {
    const { id: subject } = agent;
    if (agent.presence === 'OFFLINE') {
      agent.presence = 'AVAILABLE';
      agent.session++;
      this.#route({
        type: 'meridian.agent.signed_in.v1',
        subject,
        data: {
          sessionId: `s${agent.session}`,
          presence: 'AVAILABLE',
          skills: [{ skill: 'german', level: 3 }],
          capacities: [
            { channel: 'VOICE', limit: 1 },
            { channel: 'CHAT', limit: 2 },
          ],
        },
      });
      return;
    }
    const roll = this.#random.int(10);
    if (roll < 6) {
      const to = agent.presence === 'AVAILABLE' ? 'AWAY' : 'AVAILABLE';
      const reason = to === 'AWAY' ? { reasonCode: 'break' } : {};
      this.#route({
        type: 'meridian.agent.state_changed.v1',
        subject,
        data: { from: agent.presence, to, ...reason },
      });
      agent.presence = to;
    } else if (roll < 7) {
      const skills = [{ skill: 'french', level: 1 + this.#random.int(5) }];
      this.#route({ type: 'meridian.agent.skills_changed.v1', subject, data: { skills } });
    } else if (roll < 8) {
      const data = { sessionId: `s${agent.session}`, supersededBy: `s${++agent.session}` };
      this.#route({ type: 'meridian.agent.session_superseded.v1', subject, data });
    } else if (agent.open > 0) {
      this.#route({ type: 'meridian.agent.sign_out_requested.v1', subject, data: {} });
    } else {
      agent.presence = 'OFFLINE';
      this.#route({
        type: 'meridian.agent.signed_out.v1',
        subject,
        data: { sessionId: `s${agent.session}` },
      });
    }
  }

  #stepContact(contact: OpenContact): void {
    const roll = this.#random.next();
    switch (contact.state) {
      case 'NONE':
        return this.#begin(contact, roll);
      case 'IN_SYSTEM':
      case 'IVR':
        return this.#enterQueue(contact, roll);
      case 'QUEUED':
        return this.#wait(contact, roll);
      case 'OFFERED':
        return this.#answer(contact, roll);
      case 'CONNECTED':
        return this.#talk(contact, roll);
      case 'HELD':
        contact.state = 'CONNECTED';
        return this.#tell(contact, {
          type: 'meridian.contact.resumed.v1',
          subject: contact.id,
          data: {},
        });
      case 'WRAP_UP':
        return this.#finish(contact, roll);
      default:
    }
  }

  #begin(contact: OpenContact, roll: number): void {
    const { id: subject } = contact;
    const isIvr = roll < 0.7;
    contact.state = isIvr ? 'IVR' : 'IN_SYSTEM';
    this.#tell(
      contact,
      {
        type: 'meridian.contact.initiated.v1',
        subject,
        data: {
          method: 'INBOUND',
          channel: roll < 0.35 ? 'CHAT' : 'VOICE',
          customer: '+49 30 1234',
          ...(roll < 0.5 ? { attributes: { language: 'de', né: 'Zoë "quoted"' } } : {}),
        },
      },
      { type: 'meridian.contact.connected_to_system.v1', subject, data: {} },
      ...(isIvr
        ? [{ type: 'meridian.contact.ivr_started.v1' as const, subject, data: { flow: 'main' } }]
        : []),
    );
  }

  #enterQueue(contact: OpenContact, roll: number): void {
    const { id: subject, state } = contact;
    if (roll < 0.1) {
      return this.#tell(contact, {
        type: 'meridian.contact.attributes_updated.v1',
        subject,
        data: { attributes: { language: 'fr', step: `${this.#random.int(9)}` } },
      });
    }
    const leaves = (exit: 'TO_QUEUE' | 'HUNG_UP'): DomainEvent[] =>
      state === 'IVR' ? [{ type: 'meridian.contact.ivr_ended.v1', subject, data: { exit } }] : [];
    if (roll < 0.2) {
      contact.state = 'OVER';
      return this.#tell(contact, ...leaves('HUNG_UP'), {
        type: 'meridian.contact.abandoned.v1',
        subject,
        data: { stage: state as 'IVR', durations: [] },
      });
    }
    contact.state = 'QUEUED';
    contact.queueId = this.#random.pick(this.#queueIds);
    this.#tell(contact, ...leaves('TO_QUEUE'), {
      type: 'meridian.contact.queued.v1',
      subject,
      data: {
        queueId: contact.queueId,
        channel: 'VOICE',
        requirements: [],
        ...(roll < 0.6 ? {} : { priority: this.#random.int(3) }),
      },
    });
    contact.queuedAtMs = this.#recorder.nowMs;
  }

  #dequeued(
    { id: subject, queueId, queuedAtMs }: OpenContact,
    reason: 'TO_AGENT' | 'GAVE_UP' | 'REAPED',
  ): DomainEvent {
    const waitedMs = this.#recorder.nowMs - queuedAtMs;
    return { type: 'meridian.contact.dequeued.v1', subject, data: { queueId, reason, waitedMs } };
  }

  #giveUp(contact: OpenContact): void {
    const stage = contact.state as 'QUEUED' | 'OFFERED';
    contact.state = 'OVER';
    this.#tell(contact, this.#dequeued(contact, 'GAVE_UP'), {
      type: 'meridian.contact.abandoned.v1',
      subject: contact.id,
      data: { stage, durations: [] },
    });
    if (stage === 'OFFERED') return;
    this.#route({
      type: 'meridian.routing.withdrawn.v1',
      subject: contact.id,
      data: { queueId: contact.queueId, reason: 'meridian.contact.abandoned.v1' },
    });
  }

  #wait(contact: OpenContact, roll: number): void {
    const { id: subject, queueId } = contact;
    if (roll < 0.08) return this.#giveUp(contact);
    if (roll < 0.1) {
      contact.state = 'OVER';
      return this.#tell(contact, this.#dequeued(contact, 'REAPED'), {
        type: 'meridian.contact.orphan_reaped.v1',
        subject,
        data: {
          state: 'QUEUED',
          since: toTimestamp(contact.queuedAtMs),
          limitMs: 1_000,
          durations: [],
        },
      });
    }
    const agent = this.#agents.find((one) => one.presence === 'AVAILABLE' && one.open < 2);
    const decided = (outcome: 'WAITING' | 'OFFERED'): DomainEvent => ({
      type: 'meridian.routing.decided.v1',
      subject,
      data: {
        outcome,
        trigger: 'CONTACT_QUEUED',
        queueId,
        channel: 'VOICE',
        requirements: [],
        enqueuedAt: toTimestamp(contact.queuedAtMs),
        candidates: [],
        exclusions: [],
        contactRequirements: [],
        algorithm: 'test/1',
      },
    });
    if (agent === undefined) return this.#route(decided('WAITING'));
    contact.state = 'OFFERED';
    contact.agent = agent;
    contact.reservationId = `r-${this.#tenant}-${this.#recorder.messages.length}`;
    agent.open++;
    const expiresAt = toTimestamp(this.#recorder.nowMs + 20_000);
    const { reservationId } = contact;
    this.#route(decided('OFFERED'), {
      type: 'meridian.reservation.created.v1',
      subject: reservationId,
      data: { contactId: subject, agentId: agent.id, queueId, channel: 'VOICE', expiresAt },
    });
    this.#tell(contact, {
      type: 'meridian.contact.offered.v1',
      subject,
      data: { reservationId, agentId: agent.id, expiresAt },
    });
  }

  #answer(contact: OpenContact, roll: number): void {
    const { id: contactId, reservationId } = contact;
    const agent = contact.agent as Worker;
    const about = { subject: reservationId, data: { contactId, agentId: agent.id } };
    if (roll < 0.7) {
      contact.state = 'CONNECTED';
      this.#route({ type: 'meridian.reservation.accepted.v1', ...about });
      return this.#tell(contact, this.#dequeued(contact, 'TO_AGENT'), {
        type: 'meridian.contact.connected_to_agent.v1',
        subject: contactId,
        data: { agentId: agent.id, reservationId },
      });
    }
    agent.open--;
    if (roll < 0.78) {
      this.#giveUp(contact);
      return this.#route({
        type: 'meridian.reservation.rescinded.v1',
        subject: reservationId,
        data: { ...about.data, reason: 'CONTACT_ENDED' },
      });
    }
    contact.state = 'QUEUED';
    const isTimedOut = roll > 0.9;
    if (isTimedOut) {
      agent.presence = 'NOT_RESPONDING';
      this.#route(
        { type: 'meridian.reservation.timed_out.v1', ...about },
        { type: 'meridian.agent.not_responding.v1', subject: agent.id, data: { reservationId } },
      );
    } else this.#route({ type: 'meridian.reservation.rejected.v1', ...about });
    this.#tell(contact, {
      type: 'meridian.contact.requeued.v1',
      subject: contactId,
      data: {
        reservationId,
        reason: isTimedOut ? 'TIMED_OUT' : 'REJECTED',
        enqueuedAt: toTimestamp(contact.queuedAtMs),
      },
    });
  }

  #talk(contact: OpenContact, roll: number): void {
    const { id: subject, reservationId } = contact;
    const agentId = contact.agent?.id as string;
    if (roll < 0.3) {
      contact.state = 'HELD';
      return this.#tell(contact, { type: 'meridian.contact.held.v1', subject, data: {} });
    }
    contact.state = 'WRAP_UP';
    const limitAt = toTimestamp(this.#recorder.nowMs + wrapUpLimitMs);
    this.#tell(
      contact,
      { type: 'meridian.contact.disconnected.v1', subject, data: { by: 'CUSTOMER' } },
      { type: 'meridian.contact.acw_started.v1', subject, data: { agentId, limitAt } },
    );
    this.#route({
      type: 'meridian.reservation.wrapping.v1',
      subject: reservationId,
      data: { contactId: subject, agentId },
    });
  }

  #finish(contact: OpenContact, roll: number): void {
    const { id: subject, reservationId } = contact;
    const agent = contact.agent as Worker;
    contact.state = 'OVER';
    agent.open--;
    this.#tell(
      contact,
      { type: 'meridian.contact.acw_ended.v1', subject, data: { reason: 'BY_AGENT' } },
      ...(roll < 0.5
        ? [
            {
              type: 'meridian.contact.disposed.v1' as const,
              subject,
              data: { disposition: 'solved' },
            },
          ]
        : []),
      { type: 'meridian.contact.completed.v1', subject, data: { durations: [] } },
    );
    this.#route({
      type: 'meridian.reservation.completed.v1',
      subject: reservationId,
      data: { contactId: subject, agentId: agent.id },
    });
  }
}
