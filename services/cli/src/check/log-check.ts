import { Causes, type IntakeIndex } from './causes.ts';
import { Chain } from './chain.ts';
import { compareSnapshot, type Snapshot } from './compare.ts';
import { endStates } from './contact-fold.ts';
import { checkContact } from './contact-rules.ts';
import type { OwnershipLedger } from './ledger.ts';
import { OrphanTraces } from './orphan-traces.ts';
import { Orphans, type Orphan } from './orphans.ts';
import { parseAggregate, parseRawEntry, storedAtMs, type Place, type RawEntry } from './raw.ts';
import { ReservationRules } from './reservation-rules.ts';
import { Violations, type RuleName, type Violation } from './violation.ts';
import { Whereabouts } from './whereabouts.ts';
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
  /**
   * Who decided for which home. With it the entries may be of several streams, handed over in the
   * order in which they count (see `MeshCheck`), and those beyond a seal are left out; without it
   * they are of one stream, and of homes that were never taken over.
   */
  readonly ledger?: OwnershipLedger;
  /** How many violations are kept whole; all are counted. Default 1,000. */
  readonly limit?: number;
}

export interface LogCheckResult {
  readonly ok: boolean;
  readonly entries: number;
  readonly events: number;
  /** Of the entries in the order in which they were judged; see `streams` where there are several. */
  readonly firstSequence: number;
  readonly lastSequence: number;
  /** By stream, the first and the last sequence. */
  readonly streams: Readonly<Record<string, readonly [first: number, last: number]>>;
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
  /** What does not count because it lies beyond the seal of its epoch. */
  readonly orphans: readonly Orphan[];
  /** Whether causes from outside were looked for. */
  readonly intakeChecked: boolean;
}

/** A home's part of the log. */
interface HomeCheck {
  readonly world: World;
  readonly reservations: ReservationRules;
  /** The epoch of the home's last entry. */
  epoch: number;
}

/**
 * Verifies the invariants on the log itself. It is fed the raw entries of one `EV_` stream in order
 * (of several, see `MeshCheck`) and shares no code with those who wrote them.
 *
 * Memory: what lives (contacts, open reservations, agents, queues), and 24 to 48 bytes for each
 * contact, reservation and cause of a partition that is over, so that a second one is noticed. A
 * log of a million entries takes some 100 MB.
 */
export class LogCheck {
  readonly #homes = new Map<string, HomeCheck>();
  readonly #whereabouts: Whereabouts;
  readonly #orphans = new Orphans();
  readonly #traces: OrphanTraces;
  readonly #ledger: OwnershipLedger | undefined;
  readonly #keepEnded: boolean;
  readonly #violations: Violations;
  readonly #chain: Chain;
  readonly #causes: Causes;
  readonly #intakeChecked: boolean;
  /** Those to come, the next one last. */
  readonly #snapshots: Snapshot[];
  readonly #streams = new Map<string, [first: number, last: number]>();
  #entries = 0;
  #events = 0;
  #contacts = 0;
  #created = 0;
  #first = 0;
  #last = 0;

  constructor(options: LogCheckOptions = {}) {
    const { intake, keepEnded = false, gapless = true, limit = 1000, snapshots = [] } = options;
    this.#snapshots = snapshots.toSorted((a, b) => b.position - a.position);
    this.#keepEnded = keepEnded;
    this.#ledger = options.ledger;
    this.#violations = new Violations(limit);
    const { report } = this.#violations;
    this.#traces = new OrphanTraces(report);
    this.#whereabouts = new Whereabouts(report, this.#traces);
    this.#chain = new Chain(report, gapless);
    this.#causes = new Causes(
      report,
      (name) => this.#chain.lastRevision(name),
      intake,
      this.#ledger === undefined ? undefined : this.#traces,
    );
    this.#intakeChecked = intake !== undefined;
  }

  /** What the log says of a home; of the one that was read first, when none is named. */
  worldOf(home = [...this.#homes.keys()][0] ?? ''): World {
    return this.#home(home).world;
  }

  get world(): World {
    return this.worldOf();
  }

  /** The homes of which entries were read. */
  get homes(): readonly string[] {
    return [...this.#homes.keys()];
  }

  /** The last revision of an aggregate, `<tenant>.<entity>.<id>`; undefined when it has no event. */
  lastRevision(name: string): number | undefined {
    return this.#chain.lastRevision(name);
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
    const range = this.#streams.get(entry.stream);
    if (range === undefined) {
      this.#streams.set(entry.stream, [entry.sequence, entry.sequence]);
    } else range[1] = entry.sequence;
    if (!this.#counts(entry)) return;
    const { report } = this.#violations;
    this.#chain.read(entry, ({ place, event }) => {
      this.#events += 1;
      const { world, reservations } = this.#home(place.aggregate.home);
      if (event.type === 'meridian.contact.initiated.v1') this.#contacts += 1;
      if (event.type === 'meridian.reservation.created.v1') this.#created += 1;
      this.#causes.check(place, event);
      this.#orphans.read(place, event);
      if (place.aggregate.entity === 'contact') checkContact(world, place, event, report);
      else reservations.check(place, event);
      world.apply(event, entry.sequence);
      if (place.aggregate.entity !== 'contact') return;
      const contact = world.contacts.get(keyOf(event.tenant, event.subject));
      if (contact === undefined || endStates.has(contact.state)) {
        this.#causes.forget(place.aggregate.name);
        this.#whereabouts.ended(Whereabouts.keyOf(place, event));
      }
    });
  }

  #home(home: string): HomeCheck {
    let known = this.#homes.get(home);
    if (known === undefined) {
      const world = new World({ keepEnded: this.#keepEnded });
      const { report } = this.#violations;
      known = {
        world,
        reservations: new ReservationRules(world, report, this.#whereabouts, this.#traces),
        epoch: 1,
      };
      this.#homes.set(home, known);
    }
    return known;
  }

  /** Whether an entry is part of its home's history, by the ledger. */
  #counts(entry: RawEntry): boolean {
    const aggregate = parseAggregate(entry.subject);
    if (aggregate === undefined) return true;
    const { home, region } = aggregate;
    const epoch = epochOf(entry);
    const place = { stream: entry.stream, sequence: entry.sequence, index: 0, aggregate };
    if (this.#ledger === undefined) {
      this.#begins(place, entry, epoch);
      return true;
    }
    const verdict = this.#ledger.verdict(home, epoch, region, entry.sequence);
    const { report } = this.#violations;
    switch (verdict) {
      case 'counts':
        if (this.#begins(place, entry, epoch)) this.#checkBeginning(place, entry, epoch);
        return true;
      case 'orphan':
        this.#chain.pass(place);
        this.#orphans.found(place, epoch);
        this.#traces.found(place, epoch, entry);
        return false;
      case 'foreign':
        this.#chain.pass(place);
        report(place, 'ownership', `the owner of epoch ${epoch} of ${home}`, region);
        return false;
      default:
        this.#chain.pass(place);
        report(place, 'ownership', `an epoch of ${home}`, String(epoch));
        return false;
    }
  }

  /** @returns whether the entry is the first of a new epoch of its home */
  #begins(place: Place, entry: RawEntry, epoch: number): boolean {
    const home = this.#home(place.aggregate.home);
    if (epoch <= home.epoch) return false;
    home.epoch = epoch;
    home.reservations.resumed(timeOf(entry));
    return true;
  }

  /** The first entry of a new epoch is the one that says so, perhaps after who asked for it. */
  #checkBeginning(place: Place, entry: RawEntry, epoch: number): void {
    if (!entry.data.includes('"type":"meridian.failover.completed.v1"')) {
      const expected = `failover.completed as the first entry of epoch ${epoch}`;
      this.#violations.report(place, 'ledger', expected, place.aggregate.subject);
    }
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
    for (const { reservations } of this.#homes.values()) reservations.finish();
    this.#orphans.finish(this.#violations.report);
    this.#traces.finish();
    this.#ledger?.check(this.#violations.report);
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
    let [living, open] = [0, 0];
    for (const { world } of this.#homes.values()) {
      for (const { state } of world.contacts.values()) if (!endStates.has(state)) living += 1;
      open += world.reservations.size;
    }
    return {
      ok: this.#violations.total === 0,
      entries: this.#entries,
      events: this.#events,
      firstSequence: this.#first,
      lastSequence: this.#last,
      streams: Object.fromEntries([...this.#streams].toSorted(([a], [b]) => (a < b ? -1 : 1))),
      contacts: this.#contacts,
      reservations: this.#created,
      living: {
        contacts: living,
        reservations: open,
        aggregates: this.#chain.livingAggregates,
      },
      violationCount: this.#violations.total,
      counts: this.#violations.counts(),
      violations: this.#violations.kept,
      orphans: this.#orphans.list(),
      intakeChecked: this.#intakeChecked,
    };
  }
}

/** When the first event of an entry was decided, in epoch ms; when it was stored, if it does not say. */
export function timeOf(entry: RawEntry): number {
  const timeMs = Date.parse(/"time":"([^"]*)"/.exec(entry.data)?.[1] ?? '');
  return Number.isNaN(timeMs) ? storedAtMs(entry) : timeMs;
}

/** The epoch that the first event of an entry names; 0 when it names none. */
export function epochOf(entry: RawEntry): number {
  return Number(/"epoch":(\d+),/.exec(entry.data)?.[1] ?? 0);
}
