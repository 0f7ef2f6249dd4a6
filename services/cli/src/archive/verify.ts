import { Frontier, messageLeaf } from '@meridian/proof';
import { storedMessage } from '../verify/verify.ts';
import type { PublicKeys } from '../verify/signatures.ts';
import { canonicalJson } from '../receipt/canonical.ts';
import { readEvents } from '../check/raw.ts';
import { frontierAt, leavesOf } from './create.ts';
import { folderOf, readArchives, type Manifest } from './manifest.ts';
import { DeletedParts, readRecord, type DeletedPart, type DeletionRecord } from './record.ts';
import type { ArchiveStore } from './store.ts';
import {
  base64url,
  mergedKeys,
  signersOf,
  type ArchivedDeletion,
  type ArchiveFault,
  type ArchiveVerdict,
} from './verdict.ts';
import { saltKeyOf, walk, type Walked } from './walk.ts';

const faultLimit = 100;

/**
 * Verifies all archives of a store: files, messages, leaves, signatures, records of deletions, and
 * that they follow each other.
 * @param pinned the only keys that count; undefined takes those that the archives name
 */
export async function verifyArchives(
  store: ArchiveStore,
  pinned: PublicKeys | undefined,
  onRead: (count: number) => void = () => {},
): Promise<ArchiveVerdict> {
  const { manifests, strays } = await readArchives(store);
  const faults: ArchiveFault[] = [];
  const deleted: ArchivedDeletion[] = [];
  let keys: PublicKeys = { ...pinned };
  let before: Manifest | undefined;
  let messages = 0;
  let signedBy: readonly string[] = [];
  for (const manifest of manifests) {
    if (pinned === undefined) keys = mergedKeys(keys, manifest.keys);
    const report = (fault: Omit<ArchiveFault, 'archive'>): void => {
      if (faults.length < faultLimit) {
        faults.push({ archive: folderOf(manifest.ranks.from), ...fault });
      }
    };
    checkFollows(before, manifest, report);
    const one = new ArchiveVerification(store, manifest, keys, report);
    await one.run((count) => onRead(messages + count));
    messages += one.messages;
    deleted.push(...one.deletions);
    signedBy = one.signedBy;
    before = manifest;
  }
  return {
    ok: faults.length === 0 && manifests.length > 0,
    archives: manifests.length,
    ranks: { from: manifests[0]?.ranks.from ?? 0, to: before?.ranks.to ?? 0 },
    messages,
    deleted,
    signedBy,
    keys,
    strays,
    faults,
  };
}

type Report = (fault: Omit<ArchiveFault, 'archive'>) => void;

function checkFollows(
  before: Manifest | undefined,
  { ranks, start }: Manifest,
  report: Report,
): void {
  if (before === undefined) return;
  const place = { stream: 'ranks', sequence: before.ranks.to };
  if (before.ranks.to !== ranks.from) {
    const what = `The archive before ends at rank ${before.ranks.to}, this one begins at ${ranks.from}.`;
    report({ ...place, what });
  } else if (start.checkpoint?.root !== before.checkpoint.root) {
    report({ ...place, what: 'It does not begin with the tree with which the one before ends.' });
  }
}

/** What the log says in an archive of the tree on the way: only to tell where it goes wrong. */
interface Waypoint {
  readonly size: number;
  readonly root: string;
}

class ArchiveVerification {
  readonly #store: ArchiveStore;
  readonly #manifest: Manifest;
  readonly #keys: PublicKeys;
  readonly #report: Report;
  readonly #records = new Map<string, DeletionRecord>();
  readonly #gone = new Map<string, DeletedParts>();
  readonly #waypoints: Waypoint[] = [];
  #faults = 0;
  messages = 0;
  signedBy: readonly string[] = [];

  constructor(store: ArchiveStore, manifest: Manifest, keys: PublicKeys, report: Report) {
    this.#store = store;
    this.#manifest = manifest;
    this.#keys = keys;
    this.#report = (fault) => {
      this.#faults += 1;
      report(fault);
    };
  }

  get deletions(): ArchivedDeletion[] {
    return [...this.#records].map(([name, { tenant, before, reason, region }]) => ({
      record: name,
      tenant,
      before,
      reason,
      region,
      messages: this.#gone.get(name)?.messages ?? 0,
    }));
  }

  async run(onRead: (count: number) => void): Promise<void> {
    const { checkpoint, home, ranks } = this.#manifest;
    this.#checkStart();
    const signers = signersOf(checkpoint, home, this.#keys);
    if (typeof signers === 'string') this.#wrong('checkpoint', signers);
    else this.signedBy = signers;
    if (checkpoint.size !== ranks.to) {
      this.#wrong('checkpoint', `It covers ${checkpoint.size} messages, not ${ranks.to}.`);
    }
    await this.#readRecords();
    const frontier = this.#frontier();
    for await (const one of walk(this.#store, this.#manifest, this.#report)) {
      this.#take(one);
      if (one.leaf !== undefined) frontier?.append(one.leaf);
      this.messages += 1;
      if (this.messages % 1_000 === 0) onRead(this.messages);
    }
    this.#checkDeleted();
    if (frontier !== undefined && base64url(frontier.root()) !== checkpoint.root) {
      await this.#findBreak();
    }
  }

  #wrong(stream: string, what: string): void {
    this.#report({ stream, sequence: 0, what });
  }

  #frontier(): Frontier | undefined {
    try {
      return frontierAt(this.#manifest);
    } catch {
      return undefined;
    }
  }

  /** The tree before it must be the one that was signed. */
  #checkStart(): void {
    const { ranks, start, home } = this.#manifest;
    const frontier = this.#frontier();
    if (frontier === undefined) {
      this.#wrong('start', `Its hashes are no tree of ${ranks.from} messages.`);
      return;
    }
    if (ranks.from === 0) return;
    const { checkpoint } = start;
    if (checkpoint?.size !== ranks.from || checkpoint.root !== base64url(frontier.root())) {
      this.#wrong('start', `The tree of the first ${ranks.from} messages is not what was signed.`);
      return;
    }
    const signers = signersOf(checkpoint, home, this.#keys);
    if (typeof signers === 'string') this.#wrong('start', signers);
  }

  async #readRecords(): Promise<void> {
    const { ranks, checkpoint } = this.#manifest;
    for (const name of this.#manifest.deletions) {
      const record = await readRecord(this.#store, name, this.#keys);
      if (typeof record === 'string') {
        this.#wrong('deletions', record);
        continue;
      }
      const { from, to, root } = record.archive;
      if (from !== ranks.from || to !== ranks.to || root !== checkpoint.root) {
        this.#wrong('deletions', `The record ${name} is of another archive.`);
      } else this.#records.set(name, record);
    }
  }

  #take({ rank, stream, sequence, found, leaf }: Walked): void {
    const place = { stream, sequence, rank };
    if (leaf === undefined) this.#report({ ...place, what: 'Its leaf is not there.' });
    if (found === undefined || found.kind === 'wrong') {
      this.#report({ ...place, what: 'It belongs here, and it is not there.' });
      return;
    }
    if (leaf === undefined) return;
    if (found.kind === 'deleted') {
      this.#takeDeleted(found.marker.deleted, place, leaf);
      return;
    }
    const { entry } = found;
    const key = saltKeyOf(this.#manifest, stream, sequence);
    if (key === undefined) this.#report({ ...place, what: 'The key of its salt is not there.' });
    else if (!messageLeaf(key, storedMessage(entry)).equals(leaf)) {
      this.#report({ ...place, what: 'It is not what it was when it was signed.' });
    }
    const { home } = this.#manifest;
    if (!entry.subject.endsWith(`.${home}.meridian.chain.all`) || !stream.startsWith('EV_')) return;
    try {
      for (const { data } of readEvents(entry)) {
        const { size, root } = data as Partial<Waypoint>;
        if (size !== undefined && root !== undefined) this.#waypoints.push({ size, root });
      }
    } catch {
      // Its leaf has told.
    }
  }

  #takeDeleted(
    name: string,
    place: { stream: string; sequence: number; rank: number },
    leaf: Buffer,
  ): void {
    if (!this.#records.has(name)) {
      this.#report({ ...place, what: `It was deleted, and the record ${name} does not hold.` });
      return;
    }
    const parts = this.#gone.get(name) ?? new DeletedParts();
    parts.add(place.stream, place.sequence, leaf);
    this.#gone.set(name, parts);
  }

  /** What is gone is what each record says. */
  #checkDeleted(): void {
    for (const [name, { streams }] of this.#records) {
      const gone = this.#gone.get(name)?.all() ?? [];
      const texts = (parts: readonly DeletedPart[]): Map<string, string> =>
        new Map(parts.map((one) => [one.stream, canonicalJson(one)]));
      const [said, found] = [texts(streams), texts(gone)];
      for (const { stream, first } of [...streams, ...gone]) {
        if (said.get(stream) === found.get(stream)) continue;
        const what = `What is gone of ${stream} is not what the record ${name} says.`;
        this.#report({ stream, sequence: first, what });
        break;
      }
    }
  }

  /** The leaves are not those that were signed: between which checkpoints of the archive itself? */
  async #findBreak(): Promise<void> {
    const { ranks, checkpoint } = this.#manifest;
    const frontier = frontierAt(this.#manifest);
    const ways = new Map(this.#waypoints.map(({ size, root }) => [size, root]));
    let held = ranks.from;
    let broken = checkpoint.size;
    for await (const leaf of leavesOf(this.#store, this.#manifest)) {
      if (leaf.length === 32) frontier.append(leaf);
      const root = ways.get(frontier.size);
      if (root === undefined) continue;
      if (base64url(frontier.root()) === root) held = frontier.size;
      else {
        broken = frontier.size;
        break;
      }
    }
    // Where a message was named already, it is the one.
    if (this.#faults > 0) return;
    for await (const { rank, stream, sequence } of walk(this.#store, this.#manifest, () => {})) {
      if (rank !== held) continue;
      const what =
        `A message from here (rank ${held}) to rank ${broken - 1} is not what it was when the ` +
        `first ${checkpoint.size} were signed.`;
      this.#report({ stream, sequence, rank, what });
      return;
    }
  }
}
