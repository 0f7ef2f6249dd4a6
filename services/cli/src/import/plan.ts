import { createHash } from 'node:crypto';
import type { EventToPublish } from '../http/client.ts';
import { resolve, type Resolved } from './resolve.ts';
import type { Channel, History, Tally } from './history.ts';

export interface PlanOptions {
  /** Where it comes from, such as `asterisk`: part of every request's source. */
  readonly format: string;
  /** Tells the file from others: the same file is the same requests, another one others. */
  readonly fingerprint: string;
  /** Within which wait an answer is in time, in ms. */
  readonly serviceLevelMs: number;
  /** When it is to begin, epoch ms: everything is moved there, spans kept. By default when it did. */
  readonly beginMs?: number;
  /** The home that everything is to belong to; that of the edge by default. */
  readonly home?: string;
}

/** A request, and whom it is about: those about one contact or agent must follow one another. */
export interface PlannedRequest {
  readonly atMs: number;
  readonly about: readonly string[];
  readonly request: EventToPublish & { readonly region?: string };
}

/** A file of another system as requests of ours. */
export interface ImportPlan {
  /** The source of every request: what was published before is known by it and its id. */
  readonly source: string;
  readonly requests: readonly PlannedRequest[];
  readonly records: number;
  readonly contacts: number;
  readonly agents: number;
  readonly queues: number;
  /** What had to be assumed because the file does not say it. */
  readonly inferred: Tally;
  readonly notMapped: Tally;
}

/** The longest that an offer may ring: history says when it was answered. */
const offerTtlMs = 600_000;
const ageingMsPerLevel = 60_000;
const contactIdLimit = 64;
const idLimit = 72;

/**
 * Turns what happened into requests that make it happen again. A contact that was answered asks for a
 * skill that only its agent has, so that it goes to whom it went.
 */
export function planImport(history: History, options: PlanOptions): ImportPlan {
  const resolved = resolve(history);
  const firstMs = resolved.steps[0]?.atMs ?? 0;
  const writer = new RequestWriter(resolved, options, firstMs);
  for (const queue of resolved.queues) writer.configure(queue, firstMs);
  for (const step of resolved.steps) writer.step(step);
  return {
    source: writer.source,
    requests: writer.requests,
    records: history.records,
    contacts: resolved.contacts.size,
    agents: resolved.agents.size,
    queues: resolved.queues.size,
    inferred: resolved.inferred,
    notMapped: resolved.notMapped,
  };
}

/** An id that the contracts take; one that had to be changed ends with a hash of the original. */
export function safeId(text: string, limit = idLimit): string {
  if (/^[A-Za-z0-9_-]+$/.test(text) && text.length <= limit) return text;
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 6);
  return `${text.replaceAll(/[^A-Za-z0-9_-]/g, '-').slice(0, limit - 7)}-${hash}`;
}

/** The fingerprint of a file: the beginning of its hash. */
export const fingerprintOf = (text: string): string =>
  createHash('sha256').update(text).digest('hex').slice(0, 12);

const contactId = (name: string): string => safeId(name, contactIdLimit);
/** The id in the other system, where it had to be changed: an attribute holds 32 characters. */
function originalId(name: string): Record<string, string> {
  if (contactId(name) === name) return {};
  const parts = name.match(/.{1,32}/gsu) ?? [];
  return Object.fromEntries(
    parts.slice(0, 8).map((part, index) => [`importedId${index === 0 ? '' : index + 1}`, part]),
  );
}

const skillOf = (agent: string): string => safeId(`agent-${agent}`);

class RequestWriter {
  readonly requests: PlannedRequest[] = [];
  readonly source: string;
  readonly #resolved: Resolved;
  readonly #options: PlanOptions;
  readonly #shiftMs: number;
  readonly #counts = new Map<string, number>();

  constructor(resolved: Resolved, options: PlanOptions, firstMs: number) {
    this.#resolved = resolved;
    this.#options = options;
    this.#shiftMs = (options.beginMs ?? firstMs) - firstMs;
    this.source = `/import/${options.format}/${options.fingerprint}`;
  }

  configure(queue: string, atMs: number): void {
    const settings = {
      requirements: [],
      strategy: 'LONGEST_IDLE',
      offerTtlMs,
      ageingMsPerLevel,
      serviceLevelMs: this.#options.serviceLevelMs,
    };
    this.#add(atMs, [`queue ${queue}`], 'queue.configure', safeId(queue), { settings });
  }

  step(step: Resolved['steps'][number]): void {
    const { atMs } = step;
    switch (step.kind) {
      case 'SIGN_IN':
        return this.#signIn(atMs, step.agent);
      case 'SIGN_OUT':
        return this.#ofAgent(atMs, step.agent, 'sign_out', {});
      case 'BACK':
        return this.#ofAgent(atMs, step.agent, 'set_presence', { presence: 'AVAILABLE' });
      case 'AWAY': {
        const reason = step.reason === undefined ? {} : { reason: step.reason.slice(0, 64) };
        return this.#ofAgent(atMs, step.agent, 'set_presence', { presence: 'AWAY', ...reason });
      }
      case 'BEGIN': {
        const { contact, method, channel, customer } = step;
        const who = customer === undefined ? {} : { customer: customer.slice(0, 256) };
        const attributes = {
          importedFrom: this.#options.format,
          ...originalId(contact),
          importedTime: new Date(atMs).toISOString(),
        };
        return this.#ofContact(atMs, contact, 'initiate', { method, channel, ...who, attributes });
      }
      case 'QUEUE': {
        const { contact, queue, priority = 0 } = step;
        const agent = this.#resolved.contacts.get(contact)?.agent;
        const requirements =
          agent === undefined ? [] : [{ skill: skillOf(agent), minimumLevel: 1 }];
        const data = { queueId: safeId(queue), priority, requirements };
        return this.#ofContact(atMs, contact, 'enter_queue', data);
      }
      case 'ANSWER': {
        const { contact, agent } = step;
        const reservation = `${contactId(contact)}-r1`;
        const about = [`contact ${contact}`, `agent ${agent}`];
        return this.#add(atMs, about, 'reservation.accept', reservation, {
          agentId: safeId(agent),
        });
      }
      case 'HOLD':
      case 'RESUME':
        return this.#ofContact(atMs, step.contact, step.kind.toLowerCase(), {});
      case 'HANG_UP': {
        const { contact, by, reason } = step;
        const why = reason === undefined ? {} : { reason };
        return this.#ofContact(atMs, contact, 'hang_up', { by, ...why });
      }
      default: {
        const { contact, disposition } = step;
        const filed = disposition === undefined ? {} : { disposition };
        return this.#ofContact(atMs, contact, 'complete_wrap_up', filed);
      }
    }
  }

  #signIn(atMs: number, agent: string): void {
    const limits = this.#resolved.agents.get(agent) ?? new Map<Channel, number>();
    const nth = (this.#counts.get(`agent.sign_in ${safeId(agent)}`) ?? 0) + 1;
    this.#ofAgent(atMs, agent, 'sign_in', {
      sessionId: `import-${this.#options.fingerprint}-${nth}`,
      skills: [{ skill: skillOf(agent), level: 1 }],
      capacities: [...limits].map(([channel, limit]) => ({ channel, limit })),
      presence: 'AVAILABLE',
    });
  }

  #ofAgent(atMs: number, agent: string, what: string, data: object): void {
    this.#add(atMs, [`agent ${agent}`], `agent.${what}`, safeId(agent), data);
  }

  #ofContact(atMs: number, contact: string, what: string, data: object): void {
    const agent = this.#resolved.contacts.get(contact)?.agent;
    const about = [`contact ${contact}`, ...(agent === undefined ? [] : [`agent ${agent}`])];
    this.#add(atMs, about, `contact.${what}`, contactId(contact), data);
  }

  #add(wasMs: number, about: readonly string[], what: string, subject: string, data: object): void {
    const atMs = wasMs + this.#shiftMs;
    const name = `${what} ${subject}`;
    const nth = (this.#counts.get(name) ?? 0) + 1;
    this.#counts.set(name, nth);
    const { home } = this.#options;
    this.requests.push({
      atMs,
      about,
      request: {
        specversion: '1.0',
        id: `${subject}/${what}/${nth}`,
        source: this.source,
        type: `meridian.${what}.v1`,
        subject,
        time: new Date(atMs).toISOString(),
        ...(home === undefined ? {} : { region: home }),
        data,
      },
    });
  }
}
