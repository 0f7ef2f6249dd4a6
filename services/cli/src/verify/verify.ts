import { Frontier, HeadMap, messageLeaf, type Run } from '@meridian/proof';
import { parseAggregate, splitEntry, storedAtMs, type RawEntry } from '../check/raw.ts';
import {
  epochIn,
  headOfEntry,
  learn,
  type Fault,
  type Learned,
  type LoggedCheckpoint,
} from './learn.ts';
import { checkSignatures, type PublicKeys, type Signatures } from './signatures.ts';
import { entriesOf, type LogCopy } from './source.ts';

export interface VerifyOptions {
  /** The keys that the regions must have; then nothing holds that none of these signed. */
  readonly keys?: PublicKeys;
  /** The leaves that the log had when it was verified before: 32 bytes each, by rank. */
  readonly leaves?: Buffer;
  /** Takes each leaf, by rank, as it is found. */
  readonly onLeaf?: (leaf: Uint8Array) => void;
  readonly onRead?: (count: number) => void;
  /** Sees every message, in order, with its leaf. */
  readonly onMessage?: (rank: number, entry: RawEntry, leaf: Uint8Array) => void;
  /** Called when the first `size` messages were taken, `size` being that of a checkpoint. */
  readonly onCheckpoint?: (checkpoint: LoggedCheckpoint, heads: HeadMap) => void;
}

export interface VerifyResult {
  readonly ok: boolean;
  /** How many messages are ordered, and how many of these the last checkpoint that holds covers. */
  readonly ordered: number;
  readonly covered: number;
  /** How many messages follow what is ordered: nothing but their hash chains speaks for them. */
  readonly unordered: number;
  readonly checkpoints: number;
  /** How many aggregates there are, orphans' among them. */
  readonly aggregates: number;
  /** Which regions cosigned the last checkpoint that holds. */
  readonly cosignedBy: readonly string[];
  readonly keys: PublicKeys;
  /** What does not hold, in the order of the log. */
  readonly faults: readonly Fault[];
}

const faultLimit = 100;
const hashLength = 32;

/** A message as a leaf is made of it. */
export const storedMessage = (entry: RawEntry) => ({
  stream: entry.stream,
  sequence: entry.sequence,
  subject: entry.subject,
  storedAtMs: storedAtMs(entry),
  data: entry.data,
  header: (name: string): string | undefined => {
    const value = entry.headers?.[name];
    return typeof value === 'string' ? value : undefined;
  },
});

/** Reads one stream from its start, in the steps in which the order asks for it. */
class Cursor {
  readonly #entries: AsyncGenerator<RawEntry>;
  readonly #report: (fault: Fault) => void;
  readonly #stream: string;
  #held: RawEntry | undefined;
  #last = 0;
  #isAtEnd = false;

  constructor(copy: LogCopy, stream: string, report: (fault: Fault) => void) {
    this.#stream = stream;
    this.#report = report;
    this.#entries = entriesOf(copy, stream, (line, why) => {
      const what = `Line ${line} of the export: ${why}.`;
      report({ stream, sequence: this.#last + 1, what });
    });
  }

  /** The sequence of what is there next, after one that was not; infinite where nothing is. */
  get next(): number {
    return this.#isAtEnd ? Infinity : (this.#held?.sequence ?? 0);
  }

  /** The message of a sequence, later than any asked for before; undefined when it is not there. */
  async at(sequence: number): Promise<RawEntry | undefined> {
    for (;;) {
      const entry = this.#held ?? ((await this.#entries.next()).value as RawEntry | undefined);
      this.#held = undefined;
      if (entry === undefined) {
        this.#isAtEnd = true;
        return undefined;
      }
      if (entry.sequence > sequence) {
        this.#held = entry;
        return undefined;
      }
      if (entry.sequence <= this.#last || entry.stream !== this.#stream) {
        const what = `${entry.stream} ${entry.sequence} stands after ${this.#last}.`;
        this.#report({ stream: this.#stream, sequence: entry.sequence, what });
        continue;
      }
      this.#last = entry.sequence;
      if (entry.sequence === sequence) return entry;
    }
  }

  /** What was not asked for, up to the end. */
  async *rest(): AsyncGenerator<RawEntry> {
    if (this.#held !== undefined) yield this.#held;
    this.#held = undefined;
    yield* this.#entries;
  }
}

/** Verifies a copy of the log: the order, the tree at each checkpoint, heads, hash chains, signatures. */
export async function verifyCopy(
  copy: LogCopy,
  options: VerifyOptions = {},
): Promise<VerifyResult & { readonly learned: Learned }> {
  const { onRead = () => {} } = options;
  const learned = await learn(copy, onRead);
  const signatures = checkSignatures(learned, options.keys);
  const verification = new Verification(copy, learned, signatures, options);
  return { ...(await verification.run(onRead)), learned };
}

class Verification {
  readonly #copy: LogCopy;
  readonly #learned: Learned;
  readonly #signatures: Signatures;
  readonly #options: VerifyOptions;
  readonly #faults: Fault[];
  readonly #frontier = new Frontier();
  readonly #heads = new HeadMap();
  readonly #cursors = new Map<string, Cursor>();
  /** The last entry that counts under each subject: its hash, and where it is. */
  readonly #chains = new Map<string, { hash: string; sequence: number; rank?: number }>();
  readonly #checkpoints: LoggedCheckpoint[];
  /** The size of the last checkpoint that held. */
  #covered = 0;
  /** The tree cannot be made any more: a message is missing. */
  #isBroken = false;
  /** Between which ranks something is not what was signed, where that is all that is known. */
  #between: { readonly fault: Fault; readonly from: number; readonly to: number } | undefined;

  constructor(copy: LogCopy, learned: Learned, signatures: Signatures, options: VerifyOptions) {
    this.#copy = copy;
    this.#learned = learned;
    this.#signatures = signatures;
    this.#options = options;
    this.#faults = [...learned.faults, ...signatures.faults];
    this.#checkpoints = [...learned.checkpoints];
  }

  async run(onRead: (count: number) => void): Promise<VerifyResult> {
    const { ranks } = this.#learned;
    for (const run of ranks.runs(0, ranks.size)) {
      await this.#run(run);
      onRead(run.rank);
    }
    for (const { stream, sequence, size } of this.#checkpoints) {
      if (this.#isBroken) break;
      this.#report({
        stream,
        sequence,
        what: `It covers ${size} messages, and only ${ranks.size} are ordered here.`,
      });
    }
    const unordered = this.#isBroken ? 0 : await this.#takeRest();
    this.#checkEnd();
    const faults = this.#found().toSorted(
      (a, b) => (a.rank ?? Infinity) - (b.rank ?? Infinity) || a.sequence - b.sequence,
    );
    return {
      ok: faults.length === 0,
      ordered: ranks.size,
      covered: this.#covered,
      unordered,
      checkpoints: this.#learned.checkpoints.length,
      aggregates: this.#heads.count,
      cosignedBy: this.#signatures.cosigners.get(this.#covered) ?? [],
      keys: this.#signatures.keys,
      faults: faults.slice(0, faultLimit),
    };
  }

  #report(fault: Fault): void {
    this.#faults.push(fault);
  }

  /** What came after the end of the order must go on from what is ordered. @returns how many */
  async #takeRest(): Promise<number> {
    let count = 0;
    for (const cursor of this.#cursors.values()) {
      for await (const entry of cursor.rest()) {
        count += 1;
        if (entry.stream.startsWith('EV_')) this.#checkChain(entry);
      }
    }
    return count;
  }

  /** What was cut off at its end is whole in itself: only what is known from elsewhere tells. */
  #checkEnd(): void {
    const { ranks, home } = this.#learned;
    const { leaves, keys } = this.#options;
    const kept = Math.floor((leaves?.length ?? 0) / hashLength);
    const place = { stream: `EV_${home}`, sequence: ranks.end(`EV_${home}`) };
    if (kept > ranks.size) {
      const what = `${kept} messages were ordered when the leaves were kept, ${ranks.size} are here.`;
      this.#report({ ...place, what });
    }
    if (keys !== undefined && this.#covered === 0 && this.#found().length === 0) {
      this.#report({ ...place, what: 'No checkpoint is here that a key of the list signed.' });
    }
  }

  async #run({ rank, stream, from, to }: Run): Promise<void> {
    let cursor = this.#cursors.get(stream);
    if (cursor === undefined) {
      cursor = new Cursor(this.#copy, stream, (fault) => this.#report(fault));
      this.#cursors.set(stream, cursor);
    }
    for (let sequence = from; sequence <= to; sequence += 1) {
      const at = rank + sequence - from;
      const entry = await cursor.at(sequence);
      if (entry === undefined) {
        this.#missing({ stream, sequence, rank: at });
        // A range may claim any length.
        sequence = Math.max(sequence, Math.min(to, cursor.next - 1));
      } else this.#take(at, entry);
      this.#meetCheckpoint(at + 1);
    }
  }

  #missing(place: Omit<Fault, 'what'>): void {
    // One hole is one fault, however long.
    if (!this.#isBroken) this.#report({ ...place, what: 'It is ordered, and it is not there.' });
    this.#isBroken = true;
  }

  #take(rank: number, entry: RawEntry): void {
    const { stream, sequence } = entry;
    const key = this.#learned.keyOf(stream, sequence);
    if (key === undefined) {
      this.#isBroken = true;
      this.#report({ stream, sequence, rank, what: 'The key of its segment is not on the log.' });
      return;
    }
    const leaf = messageLeaf(key, storedMessage(entry));
    this.#options.onLeaf?.(leaf);
    this.#options.onMessage?.(rank, entry, leaf);
    const known = this.#options.leaves?.subarray(rank * hashLength, (rank + 1) * hashLength);
    if (known?.length === hashLength && !known.equals(leaf)) {
      const what = 'It is not what it was when the leaves were kept.';
      this.#report({ stream, sequence, rank, what });
    }
    this.#frontier.append(leaf);
    if (!stream.startsWith('EV_')) return;
    this.#heads.set({ subject: entry.subject, ...headOfEntry(entry) });
    this.#checkChain(entry, rank);
  }

  /** What counts under one subject goes on from what counted there before. */
  #checkChain(entry: RawEntry, rank?: number): void {
    const aggregate = parseAggregate(entry.subject);
    if (aggregate === undefined) return;
    const { home, region } = aggregate;
    const { sequence, stream } = entry;
    if (this.#learned.ledger.verdict(home, epochIn(entry), region, sequence) !== 'counts') return;
    const before = this.#chains.get(entry.subject);
    const { hash } = headOfEntry(entry);
    this.#chains.set(entry.subject, { hash, sequence, ...(rank === undefined ? {} : { rank }) });
    const [first = ''] = splitEntry(entry.data);
    if (before === undefined || first.includes('"adoptedfrom":"')) return;
    if (first.includes(`"prevhash":"${before.hash}"`)) return;
    this.#report({
      stream,
      sequence: before.sequence,
      ...(before.rank === undefined ? {} : { rank: before.rank }),
      what: `Its hash is not the one that the next entry of ${aggregate.name} (${sequence}) names.`,
    });
  }

  #meetCheckpoint(size: number): void {
    while (this.#checkpoints[0]?.size === size) {
      const checkpoint = this.#checkpoints.shift() as LoggedCheckpoint;
      if (this.#isBroken) continue;
      const root = Buffer.from(this.#frontier.root()).toString('base64url');
      const headsRoot = Buffer.from(this.#heads.root()).toString('base64url');
      if (root === checkpoint.root && headsRoot === checkpoint.headsRoot) {
        this.#covered = size;
        this.#options.onCheckpoint?.(checkpoint, this.#heads);
      } else this.#differs(checkpoint);
    }
  }

  /** The tree is not what was signed: it lies after the last checkpoint that held. */
  #differs({ size, region }: LoggedCheckpoint): void {
    const place = this.#learned.ranks.placeOf(this.#covered);
    // What follows differs too.
    this.#isBroken = true;
    if (place === undefined) return;
    const what =
      `A message from here (rank ${this.#covered}) to rank ${size - 1} is not what it was when ` +
      `${region} signed the first ${size}.`;
    const fault = { ...place, rank: this.#covered, what };
    this.#between = { fault, from: this.#covered, to: size };
  }

  /** All that was found. What lies between two ranks is left out where the message itself is known. */
  #found(): Fault[] {
    const between = this.#between;
    if (between === undefined) return this.#faults;
    const isKnown = this.#faults.some(({ rank = -1 }) => rank >= between.from && rank < between.to);
    return isKnown ? this.#faults : [...this.#faults, between.fault];
  }
}
