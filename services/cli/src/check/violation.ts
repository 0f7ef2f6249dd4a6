import type { Place } from './raw.ts';

/** The invariants by their number in the list of invariants, and the rules that belong to each. */
export const rules = {
  'one-offer': [1, 'A contact has at most one open or accepted reservation'],
  capacity: [
    1,
    "An agent's pending, accepted and wrapping reservations stay within the channel's capacity",
  ],
  partition: [1, 'A contact is in one partition at a time, which alone offers it'],
  'offer-number': [1, 'The reservations of a contact have increasing numbers in all partitions'],
  'not-available': [1, 'Only a signed-in agent who is AVAILABLE is offered a contact'],
  format: [2, 'An entry is a list of CloudEvents, one event a line'],
  sequence: [2, 'Sequences follow one another without a gap'],
  subject: [2, 'An entry lies under the subject of its aggregate'],
  revision: [2, "An aggregate's revisions count from 0 without a gap or a repeat"],
  id: [2, "An event's id is <tenant>.<entity>.<id>.<revision>"],
  ownership: [2, "Region is the subject's home, and the owner of the epoch wrote it"],
  adopted: [2, 'The first event in another region names the entry before it, no other does'],
  ledger: [2, 'Each epoch begins once, by its owner, after the seals of all before it'],
  orphan: [2, 'What lies beyond a seal is adopted or set aside, once'],
  copies: [2, 'Every copy of a stream holds the same sequences, subjects and data'],
  chain: [2, "prevhash is the hash of the aggregate's event before"],
  envelope: [2, 'Every attribute of the envelope is there and well formed'],
  'offer-end': [
    3,
    'A reservation leaves PENDING at most one second after it expires, or after a takeover',
  ],
  reservation: [3, 'Reservations change state as the state machine says'],
  durations: [4, "The durations are those between the contact's own events, and add up"],
  waited: [4, 'waitedMs and enqueuedAt count from the moment the contact was queued'],
  contact: [4, 'Contacts change state as the state machine says'],
  'read-model': [5, 'The read models hold what folding the log gives'],
  'repeated-cause': [6, 'One cause leads to at most one entry of an aggregate'],
  'unknown-cause': [6, 'A cause exists, and came before'],
  order: [6, 'A freed agent gets the contact that is first in its queue'],
} as const satisfies Record<string, readonly [number, string]>;

export type RuleName = keyof typeof rules;

/** One breach of a rule. */
export interface Violation {
  /** The number of the invariant, 1 to 6. */
  readonly invariant: number;
  readonly rule: RuleName;
  /** Sequence in the stream; 0 when it is about no single entry. */
  readonly sequence: number;
  /** Which of the entry's events, from 0. */
  readonly index: number;
  /** The NATS subject of the aggregate, or the resource of a read model. */
  readonly aggregate: string;
  readonly expected: string;
  readonly found: string;
}

export type Report = (place: Place, rule: RuleName, expected: string, found: string) => void;

/** Counts every violation and keeps the first ones. */
export class Violations {
  readonly #limit: number;
  readonly #kept: Violation[] = [];
  readonly #counts = new Map<RuleName, number>();
  #total = 0;

  /** @param limit how many are kept whole */
  constructor(limit: number) {
    this.#limit = limit;
  }

  readonly report: Report = ({ sequence, index, aggregate }, rule, expected, found) => {
    this.add({
      invariant: rules[rule][0],
      rule,
      sequence,
      index,
      aggregate: aggregate.subject,
      expected,
      found,
    });
  };

  add(violation: Violation): void {
    this.#total += 1;
    this.#counts.set(violation.rule, (this.#counts.get(violation.rule) ?? 0) + 1);
    if (this.#kept.length < this.#limit) this.#kept.push(violation);
  }

  get total(): number {
    return this.#total;
  }

  get kept(): readonly Violation[] {
    return this.#kept;
  }

  /** How many there were of each rule that was broken. */
  counts(): Partial<Record<RuleName, number>> {
    return Object.fromEntries(this.#counts);
  }
}
