import { Fingerprints } from './fingerprints.ts';
import type { OrphanTraces } from './orphan-traces.ts';
import type { LoggedEvent, Place } from './raw.ts';
import type { Report, RuleName } from './violation.ts';

/** The id of a decision: `<tenant>.<entity>.<id>.<revision>`. */
const decisionPattern = /^([\w-]+\.(?:contact|routing|ownership)\.[\w-]+)\.(\d+)$/;

/**
 * The decisions that the events of an entry name as their causes, by aggregate: the highest
 * revision of each. Those within the same aggregate come before it anyway.
 */
export function decisionsCausing(data: string, own: string): Map<string, number> {
  const causes = new Map<string, number>();
  for (const [, cause = ''] of data.matchAll(/"causationid":"([^"]*)"/g)) {
    const [, name, revision] = decisionPattern.exec(cause) ?? [];
    if (name === undefined || name === own) continue;
    causes.set(name, Math.max(Number(revision), causes.get(name) ?? 0));
  }
  return causes;
}

/** Which requests the intake holds, by tenant, source and id; 24 to 48 bytes each. */
export class IntakeIndex {
  readonly #known = new Fingerprints();
  /** The first and last sequence that were read, of one stream; undefined before the first. */
  firstSequence: number | undefined;
  lastSequence = 0;

  get size(): number {
    return this.#known.size;
  }

  /** Remembers one raw entry of an `IN_` stream. Its data is one CloudEvent; anything else is ignored. */
  add(entry: { readonly sequence: number; readonly data: string }): void {
    this.firstSequence ??= entry.sequence;
    this.lastSequence = entry.sequence;
    let event: { tenant?: unknown; source?: unknown; id?: unknown };
    try {
      event = JSON.parse(entry.data) as typeof event;
    } catch {
      return;
    }
    this.#known.set(`${String(event.tenant)} ${String(event.source)}#${String(event.id)}`, 0);
  }

  /** @param cause `<source>#<id>` */
  has(tenant: string, cause: string): boolean {
    return this.#known.has(`${tenant} ${cause}`);
  }
}

/**
 * Rule 6 about causes. Kept: the causes of each living contact, 24 to 48 bytes for every cause of a
 * routing partition.
 */
export class Causes {
  readonly #report: Report;
  readonly #lastRevision: (name: string) => number | undefined;
  readonly #intake: IntakeIndex | undefined;
  readonly #traces: OrphanTraces | undefined;
  readonly #ofContacts = new Map<string, Map<string, number>>();
  readonly #ofPartitions = new Fingerprints();
  /** The pair last seen: the events of a decision share their cause. */
  #last = '';

  /**
   * @param lastRevision an aggregate's last revision so far, by its name
   * @param intake without it, causes from outside are not looked for
   * @param traces of orphans; undefined where there can be none
   */
  constructor(
    report: Report,
    lastRevision: (name: string) => number | undefined,
    intake: IntakeIndex | undefined,
    traces?: OrphanTraces,
  ) {
    this.#report = report;
    this.#lastRevision = lastRevision;
    this.#intake = intake;
    this.#traces = traces;
  }

  check(place: Place, event: LoggedEvent): void {
    const { aggregate, sequence } = place;
    const pair = `${sequence} ${aggregate.subject} ${event.causationid}`;
    if (pair === this.#last || event.causationid === '') return;
    this.#last = pair;
    const before = this.#remember(place, event.causationid);
    if (before !== undefined && before !== sequence) {
      const expected = `${event.causationid} to lead to one entry (it led to ${before})`;
      this.#breach(event.causationid, place, 'repeated-cause', expected, 'a second entry');
    }
    this.#checkExists(place, event);
  }

  /** A decision of another home may have been made twice: beyond a seal, and again. */
  #breach(cause: string, place: Place, rule: RuleName, expected: string, found: string): void {
    if (this.#traces === undefined || !decisionPattern.test(cause)) {
      this.#report(place, rule, expected, found);
    } else this.#traces.unlessCausedBy(cause, place, [rule, expected, found]);
  }

  /** Drops what only a living contact needs. */
  forget(name: string): void {
    this.#ofContacts.delete(name);
  }

  /** @returns the sequence of the entry that the cause led to before */
  #remember({ aggregate, sequence }: Place, cause: string): number | undefined {
    // A request to move a home leads to one entry for each step.
    if (aggregate.entity === 'ownership') return undefined;
    if (aggregate.entity !== 'contact') {
      const key = `${aggregate.name} ${cause}`;
      const before = this.#ofPartitions.get(key);
      if (before === undefined) this.#ofPartitions.set(key, sequence);
      return before;
    }
    let causes = this.#ofContacts.get(aggregate.name);
    if (causes === undefined) this.#ofContacts.set(aggregate.name, (causes = new Map()));
    const before = causes.get(cause);
    if (before === undefined) causes.set(cause, sequence);
    return before;
  }

  #checkExists(place: Place, event: LoggedEvent): void {
    const { causationid: cause } = event;
    const { region, tenant } = place.aggregate;
    const [, name, revision] = decisionPattern.exec(cause) ?? [];
    if (name !== undefined && revision !== undefined) {
      const last = this.#lastRevision(name);
      const own = event.id === cause;
      if (own || last === undefined || last < Number(revision)) {
        const found = own ? 'the event itself' : 'none';
        this.#breach(cause, place, 'unknown-cause', `${cause} earlier in the log`, found);
      }
    } else if (
      cause.includes('#') &&
      this.#intake !== undefined &&
      !this.#intake.has(tenant, cause)
    ) {
      this.#report(place, 'unknown-cause', `${cause} in IN_${region}`, 'none');
    }
  }
}
