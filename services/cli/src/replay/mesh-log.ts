import {
  epochOf,
  OwnershipLedger,
  parseAggregate,
  parseRawEntry,
  readEvents,
  storedAtMs,
  timeOf,
  type RawEntry,
  type Source,
} from '../check/index.ts';
import { usageFault } from '../fault.ts';
import type { PlacedEvent } from './place.ts';

/** An entry of the log with what its subject says. */
export interface PlacedEntry {
  readonly entry: RawEntry;
  readonly home: string;
  readonly tenant: string;
  readonly epoch: number;
  /** When its first event was decided, epoch ms. */
  readonly timeMs: number;
}

export interface MeshLog {
  /** The entries that count, in the order in which they are to be folded. */
  readonly entries: AsyncGenerator<PlacedEntry>;
  /** How many entries were left out because they lie beyond the seal of their epoch. */
  readonly orphans: () => number;
}

/**
 * The log of all regions as one: every home's entries in the order in which they count (by epoch, then
 * sequence), between homes the earlier time first. What the ledger says does not count is left out.
 *
 * Several streams are read twice: who decided for which home is known only after the last entry. A
 * stream that is alone is read once, and taken whole.
 * Memory: one batch of lines a stream.
 */
export function readMesh(sources: readonly Source[]): MeshLog {
  let orphans = 0;
  async function* entries(): AsyncGenerator<PlacedEntry> {
    const ledger = sources.length > 1 ? await learn(sources) : undefined;
    const readers = sources.map((source) => new Reader(source));
    for (const reader of readers) await reader.next();
    for (;;) {
      const ready = ledger && readers.filter((reader) => isReady(reader, readers, ledger));
      const chosen = first(ready ?? readers) ?? first(readers);
      if (chosen?.head === undefined) return;
      const { entry, home, epoch } = chosen.head;
      const region = entry.stream.slice('EV_'.length);
      const counts =
        ledger === undefined || ledger.verdict(home, epoch, region, entry.sequence) === 'counts';
      if (counts) yield chosen.head;
      else orphans += 1;
      if (!chosen.step()) await chosen.next();
    }
  }
  return { entries: entries(), orphans: () => orphans };
}

/** The events of entries, each with its place. */
export function placed({ entry, home }: PlacedEntry): PlacedEvent[] {
  const { stream, sequence } = entry;
  const storedMs = storedAtMs(entry);
  return readEvents(entry).map((event, index) => ({
    stream,
    sequence,
    index,
    home,
    storedAtMs: storedMs,
    event,
  }));
}

async function learn(sources: readonly Source[]): Promise<OwnershipLedger> {
  const ledger = new OwnershipLedger();
  for (const source of sources) {
    for await (const lines of source.read({ after: 0 })) {
      for (const line of lines) {
        if (line.includes('meridian.failover.completed.v1')) ledger.learn(parse(line));
      }
    }
  }
  return ledger;
}

function parse(line: string): RawEntry {
  const entry = parseRawEntry(line);
  if (typeof entry !== 'string') return entry;
  throw usageFault(`A line of the log cannot be read: ${entry}.`);
}

/** Reads one stream, a step ahead. */
class Reader {
  readonly #lines: AsyncIterator<readonly string[]>;
  #batch: readonly string[] = [];
  #index = 0;
  head: PlacedEntry | undefined;

  constructor(source: Source) {
    this.#lines = source.read({ after: 0 })[Symbol.asyncIterator]();
  }

  /** Goes on to the next entry. */
  async next(): Promise<void> {
    while (!this.step()) {
      const { done, value } = await this.#lines.next();
      if (done === true) return;
      [this.#batch, this.#index] = [value, 0];
    }
  }

  /** Goes on within what was read already. @returns false at its end; there is no head then */
  step(): boolean {
    this.head = undefined;
    while (this.#index < this.#batch.length) {
      const line = this.#batch[this.#index] ?? '';
      this.#index += 1;
      if (line.trim() === '') continue;
      const entry = parse(line);
      const { home = '', tenant = '' } = parseAggregate(entry.subject) ?? {};
      this.head = { entry, home, tenant, epoch: epochOf(entry), timeMs: timeOf(entry) };
      return true;
    }
    return false;
  }
}

/** What recovery writes of the mesh itself: its clock may be another than that of the log. */
export const meshTenant = 'meridian';

const orderMs = ({ tenant, timeMs }: PlacedEntry): number =>
  tenant === meshTenant ? Number.NEGATIVE_INFINITY : timeMs;

function first(readers: readonly Reader[]): Reader | undefined {
  let best: Reader | undefined;
  for (const reader of readers) {
    if (reader.head === undefined) continue;
    if (best?.head === undefined || orderMs(reader.head) < orderMs(best.head)) best = reader;
  }
  return best;
}

/** Whether everything that its home's earlier epochs let count was read. */
function isReady({ head }: Reader, readers: readonly Reader[], ledger: OwnershipLedger): boolean {
  if (head === undefined) return false;
  return ledger.before(head.home, head.epoch).every(({ owner, upTo }) => {
    const other = readers.find((reader) => reader.head?.entry.stream === `EV_${owner}`);
    return other?.head === undefined || other.head.entry.sequence > upTo;
  });
}
