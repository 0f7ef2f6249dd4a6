import { describe, expect, test } from '@jest/globals';
import { seeded, step } from '@meridian/core';
import { contractOf, validateData, type Contract } from '@meridian/wire';
import {
  partitionDecider,
  type Command,
  type Partition,
  type PartitionEvent,
} from '../src/index.ts';
import { Shadow } from './shadow.ts';
import { arbitraryCommand, queueIds } from './walk.ts';

const seedCount = 300;
const turns = 120;
const sorted = (items: Iterable<string>): string[] => [...items].toSorted();

/** All that a partition holds, as text; what is ordered by chance is sorted. */
function dump(partition: Partition, contactIds: readonly string[]): string {
  const entries = <T>(map: ReadonlyMap<string, T>): [string, T][] =>
    [...map].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify({
    agents: entries(partition.agents).map(([id, agent]) => [
      id,
      {
        ...agent,
        sessionId: agent.sessionId ?? null,
        skills: entries(agent.skills),
        capacities: entries(agent.capacities),
        open: entries(agent.open),
        declined: sorted(agent.declined),
      },
    ]),
    queues: entries(partition.queues),
    waiting: contactIds.map((id) => partition.waiting.get(id) ?? null),
    waitingCount: partition.waiting.size,
    lines: queueIds.map((id) => partition.waiting.ofQueue(id).map(({ contactId }) => contactId)),
    offered: entries(partition.offered),
    reservations: entries(partition.reservations),
    reservationOf: entries(partition.reservationOf),
    attempts: entries(partition.attempts),
    due: partition.due.due(Infinity),
    next: partition.due.next() ?? null,
    configVersion: partition.configVersion,
  });
}

/** Jest's own comparison is too slow for hundreds of thousands. */
function agree(what: string, actual: unknown, expected: unknown): void {
  if (!Object.is(actual, expected)) {
    throw new Error(`${what}: ${String(actual)}, not ${String(expected)}`);
  }
}

/** One random day, with what must hold after each command. */
class Day {
  readonly shadow = new Shadow();
  readonly log: [PartitionEvent, number][] = [];
  readonly contactIds: string[] = [];
  readonly created = new Set<string>();
  readonly reached = new Set<string>();
  partition = partitionDecider.initial();
  now = 1_700_000_000_000;

  constructor(readonly seed: string) {}

  run(): void {
    const random = seeded(this.seed);
    for (let turn = 0; turn < turns; turn += 1) {
      this.now += random.int(6_000);
      const command = arbitraryCommand(random, this.shadow, this.now, () => {
        this.contactIds.push(`c${this.contactIds.length}`);
        return this.contactIds.at(-1) as string;
      });
      try {
        this.take(command);
        this.isBooked();
        this.isPlaced();
        this.isBusy();
        this.isDue();
        if (turn % 40 === 39) this.isFolded();
      } catch (error) {
        const { message } = error as Error;
        const where = `Seed "${this.seed}", turn ${turn}, ${JSON.stringify(command)}`;
        throw new Error(`${where}: ${message}`, { cause: error });
      }
    }
  }

  take(command: Command): void {
    const context = { now: this.now, random: seeded(this.seed) };
    const answer = step(partitionDecider, this.partition, command, context);
    this.partition = answer.state;
    if (!answer.accepted) return;
    for (const event of answer.events) {
      this.isInOrder(event);
      this.shadow.apply(event);
      this.isWithinLimits(event);
      const problems = validateData(contractOf(event.type) as Contract, event.data);
      if (problems.length > 0) {
        throw new Error(`${event.type} breaks its contract: ${JSON.stringify(problems)}`);
      }
      this.log.push([event, this.now]);
      this.reached.add(event.type);
    }
    this.decidesNothing(command, context);
    if (command.type === 'contact_ended' || command.type === 'contact_completed') {
      this.isForgotten(command.subject);
    }
  }

  isForgotten(contactId: string): void {
    const { waiting, offered, reservationOf, attempts } = this.partition;
    for (const known of [waiting, offered, reservationOf, attempts]) {
      agree(`${contactId} is over and known`, known.has(contactId), false);
    }
  }

  decidesNothing(command: Command, context: Parameters<typeof partitionDecider.decide>[2]): void {
    const again = partitionDecider.decide(this.partition, command, context);
    // An answer to an offer that is over by now is refused: the partition keeps live ones only.
    if (
      again.accepted ? again.events.length === 0 : again.rejection.code === 'RESERVATION_UNKNOWN'
    ) {
      return;
    }
    throw new Error(`decided again it leads to ${JSON.stringify(again)}`);
  }

  /** Whoever is offered a contact could serve none that comes before it, whatever led to the offer. */
  isInOrder(event: PartitionEvent): void {
    if (event.type !== 'meridian.routing.decided.v1' || event.data.outcome !== 'OFFERED') return;
    const [first] = this.shadow.servable(this.shadow.agent(event.data.agentId as string));
    const expected = event.data.trigger === 'CONTACT_QUEUED' ? undefined : event.subject;
    agree(`who is served before ${event.subject} (${event.data.trigger})`, first?.id, expected);
  }

  isWithinLimits(event: PartitionEvent): void {
    if (event.type !== 'meridian.reservation.created.v1') return;
    const { agentId, channel, contactId } = event.data;
    const limit = this.shadow.agent(agentId).limits[channel] ?? 0;
    const open = this.shadow.openOf(agentId, channel).length;
    if (open > limit) throw new Error(`${agentId} has ${open} of ${limit} ${channel}`);
    if (this.created.has(event.subject)) throw new Error(`${event.subject} is created twice`);
    if ([...this.shadow.live.values()].filter((one) => one.contactId === contactId).length > 1) {
      throw new Error(`${contactId} is booked twice`);
    }
    this.created.add(event.subject);
  }

  /** What is live is so for everybody, and nobody rings at an empty desk. */
  isBooked(): void {
    const { partition, shadow } = this;
    for (const { id, agentId, contactId, stage } of shadow.live.values()) {
      const open = partition.agents.get(agentId)?.open.get(id);
      agree(`the stage of ${id}`, partition.reservations.get(id)?.stage, stage);
      agree(`the reservation of ${contactId}`, partition.reservationOf.get(contactId), id);
      agree(
        `what ${agentId} has open`,
        `${open?.contactId} ${open?.stage}`,
        `${contactId} ${stage}`,
      );
      const { isSignedIn, isSigningOut, presence } = shadow.agent(agentId);
      agree(`${agentId} is signed in`, isSignedIn, true);
      if (stage !== 'PENDING') continue;
      const canAnswer = presence === 'AVAILABLE' || presence === 'NOT_RESPONDING';
      agree(`${agentId} can answer`, !isSigningOut && canAnswer, true);
    }
    let open = 0;
    for (const agent of partition.agents.values()) open += agent.open.size;
    agree(
      'live, booked, open',
      `${partition.reservations.size} ${partition.reservationOf.size} ${open}`,
      Array.from({ length: 3 }, () => shadow.live.size).join(' '),
    );
    for (const { id, isSigningOut } of shadow.agents.values()) {
      if (isSigningOut) agree(`${id} is still needed`, shadow.openOf(id).length > 0, true);
    }
  }

  /** A contact waits, or is offered, or is served, or is forgotten. */
  isPlaced(): void {
    const { partition, shadow } = this;
    let waiting = 0;
    for (const id of this.contactIds) {
      const stage = partition.reservations.get(partition.reservationOf.get(id) ?? '')?.stage;
      const waits = partition.waiting.has(id);
      const isOffered = partition.offered.has(id);
      if (waits) waiting += 1;
      if (isOffered !== (stage === 'PENDING')) {
        throw new Error(`${id} is offered: ${isOffered}, and ${stage}`);
      }
      if (waits && stage !== undefined) throw new Error(`${id} waits and is ${stage}`);
      if (waits !== shadow.waiting.has(id)) {
        throw new Error(`${id} waits: ${waits}, the log says otherwise`);
      }
      if (partition.attempts.has(id) && !waits && !isOffered) {
        throw new Error(`${id} is half forgotten`);
      }
    }
    const pending = [...shadow.live.values()].filter(({ stage }) => stage === 'PENDING').length;
    agree(
      'waiting, offered',
      `${partition.waiting.size} ${partition.offered.size}`,
      `${waiting} ${pending}`,
    );
  }

  /** Nobody waits whom somebody could serve. */
  isBusy(): void {
    for (const agent of this.shadow.agents.values()) {
      const [first] = this.shadow.servable(agent);
      if (first !== undefined) {
        throw new Error(`${first.id} waits though ${agent.id} could serve it`);
      }
    }
  }

  isDue(): void {
    const pending = [...this.shadow.live.values()]
      .filter(({ stage }) => stage === 'PENDING')
      .toSorted((a, b) => a.expiresAtMs - b.expiresAtMs || (a.id < b.id ? -1 : 1));
    agree(
      'what is due',
      this.partition.due.due(Infinity).join(' '),
      pending.map(({ id }) => id).join(' '),
    );
    agree('the next time due', this.partition.due.next(), pending[0]?.expiresAtMs);
  }

  /** The stored text alone leads to the same state. */
  isFolded(): void {
    let folded = partitionDecider.initial();
    for (const [event, timeMs] of this.log) {
      folded = partitionDecider.evolve(
        folded,
        JSON.parse(JSON.stringify(event)) as PartitionEvent,
        timeMs,
      );
    }
    expect(dump(folded, this.contactIds)).toBe(dump(this.partition, this.contactIds));
  }
}

describe('random days of a partition', () => {
  test(`${seedCount} seeds of ${turns} commands keep every invariant`, () => {
    const reached = new Set<string>();
    const triggers = new Set<string>();
    for (let index = 0; index < seedCount; index += 1) {
      const day = new Day(`day ${index}`);
      day.run();
      for (const type of day.reached) reached.add(type);
      for (const [event] of day.log) {
        if (event.type === 'meridian.routing.decided.v1') triggers.add(event.data.trigger);
      }
    }
    expect(sorted(reached)).toEqual(
      [
        'agent.capacity_changed',
        'agent.not_responding',
        'agent.session_superseded',
        'agent.sign_out_requested',
        'agent.signed_in',
        'agent.signed_out',
        'agent.skills_changed',
        'agent.state_changed',
        'queue.created',
        'queue.deleted',
        'queue.updated',
        'reservation.accepted',
        'reservation.canceled',
        'reservation.completed',
        'reservation.created',
        'reservation.rejected',
        'reservation.rescinded',
        'reservation.timed_out',
        'reservation.wrapping',
        'routing.decided',
        'routing.withdrawn',
      ].map((name) => `meridian.${name}.v1`),
    );
    expect(sorted(triggers)).toEqual([
      'AGENT_FREED',
      'CONTACT_QUEUED',
      'OFFER_ENDED',
      'QUEUE_CHANGED',
    ]);
  });

  test('a day is the same whenever it is played', () => {
    const [one, two] = [new Day('again'), new Day('again')];
    one.run();
    two.run();
    expect(one.log.length).toBeGreaterThan(50);
    expect(JSON.stringify(two.log)).toBe(JSON.stringify(one.log));
  });
});
