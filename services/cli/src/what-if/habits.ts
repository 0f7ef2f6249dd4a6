import {
  drawFor,
  fitSurvival,
  longestPatienceSeconds,
  type Observation,
  type SurvivalCurve,
} from '../day/index.ts';
import type { Handling, Reaction, RecordedContact, RecordedDay } from './day.ts';

/** A queue has a curve of patience of its own from so many on who gave up in it. */
export const ownCurveFrom = 30;
/** What an agent does when the record has no offer at all to go by. */
const usualReaction = { kind: 'ACCEPTS', afterMs: 5_000 } as const;

/** What one run needs that the record does not say, drawn with one seed. */
export interface Draws {
  /** From joining the queue to giving up, ms; Infinity: never. */
  patienceMs(contact: RecordedContact): number;
  handling(contact: RecordedContact): Handling;
  /** What an agent does with the contact's offer number `ordinal`, from 1. Never UNKNOWN. */
  reaction(contact: RecordedContact, ordinal: number, agentId: string): Exclude<Reaction, Unknown>;
}

type Unknown = { readonly kind: 'UNKNOWN' };
type Known = Exclude<Reaction, Unknown>;

/**
 * How the people of a day behave where the record does not say: the distributions that it shows.
 * Every draw is keyed by seed, contact and purpose, so that two configurations run with one seed
 * meet the same people.
 */
export class Habits {
  readonly #curve: SurvivalCurve;
  readonly #curves = new Map<string, SurvivalCurve>();
  readonly #handlings = new Map<string, readonly Handling[]>();
  readonly #allHandlings: readonly Handling[];
  readonly #reactions = new Map<string, readonly Known[]>();
  readonly #allReactions: readonly Known[];
  readonly #like: ReadonlyMap<string, string>;

  constructor({ contacts, agents }: RecordedDay) {
    this.#curve = fitSurvival(observations(contacts));
    for (const [queueId, some] of Map.groupBy(contacts, ({ queueId: id }) => id)) {
      const seen = observations(some);
      if (seen.filter(({ gaveUp }) => gaveUp).length >= ownCurveFrom) {
        this.#curves.set(queueId, fitSurvival(seen));
      }
      this.#handlings.set(queueId, handlingsOf(some));
    }
    this.#allHandlings = handlingsOf(contacts);
    const offers = contacts.flatMap((contact) => contact.offers);
    for (const [agentId, some] of Map.groupBy(offers, (offer) => offer.agentId)) {
      this.#reactions.set(agentId, knownOf(some));
    }
    this.#allReactions = knownOf(offers);
    this.#like = new Map(agents.map(({ id, like }) => [id, like ?? id]));
  }

  /** The queues that have a curve of patience of their own. */
  get ownCurves(): readonly string[] {
    return [...this.#curves.keys()].toSorted();
  }

  draws(seed: string): Draws {
    return {
      patienceMs: (contact) => this.#patienceMs(contact, seed),
      handling: (contact) => this.#handling(contact, seed),
      reaction: (contact, ordinal, agentId) => this.#reaction(contact, ordinal, agentId, seed),
    };
  }

  #patienceMs({ id, queueId, outcome, waitedMs }: RecordedContact, seed: string): number {
    if (outcome === 'ABANDONED') return waitedMs;
    const curve = this.#curves.get(queueId) ?? this.#curve;
    const drawn = curve.drawBeyond(drawFor(seed, id, 'patience').next(), waitedMs / 1000);
    if (drawn === Number.POSITIVE_INFINITY) return drawn;
    // At least a millisecond beyond: a wait of this length was borne.
    return Math.max(waitedMs + 1, Math.round(Math.min(drawn, longestPatienceSeconds) * 1000));
  }

  #handling({ id, queueId, handling }: RecordedContact, seed: string): Handling {
    if (handling !== undefined) return handling;
    const own = this.#handlings.get(queueId) ?? [];
    const pool = own.length > 0 ? own : this.#allHandlings;
    if (pool.length === 0) return { talkMs: 0, wrapUpMs: 0, by: 'CUSTOMER' };
    return drawFor(seed, id, 'service').pick(pool);
  }

  /**
   * The recorded reaction where it is the same agent's. Another agent reacts as far along their own
   * answers of the day as the recorded agent did along theirs: the luck of the day stays with the
   * offer, and only what the record has no offer for is drawn.
   */
  #reaction(
    { id, offers }: RecordedContact,
    ordinal: number,
    agentId: string,
    seed: string,
  ): Known {
    const recorded = offers[ordinal - 1];
    const isSame = recorded?.agentId === agentId;
    const { reaction } = recorded ?? {};
    if (isSame && reaction !== undefined && reaction.kind !== 'UNKNOWN') return reaction;
    const pool = this.#poolOf(agentId);
    if (pool.length === 0) return usualReaction;
    const u = drawFor(seed, `${id}/${ordinal}`, 'reaction').next();
    if (recorded !== undefined && reaction !== undefined && reaction.kind !== 'UNKNOWN') {
      return pool[
        Math.floor(shareOf(reaction, this.#poolOf(recorded.agentId), u) * pool.length)
      ] as Known;
    }
    // Who had not answered yet when the offer was taken back would have answered later.
    const laterMs = isSame && reaction?.kind === 'UNKNOWN' ? reaction.afterMs : 0;
    const left = pool.filter((one) => one.kind === 'MISSES' || one.afterMs >= laterMs);
    return left[Math.floor(u * left.length)] ?? { kind: 'MISSES', backAfterMs: null };
  }

  #poolOf(agentId: string): readonly Known[] {
    const own = this.#reactions.get(this.#like.get(agentId) ?? agentId) ?? [];
    return own.length > 0 ? own : this.#allReactions;
  }
}

/** Who gave up did so at the wait; all others would have waited longer than was seen. */
function observations(contacts: readonly RecordedContact[]): Observation[] {
  return contacts.map(({ waitedMs, outcome }) => ({
    seconds: waitedMs / 1000,
    gaveUp: outcome === 'ABANDONED',
  }));
}

/** Sorted, so that a draw does not depend on the order of the record. */
function handlingsOf(contacts: readonly RecordedContact[]): Handling[] {
  return contacts
    .flatMap(({ handling }) => handling ?? [])
    .map((one) => [JSON.stringify(one), one] as const)
    .toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([, one]) => one);
}

/** Reactions from the quickest acceptance to the longest absence. */
function knownOf(offers: RecordedContact['offers']): Known[] {
  return offers
    .flatMap(({ reaction }) => (reaction.kind === 'UNKNOWN' ? [] : [reaction]))
    .toSorted((a, b) => costOf(a) - costOf(b));
}

/** Beyond any span of a reaction, ms. */
const kindMs = 1e12;

/** What a reaction costs the contact: a number to compare with, of no other meaning. */
function costOf(reaction: Known): number {
  switch (reaction.kind) {
    case 'ACCEPTS':
      return reaction.afterMs;
    case 'REJECTS':
      return kindMs + reaction.afterMs;
    default:
      return 2 * kindMs + Math.min(reaction.backAfterMs ?? kindMs, kindMs);
  }
}

/** How far along a sorted pool a reaction of it is, in [0, 1); among equal ones the draw decides. */
function shareOf(reaction: Known, pool: readonly Known[], u: number): number {
  const cost = costOf(reaction);
  const first = pool.findIndex((one) => costOf(one) === cost);
  const last = pool.findLastIndex((one) => costOf(one) === cost);
  return first === -1 ? u : (first + u * (last - first + 1)) / pool.length;
}
