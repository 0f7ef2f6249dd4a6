import type { HashSummary } from './rolling-hashes.ts';

/** What a region says of its copy of one stream. */
export interface ReportedCopy {
  /** The last sequence its server has stored; -1 while there is no such stream. */
  readonly last: number;
  /** When the stream was made there; another time is another stream. */
  readonly born: string;
  /** The region it is copied from; absent for a stream of its own. */
  readonly source?: string;
  /** Whether it wants to mend its copy, or is doing so. */
  readonly mending?: 'wanted' | 'begun';
  readonly hashes: HashSummary;
}

/**
 * What `region` says of every stream it holds, once a second to each peer, on
 * `copiesSubject(peer, region)`. About 250 bytes a stream, however long the stream.
 */
export interface CopiesReport {
  readonly region: string;
  /** This process's name for itself; the numbers of its reports rise. */
  readonly instance: string;
  readonly number: number;
  /** The number of the last report heard from each region. */
  readonly heard: Readonly<Record<string, number>>;
  readonly streams: Readonly<Record<string, ReportedCopy>>;
}

/** `beat.<to>.copies.<from>`: where a region tells another of its copies. */
export const copiesSubject = (to: string, from: string): string => `beat.${to}.copies.${from}`;
/** `copies.<to>.chunks.<from>`: where a region asks another for hashes of chunks. */
export const chunksSubject = (to: string, from: string): string => `copies.${to}.chunks.${from}`;

/** How many hashes an answer holds at most: 36 bytes each. */
export const chunksAtOnce = 2_048;

export interface ChunksAsked {
  readonly stream: string;
  /** The first chunk wanted. */
  readonly from: number;
}

export interface ChunksAnswer {
  readonly hashes: readonly string[];
}

/** Reads a report; undefined when the text is none. */
export function parseCopiesReport(text: string): CopiesReport | undefined {
  const report = parsed<CopiesReport>(text);
  const { region, instance, number, heard, streams } = report ?? {};
  if (typeof region !== 'string' || typeof instance !== 'string') return undefined;
  if (!isCount(number) || !isRecord(heard) || !isRecord(streams)) return undefined;
  if (!Object.values(heard).every(isCount)) return undefined;
  return Object.values(streams).every(isReportedCopy) ? report : undefined;
}

export function parseChunksAsked(text: string): ChunksAsked | undefined {
  const asked = parsed<ChunksAsked>(text);
  return typeof asked?.stream === 'string' && isCount(asked.from) ? asked : undefined;
}

export function parseChunksAnswer(text: string): ChunksAnswer | undefined {
  const answer = parsed<ChunksAnswer>(text);
  const hashes: unknown = answer?.hashes;
  const isAnswer = Array.isArray(hashes) && hashes.every((one) => typeof one === 'string');
  return isAnswer ? answer : undefined;
}

function isReportedCopy(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const { last, born, source, mending, hashes } = value as Partial<ReportedCopy>;
  return (
    Number.isSafeInteger(last) &&
    Number(last) >= -1 &&
    typeof born === 'string' &&
    (source === undefined || typeof source === 'string') &&
    (mending === undefined || mending === 'wanted' || mending === 'begun') &&
    isRecord(hashes) &&
    isCount(hashes.upTo) &&
    isCount(hashes.chunks) &&
    typeof hashes.chain === 'string' &&
    typeof hashes.run === 'string'
  );
}

const isCount = (value: unknown): value is number =>
  Number.isSafeInteger(value) && Number(value) >= 0;
const isRecord = (value: unknown): value is object => typeof value === 'object' && value !== null;

function parsed<T>(text: string): (Partial<T> & T) | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? (value as T) : undefined;
  } catch {
    return undefined;
  }
}
