import { setTimeout as wait } from 'node:timers/promises';
import { EdgeClient } from '@meridian/cli';
import { seeded, type Random } from '@meridian/core';
import type { Acknowledgements } from './acknowledgements.ts';
import { Door, type Edge } from './doors.ts';
import type { OutsideRequest } from './post.ts';
import { queueId, reactionTo, typesHeard, type Heard } from './reactions.ts';
import { sendUntilAcknowledged } from './sender.ts';

export interface PeopleOptions {
  readonly home: string;
  readonly edges: readonly Edge[];
  /** Ids begin with it. */
  readonly run: string;
  readonly seed: string;
  readonly agents: number;
  readonly contactsPerSecond: number;
  readonly acknowledgements: Acknowledgements;
}

/** How long a region may take to acknowledge the first requests, in ms. */
const openLimitMs = 60_000;
const skill = 'drill';
const ends = new Set([
  'meridian.contact.completed.v1',
  'meridian.contact.abandoned.v1',
  'meridian.contact.orphan_reaped.v1',
]);

/**
 * The customers and agents of one region. They know of the mesh what its event stream says, at
 * whichever edge they hear it, and answer what concerns them; everything is sent until it is
 * acknowledged.
 */
export class People {
  readonly #options: PeopleOptions;
  readonly #agents: ReadonlySet<string>;
  readonly #door: Door;
  readonly #random: Random;
  /** Nobody listens or begins anything any more. */
  readonly #closing = new AbortController();
  /** What is not acknowledged is given up. */
  readonly #givingUp = new AbortController();
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #living = new Set<string>();
  #position = '';
  #started = 0;
  #listening: Promise<void> = Promise.resolve();

  constructor(options: PeopleOptions) {
    const { home, edges, run, seed, agents } = options;
    this.#options = options;
    this.#agents = new Set(
      Array.from({ length: agents }, (_, index) => `${run}-${home}-a${index}`),
    );
    this.#door = new Door(edges, home);
    this.#random = seeded(`${seed}/${home}`);
  }

  /** The contacts of the customers who have come, as far as they have not ended. */
  get living(): ReadonlySet<string> {
    return this.#living;
  }

  /** How many customers came. */
  get customers(): number {
    return this.#started;
  }

  /**
   * Begins to listen and signs the agents in. Resolves once their sessions are acknowledged.
   * @throws Error when nothing is acknowledged within a minute
   */
  async open(): Promise<void> {
    const { home, acknowledgements } = this.#options;
    const limit = setTimeout(() => this.#givingUp.abort(), openLimitMs);
    const isAcknowledged = await this.#signIn();
    clearTimeout(limit);
    if (isAcknowledged) return;
    throw new Error(
      `The region ${home} was of no use within ${openLimitMs / 1_000} s: ` +
        `${acknowledgements.refusals[0] ?? 'its event stream did not open'}.\n` +
        'See the output of its services.',
    );
  }

  async #signIn(): Promise<boolean> {
    const opened = Promise.withResolvers<void>();
    this.#listening = this.#listen(opened.resolve);
    const isQueue = await this.#send({
      id: `${this.#options.run}-queue-${this.#options.home}`,
      type: 'meridian.queue.configure.v1',
      subject: queueId,
      data: {
        settings: {
          requirements: [{ skill, minimumLevel: 1 }],
          strategy: 'LONGEST_IDLE',
          offerTtlMs: 20_000,
          ageingMsPerLevel: 60_000,
          serviceLevelMs: 20_000,
        },
      },
    });
    const sessions = await Promise.all(
      [...this.#agents].map((agent) =>
        this.#send({
          id: `${agent}/sign-in`,
          type: 'meridian.agent.sign_in.v1',
          subject: agent,
          data: {
            sessionId: `${agent}-session`,
            skills: [{ skill, level: 5 }],
            capacities: [{ channel: 'VOICE', limit: 1 }],
            presence: 'AVAILABLE',
          },
        }),
      ),
    );
    if (!isQueue || !sessions.every(Boolean)) return false;
    const { signal } = this.#givingUp;
    signal.addEventListener('abort', () => opened.resolve(), { once: true });
    await opened.promise;
    return !signal.aborted;
  }

  /** Customers come for so long, at a steady rate. */
  async run(seconds: number, signal: AbortSignal): Promise<void> {
    const { home, run, contactsPerSecond } = this.#options;
    const start = performance.now();
    const total = Math.round(seconds * contactsPerSecond);
    while (this.#started < total && !signal.aborted) {
      const dueMs = start + (this.#started * 1_000) / contactsPerSecond;
      await wait(Math.max(0, dueMs - performance.now()), undefined, { signal }).catch(() => {});
      if (signal.aborted) return;
      const contact = `${run}-${home}-c${this.#started}`;
      this.#started += 1;
      this.#living.add(contact);
      this.#later(0, {
        id: `${contact}/initiate`,
        type: 'meridian.contact.initiate.v1',
        subject: contact,
        data: { method: 'INBOUND', channel: 'VOICE' },
      });
    }
  }

  /** Everybody goes, once what they have sent is acknowledged, or after `limitMs`. */
  async close(limitMs: number): Promise<void> {
    this.#closing.abort();
    const limit = setTimeout(() => this.#givingUp.abort(), limitMs);
    await Promise.all([this.#listening, ...this.#underWay]);
    clearTimeout(limit);
  }

  async #listen(onOpen: () => void): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      const { edge } = this.#door;
      const client = new EdgeClient({ url: edge.url, key: edge.key, timeoutMs: 20_000 });
      const lost = new AbortController();
      const filter = {
        type: [...typesHeard],
        from: this.#position === '' ? 'now' : this.#position,
      };
      const options = {
        signal: AbortSignal.any([signal, lost.signal]),
        onLost: () => lost.abort(),
        onOpen,
      };
      try {
        for await (const { position, event } of client.stream(filter, options)) {
          this.#position = position;
          this.#hear(event as unknown as Heard);
        }
      } catch {
        // The edge is away, or behind what was heard elsewhere: the next one is tried.
      }
      client.close();
      if (signal.aborted) return;
      this.#door.moveOn(edge);
      await wait(100, undefined, { signal }).catch(() => {});
    }
  }

  #hear(event: Heard): void {
    const reaction = reactionTo(event, {
      isMyCustomer: (contactId) => this.#living.has(contactId),
      isMyAgent: (agentId) => this.#agents.has(agentId),
    });
    if (ends.has(event.type)) this.#living.delete(event.subject);
    if (reaction !== undefined) this.#later(this.#draw(reaction.within), reaction.request);
  }

  #draw([least, most]: readonly [number, number]): number {
    return least + this.#random.next() * (most - least);
  }

  /** Sends a request after a moment, and does not wait for it. */
  #later(afterMs: number, request: Omit<OutsideRequest, 'region'> & { region?: string }): void {
    const sent = wait(afterMs, undefined, { signal: this.#closing.signal })
      .then(() => this.#send(request))
      .catch(() => {});
    this.#underWay.add(sent);
    void sent.finally(() => this.#underWay.delete(sent));
  }

  /** @returns whether it was acknowledged */
  async #send(request: Omit<OutsideRequest, 'region'> & { region?: string }): Promise<boolean> {
    const { home, acknowledgements } = this.#options;
    const { signal } = this.#givingUp;
    const whole = { region: home, ...request };
    const settings = { acknowledgements, signal };
    return (await sendUntilAcknowledged(this.#door, [whole], 'region', settings)) !== undefined;
  }
}
