import { randomUUID } from 'node:crypto';
import { storedAtMs, type RawEntry } from '../check/raw.ts';
import { tenantOf, TenantParts } from './lines.ts';
import { folderOf, type Manifest, type Segment } from './manifest.ts';
import { HashedFile } from './segment.ts';
import type { ArchiveStore } from './store.ts';

interface OpenSegment {
  readonly file: HashedFile;
  readonly from: number;
  to: number;
  firstMs: number;
  lastMs: number;
}

interface OpenRange {
  readonly stream: string;
  readonly from: number;
  to: number;
}

/** The files of one archive while they are written; names are this run's own. */
export class UnitWriter {
  readonly from: number;
  readonly #store: ArchiveStore;
  readonly #run = randomUUID().slice(0, 8);
  readonly #segments = new Map<string, OpenSegment>();
  readonly #tenants = new TenantParts();
  #leaves: HashedFile | undefined;
  #ranges: HashedFile | undefined;
  #range: OpenRange | undefined;
  #leafBatch: Uint8Array[] = [];
  #length = 0;
  #count = 0;

  /** @param from its first rank */
  constructor(store: ArchiveStore, from: number) {
    this.#store = store;
    this.from = from;
  }

  /** How much text was written, before it is compressed. */
  get length(): number {
    return this.#length;
  }

  /** Adds the message of the next rank. @param line as an export has it */
  async add(entry: RawEntry, line: string, leaf: Uint8Array): Promise<void> {
    const { stream, sequence } = entry;
    const storedMs = storedAtMs(entry);
    const segment = await this.#segment(stream, sequence, storedMs);
    segment.to = sequence;
    segment.lastMs = storedMs;
    await segment.file.writeLine(line);
    this.#length += line.length + 1;
    this.#count += 1;
    this.#tenants.add(tenantOf(entry.subject) ?? '', storedMs);
    this.#leafBatch.push(leaf);
    if (this.#leafBatch.length === 2_048) await this.#flushLeaves();
    const range = this.#range;
    if (range?.stream === stream && range.to + 1 === sequence) range.to = sequence;
    else {
      await this.#flushRange();
      this.#range = { stream, from: sequence, to: sequence };
    }
  }

  /** Ends all files. @returns what the manifest says of them */
  async close(): Promise<
    Pick<Manifest, 'ranks' | 'segments' | 'leaves' | 'ranges' | 'tenants' | 'deletions'>
  > {
    await this.#flushLeaves();
    await this.#flushRange();
    const segments: Segment[] = [];
    for (const [stream, { file, from, to, firstMs, lastMs }] of this.#segments) {
      segments.push({
        stream,
        from,
        to,
        firstStoredAt: new Date(firstMs).toISOString(),
        lastStoredAt: new Date(lastMs).toISOString(),
        deleted: 0,
        ...(await file.close()),
      });
    }
    return {
      ranks: { from: this.from, to: this.from + this.#count },
      segments: segments.toSorted((a, b) => (a.stream < b.stream ? -1 : 1)),
      leaves: await (await this.#leavesFile()).close(),
      ranges: await (await this.#rangesFile()).close(),
      tenants: this.#tenants.all(),
      deletions: [],
    };
  }

  async abort(): Promise<void> {
    const files = [...this.#segments.values()].map(({ file }) => file);
    for (const file of [...files, this.#leaves, this.#ranges]) await file?.abort();
  }

  async #segment(stream: string, sequence: number, storedMs: number): Promise<OpenSegment> {
    const known = this.#segments.get(stream);
    if (known !== undefined) return known;
    const file = await HashedFile.open(this.#store, this.#name(stream, 'ndjson.gz'));
    const segment = { file, from: sequence, to: sequence, firstMs: storedMs, lastMs: storedMs };
    this.#segments.set(stream, segment);
    return segment;
  }

  #name(what: string, end: string): string {
    return `${folderOf(this.from)}/${what}.${this.#run}.${end}`;
  }

  async #leavesFile(): Promise<HashedFile> {
    this.#leaves ??= await HashedFile.open(this.#store, this.#name('leaves', 'bin'));
    return this.#leaves;
  }

  async #rangesFile(): Promise<HashedFile> {
    this.#ranges ??= await HashedFile.open(this.#store, this.#name('ranges', 'ndjson.gz'));
    return this.#ranges;
  }

  async #flushLeaves(): Promise<void> {
    const file = await this.#leavesFile();
    const batch = Buffer.concat(this.#leafBatch.splice(0));
    if (batch.length > 0) await file.writeBytes(batch);
  }

  async #flushRange(): Promise<void> {
    const file = await this.#rangesFile();
    const range = this.#range;
    if (range !== undefined) {
      await file.writeLine(JSON.stringify([range.stream, range.from, range.to]));
    }
    this.#range = undefined;
  }
}
