import { Frontier, hashLength, messageLeaf, segmentOf, type Run } from '@meridian/proof';
import { storedAtMs, type RawEntry } from '../check/raw.ts';
import { CommandFault, exitCodes } from '../fault.ts';
import { learn, type Fault, type Learned, type LoggedCheckpoint } from '../verify/learn.ts';
import { checkSignatures, type PublicKeys } from '../verify/signatures.ts';
import { storedMessage } from '../verify/verify.ts';
import { LineCursor, type RangedCopy } from './cursor.ts';
import {
  archiveFormat,
  folderOf,
  putManifest,
  readArchives,
  type ArchivedCheckpoint,
  type Manifest,
} from './manifest.ts';
import { hashesIn } from './segment.ts';
import type { ArchiveStore } from './store.ts';
import { UnitWriter } from './unit-writer.ts';

export interface CreateOptions {
  readonly store: ArchiveStore;
  readonly copy: RangedCopy;
  /** An archive ends at the first checkpoint after so much text, in characters. */
  readonly maxLength: number;
  /** Only what checkpoints that were stored before then cover, epoch ms. */
  readonly beforeMs?: number;
  /** The keys that count; undefined takes those of the log. */
  readonly keys?: PublicKeys;
  readonly now: () => number;
  readonly onRead?: (count: number) => void;
}

export interface CreateResult {
  /** Those made now, in order. */
  readonly made: readonly Manifest[];
  /** How far archives reach, and how far the log is signed. */
  readonly archivedTo: number;
  readonly signedTo: number;
}

/** The log does not hold, or is not the one that was archived before. */
export const notHolding = (why: string): CommandFault =>
  new CommandFault(exitCodes.no, `${why}\nNothing of it was archived. See meridian verify.`);

const faultText = ({ stream, sequence, what }: Fault): string => `${stream} ${sequence}: ${what}`;

/**
 * Archives what is signed and not archived yet, in as many archives as the limit makes.
 * @throws CommandFault when the log does not hold, or somebody else archives the same
 */
export async function createArchives(options: CreateOptions): Promise<CreateResult> {
  const { store, copy, keys, beforeMs } = options;
  const { manifests } = await readArchives(store);
  const learned = await learn(copy, options.onRead ?? (() => {}));
  const signatures = checkSignatures(learned, keys);
  const [fault] = [...learned.faults, ...signatures.faults];
  if (fault !== undefined) throw notHolding(faultText(fault));
  const last = manifests.at(-1);
  const from = last?.ranks.to ?? 0;
  const ordered = learned.checkpoints.filter(({ size }) => size <= learned.ranks.size);
  if (last !== undefined) checkContinues(store, last, learned);
  const later = ordered.filter(({ size }) => size > from);
  const wanted = later.slice(0, await countBefore(copy, later, beforeMs));
  const run = new Creation(options, learned, signatures.keys);
  return {
    made: await run.make(await startOf(store, last), wanted),
    archivedTo: wanted.at(-1)?.size ?? from,
    signedTo: ordered.at(-1)?.size ?? 0,
  };
}

function checkContinues(store: ArchiveStore, last: Manifest, { checkpoints }: Learned): void {
  const { size, root } = last.checkpoint;
  if (checkpoints.some((one) => one.size === size && one.root === root)) return;
  throw notHolding(
    `The archives in ${store.location} end at a checkpoint of ${size} messages that this log does ` +
      'not have: they are of another log, or the log was cut off.',
  );
}

/** How many of the checkpoints were stored before a time; they are in the order in which they came. */
async function countBefore(
  copy: RangedCopy,
  checkpoints: readonly LoggedCheckpoint[],
  beforeMs: number | undefined,
): Promise<number> {
  if (beforeMs === undefined) return checkpoints.length;
  let [low, high] = [0, checkpoints.length];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const { stream, sequence } = checkpoints[middle] as LoggedCheckpoint;
    const entry = await new LineCursor(copy, stream, sequence, sequence).at(sequence);
    if (entry !== undefined && storedAtMs(entry.entry) < beforeMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The tree where the archives end, from their leaves. */
async function startOf(store: ArchiveStore, last: Manifest | undefined): Promise<Frontier> {
  if (last === undefined) return new Frontier();
  const frontier = frontierAt(last);
  for await (const leaf of leavesOf(store, last)) frontier.append(leaf);
  if (Buffer.from(frontier.root()).toString('base64url') === last.checkpoint.root) return frontier;
  throw notHolding(
    `The leaves of the archive ${folderOf(last.ranks.from)} in ${store.location} are not those ` +
      'that were signed.',
  );
}

/** The tree where an archive begins. @throws RangeError when it is none */
export const frontierAt = ({ ranks, start }: Manifest): Frontier =>
  new Frontier(
    ranks.from,
    start.frontier.map((hash) => Buffer.from(hash, 'base64url')),
  );

/** The leaves of an archive, by rank. */
export async function* leavesOf(store: ArchiveStore, manifest: Manifest): AsyncGenerator<Buffer> {
  yield* hashesIn(store.read(manifest.leaves.file));
}

class Creation {
  readonly #options: CreateOptions;
  readonly #learned: Learned;
  readonly #keys: PublicKeys;
  readonly #cursors = new Map<string, LineCursor>();
  readonly #made: Manifest[] = [];
  #frontier = new Frontier();
  #unit: UnitWriter | undefined;
  #start: Manifest['start'] = { frontier: [], checkpoint: null };
  #saltKeys: Record<string, string> = {};

  constructor(options: CreateOptions, learned: Learned, keys: PublicKeys) {
    this.#options = options;
    this.#learned = learned;
    this.#keys = keys;
  }

  async make(start: Frontier, checkpoints: readonly LoggedCheckpoint[]): Promise<Manifest[]> {
    const { ranks } = this.#learned;
    this.#frontier = start;
    const waiting = [...checkpoints];
    const end = waiting.at(-1)?.size ?? start.size;
    try {
      for (const run of ranks.runs(start.size, end)) await this.#run(run, waiting);
    } finally {
      await this.#unit?.abort();
      for (const cursor of this.#cursors.values()) await cursor.close();
    }
    return this.#made;
  }

  async #run({ rank, stream, from, to }: Run, waiting: LoggedCheckpoint[]): Promise<void> {
    const cursor = this.#cursors.get(stream) ?? new LineCursor(this.#options.copy, stream, from);
    this.#cursors.set(stream, cursor);
    for (let sequence = from; sequence <= to; sequence += 1) {
      const found = await cursor.at(sequence);
      if (found === undefined) throw this.#missing(stream, sequence);
      await this.#take(rank + sequence - from, found.entry, found.line);
      while (waiting[0]?.size === this.#frontier.size) {
        await this.#meet(waiting.shift() as LoggedCheckpoint, waiting.length === 0);
      }
    }
    this.#options.onRead?.(this.#frontier.size);
  }

  #missing(stream: string, sequence: number): CommandFault {
    return notHolding(
      `${stream} ${sequence} is in the order, and is not given here. It may be another tenant's: ` +
        'then a key of the tenant meridian is needed, which reads all of them.',
    );
  }

  async #take(rank: number, entry: RawEntry, line: string): Promise<void> {
    const { stream, sequence } = entry;
    const key = this.#learned.keyOf(stream, sequence);
    if (key === undefined) {
      throw notHolding(`The key of ${stream} ${sequence} is not on the log.`);
    }
    if (this.#unit === undefined) this.#begin(rank);
    this.#saltKeys[`${stream} ${segmentOf(sequence)}`] = Buffer.from(key).toString('base64url');
    const leaf = messageLeaf(key, storedMessage(entry));
    await this.#unit?.add(entry, line, leaf);
    this.#frontier.append(leaf);
  }

  #begin(rank: number): void {
    const { checkpoints } = this.#learned;
    const before = checkpoints.find(({ size }) => size === rank);
    this.#unit = new UnitWriter(this.#options.store, rank);
    this.#saltKeys = {};
    this.#start = {
      frontier: hashesOf(this.#frontier),
      checkpoint: before === undefined ? null : this.#archived(before),
    };
  }

  /** Compares the tree with what was signed, and ends the archive where it is large enough. */
  async #meet(checkpoint: LoggedCheckpoint, isLast: boolean): Promise<void> {
    const { store, maxLength, now } = this.#options;
    const unit = this.#unit;
    const { size, root, region } = checkpoint;
    if (Buffer.from(this.#frontier.root()).toString('base64url') !== root) {
      throw notHolding(
        `The first ${size} messages are not what they were when ${region} signed them.`,
      );
    }
    if (unit === undefined || (unit.length < maxLength && !isLast)) return;
    const files = await unit.close();
    this.#unit = undefined;
    const manifest: Manifest = {
      format: archiveFormat,
      madeAt: new Date(now()).toISOString(),
      home: this.#learned.home,
      start: this.#start,
      checkpoint: this.#archived(checkpoint),
      keys: this.#keys,
      saltKeys: this.#saltKeys,
      ...files,
    };
    if (!(await putManifest(store, manifest, true))) {
      throw new CommandFault(
        exitCodes.refused,
        `Somebody else has archived from rank ${unit.from} on meanwhile in ${store.location}.\n` +
          'Run it again: it goes on after that.',
      );
    }
    this.#made.push(manifest);
  }

  #archived({ size, root, headsRoot, note }: LoggedCheckpoint): ArchivedCheckpoint {
    const others = this.#learned.cosignatures.filter((one) => one.size === size);
    const lines = others.map(({ signature }) => signature).join('');
    return { size, root, headsRoot, note: note + lines };
  }
}

/** The hashes of a frontier in base64url, the largest subtree's first. */
function hashesOf(frontier: Frontier): string[] {
  const bytes = frontier.serialise().subarray(8);
  const count = bytes.length / hashLength;
  return Array.from({ length: count }, (_, index) =>
    bytes.subarray(index * hashLength, (index + 1) * hashLength).toString('base64url'),
  );
}
