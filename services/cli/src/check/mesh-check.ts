import { decisionsCausing, type IntakeIndex } from './causes.ts';
import { OwnershipLedger } from './ledger.ts';
import {
  epochOf,
  timeOf,
  LogCheck,
  type LogCheckOptions,
  type LogCheckResult,
} from './log-check.ts';
import { parseAggregate, parseRawEntry, type RawEntry } from './raw.ts';

/** One `EV_` stream, as NDJSON, many lines at a time. Its entries are read twice. */
export interface Source {
  /** Such as `EV_eu`. */
  readonly stream: string;
  /** The entries after a sequence up to the last one there is at the moment, or up to `to`. */
  read(range: { readonly after: number; readonly to?: number }): AsyncIterable<readonly string[]>;
  /** Whether more entries may have come since it was read. */
  readonly grows: boolean;
}

export interface MeshCheckOptions extends Omit<LogCheckOptions, 'ledger' | 'snapshots'> {
  /**
   * Reads what the intakes hold. It is asked once it is settled where the log ends: the intake then
   * holds every cause up to there.
   */
  readonly readIntake?: () => Promise<IntakeIndex | undefined>;
}

/**
 * Verifies the invariants on the `EV_` streams of all regions. The first reading learns who decided
 * for which home; the second takes the entries in an order in which every home's come as they
 * count (by epoch, then sequence) and every decision comes after those that it names as its
 * causes; beyond that, the earlier time first.
 *
 * Memory: as `LogCheck`, and one entry a stream.
 * @param onEntry told of each entry judged
 */
export async function checkMesh(
  sources: readonly Source[],
  options: MeshCheckOptions = {},
  onEntry: (count: number) => void = () => {},
): Promise<LogCheckResult> {
  const ledger = new OwnershipLedger();
  const ends = new Map<string, number>();
  for (const source of sources) {
    ends.set(source.stream, await learn(source, ledger));
  }
  const { readIntake, ...others } = options;
  const intake = options.intake ?? (await readIntake?.());
  const check = new LogCheck({ ...others, ledger, ...(intake === undefined ? {} : { intake }) });
  const readers = sources.map((source) => new Reader(source, ends.get(source.stream) ?? 0));
  for (const reader of readers) await reader.next(check);
  for (;;) {
    let chosen = first(readers.filter((reader) => isReady(reader, readers, ledger, check)));
    if (chosen === undefined && (await refresh(readers, check))) continue;
    // What it names as its cause is nowhere: that is found when it is judged.
    chosen ??= first(readers);
    if (chosen?.head === undefined) return check.finish();
    check.read(chosen.head.entry);
    onEntry(check.entries);
    await chosen.next(check);
  }
}

/** @returns the last sequence */
async function learn(source: Source, ledger: OwnershipLedger): Promise<number> {
  let last = 0;
  for await (const lines of source.read({ after: 0 })) {
    for (const line of lines) {
      const entry = line.trim() === '' ? 'blank' : parseRawEntry(line);
      if (typeof entry === 'string') continue;
      ledger.learn(entry);
      last = Math.max(last, entry.sequence);
    }
  }
  return last;
}

/** The next entry of a stream, and what it has to wait for. */
interface Head {
  readonly entry: RawEntry;
  readonly timeMs: number;
  readonly home: string;
  readonly region: string;
  readonly epoch: number;
  /** Aggregates by name, each with the revision that must have been read. */
  readonly causes: ReadonlyMap<string, number>;
}

class Reader {
  readonly #source: Source;
  #lines: AsyncIterator<readonly string[]>;
  #batch: readonly string[] = [];
  #index = 0;
  /** The sequence that was taken last. */
  position = 0;
  head: Head | undefined;

  constructor(source: Source, to: number) {
    this.#source = source;
    this.#lines = source.read({ after: 0, to })[Symbol.asyncIterator]();
  }

  get stream(): string {
    return this.#source.stream;
  }

  get grows(): boolean {
    return this.#source.grows;
  }

  /** Goes on to the next entry; what is none is the check's to report. */
  async next(check: LogCheck): Promise<void> {
    this.position = this.head?.entry.sequence ?? this.position;
    this.head = undefined;
    for (;;) {
      if (this.#index === this.#batch.length) {
        const { done, value } = await this.#lines.next();
        if (done === true) return;
        [this.#batch, this.#index] = [value, 0];
        continue;
      }
      const line = this.#batch[this.#index] ?? '';
      this.#index += 1;
      if (line.trim() === '') continue;
      const entry = parseRawEntry(line);
      if (typeof entry === 'string') {
        check.readLine(line);
        continue;
      }
      this.head = headOf(entry);
      return;
    }
  }

  /** Looks for entries that came after the end that was read. @returns whether there are any */
  async more(check: LogCheck): Promise<boolean> {
    this.#lines = this.#source.read({ after: this.position })[Symbol.asyncIterator]();
    await this.next(check);
    return this.head !== undefined;
  }
}

function headOf(entry: RawEntry): Head {
  const { region = '', home = '', name = '' } = parseAggregate(entry.subject) ?? {};
  return {
    entry,
    timeMs: timeOf(entry),
    home,
    region,
    epoch: epochOf(entry),
    causes: decisionsCausing(entry.data, name),
  };
}

function first(readers: readonly Reader[]): Reader | undefined {
  let best: Reader | undefined;
  for (const reader of readers) {
    if (reader.head === undefined) continue;
    if (best?.head === undefined || reader.head.timeMs < best.head.timeMs) best = reader;
  }
  return best;
}

/** Whether all that an entry follows from was read. */
function isReady(
  { head }: Reader,
  readers: readonly Reader[],
  ledger: OwnershipLedger,
  check: LogCheck,
): boolean {
  if (head === undefined) return false;
  const { home, region, epoch, entry, causes } = head;
  if (ledger.verdict(home, epoch, region, entry.sequence) !== 'counts') return true;
  for (const { owner, upTo } of ledger.before(home, epoch)) {
    const other = readers.find(({ stream }) => stream === `EV_${owner}`);
    const next = other?.head?.entry.sequence;
    if (next !== undefined && next <= upTo) return false;
  }
  for (const [name, revision] of causes) {
    const last = check.lastRevision(name);
    if (last === undefined || last < revision) return false;
  }
  return true;
}

/** Reads on where streams have grown. @returns whether any has */
async function refresh(readers: readonly Reader[], check: LogCheck): Promise<boolean> {
  if (readers.every(({ head }) => head === undefined)) return false;
  let found = false;
  for (const reader of readers) {
    if (reader.grows && reader.head === undefined && (await reader.more(check))) found = true;
  }
  return found;
}
