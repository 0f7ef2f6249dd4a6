import type { OwnershipLedger } from '../check/ledger.ts';
import { parseAggregate, type RawEntry } from '../check/raw.ts';
import { epochIn, type Fault } from './learn.ts';

/** Where the history under one subject ends, as far as it counts. */
interface Link {
  readonly home: string;
  readonly region: string;
  hash: string;
  /** 0 before the first entry. */
  sequence: number;
  rank: number | undefined;
}

/** The hash chain of every aggregate. Memory: some 300 bytes an aggregate. */
export class Chains {
  readonly #ledger: OwnershipLedger;
  readonly #report: (fault: Fault) => void;
  readonly #links = new Map<string, Link>();

  constructor(ledger: OwnershipLedger, report: (fault: Fault) => void) {
    this.#ledger = ledger;
    this.#report = report;
  }

  /** What counts under one subject goes on from what counted there before. */
  check(entry: RawEntry, hash: string, rank?: number): void {
    const { sequence, stream, subject, data } = entry;
    const link = this.#links.get(subject) ?? this.#begin(subject);
    if (link === undefined) return;
    const { home, region } = link;
    if (this.#ledger.verdict(home, epochIn(entry), region, sequence) !== 'counts') return;
    const before = { hash: link.hash, sequence: link.sequence, rank: link.rank };
    [link.hash, link.sequence, link.rank] = [hash, sequence, rank];
    if (before.sequence === 0) return;
    const end = data.indexOf(',\n');
    const first = end === -1 ? data : data.slice(0, end);
    if (first.includes(`"prevhash":"${before.hash}"`) || first.includes('"adoptedfrom":"')) return;
    this.#report({
      stream,
      sequence: before.sequence,
      ...(before.rank === undefined ? {} : { rank: before.rank }),
      what:
        `Its hash is not the one that the next entry of ${parseAggregate(subject)?.name} ` +
        `(${sequence}) names.`,
    });
  }

  #begin(subject: string): Link | undefined {
    const aggregate = parseAggregate(subject);
    if (aggregate === undefined) return undefined;
    const { home, region } = aggregate;
    const link: Link = { home, region, hash: '', sequence: 0, rank: undefined };
    this.#links.set(subject, link);
    return link;
  }
}
