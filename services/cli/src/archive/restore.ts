import { CommandFault, exitCodes } from '../fault.ts';
import { storedAtMs, type RawEntry } from '../check/raw.ts';
import { parseLine } from './lines.ts';
import { folderOf, type Manifest, type Segment } from './manifest.ts';
import { compressedLines } from './segment.ts';
import type { ArchiveStore } from './store.ts';

/** Which part of the archives is wanted; all of it without anything. */
export interface Wanted {
  /** Stored at or after, and before: epoch ms. */
  readonly sinceMs?: number;
  readonly untilMs?: number;
  /** Messages under this contact's subjects, and those that name it. */
  readonly contact?: string;
}

/** What was met in a stream. */
export interface Restored {
  messages: number;
  /** How many were deleted of what would have been among them, as far as that can be told. */
  deleted: number;
}

/** The streams of which archives have something. */
export const streamsOf = (manifests: readonly Manifest[]): string[] =>
  [
    ...new Set(manifests.flatMap(({ segments }) => segments.map(({ stream }) => stream))),
  ].toSorted();

/**
 * The lines of a stream as an export has them, many at a time, out of all archives in order.
 * @param restored is counted on
 * @throws CommandFault when a segment is not the one that its manifest names
 */
export async function* restoredLines(
  store: ArchiveStore,
  manifests: readonly Manifest[],
  stream: string,
  wanted: Wanted = {},
  restored: Restored = { messages: 0, deleted: 0 },
): AsyncGenerator<string[]> {
  let next: number | undefined;
  for (const manifest of manifests) {
    const segment = manifest.segments.find((one) => one.stream === stream);
    if (segment === undefined) continue;
    if (next !== undefined && segment.from !== next) {
      throw notWhole(
        manifest,
        segment,
        `it begins at ${segment.from}, the one before ends before ${next}`,
      );
    }
    next = segment.to + 1;
    if (isOutside(segment, wanted)) continue;
    for await (const lines of segmentLines(store, manifest, segment)) {
      const chosen = lines.filter((line) => isWanted(line, manifest, segment, wanted, restored));
      restored.messages += chosen.length;
      if (chosen.length > 0) yield chosen;
    }
  }
}

/** Whether nothing of a segment can be among what is wanted. */
function isOutside(
  { firstStoredAt, lastStoredAt }: Segment,
  { sinceMs, untilMs }: Wanted,
): boolean {
  if (firstStoredAt === null || lastStoredAt === null) return false;
  // Times of a stream may go back a little with its clock: only the day's distance is trusted.
  const marginMs = 86_400_000;
  if (sinceMs !== undefined && Date.parse(lastStoredAt) + marginMs < sinceMs) return true;
  return untilMs !== undefined && Date.parse(firstStoredAt) - marginMs > untilMs;
}

async function* segmentLines(
  store: ArchiveStore,
  manifest: Manifest,
  segment: Segment,
): AsyncGenerator<string[]> {
  let sha256 = '';
  try {
    yield* compressedLines(store, segment.file, (found) => {
      sha256 = found;
    });
  } catch (error) {
    if (error instanceof CommandFault) throw error;
    throw notWhole(manifest, segment, (error as Error).message);
  }
  if (sha256 !== segment.sha256) {
    throw notWhole(manifest, segment, 'it is not the file that the manifest names');
  }
}

function isWanted(
  line: string,
  manifest: Manifest,
  segment: Segment,
  wanted: Wanted,
  restored: Restored,
): boolean {
  const { sinceMs, untilMs, contact } = wanted;
  const found = parseLine(line);
  if (found.kind === 'wrong') throw notWhole(manifest, segment, `a line is none: ${found.why}`);
  if (found.kind === 'deleted') {
    restored.deleted += 1;
    return false;
  }
  const { entry } = found;
  if (sinceMs !== undefined && !(storedAtMs(entry) >= sinceMs)) return false;
  if (untilMs !== undefined && !(storedAtMs(entry) < untilMs)) return false;
  return contact === undefined || isOf(entry, contact);
}

const isOf = ({ subject, data }: RawEntry, contact: string): boolean =>
  subject.endsWith(`.contact.${contact}`) || data.includes(JSON.stringify(contact));

const notWhole = ({ ranks }: Manifest, { stream, file }: Segment, why: string): CommandFault =>
  new CommandFault(
    exitCodes.no,
    `${stream} of the archive ${folderOf(ranks.from)} cannot be restored from ${file}: ${why}.\n` +
      'See meridian archive verify.',
  );
