import { Causes, type IntakeIndex } from './causes.ts';
import { Chain } from './chain.ts';
import { compareSnapshot, type Snapshot } from './compare.ts';
import { endStates } from './contact-fold.ts';
import { checkContact } from './contact-rules.ts';
import { parseRawEntry, type RawEntry } from './raw.ts';
import { ReservationRules } from './reservation-rules.ts';
import { Violations, type RuleName, type Violation } from './violation.ts';
import { keyOf, World } from './world.ts';

export interface LogCheckOptions {
  /** What the intake holds; without it, causes from outside are not looked for. */
  readonly intake?: IntakeIndex;
  /** Keep contacts after their end, for a comparison with the read models. */
  readonly keepEnded?: boolean;
  /** Read models to compare with the fold, each at its position. Needs `keepEnded` for contacts. */
  readonly snapshots?: readonly Snapshot[];
  /** Whether the entries are all of the stream from the first to the last; default true. */
  readonly gapless?: boolean;
  /** How many violations are kept whole; all are counted. Default 1,000. */
  readonly limit?: number;
}

export interface LogCheckResult {
  readonly ok: boolean;
  readonly entries: number;
  readonly events: number;
  readonly firstSequence: number;
  readonly lastSequence: number;
  readonly contacts: number;
  readonly reservations: number;
  /** What is still open at the end of the log. */
  readonly living: {
    readonly contacts: number;
    readonly reservations: number;
    readonly aggregates: number;
  };
  readonly violationCount: number;
  readonly counts: Partial<Record<RuleName, number>>;
  /** The first ones, in the order of the log. */
  readonly violations: readonly Violation[];
  /** Whether causes from outside were looked for. */
  readonly intakeChecked: boolean;
}

/**
 * Verifies the invariants on the log itself. It is fed the raw entries of one `EV_` stream in order
 * and shares no code with those who wrote them.
 *
 * Memory: what lives (contacts, open reservations, agents, queues), and 24 to 48 bytes for each
 * contact, reservation and cause of a partition that is over, so that a second one is noticed. A
 * log of a million entries takes some 100 MB.
 */
export class LogCheck {
  readonly world: World;
  readonly #violations: Violations;
  readonly #chain: Chain;
  readonly #causes: Causes;
  readonly #reservations: ReservationRules;
  readonly #intakeChecked: boolean;
  /** Those to come, the next one last. */
  readonly #snapshots: Snapshot[];
  #entries = 0;
  #events = 0;
  #contacts = 0;
  #created = 0;
  #first = 0;
  #last = 0;

  constructor(options: LogCheckOptions = {}) {
    const { intake, keepEnded = false, gapless = true, limit = 1000, snapshots = [] } = options;
    this.#snapshots = snapshots.toSorted((a, b) => b.position - a.position);
    this.world = new World({ keepEnded });
    this.#violations = new Violations(limit);
    const { report } = this.#violations;
    this.#chain = new Chain(report, gapless);
    this.#causes = new Causes(report, (subject) => this.#chain.lastRevision(subject), intake);
    this.#reservations = new ReservationRules(this.world, report);
    this.#intakeChecked = intake !== undefined;
  }

  get entries(): number {
    return this.#entries;
  }

  get violationCount(): number {
    return this.#violations.total;
  }

  /** Takes one line of NDJSON; blank lines are passed over. */
  readLine(line: string): void {
    if (line.trim() === '') return;
    const entry = parseRawEntry(line);
    if (typeof entry !== 'string') {
      this.read(entry);
      return;
    }
    this.add({
      invariant: 2,
      rule: 'format',
      sequence: this.#last,
      index: 0,
      aggregate: '',
      expected: 'a raw entry after this sequence',
      found: `a line of which ${entry}`,
    });
  }

  /** Takes the next entry. */
  read(entry: RawEntry): void {
    this.#compareUntil(entry.sequence - 1);
    if (this.#entries === 0) this.#first = entry.sequence;
    this.#entries += 1;
    this.#last = entry.sequence;
    const { report } = this.#violations;
    this.#chain.read(entry, ({ place, event }) => {
      this.#events += 1;
      if (event.type === 'meridian.contact.initiated.v1') this.#contacts += 1;
      if (event.type === 'meridian.reservation.created.v1') this.#created += 1;
      this.#causes.check(place, event);
      if (place.aggregate.entity === 'contact') checkContact(this.world, place, event, report);
      else this.#reservations.check(place, event);
      this.world.apply(event, entry.sequence);
      if (place.aggregate.entity !== 'contact') return;
      const contact = this.world.contacts.get(keyOf(event.tenant, event.subject));
      if (contact === undefined || endStates.has(contact.state)) {
        this.#causes.forget(place.aggregate.subject);
      }
    });
  }

  /** Adds a violation that was found outside of the log, in a read model. */
  add(violation: Violation): void {
    this.#violations.add(violation);
  }

  /** Compares the read models that embody the log up to here. */
  #compareUntil(sequence: number): void {
    for (;;) {
      const next = this.#snapshots.at(-1);
      if (next === undefined || next.position > sequence) return;
      this.#snapshots.pop();
      for (const violation of compareSnapshot(this.world, next)) this.add(violation);
    }
  }

  /** What was found. Call it once, after the last entry. */
  finish(): LogCheckResult {
    this.#reservations.finish();
    this.#compareUntil(this.#last);
    for (const { model, position } of this.#snapshots) {
      this.add({
        invariant: 5,
        rule: 'read-model',
        sequence: position,
        index: 0,
        aggregate: `/v1/${model}`,
        expected: `a position up to ${this.#last}`,
        found: String(position),
      });
    }
    const { contacts, reservations } = this.world;
    const living = [...contacts.values()].filter(({ state }) => !endStates.has(state)).length;
    return {
      ok: this.#violations.total === 0,
      entries: this.#entries,
      events: this.#events,
      firstSequence: this.#first,
      lastSequence: this.#last,
      contacts: this.#contacts,
      reservations: this.#created,
      living: {
        contacts: living,
        reservations: reservations.size,
        aggregates: this.#chain.livingAggregates,
      },
      violationCount: this.#violations.total,
      counts: this.#violations.counts(),
      violations: this.#violations.kept,
      intakeChecked: this.#intakeChecked,
    };
  }
}
