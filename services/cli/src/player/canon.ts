import { readEvents, storedAtMs, type OwnershipLedger, type RawEntry } from '../check/index.ts';

/** Merges streams by the times at which their entries were stored; each keeps its order. */
export async function* byStorage(
  streams: readonly AsyncIterable<RawEntry>[],
): AsyncGenerator<RawEntry> {
  const sources: { readonly rest: AsyncIterator<RawEntry>; next: RawEntry; atMs: number }[] = [];
  for (const stream of streams) {
    const rest = stream[Symbol.asyncIterator]();
    const { done, value } = await rest.next();
    if (done !== true) sources.push({ rest, next: value, atMs: storedAtMs(value) });
  }
  for (;;) {
    let first = sources[0];
    for (const source of sources) {
      if (first !== undefined && source.atMs < first.atMs) first = source;
    }
    if (first === undefined) return;
    yield first.next;
    const { done, value } = await first.rest.next();
    if (done === true) sources.splice(sources.indexOf(first), 1);
    else Object.assign(first, { next: value, atMs: storedAtMs(value) });
  }
}

/**
 * The canonical history of each home, out of the entries of all regions' streams: what a lost
 * owner decided beyond its seal is left out, and each epoch comes after the one before. It holds
 * back what came of later epochs than the first one until the end.
 */
export class Canon {
  readonly #ledger: OwnershipLedger | undefined;
  readonly #take: (entry: RawEntry) => void;
  readonly #later: { readonly epoch: number; readonly entry: RawEntry }[] = [];
  /** How many entries do not count. */
  orphans = 0;

  /** @param ledger of all streams; without it everything counts, as it comes */
  constructor(ledger: OwnershipLedger | undefined, take: (entry: RawEntry) => void) {
    this.#ledger = ledger;
    this.#take = take;
  }

  /** Takes the next entry of some stream; each stream in its order. @returns whether it counts */
  read(entry: RawEntry): boolean {
    if (this.#ledger === undefined) {
      this.#take(entry);
      return true;
    }
    const [, region = '', home = ''] = entry.subject.split('.');
    const epoch = Number(readEvents(entry)[0]?.attributes['epoch'] ?? 1);
    if (this.#ledger.verdict(home, epoch, region, entry.sequence) !== 'counts') {
      this.orphans += 1;
      return false;
    }
    if (epoch === 1) this.#take(entry);
    else this.#later.push({ epoch, entry });
    return true;
  }

  /** All was read: takes what was held back. */
  finish(): void {
    for (const { entry } of this.#later.toSorted((one, two) => one.epoch - two.epoch)) {
      this.#take(entry);
    }
  }
}
