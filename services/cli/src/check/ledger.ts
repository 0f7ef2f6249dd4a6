import {
  listIn,
  numberIn,
  parseAggregate,
  readEvents,
  textIn,
  type LoggedEvent,
  type Place,
  type RawEntry,
} from './raw.ts';
import type { Report } from './violation.ts';

/** An epoch that has ended: its owner, and the last sequence of `EV_<owner>` that counts. */
export interface Seal {
  readonly epoch: number;
  readonly owner: string;
  readonly upTo: number;
}

/** What one `failover.completed` says, and where it is. */
interface Completed {
  readonly place: Place;
  readonly home: string;
  readonly epoch: number;
  readonly owner: string;
  readonly isPlanned: boolean;
  readonly previous: Seal;
  readonly seals: readonly Seal[];
}

/** `foreign`: another than the epoch's owner wrote it; `unknown`: there is no such epoch. */
export type Verdict = 'counts' | 'orphan' | 'foreign' | 'unknown';

const completedType = 'meridian.failover.completed.v1';
const sealedType = 'meridian.failover.sealed.v1';

const sealText = ({ epoch, owner, upTo }: Seal): string => `epoch ${epoch} of ${owner} to ${upTo}`;

/**
 * Who decided for which home and up to where, by the log alone. Home `us` is region `us`'s in epoch
 * 1; everything else follows from the `failover.completed` events, of which the one of a home's
 * highest epoch says the whole.
 */
export class OwnershipLedger {
  readonly #completed = new Map<string, Completed[]>();
  /** `<stream>:<sequence>` of the entries that seal an epoch, with `<home>/<epoch>`. */
  readonly #sealed = new Map<string, string>();
  /** The last sequence of each stream that was read. */
  readonly #ends = new Map<string, number>();

  /** Takes an entry of any `EV_` stream, in any order, before anything is judged. */
  learn(entry: RawEntry): void {
    const { stream, sequence, data } = entry;
    this.#ends.set(stream, Math.max(sequence, this.#ends.get(stream) ?? 0));
    if (!data.includes(completedType) && !data.includes(sealedType)) return;
    const aggregate = parseAggregate(entry.subject);
    if (aggregate?.entity !== 'ownership') return;
    let events: LoggedEvent[];
    try {
      events = readEvents(entry);
    } catch {
      return; // What is no JSON is found when it is judged.
    }
    events.forEach((event, index) => {
      if (event.type === sealedType) {
        const epoch = numberIn(event.data, 'epoch');
        this.#sealed.set(`${stream}:${sequence}`, `${aggregate.home}/${epoch}`);
      }
      if (event.type !== completedType) return;
      const completed = completedOf(event, { stream, sequence, index, aggregate });
      const known = this.#completed.get(completed.home) ?? [];
      this.#completed.set(completed.home, [...known, completed]);
    });
  }

  /** The epochs of a home that have ended, the first one first, and who decides now. */
  epochs(home: string): { readonly seals: readonly Seal[]; readonly epoch: number; owner: string } {
    const last = this.#last(home);
    return last ?? { seals: [], epoch: 1, owner: home };
  }

  /** Whether what `region` wrote for a home under an epoch, at a sequence of its `EV_`, counts. */
  verdict(home: string, epoch: number, region: string, sequence: number): Verdict {
    const { seals, epoch: current, owner } = this.epochs(home);
    const seal = seals.find((one) => one.epoch === epoch);
    if (seal === undefined && epoch !== current) return 'unknown';
    if ((seal?.owner ?? owner) !== region) return 'foreign';
    return seal === undefined || sequence <= seal.upTo ? 'counts' : 'orphan';
  }

  /**
   * What must be read before the entries of an epoch: those before it, each up to its seal. The one just
   * before it may have no entry that counts.
   */
  before(home: string, epoch: number): Seal[] {
    return this.epochs(home).seals.filter((seal) => seal.epoch < epoch);
  }

  /** Judges the ownership events against one another and against the streams. */
  check(report: Report): void {
    for (const all of this.#completed.values()) {
      const last = this.#last(all[0]?.home ?? '');
      for (const one of all) if (last !== undefined) this.#checkOne(one, last, report);
    }
  }

  #last(home: string): Completed | undefined {
    let last: Completed | undefined;
    for (const one of this.#completed.get(home) ?? []) {
      if (last === undefined || one.epoch > last.epoch) last = one;
    }
    return last;
  }

  #checkOne(one: Completed, last: Completed, report: Report): void {
    const { place, home, epoch, owner, previous, seals } = one;
    const rule = 'ledger';
    const { region, home: ofSubject } = place.aggregate;
    if (region !== owner || ofSubject !== home || place.aggregate.id !== home) {
      const expected = `ev.${owner}.${home}.meridian.ownership.${home}`;
      report(place, rule, expected, place.aggregate.subject);
    }
    const gap = seals.some((seal, index) => seal.epoch !== index + 1);
    if (gap || seals.length !== epoch - 1) {
      const found = seals.map((seal) => seal.epoch).join(', ') || 'none';
      report(place, rule, `the seals of the epochs 1 to ${epoch - 1}`, found);
      return;
    }
    const ended = seals.at(-1);
    if (ended === undefined || sealText(ended) !== sealText(previous)) {
      const expected = ended === undefined ? 'an epoch before' : sealText(ended);
      report(place, rule, expected, sealText(previous));
    }
    const [first] = seals;
    if (first !== undefined && first.owner !== home) {
      report(place, rule, `epoch 1 of ${home}`, sealText(first));
    }
    this.#checkAgainst(one, last, report);
    this.#checkSeal(one, report);
  }

  /** All say the same of the epochs that they both know. */
  #checkAgainst({ place, epoch, owner, seals }: Completed, last: Completed, report: Report): void {
    for (const [index, seal] of seals.entries()) {
      const known = last.seals[index];
      if (known !== undefined && sealText(known) !== sealText(seal)) {
        report(place, 'ledger', sealText(known), sealText(seal));
      }
    }
    const known = epoch === last.epoch ? last.owner : last.seals[epoch - 1]?.owner;
    const isOther = epoch === last.epoch && last.place.sequence !== place.sequence;
    if (known !== owner || isOther) {
      const found = isOther ? `a second beginning by ${owner}` : owner;
      report(place, 'ledger', `${String(known)} to begin epoch ${epoch}, once`, found);
    }
  }

  #checkSeal({ place, home, previous, isPlanned }: Completed, report: Report): void {
    const stream = `EV_${previous.owner}`;
    const end = this.#ends.get(stream);
    if (end !== undefined && end < previous.upTo) {
      report(place, 'ledger', `${stream} to reach the seal ${previous.upTo}`, `it ends at ${end}`);
    }
    if (!isPlanned) return;
    const sealed = this.#sealed.get(`${stream}:${previous.upTo}`);
    if (sealed !== `${home}/${previous.epoch}`) {
      const expected = `failover.sealed of epoch ${previous.epoch} at ${stream}:${previous.upTo}`;
      report(place, 'ledger', expected, sealed === undefined ? 'no seal' : `that of ${sealed}`);
    }
  }
}

function sealOf(data: LoggedEvent['data'], epoch: string, owner: string): Seal {
  return {
    epoch: numberIn(data, epoch),
    owner: textIn(data, owner),
    upTo: numberIn(data, 'upTo'),
  };
}

function completedOf({ data }: LoggedEvent, place: Place): Completed {
  return {
    place,
    home: textIn(data, 'home'),
    epoch: numberIn(data, 'epoch'),
    owner: textIn(data, 'owner'),
    isPlanned: textIn(data, 'kind') === 'PLANNED',
    previous: sealOf(data, 'previousEpoch', 'previousOwner'),
    seals: listIn(data, 'seals').map((seal) => sealOf(seal, 'epoch', 'owner')),
  };
}
