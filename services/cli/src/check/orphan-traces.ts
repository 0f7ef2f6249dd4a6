import { numberIn, readEvents, type LoggedEvent, type Place, type RawEntry } from './raw.ts';
import type { Report, RuleName } from './violation.ts';

type Breach = readonly [rule: RuleName, expected: string, found: string];

/**
 * What counts may follow from what does not: whoever decides for one home acts on another home's
 * entries as they arrive, and some turn out to lie beyond the seal of their epoch. What looks wrong
 * for that reason alone is judged at the end, when all orphans are known.
 */
export class OrphanTraces {
  readonly #report: Report;
  /** The homes of the orphans among which there is an event of an id. */
  readonly #homesOf = new Map<string, Set<string>>();
  readonly #loans = new Set<string>();
  readonly #doubts: {
    readonly place: Place;
    readonly breaches: readonly Breach[];
    readonly isExcused: () => boolean;
  }[] = [];

  constructor(report: Report) {
    this.#report = report;
  }

  /** The name of a loan in the mesh. */
  static loanOf(home: string, epoch: number, event: LoggedEvent): string {
    return `${event.tenant} ${home} ${epoch} ${numberIn(event.data, 'loan')} ${event.subject}`;
  }

  /** An entry was found beyond the seal of its epoch. */
  found({ aggregate: { home } }: Place, epoch: number, entry: RawEntry): void {
    let events: readonly LoggedEvent[];
    try {
      events = readEvents(entry);
    } catch {
      return;
    }
    for (const event of events) {
      const homes = this.#homesOf.get(event.id) ?? new Set<string>();
      this.#homesOf.set(event.id, homes.add(home));
      if (event.type === 'meridian.routing.lent.v1') {
        this.#loans.add(OrphanTraces.loanOf(home, epoch, event));
      }
    }
  }

  /** Something is wrong unless its cause is the id of another home's orphan. */
  unlessCausedBy(cause: string, place: Place, breach: Breach): void {
    const isExcused = (): boolean =>
      [...(this.#homesOf.get(cause) ?? [])].some((home) => home !== place.aggregate.home);
    this.#doubts.push({ place, breaches: [breach], isExcused });
  }

  /** Something is wrong unless a loan was made beyond a seal. @param loan see `loanOf` */
  unlessLentBy(loan: string, place: Place, breaches: readonly Breach[]): void {
    this.#doubts.push({ place, breaches, isExcused: () => this.#loans.has(loan) });
  }

  /** Reports what is wrong after all. */
  finish(): void {
    for (const { place, breaches, isExcused } of this.#doubts.splice(0)) {
      if (isExcused()) continue;
      for (const breach of breaches) this.#report(place, ...breach);
    }
  }
}
