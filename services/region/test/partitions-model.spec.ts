import { describe, expect, test } from '@jest/globals';
import { isEarlierOffer, seeded, type Random } from '@meridian/core';
import { isOver } from '@meridian/sessions';
import type { Channel, DomainEvent } from '@meridian/wire';
import { homes, Mesh, type Home } from './partitions-model.ts';

const seedCount = 250;
const turns = 260;
const agentIds = ['a1', 'a2', 'a3', 'a4', 'a5'];
const channels: readonly Channel[] = ['VOICE', 'CHAT'];
const abandons = ['QUEUED', 'OFFERED', 'CONNECTED'];

/** People of three homes do as they please; the entries arrive late, and some twice. */
class Day {
  readonly mesh = new Mesh();
  readonly random: Random;
  #checked = 0;
  readonly #lastOffer = new Map<string, string>();
  #contactCount = 0;

  constructor(readonly seed: string) {
    this.random = seeded(seed);
  }

  run(): void {
    for (const home of homes) this.#configure(home, 'q1');
    this.#configure(this.random.pick(homes), 'q2');
    for (let turn = 0; turn < turns; turn += 1) {
      const what = this.#turn();
      try {
        this.#check();
        if (turn % 65 === 64) {
          this.mesh.drain(this.random);
          this.#check();
          this.#isAtRest();
        }
      } catch (error) {
        throw new Error(`Seed "${this.seed}", turn ${turn}, ${what}: ${String(error)}`, {
          cause: error,
        });
      }
    }
    for (const home of homes) {
      const [actual, folded] = this.mesh.dumps(home);
      if (actual !== folded) expect(actual).toBe(folded);
    }
    this.#end();
  }

  #turn(): string {
    const { mesh, random } = this;
    mesh.now += random.pick([0, 0, 300, 2_000]);
    const home = random.pick(homes);
    const draw = random.int(100);
    if (draw < 42) {
      const reader = random.pick(mesh.readers);
      mesh.readNext(reader);
      return `${reader.home} reads ${reader.from}`;
    }
    if (draw < 50) {
      mesh.lend(home);
      return `${home} lends`;
    }
    if (draw < 54) return this.#repeat();
    if (draw < 56) {
      mesh.epochs[home] += 1;
      return `${home} is taken over`;
    }
    if (draw < 62) {
      mesh.route(home, { type: 'time_passed', subject: 'demo' });
      return `time in ${home}`;
    }
    if (draw < 72) return this.#agent(home);
    if (draw < 80) return this.#arrive(home);
    return draw < 92 ? this.#answer(home) : this.#finish();
  }

  /** Something that was read is read again: nothing follows from it. */
  #repeat(): string {
    const { mesh, random } = this;
    const reader = random.pick(mesh.readers.filter(({ read }) => read > 0).concat(mesh.readers));
    const entry = reader.source[random.int(Math.max(1, reader.read))];
    if (reader.read === 0 || entry === undefined) return 'nothing to repeat';
    const isContact = entry.events.some(({ type }) => type.startsWith('meridian.contact.'));
    // A contact may have come here since it was told of; only its place in the stream knows that.
    if (isContact && (entry.home !== reader.home || this.#isStale(entry.events))) return 'nothing';
    const count = mesh.deliver(reader, entry);
    if (count > 0) throw new Error(`${JSON.stringify(entry)} again leads to ${count} events`);
    return 'again';
  }

  /** A contact that joined and has ended since. */
  #isStale(events: readonly DomainEvent[]): boolean {
    return events.some(({ type, subject }) => {
      const contact = this.mesh.contacts.get(subject)?.state;
      return type === 'meridian.contact.queued.v1' && contact?.state !== 'QUEUED';
    });
  }

  #configure(home: Home, queueId: string): void {
    const settings = {
      requirements: [],
      strategy: 'LONGEST_IDLE' as const,
      offerTtlMs: 4_000,
      ageingMsPerLevel: 1_000,
      serviceLevelMs: 20_000,
    };
    this.mesh.route(home, {
      type: 'meridian.queue.configure.v1',
      subject: queueId,
      data: { settings },
    });
  }

  #agent(home: Home): string {
    const { mesh, random } = this;
    if (random.next() < 0.1) {
      if (random.next() < 0.5) this.#configure(home, 'q2');
      else mesh.route(home, { type: 'meridian.queue.delete.v1', subject: 'q2', data: {} });
      return `q2 in ${home}`;
    }
    const subject = random.pick(agentIds);
    const draw = random.next();
    if (draw < 0.5) {
      const capacities = channels.map((channel, index) => ({ channel, limit: 1 + index }));
      const data = { sessionId: `${home}-${random.int(3)}`, capacities };
      mesh.route(home, { type: 'meridian.agent.sign_in.v1', subject, data });
    } else if (draw < 0.6) {
      mesh.route(home, { type: 'meridian.agent.sign_out.v1', subject, data: {} });
    } else {
      const presence = random.pick(['AVAILABLE', 'AVAILABLE', 'AWAY'] as const);
      mesh.route(home, { type: 'meridian.agent.set_presence.v1', subject, data: { presence } });
    }
    return `${subject} in ${home}`;
  }

  #arrive(home: Home): string {
    const { mesh, random } = this;
    this.#contactCount += 1;
    const subject = `c${this.#contactCount}`;
    const method = 'INBOUND' as const;
    mesh.tell(home, {
      type: 'meridian.contact.initiate.v1',
      subject,
      data: { method, channel: random.pick(channels) },
    });
    const queueId = random.next() < 0.85 ? 'q1' : 'q2';
    mesh.tell(home, { type: 'meridian.contact.enter_queue.v1', subject, data: { queueId } });
    return `${subject} joins in ${home}`;
  }

  #answer(home: Home): string {
    const { mesh, random } = this;
    const live = [...mesh.partitions[home].reservations];
    if (live.length === 0) return 'nobody to answer';
    const [subject, { agentId }] = random.pick(live);
    const type = random.next() < 0.7 ? 'accept' : 'reject';
    mesh.route(home, { type: `meridian.reservation.${type}.v1`, subject, data: { agentId } });
    return `${agentId} ${type}s ${subject}`;
  }

  #finish(): string {
    const { mesh, random } = this;
    const alive = [...mesh.contacts].filter(([, { state }]) => !isOver(state));
    if (alive.length === 0) return 'nobody to end';
    const [subject, { home, state }] = random.pick(alive);
    if (state.state === 'WRAP_UP') {
      mesh.tell(home, { type: 'meridian.contact.complete_wrap_up.v1', subject, data: {} });
    } else if (abandons.includes(state.state)) {
      mesh.tell(home, { type: 'meridian.contact.hang_up.v1', subject, data: { by: 'CUSTOMER' } });
    }
    return `${subject} ends`;
  }

  /** What holds at any moment, whoever has heard of what. */
  #check(): void {
    const { mesh } = this;
    for (const [id] of mesh.contacts) {
      const here = homes.filter((home) => mesh.isHere(home, id));
      if (here.length > 1) throw new Error(`${id} is in ${here.join(' and ')}`);
    }
    for (const home of homes) {
      const { agents, loans, offered } = mesh.partitions[home];
      for (const { id, open, capacities } of agents.values()) {
        for (const channel of channels) {
          const count = [...open.values()].filter((one) => one.channel === channel).length;
          if (count > (capacities.get(channel) ?? 0)) throw new Error(`${id} has ${count}`);
        }
      }
      for (const id of loans.borrowed.keys()) {
        if (!offered.has(id)) throw new Error(`${id} is borrowed by ${home} and not offered`);
      }
    }
    this.#areNumbered();
  }

  /** Across partitions, the reservations of a contact have increasing numbers. */
  #areNumbered(): void {
    const { all, contacts } = this.mesh;
    for (const { home, event } of all.slice(this.#checked)) {
      if (event.type !== 'meridian.reservation.created.v1') continue;
      const { contactId, contactHome = home } = event.data;
      if (contacts.get(contactId)?.home !== contactHome) {
        throw new Error(`${event.subject} names the home ${contactHome}`);
      }
      const last = this.#lastOffer.get(contactId) ?? `${contactId}-r0`;
      if (!isEarlierOffer(last, event.subject)) {
        throw new Error(`${event.subject} comes after ${last}`);
      }
      this.#lastOffer.set(contactId, event.subject);
    }
    this.#checked = all.length;
  }

  /** What holds once everybody has read everything. */
  #isAtRest(): void {
    const { mesh } = this;
    for (const [id, { home, state }] of mesh.contacts) {
      const bookings = homes.flatMap((each) => {
        const { reservationOf, reservations } = mesh.partitions[each];
        const reservationId = reservationOf.get(id);
        const stage = reservations.get(reservationId ?? '')?.stage;
        return reservationId === undefined ? [] : [`${reservationId} ${stage}`];
      });
      const own = mesh.partitions[home];
      const named = 'reservationId' in state ? state.reservationId : undefined;
      const stages = { OFFERED: 'PENDING', CONNECTED: 'ACCEPTED', WRAP_UP: 'WRAPPING' };
      const stage = stages[state.state as keyof typeof stages];
      const expected = stage === undefined ? [] : [`${named} ${stage}`];
      const actual = { bookings, waits: own.waiting.has(id) };
      expect({ id, ...actual }).toEqual({
        id,
        bookings: expected,
        waits: state.state === 'QUEUED',
      });
    }
    for (const id of agentIds) {
      const at = homes.filter((home) => {
        const agent = mesh.partitions[home].agents.get(id);
        return agent?.sessionId !== undefined && !agent.isSigningOut;
      });
      if (at.length > 1) throw new Error(`${id} works in ${at.join(' and ')}`);
    }
  }

  /** Everybody goes home: nothing is left of anybody. */
  #end(): void {
    const { mesh, random } = this;
    for (let round = 0; round < 3; round += 1) {
      for (const [subject, { home }] of mesh.contacts) {
        const by = 'CUSTOMER' as const;
        mesh.tell(home, { type: 'meridian.contact.hang_up.v1', subject, data: { by } });
        mesh.tell(home, { type: 'meridian.contact.complete_wrap_up.v1', subject, data: {} });
      }
      mesh.now += 10_000;
      for (const home of homes) mesh.route(home, { type: 'time_passed', subject: 'demo' });
      mesh.drain(random);
    }
    for (const [id, { state }] of mesh.contacts) {
      if (!isOver(state)) throw new Error(`Seed "${this.seed}": ${id} is ${state.state}`);
    }
    for (const home of homes) {
      const { waiting, offered, reservations, attempts, loans, due } = mesh.partitions[home];
      const left = [waiting, offered, reservations, attempts, due].map(({ size }) => size);
      const loansLeft = [loans.lent, loans.borrowed, loans.returns].map(({ size }) => size);
      const all = { seed: this.seed, home, left, loansLeft };
      expect(all).toEqual({ ...all, left: [0, 0, 0, 0, 0], loansLeft: [0, 0, 0] });
    }
  }
}

describe('three partitions that lend each other contacts', () => {
  test(`${seedCount} seeds of ${turns} turns: nobody is served twice, everybody ends`, () => {
    const reached = new Set<string>();
    for (let index = 0; index < seedCount; index += 1) {
      const day = new Day(`mesh ${index}`);
      day.run();
      for (const what of day.mesh.reached) reached.add(what);
    }
    expect([...reached]).toEqual(
      expect.arrayContaining([
        'meridian.routing.lent.v1',
        'meridian.routing.returned.v1',
        'meridian.reservation.canceled.v1',
        'meridian.agent.sign_out_requested.v1',
        'NO_AGENT',
        'QUEUE_UNKNOWN',
        'OFFER_ENDED',
        'SUPERSEDED',
      ]),
    );
  });
});
