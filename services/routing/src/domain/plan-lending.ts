import { openCount, type Agent } from './agent.ts';
import { placeOf, settingsOf, type Partition } from './floor.ts';
import type { LoanCommand } from './lending.ts';
import { lendBackOffMs, lendLooksLimit, lendsAtOnceLimit } from './limits.ts';
import { returnedAtMs } from './loans.ts';
import { choose, exclusionOf } from './match.ts';
import { firstFor } from './offers.ts';
import type { Place } from './waiting-room.ts';

export type Lend = Extract<LoanCommand, { type: 'lend' }>;

/**
 * Chooses which waiting contacts other partitions shall offer. Nobody waits whom an own agent could
 * serve, so all who wait are asked for, in the order of service; each goes to the neighbour with
 * the fewest contacts per agent (then the first by name) that has a free place for it.
 *
 * The neighbours' states may be behind: a loan that turns out to find nobody is given back. Pure
 * and deterministic; O(waiting × agents of the neighbours) within the limits on both, and a line of
 * contacts that ask for what nobody there has is looked at once. What a limit leaves out is chosen
 * the next time.
 * @param neighbours the partitions of the same tenant, by home, this one not among them
 * @param nowMs in epoch ms
 */
export function planLending(
  own: Partition,
  neighbours: ReadonlyMap<string, Partition>,
  nowMs: number,
): Lend[] {
  if (own.waiting.size === 0) return [];
  const floors = [...neighbours]
    .map(([home, partition]) => new Floor(home, partition, own, nowMs))
    .filter((floor) => floor.hasRoom);
  const lends: Lend[] = [];
  let looks = 0;
  const lines = own.waiting.inOrder((line) => floors.some((floor) => floor.mayServe(line)));
  for (const { place, sample: line } of lines) {
    looks += 1;
    const { contactId } = place;
    const taker = floors
      .filter((floor) => floor.mayServe(line) && !isHeldBack(own, contactId, floor.home, nowMs))
      .toSorted(byLoad)
      .find((floor) => floor.take(place, line));
    if (taker !== undefined) {
      lends.push({ type: 'lend', subject: contactId, data: { to: taker.home } });
    }
    if (lends.length === lendsAtOnceLimit || looks === lendLooksLimit) break;
  }
  return lends;
}

/** When a contact that waits may be lent again to who gave it back, in epoch ms; undefined: none. */
export function lendingDueMs(own: Partition, nowMs: number): number | undefined {
  let next: number | undefined;
  for (const [contactId, homes] of own.loans.returns) {
    if (!own.waiting.has(contactId)) continue;
    for (const atMs of homes.values()) {
      const endsMs = atMs + lendBackOffMs;
      if (endsMs > nowMs && (next === undefined || endsMs < next)) next = endsMs;
    }
  }
  return next;
}

function isHeldBack(own: Partition, contactId: string, home: string, nowMs: number): boolean {
  const atMs = returnedAtMs(own.loans, contactId, home);
  return atMs !== undefined && nowMs < atMs + lendBackOffMs;
}

function byLoad(a: Floor, b: Floor): number {
  return a.load - b.load || (a.home < b.home ? -1 : 1);
}

/** A neighbour's agents with free places, less what is on its way to them. */
class Floor {
  readonly home: string;
  readonly #partition: Partition;
  readonly #nowMs: number;
  readonly #agents: Agent[] = [];
  readonly #signedInCount: number;
  /** Contacts planned for an agent, by agent and channel. */
  readonly #planned = new Map<string, number>();
  /** Lines of the lender, by the contact that stands for each, of which no agent here serves any. */
  readonly #hopeless = new Set<Place>();
  #plannedCount = 0;
  #free = 0;

  constructor(home: string, partition: Partition, lender: Partition, nowMs: number) {
    this.home = home;
    this.#partition = partition;
    this.#nowMs = nowMs;
    let signedInCount = 0;
    for (const agent of partition.agents.values()) {
      if (agent.sessionId !== undefined) signedInCount += 1;
      const free = freePlaces(agent);
      if (free === 0 || firstFor(partition, agent) !== undefined) continue;
      this.#agents.push(agent);
      this.#free += free;
    }
    this.#signedInCount = signedInCount;
    for (const { to, place } of lender.loans.lent.values()) {
      // Lent and not offered yet, as far as is known here.
      if (to === home && !partition.reservationOf.has(place.contactId)) this.take(place, place);
    }
  }

  get hasRoom(): boolean {
    return this.#free > 0;
  }

  /** Contacts that wait, are served or are on their way, per agent. */
  get load(): number {
    const { waiting, reservations } = this.#partition;
    return (waiting.size + reservations.size + this.#plannedCount) / this.#signedInCount;
  }

  /** Whether a contact of the line may yet find a free place here. */
  mayServe(line: Place): boolean {
    return this.hasRoom && !this.#hopeless.has(line);
  }

  /** Books a free place for the contact. @returns whether there is one */
  take(asked: Place, line: Place): boolean {
    const { queueId, contactId } = asked;
    if (this.#partition.queues.get(queueId)?.exists !== true) {
      this.#hopeless.add(line);
      return false;
    }
    const place = placeOf(this.#partition, contactId, asked, asked.enqueuedAtMs);
    const agents = this.#agents.filter((agent) => this.#hasPlace(agent, place));
    const { strategy } = settingsOf(this.#partition, queueId);
    const { agentId } = choose(agents, place, strategy, this.#nowMs);
    if (agentId === undefined) {
      const isDeclined = agents.some((agent) => exclusionOf(agent, place) === 'DECLINED');
      if (!isDeclined) this.#hopeless.add(line);
      return false;
    }
    const desk = `${agentId}/${place.channel}`;
    this.#planned.set(desk, (this.#planned.get(desk) ?? 0) + 1);
    this.#plannedCount += 1;
    this.#free -= 1;
    return true;
  }

  #hasPlace(agent: Agent, { channel }: Place): boolean {
    const planned = this.#planned.get(`${agent.id}/${channel}`) ?? 0;
    return planned < (agent.capacities.get(channel) ?? 0) - openCount(agent, channel);
  }
}

/** How many more contacts the agent can be offered, over all channels. */
function freePlaces(agent: Agent): number {
  if (agent.presence !== 'AVAILABLE' || agent.isSigningOut) return 0;
  let free = 0;
  for (const [channel, limit] of agent.capacities) {
    free += Math.max(0, limit - openCount(agent, channel));
  }
  return free;
}
