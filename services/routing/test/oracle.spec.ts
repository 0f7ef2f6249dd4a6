import { isDeepStrictEqual } from 'node:util';
import { expect, test } from '@jest/globals';
import { seeded, step, type Random } from '@meridian/core';
import type { Channel, QueueSettings, SkillRequirement } from '@meridian/wire';
import {
  partitionDecider,
  type Command,
  type Partition,
  type PartitionEvent,
} from '../src/index.ts';
import {
  candidates,
  exclusions,
  served,
  skillOf,
  type Caller,
  type Desk,
  type Line,
} from './oracle.ts';
import {
  arbitraryCapacities,
  arbitraryRequirements,
  arbitrarySettings,
  arbitrarySkills,
  channels,
} from './walk.ts';

const caseCount = 10_000;
const time = (ms: number): string => new Date(ms).toISOString();
const asks = (requirements: readonly SkillRequirement[] = []): (readonly [string, number])[] =>
  requirements.map(({ skill, minimumLevel }) => [skill, minimumLevel]);
const lineOf = ({ requirements, strategy, ageingMsPerLevel }: QueueSettings): Line => ({
  asks: asks(requirements),
  strategy,
  ageingMs: ageingMsPerLevel,
});

/** Jest's own comparison only where there is a difference to show: there are 20,000. */
function same(actual: unknown, expected: unknown): void {
  if (!isDeepStrictEqual(actual, expected)) expect(actual).toStrictEqual(expected);
}

/** A partition told event by event, with the oracle's own account of it beside. */
class Case {
  readonly partition: Partition = partitionDecider.initial();
  readonly random: Random;
  now = 1_000;
  #count = 0;

  constructor(readonly seed: string) {
    this.random = seeded(seed);
  }

  tell(event: PartitionEvent): void {
    partitionDecider.evolve(this.partition, event, this.now);
  }

  later(): number {
    this.now += this.random.int(3);
    return this.now;
  }

  ask(command: Command): readonly PartitionEvent[] {
    const answer = step(partitionDecider, this.partition, command, {
      now: this.now,
      random: this.random,
    });
    if (!answer.accepted) {
      throw new Error(`Seed "${this.seed}": ${JSON.stringify(answer.rejection)}`);
    }
    return answer.events;
  }

  queue(id: string): Line {
    const settings = arbitrarySettings(this.random);
    this.tell({ type: 'meridian.queue.created.v1', subject: id, data: { settings } });
    return lineOf(settings);
  }

  /** Books and, perhaps, answers; `end` makes it over. */
  book(agentId: string, contactId: string, channel: Channel, end?: 'rejected' | 'completed'): void {
    this.#count += 1;
    const subject = `${contactId}-r${this.#count}`;
    const data = { contactId, agentId };
    this.tell({
      type: 'meridian.reservation.created.v1',
      subject,
      data: { ...data, queueId: 'q1', channel, expiresAt: time(this.now + 60_000) },
    });
    if (end === 'rejected') this.tell({ type: 'meridian.reservation.rejected.v1', subject, data });
    else if (end === 'completed' || this.random.next() < 0.7) {
      this.tell({ type: 'meridian.reservation.accepted.v1', subject, data });
      if (end === 'completed') {
        this.tell({ type: 'meridian.reservation.completed.v1', subject, data });
      }
    }
  }

  /** An agent with a random past; `caller` may have been declined. */
  desk(id: string, caller: string): Desk {
    const { random } = this;
    const skills = arbitrarySkills(random);
    const capacities = arbitraryCapacities(random);
    let presence: string = random.next() < 0.8 ? 'AVAILABLE' : 'AWAY';
    let freeSinceMs = this.later();
    this.tell({
      type: 'meridian.agent.signed_in.v1',
      subject: id,
      data: { sessionId: 's1', skills, capacities, presence: presence as 'AVAILABLE' },
    });
    if (random.next() < 0.3) {
      this.later();
      this.book(id, `past-${id}`, random.pick(channels), 'completed');
      freeSinceMs = this.now;
    }
    const declined: string[] = [];
    if (random.next() < 0.2) {
      freeSinceMs = this.later();
      this.book(id, caller, 'VOICE', 'rejected');
      declined.push(caller);
    }
    if (random.next() < 0.3) {
      const to = random.pick(['AVAILABLE', 'AVAILABLE', 'AWAY', 'BUSY'] as const);
      this.later();
      this.tell({
        type: 'meridian.agent.state_changed.v1',
        subject: id,
        data: { from: 'AWAY', to },
      });
      presence = to;
      if (to === 'AVAILABLE') {
        freeSinceMs = this.now;
        declined.length = 0;
      }
    }
    const open: Record<string, number> = {};
    for (const { channel, limit } of capacities) {
      if (random.next() < 0.6) continue;
      open[channel] = 1 + random.int(limit);
      for (let index = 0; index < open[channel]; index += 1) {
        this.book(id, `open-${id}-${channel}-${index}`, channel);
      }
    }
    const [isSigningOut, isSignedIn] = [random.next() < 0.07, random.next() >= 0.05];
    if (isSigningOut) {
      this.tell({ type: 'meridian.agent.sign_out_requested.v1', subject: id, data: {} });
    }
    if (!isSignedIn) {
      this.tell({ type: 'meridian.agent.signed_out.v1', subject: id, data: { sessionId: 's1' } });
    }
    return {
      id,
      isSignedIn,
      isSigningOut: isSignedIn && isSigningOut,
      presence,
      declined,
      open,
      freeSinceMs,
      levels: Object.fromEntries(skills.map(({ skill, level }) => [skill, level])),
      limits: Object.fromEntries(capacities.map(({ channel, limit }) => [channel, limit])),
    };
  }

  /** A contact that waits; the log says so whether or not somebody could serve it. */
  wait(id: string, queueId: string): Caller {
    const { random } = this;
    const contactRequirements = random.next() < 0.5 ? arbitraryRequirements(random) : [];
    const [channel, priority] = [random.pick(channels), random.next() < 0.5 ? random.int(4) : 0];
    // Few different times, so that ties come up.
    const joinedMs = 1_000_000 + random.int(4) * 10_000;
    this.tell({
      type: 'meridian.routing.decided.v1',
      subject: id,
      data: {
        outcome: 'WAITING',
        trigger: 'CONTACT_QUEUED',
        queueId,
        channel,
        priority,
        requirements: [],
        candidates: [],
        exclusions: [],
        contactRequirements,
        enqueuedAt: time(joinedMs),
        algorithm: 'test',
      },
    });
    return { id, queue: queueId, channel, priority, asks: asks(contactRequirements), joinedMs };
  }
}

test(`who serves a contact: ${caseCount} cases`, () => {
  let offered = 0;
  let contested = 0;
  for (let index = 0; index < caseCount; index += 1) {
    const world = new Case(`who ${index}`);
    const { random } = world;
    const line = world.queue('q1');
    const ids = random
      .shuffle(['a1', 'a2', 'a3', 'a4', 'a5', 'a6', 'a7', 'a8'])
      .slice(0, random.int(9));
    const desks = ids.map((id) => world.desk(id, 'c1'));
    const requirements = random.next() < 0.5 ? arbitraryRequirements(random) : [];
    const channel = random.pick(channels);
    const [decided, created] = world.ask({
      type: 'contact_queued',
      subject: 'c1',
      enqueuedAt: time(world.later()),
      data: { queueId: 'q1', channel, requirements, priority: random.int(3) },
    });
    const caller: Caller = {
      id: 'c1',
      queue: 'q1',
      channel,
      priority: 0,
      asks: asks(requirements),
      joinedMs: 0,
    };
    const expected = candidates(desks, caller, line);
    if (decided?.type !== 'meridian.routing.decided.v1') {
      throw new Error(`Seed "${world.seed}" decides nothing.`);
    }
    const {
      outcome,
      agentId,
      candidateCount,
      candidates: listed,
      exclusions: excluded,
    } = decided.data;
    const actual = {
      outcome,
      agentId,
      candidateCount,
      listed: listed.map((one) => [one.agentId, one.levelSum]),
      excluded: Object.fromEntries(excluded.map(({ reason, count }) => [reason, count])),
      booked:
        created?.type === 'meridian.reservation.created.v1' ? created.data.agentId : undefined,
    };
    const [best] = expected;
    same(
      { seed: world.seed, ...actual },
      {
        seed: world.seed,
        outcome: best === undefined ? 'WAITING' : 'OFFERED',
        agentId: best?.id,
        booked: best?.id,
        candidateCount: expected.length,
        listed: expected.slice(0, 5).map((desk) => [desk.id, skillOf(desk, caller, line)]),
        excluded: exclusions(desks, caller, line),
      },
    );
    if (expected.length > 0) offered += 1;
    if (expected.length > 1) contested += 1;
  }
  // The cases are worth their while: many have somebody, many have a choice.
  expect([offered > caseCount / 3, contested > caseCount / 12]).toEqual([true, true]);
});

test(`whom a freed agent serves: ${caseCount} cases`, () => {
  let several = 0;
  for (let index = 0; index < caseCount; index += 1) {
    const world = new Case(`whom ${index}`);
    const { random } = world;
    const lines = { q1: world.queue('q1'), q2: world.queue('q2') };
    const callers = random
      .shuffle(['c1', 'c2', 'c3', 'c4', 'c5', 'c6', 'c7', 'c8'])
      .slice(0, random.int(9))
      .map((id) => world.wait(id, random.pick(['q1', 'q1', 'q2', 'q3'])));
    const skills = arbitrarySkills(random);
    const capacities = arbitraryCapacities(random);
    const desk: Desk = {
      id: 'a1',
      isSignedIn: true,
      isSigningOut: false,
      presence: 'AVAILABLE',
      open: {},
      declined: [],
      freeSinceMs: 0,
      levels: Object.fromEntries(skills.map(({ skill, level }) => [skill, level])),
      limits: Object.fromEntries(capacities.map(({ channel, limit }) => [channel, limit])),
    };
    let events: readonly PartitionEvent[];
    if (random.next() < 0.5) {
      const data = { sessionId: 's1', skills, capacities };
      events = world.ask({ type: 'meridian.agent.sign_in.v1', subject: 'a1', data });
      same([world.seed, offersIn(events)], [world.seed, served(desk, callers, lines)]);
    } else {
      // Freed by the end of a conversation, with others declined before.
      world.tell({
        type: 'meridian.agent.signed_in.v1',
        subject: 'a1',
        data: { sessionId: 's1', skills, capacities, presence: 'AVAILABLE' },
      });
      const declined = callers.map(({ id }) => id).filter(() => random.next() < 0.25);
      for (const id of declined) world.book('a1', id, 'VOICE', 'rejected');
      const { channel } = random.pick(capacities);
      world.tell({
        type: 'meridian.reservation.created.v1',
        subject: 'x-r1',
        data: { contactId: 'x', agentId: 'a1', queueId: 'q1', channel, expiresAt: time(5) },
      });
      const parties = { contactId: 'x', agentId: 'a1' };
      world.tell({ type: 'meridian.reservation.accepted.v1', subject: 'x-r1', data: parties });
      events = world.ask({ type: 'contact_completed', subject: 'x' });
      same(
        [world.seed, offersIn(events)],
        [world.seed, served({ ...desk, declined }, callers, lines)],
      );
    }
    if (offersIn(events).length > 1) several += 1;
  }
  expect(several).toBeGreaterThan(caseCount / 10);
});

/** The contacts offered, in order. */
function offersIn(events: readonly PartitionEvent[]): string[] {
  return events.flatMap((event) =>
    event.type === 'meridian.reservation.created.v1' ? [event.data.contactId] : [],
  );
}
