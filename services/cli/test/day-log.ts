import { seeded, type Random } from '@meridian/core';
import type { RawEntry } from '../src/check/index.ts';
import { contact, routing } from './drafts.ts';
import { LogBuilder, type Draft } from './log-builder.ts';

/** A contact of the small centre below, with the seconds it spent in each state. */
interface Guest {
  readonly id: string;
  readonly queuedAt: number;
  readonly spent: Record<string, number>;
  since: number;
  state: string;
  offers: number;
}

/**
 * A valid log of a small centre: `contacts` calls in one queue, two agents who take one call at a
 * time, with offers that ring out, holds and customers who give up. The same seed gives the same log.
 */
export function dayLog(seed: string, contacts: number): RawEntry[] {
  return new SmallCentre(seeded(seed), contacts).run();
}

class SmallCentre {
  readonly #log = new LogBuilder();
  readonly #random: Random;
  readonly #contacts: number;
  readonly #free = ['a1', 'a2'];
  readonly #waiting: Guest[] = [];
  readonly #todo: { at: number; order: number; act: (now: number) => void }[] = [];
  #order = 0;

  constructor(random: Random, contacts: number) {
    this.#random = random;
    this.#contacts = contacts;
  }

  run(): RawEntry[] {
    this.#route(0, [routing.queue('q1')]);
    this.#route(1, [routing.signedIn('a1'), routing.signedIn('a2')]);
    for (let index = 1; index <= this.#contacts; index++) {
      this.#later(10 * index + this.#between(0, 9), (now) => this.#arrive(`c${index}`, now));
    }
    for (;;) {
      this.#todo.sort((a, b) => a.at - b.at || a.order - b.order);
      const next = this.#todo.shift();
      if (next === undefined) return this.#log.entries;
      next.act(next.at);
    }
  }

  #between(low: number, high: number): number {
    return low + this.#random.int(high - low + 1);
  }

  #later(at: number, act: (now: number) => void): void {
    this.#todo.push({ at, order: this.#order++, act });
  }

  #route(now: number, events: readonly Draft[]): void {
    this.#log.add('routing.eu', now, events);
  }

  #enter(guest: Guest, state: string, now: number): void {
    guest.spent[guest.state] = (guest.spent[guest.state] ?? 0) + now - guest.since;
    Object.assign(guest, { state, since: now });
  }

  #arrive(id: string, now: number): void {
    this.#log.add(`contact.${id}`, now, contact.initiated(id));
    const queuedAt = now + this.#between(1, 5);
    const guest: Guest = {
      id,
      queuedAt,
      spent: { IN_SYSTEM: 0 },
      since: now,
      state: 'IVR',
      offers: 0,
    };
    this.#later(queuedAt, (at) => this.#join(guest, at));
  }

  #join(guest: Guest, now: number): void {
    this.#enter(guest, 'QUEUED', now);
    this.#log.add(`contact.${guest.id}`, now, contact.queued(guest.id));
    const agent = this.#free.shift();
    if (agent !== undefined) this.#offer(guest, agent, now, 'CONTACT_QUEUED', []);
    else {
      this.#waiting.push(guest);
      this.#route(now, [routing.decided(guest.id, 'WAITING', 'CONTACT_QUEUED', guest.queuedAt)]);
      this.#later(now + this.#between(20, 90), (at) => this.#giveUp(guest, at));
    }
  }

  #giveUp(guest: Guest, now: number): void {
    const place = this.#waiting.indexOf(guest);
    if (place === -1) return;
    this.#waiting.splice(place, 1);
    this.#enter(guest, 'ABANDONED', now);
    this.#log.add(
      `contact.${guest.id}`,
      now,
      contact.gaveUp(guest.id, now - guest.queuedAt, guest.spent),
    );
    this.#route(now, [routing.withdrawn(guest.id)]);
  }

  #offer(
    guest: Guest,
    agent: string,
    now: number,
    trigger: string,
    before: readonly Draft[],
  ): void {
    guest.offers += 1;
    const reservation = `${guest.id}-r${guest.offers}`;
    this.#route(now, [
      ...before,
      routing.decided(guest.id, 'OFFERED', trigger, guest.queuedAt, { agentId: agent }),
      routing.created(reservation, guest.id, agent, now + 20),
    ]);
    this.#enter(guest, 'OFFERED', now);
    this.#log.add(
      `contact.${guest.id}`,
      now,
      contact.offered(guest.id, reservation, agent, now + 20),
    );
    if (guest.offers === 1 && this.#random.next() < 0.2) {
      this.#later(now + 20, (at) => this.#ringOut(guest, agent, at));
    } else this.#later(now + this.#between(1, 19), (at) => this.#accept(guest, agent, at));
  }

  #ringOut(guest: Guest, agent: string, now: number): void {
    const reservation = `${guest.id}-r${guest.offers}`;
    this.#route(now, [
      routing.changed('timed_out', reservation, guest.id, agent),
      routing.notResponding(agent, reservation),
      routing.decided(guest.id, 'WAITING', 'OFFER_ENDED', guest.queuedAt),
    ]);
    this.#enter(guest, 'QUEUED', now);
    this.#log.add(
      `contact.${guest.id}`,
      now,
      contact.requeued(guest.id, reservation, guest.queuedAt),
    );
    this.#waiting.push(guest);
    this.#waiting.sort((a, b) => a.queuedAt - b.queuedAt);
    this.#later(now + 5, (at) =>
      this.#release(agent, at, [routing.presence(agent, 'NOT_RESPONDING', 'AVAILABLE')]),
    );
  }

  #accept(guest: Guest, agent: string, now: number): void {
    const reservation = `${guest.id}-r${guest.offers}`;
    this.#route(now, [routing.changed('accepted', reservation, guest.id, agent)]);
    this.#enter(guest, 'CONNECTED', now);
    this.#log.add(
      `contact.${guest.id}`,
      now,
      contact.connected(guest.id, reservation, agent, now - guest.queuedAt),
    );
    if (this.#random.next() < 0.3) {
      this.#later(now + 3, (at) => {
        this.#enter(guest, 'HELD', at);
        this.#log.add(`contact.${guest.id}`, at, contact.held(guest.id));
      });
      this.#later(now + 5, (at) => {
        this.#enter(guest, 'CONNECTED', at);
        this.#log.add(`contact.${guest.id}`, at, contact.resumed(guest.id));
      });
    }
    this.#later(now + this.#between(6, 40), (at) => this.#hangUp(guest, agent, at));
  }

  #hangUp(guest: Guest, agent: string, now: number): void {
    this.#enter(guest, 'WRAP_UP', now);
    this.#log.add(`contact.${guest.id}`, now, contact.hungUp(guest.id, agent, now + 300));
    this.#route(now, [
      routing.changed('wrapping', `${guest.id}-r${guest.offers}`, guest.id, agent),
    ]);
    this.#later(now + this.#between(1, 10), (at) => {
      this.#enter(guest, 'COMPLETED', at);
      this.#log.add(`contact.${guest.id}`, at, contact.completed(guest.id, guest.spent));
      const done = routing.changed('completed', `${guest.id}-r${guest.offers}`, guest.id, agent);
      this.#release(agent, at, [done]);
    });
  }

  #release(agent: string, now: number, before: readonly Draft[]): void {
    const next = this.#waiting.shift();
    if (next === undefined) {
      this.#free.push(agent);
      this.#route(now, before);
    } else this.#offer(next, agent, now, 'AGENT_FREED', before);
  }
}
