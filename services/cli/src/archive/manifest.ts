import { CommandFault, exitCodes } from '../fault.ts';
import type { PublicKeys } from '../verify/signatures.ts';
import type { WrittenFile } from './segment.ts';
import { readAll, type ArchiveStore } from './store.ts';

export const archiveFormat = 'meridian.archive.v1';

/** The messages of one stream in an archive: they follow each other without a hole. */
export interface Segment extends WrittenFile {
  readonly stream: string;
  /** The first and the last sequence. */
  readonly from: number;
  readonly to: number;
  /** When the first and the last one that is still there were stored, RFC 3339; null without any. */
  readonly firstStoredAt: string | null;
  readonly lastStoredAt: string | null;
  /** How many were deleted. */
  readonly deleted: number;
}

/** What an archive has of a tenant. */
export interface TenantPart {
  readonly messages: number;
  readonly firstStoredAt: string;
  readonly lastStoredAt: string;
}

/** A checkpoint as it was signed. */
export interface ArchivedCheckpoint {
  readonly size: number;
  /** Roots in base64url. */
  readonly root: string;
  readonly headsRoot: string;
  /** The signed note, with the lines of all who cosigned it. */
  readonly note: string;
}

/** What `manifest.json` of an archive says. */
export interface Manifest {
  readonly format: typeof archiveFormat;
  readonly madeAt: string;
  /** The home that the order belongs to. */
  readonly home: string;
  /** Its messages: from the first rank to before `to`. */
  readonly ranks: { readonly from: number; readonly to: number };
  /** The tree before it: the hashes of its complete subtrees in base64url, and who signed it. */
  readonly start: {
    readonly frontier: readonly string[];
    readonly checkpoint: ArchivedCheckpoint | null;
  };
  readonly checkpoint: ArchivedCheckpoint;
  readonly keys: PublicKeys;
  readonly segments: readonly Segment[];
  /** 32 bytes a rank. */
  readonly leaves: WrittenFile;
  /** `[stream, first, last]` a line, in the order of the ranks. */
  readonly ranges: WrittenFile;
  /** The keys of the salts in base64url, by `<stream> <segment>`. */
  readonly saltKeys: Readonly<Record<string, string>>;
  readonly tenants: Readonly<Record<string, TenantPart>>;
  /** The records of what was deleted, by the names of their files. */
  readonly deletions: readonly string[];
}

const manifestName = 'manifest.json';
const rankDigits = 15;
const folderPattern = /^\d{15}$/;

/** The folder of the archive that begins at a rank; sorted by name they are in order. */
export const folderOf = (rank: number): string => String(rank).padStart(rankDigits, '0');

/** All archives of a store, and what belongs to none. */
export interface Archives {
  readonly manifests: readonly Manifest[];
  /** Files that no manifest names: of what was interrupted, or is being made. */
  readonly strays: readonly string[];
}

/** @throws CommandFault when one cannot be read, or is of another format */
export async function readArchives(store: ArchiveStore): Promise<Archives> {
  const files = await store.list();
  const own = files.filter(({ name }) => folderPattern.test(name.split('/')[0] ?? ''));
  const manifests: Manifest[] = [];
  const named = new Set<string>();
  for (const { name } of own.filter((file) => file.name.endsWith(`/${manifestName}`))) {
    const manifest = parseManifest(name, (await readAll(store, name)).toString());
    manifests.push(manifest);
    named.add(name);
    for (const file of filesOf(manifest)) named.add(file);
  }
  return {
    manifests: manifests.toSorted((a, b) => a.ranks.from - b.ranks.from),
    strays: own.map(({ name }) => name).filter((name) => !named.has(name)),
  };
}

/** The files that a manifest names, besides itself. */
export const filesOf = (manifest: Manifest): string[] => [
  ...manifest.segments.map(({ file }) => file),
  manifest.leaves.file,
  manifest.ranges.file,
  ...manifest.deletions,
];

function parseManifest(name: string, text: string): Manifest {
  let value: Partial<Manifest> | undefined;
  try {
    value = JSON.parse(text) as Partial<Manifest>;
  } catch {
    // Said below.
  }
  if (value?.format === archiveFormat && isWhole(value)) return value;
  throw new CommandFault(
    exitCodes.no,
    `${name} is no manifest of the format ${archiveFormat}.\n` +
      'It was damaged, or another version of Meridian wrote it.',
  );
}

const isText = (value: unknown): value is string => typeof value === 'string';
const isRank = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
/** Nothing beside an archive's own folder is named: what is named is read, and removed. */
const isName = (value: unknown): boolean =>
  isText(value) && /^\d{15}\/[A-Za-z0-9_][A-Za-z0-9_.-]*$/.test(value);
const isFile = (file: Partial<WrittenFile> | undefined): boolean =>
  isName(file?.file) && isText(file?.sha256);

function isCheckpoint(value: Partial<ArchivedCheckpoint> | null | undefined): boolean {
  return isRank(value?.size) && isText(value?.root) && isText(value.note);
}

function isWhole(value: Partial<Manifest>): value is Manifest {
  const { ranks, start, checkpoint, segments, saltKeys, tenants, keys, deletions } = value;
  return (
    isText(value.home) &&
    isRank(ranks?.from) &&
    isRank(ranks?.to) &&
    Array.isArray(start?.frontier) &&
    start.frontier.every(isText) &&
    (start.checkpoint === null || isCheckpoint(start.checkpoint)) &&
    isCheckpoint(checkpoint) &&
    Array.isArray(segments) &&
    segments.every(
      (one) => isFile(one) && isText(one.stream) && isRank(one.from) && isRank(one.to),
    ) &&
    isFile(value.leaves) &&
    isFile(value.ranges) &&
    Array.isArray(deletions) &&
    deletions.every(isName) &&
    [saltKeys, tenants, keys].every((one) => typeof one === 'object' && one !== null)
  );
}

/** Stores a manifest. @param isNew only where there is none @returns false when there is one */
export const putManifest = (
  store: ArchiveStore,
  manifest: Manifest,
  isNew: boolean,
): Promise<boolean> =>
  store.put(
    `${folderOf(manifest.ranks.from)}/${manifestName}`,
    `${JSON.stringify(manifest, null, 1)}\n`,
    isNew,
  );
