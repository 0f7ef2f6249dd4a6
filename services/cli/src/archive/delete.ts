import { randomUUID } from 'node:crypto';
import type { NoteSigner } from '@meridian/proof';
import { storedAtMs } from '../check/raw.ts';
import { CommandFault, exitCodes } from '../fault.ts';
import type { HoldsOf } from './holds.ts';
import { markerLine, tenantOf, TenantParts, type ArchivedLine } from './lines.ts';
import {
  filesOf,
  folderOf,
  putManifest,
  readArchives,
  type Manifest,
  type Segment,
} from './manifest.ts';
import { DeletedParts, deletionFormat, signedRecord, type DeletionRecord } from './record.ts';
import { HashedFile } from './segment.ts';
import type { ArchiveStore } from './store.ts';
import { walk, type WalkFault, type Walked } from './walk.ts';

export interface DeleteOptions {
  readonly store: ArchiveStore;
  readonly tenant: string;
  /** What was stored before this time goes, epoch ms. */
  readonly beforeMs: number;
  readonly reason: string;
  readonly signer: NoteSigner & { readonly region: string };
  readonly holds: HoldsOf;
  readonly now: () => number;
}

/** What was deleted in one archive. */
export interface Deletion {
  readonly archive: string;
  readonly record: string;
  readonly messages: number;
}

const refused = (why: string): CommandFault => new CommandFault(exitCodes.refused, why);

/**
 * Deletes a tenant's messages from all archives of a store, and leaves a signed record in each that
 * had any. Repeated, it goes on where it was interrupted, and removes what that left behind.
 * @throws CommandFault (refused) while a hold is in force, where the store keeps what is removed, or
 * an archive does not hold
 */
export async function deleteTenant(options: DeleteOptions): Promise<Deletion[]> {
  const { store, tenant, beforeMs, holds } = options;
  const inForce = await holds(tenant);
  if (inForce === undefined) {
    throw refused(
      `The log that is given shows nothing of ${tenant}, so nobody knows whether a hold is in force.\n` +
        "Use a key of that tenant, or an operator's.",
    );
  }
  if (inForce.length > 0) {
    throw refused(
      `Nothing of ${tenant} may be deleted: the ${inForce.length === 1 ? 'hold' : 'holds'} ` +
        `${inForce.join(', ')} must be released before.\nSee meridian hold.`,
    );
  }
  const keeps = await store.keepsRemoved();
  if (keeps !== undefined) {
    throw refused(`${keeps}\nWhat is deleted would still be there: use a bucket without versions.`);
  }
  const { manifests, strays } = await readArchives(store);
  const made: Deletion[] = [];
  for (const manifest of manifests) {
    const folder = folderOf(manifest.ranks.from);
    // What an interrupted deletion replaced may still be there.
    for (const stray of strays.filter((name) => name.startsWith(`${folder}/`))) {
      await store.remove(stray);
    }
    const part = Object.hasOwn(manifest.tenants, tenant) ? manifest.tenants[tenant] : undefined;
    if (part === undefined || Date.parse(part.firstStoredAt) >= beforeMs) continue;
    const deletion = await new Rewriting(options, manifest).run();
    if (deletion !== undefined) made.push(deletion);
  }
  return made;
}

/** A segment that is written anew. */
interface Rewritten {
  readonly file: HashedFile;
  readonly segment: Segment;
  deleted: number;
  firstMs: number | undefined;
  lastMs: number | undefined;
}

class Rewriting {
  readonly #options: DeleteOptions;
  readonly #manifest: Manifest;
  readonly #folder: string;
  readonly #run = randomUUID().slice(0, 8);
  readonly #record: string;
  readonly #gone = new DeletedParts();
  readonly #left = new TenantParts();
  readonly #files = new Map<string, Rewritten>();

  constructor(options: DeleteOptions, manifest: Manifest) {
    this.#options = options;
    this.#manifest = manifest;
    this.#folder = folderOf(manifest.ranks.from);
    this.#record = `${this.#folder}/deletion.${this.#run}.json`;
  }

  /** @returns undefined when nothing was old enough */
  async run(): Promise<Deletion | undefined> {
    const { store } = this.#options;
    try {
      await this.#rewrite();
      if (this.#gone.messages === 0) return undefined;
      const segments = await this.#closeAll();
      await store.put(this.#record, signedRecord(this.#recordOf(), this.#options.signer), true);
      const manifest: Manifest = {
        ...this.#manifest,
        segments,
        tenants: this.#left.all(),
        deletions: [...this.#manifest.deletions, this.#record],
      };
      await putManifest(store, manifest, false);
      const named = new Set(filesOf(manifest));
      for (const file of filesOf(this.#manifest)) if (!named.has(file)) await store.remove(file);
    } finally {
      for (const { file } of this.#files.values()) await file.abort();
    }
    return { archive: this.#folder, record: this.#record, messages: this.#gone.messages };
  }

  async #rewrite(): Promise<void> {
    const { store } = this.#options;
    const faults: WalkFault[] = [];
    for await (const one of walk(store, this.#manifest, (fault) => faults.push(fault))) {
      const { stream, sequence, found, leaf } = one;
      if (found === undefined || found.kind === 'wrong' || leaf === undefined) {
        throw this.#notWhole({ stream, sequence, what: 'It is not there.' });
      }
      const file = await this.#file(stream);
      await file.file.writeLine(this.#lineOf(one, found, leaf, file));
    }
    const [fault] = faults;
    if (fault !== undefined) throw this.#notWhole(fault);
  }

  #lineOf(
    { stream, sequence }: Walked,
    found: ArchivedLine,
    leaf: Buffer,
    file: Rewritten,
  ): string {
    if (found.kind !== 'message') {
      file.deleted += 1;
      return found.kind === 'deleted' ? found.line : '';
    }
    const { tenant, beforeMs } = this.#options;
    const storedMs = storedAtMs(found.entry);
    const of = tenantOf(found.entry.subject) ?? '';
    if (of === tenant && storedMs < beforeMs) {
      this.#gone.add(stream, sequence, leaf);
      file.deleted += 1;
      return markerLine({ stream, sequence, deleted: this.#record });
    }
    this.#left.add(of, storedMs);
    file.firstMs ??= storedMs;
    file.lastMs = storedMs;
    return found.line;
  }

  async #file(stream: string): Promise<Rewritten> {
    const known = this.#files.get(stream);
    if (known !== undefined) return known;
    const segment = this.#manifest.segments.find((one) => one.stream === stream) as Segment;
    const name = `${this.#folder}/${stream}.${this.#run}.ndjson.gz`;
    const file = await HashedFile.open(this.#options.store, name);
    const opened = { file, segment, deleted: 0, firstMs: undefined, lastMs: undefined };
    this.#files.set(stream, opened);
    return opened;
  }

  /** Ends those of which something went; of the others what is there stays. */
  async #closeAll(): Promise<Segment[]> {
    const segments: Segment[] = [];
    const timeOf = (ms: number | undefined) =>
      ms === undefined ? null : new Date(ms).toISOString();
    for (const { stream } of this.#manifest.segments) {
      const { file, segment, deleted, firstMs, lastMs } = this.#files.get(stream) as Rewritten;
      if (this.#gone.of(stream) === 0) {
        segments.push(segment);
        continue;
      }
      const times = { firstStoredAt: timeOf(firstMs), lastStoredAt: timeOf(lastMs) };
      segments.push({ ...segment, ...times, deleted, ...(await file.close()) });
      this.#files.delete(stream);
    }
    return segments;
  }

  #recordOf(): DeletionRecord {
    const { tenant, beforeMs, reason, signer, now } = this.#options;
    const { home, ranks, checkpoint } = this.#manifest;
    return {
      format: deletionFormat,
      archive: { home, from: ranks.from, to: ranks.to, root: checkpoint.root },
      tenant,
      before: new Date(beforeMs).toISOString(),
      reason,
      deletedAt: new Date(now()).toISOString(),
      messages: this.#gone.messages,
      streams: this.#gone.all(),
      region: signer.region,
      publicKey: signer.publicKey,
    };
  }

  #notWhole({ stream, sequence, what }: WalkFault): CommandFault {
    return new CommandFault(
      exitCodes.no,
      `The archive ${this.#folder} does not hold: ${stream} ${sequence}: ${what}\n` +
        'Nothing of it was deleted. See meridian archive verify.',
    );
  }
}
