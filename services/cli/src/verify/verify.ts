import { Frontier, HeadMap, messageLeaf, type Run } from '@meridian/proof';
import { storedAtMs, type RawEntry } from '../check/raw.ts';
import { Chains } from './chains.ts';
import { Cursor } from './cursor.ts';
import { headOfEntry, learn, type Fault, type Learned, type LoggedCheckpoint } from './learn.ts';
import type { VerifyOptions, VerifyResult } from './result.ts';
import { checkSignatures, readKeptNote, type KeptNote, type Signatures } from './signatures.ts';
import type { LogCopy } from './source.ts';

export type { VerifyOptions, VerifyResult } from './result.ts';

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
  readonly #chains: Chains;
  readonly #checkpoints: LoggedCheckpoint[];
  /** The size of the last checkpoint that held. */
  #covered = 0;
  readonly #since: KeptNote | undefined;
  /** The tree cannot be made any more: a message is missing. */
  #isBroken = false;
  /** Between which ranks something is not what was signed, where that is all that is known. */
  #between: { readonly fault: Fault; readonly from: number; readonly to: number } | undefined;

  constructor(copy: LogCopy, learned: Learned, signatures: Signatures, options: VerifyOptions) {
    this.#copy = copy;
    this.#learned = learned;
    this.#signatures = signatures;
    this.#options = options;
    this.#chains = new Chains(learned.ledger, (fault) => this.#report(fault));
    this.#faults = [...learned.faults, ...signatures.faults];
    this.#checkpoints = [...learned.checkpoints];
    if (options.since !== undefined) {
      this.#since = readKeptNote(options.since, options.keys ?? signatures.keys);
    }
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
      uses: this.#signatures.uses,
      ...this.#notes(),
      faults: faults.slice(0, faultLimit),
    };
  }

  #notes(): Pick<VerifyResult, 'note' | 'since'> {
    const { checkpoints, cosignatures } = this.#learned;
    const last = checkpoints.find(({ size }) => size === this.#covered);
    const lines = cosignatures
      .filter(({ size, region }) => {
        return size === last?.size && this.#signatures.cosigners.get(size)?.includes(region);
      })
      .map(({ signature }) => signature);
    return {
      ...(last === undefined ? {} : { note: last.note + lines.join('') }),
      ...(this.#since === undefined
        ? {}
        : { since: { size: this.#since.size, signers: this.#since.signers } }),
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
        if (entry.stream.startsWith('EV_')) this.#chains.check(entry, headOfEntry(entry).hash);
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
    this.#checkKept(place);
    if (kept > ranks.size) {
      const what = `${kept} messages were ordered when the leaves were kept, ${ranks.size} are here.`;
      this.#report({ ...place, what });
    }
    if (keys !== undefined && this.#covered === 0 && this.#found().length === 0) {
      this.#report({ ...place, what: 'No checkpoint is here that a key of the list signed.' });
    }
  }

  /** What was signed and kept elsewhere must be the beginning of this copy. */
  #checkKept(place: Pick<Fault, 'stream' | 'sequence'>): void {
    if (this.#options.since === undefined) return;
    const { home, ranks } = this.#learned;
    const since = this.#since;
    const report = (what: string): void => this.#report({ ...place, what });
    if (since === undefined) return report('The note of --since is no checkpoint.');
    if (since.origin !== `meridian/${home}`) {
      return report(`The note of --since is of ${since.origin}, this is meridian/${home}.`);
    }
    if (since.signers.length === 0) {
      return report('The note of --since is signed by no key that is known here.');
    }
    if (since.size <= ranks.size) return;
    report(
      `It was rolled back: ${since.signers.join(', ')} signed ${since.size} messages before, and ` +
        `only ${ranks.size} are ordered here.`,
    );
  }

  /** Whether the first messages are what they were when the note was signed that somebody kept. */
  #meetKept(size: number): void {
    const since = this.#since;
    if (since?.size !== size || this.#isBroken || since.signers.length === 0) return;
    if (Buffer.compare(since.root, this.#frontier.root()) === 0) {
      if (Buffer.compare(since.headsRoot, this.#heads.root()) === 0) return;
    }
    this.#report({
      ...(this.#learned.ranks.placeOf(this.#covered) ?? { stream: '', sequence: 0 }),
      rank: this.#covered,
      what:
        `A message from here (rank ${this.#covered}) to rank ${size - 1} is not what it was when ` +
        `${since.signers.join(', ')} signed the note of --since.`,
    });
  }

  async #run({ rank, stream, from, to }: Run): Promise<void> {
    let cursor = this.#cursors.get(stream);
    if (cursor === undefined) {
      cursor = new Cursor(this.#copy, stream, (fault) => this.#report(fault));
      this.#cursors.set(stream, cursor);
    }
    for (let sequence = from; sequence <= to; sequence += 1) {
      const at = rank + sequence - from;
      let entry = cursor.at(sequence);
      while (entry === undefined && cursor.isShort) {
        await cursor.fill();
        entry = cursor.at(sequence);
      }
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
    const { caution } = this.#copy;
    const what = `It is ordered, and it is not there.${caution === undefined ? '' : ` ${caution}`}`;
    if (!this.#isBroken) this.#report({ ...place, what });
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
    const head = headOfEntry(entry);
    this.#heads.set({ subject: entry.subject, ...head });
    this.#chains.check(entry, head.hash, rank);
  }

  #meetCheckpoint(size: number): void {
    this.#meetKept(size);
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
