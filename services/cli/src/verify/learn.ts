import { Ranks, segmentOf, type OrderRange } from '@meridian/proof';
import { OwnershipLedger } from '../check/ledger.ts';
import {
  hashText,
  parseRawEntry,
  readEvents,
  type LoggedEvent,
  type RawEntry,
} from '../check/raw.ts';
import type { LogCopy } from './source.ts';

/** What does not hold, and where it is seen first. */
export interface Fault {
  readonly stream: string;
  readonly sequence: number;
  /** Its rank, where it has one. */
  readonly rank?: number;
  readonly what: string;
}

/** A checkpoint as its entry on the log says it. */
export interface LoggedCheckpoint {
  readonly stream: string;
  readonly sequence: number;
  readonly size: number;
  readonly root: string;
  readonly headsRoot: string;
  readonly region: string;
  readonly publicKey: string;
  readonly note: string;
}

/** Another region's signature for a checkpoint. */
export interface LoggedCosignature {
  readonly stream: string;
  readonly sequence: number;
  readonly size: number;
  readonly region: string;
  readonly publicKey: string;
  readonly signature: string;
}

/** What the log says of itself. */
export interface Learned {
  readonly ledger: OwnershipLedger;
  /** The home that the order belongs to. */
  readonly home: string;
  readonly ranks: Ranks;
  /** The key of a message's segment; undefined when none is on the log. */
  readonly keyOf: (stream: string, sequence: number) => Uint8Array | undefined;
  /** Those that count, the smallest first. */
  readonly checkpoints: readonly LoggedCheckpoint[];
  readonly cosignatures: readonly LoggedCosignature[];
  readonly faults: readonly Fault[];
}

interface OrderEntry {
  readonly entry: RawEntry;
  readonly events: readonly LoggedEvent[];
}

const auditPattern = /^ev\.([^.]+)\.([^.]+)\.meridian\.(order|chain)\./;
const keyLength = 32;
const epochPattern = /"epoch":(\d+)/;
const revisionPattern = /"revision":(\d+)/;

/** The epoch under which an entry says that it was written. */
export const epochIn = (entry: RawEntry): number => Number(epochPattern.exec(entry.data)?.[1]);

/** Stands in the subject of whatever the mesh decides of itself, and in few other lines. */
const meshMark = '.meridian.';

/**
 * Reads all decisions once: who decided when, what the order is, and what was signed. Only what may be
 * about that is parsed.
 */
export async function learn(copy: LogCopy, onRead: (count: number) => void): Promise<Learned> {
  const ledger = new OwnershipLedger();
  const found: OrderEntry[] = [];
  const faults: Fault[] = [];
  let count = 0;
  for (const stream of copy.streams.filter((one) => one.startsWith('EV_'))) {
    for await (const lines of copy.read(stream)) {
      count += lines.length;
      onRead(count);
      for (const line of lines) {
        if (!line.includes(meshMark)) continue;
        const entry = parseRawEntry(line);
        // A line that is none is named when all is read.
        if (typeof entry === 'string') continue;
        ledger.learn(entry);
        if (!auditPattern.test(entry.subject)) continue;
        try {
          found.push({ entry, events: readEvents(entry) });
        } catch {
          faults.push({ ...placeOf(entry), what: 'An entry of the audit is no list of events.' });
        }
      }
    }
  }
  const homes = copy.streams.map((stream) => stream.slice('EV_'.length)).toSorted();
  const [home = ''] = homes;
  const counts = ({ entry }: OrderEntry): boolean => {
    const [, region = '', of = ''] = auditPattern.exec(entry.subject) ?? [];
    return ledger.verdict(of, epochIn(entry), region, entry.sequence) === 'counts';
  };
  const counted = found.filter(counts).toSorted(inOrder);
  const order = orderOf(counted, home);
  const signatures = signaturesOf(counted, home);
  return {
    ledger,
    home,
    ...order,
    ...signatures,
    faults: [...faults, ...order.faults, ...signatures.faults],
  };
}

const placeOf = ({ stream, sequence }: RawEntry) => ({ stream, sequence });
const isOf = ({ entry }: OrderEntry, kind: string): boolean =>
  auditPattern.exec(entry.subject)?.[3] === kind;

/** By epoch and sequence: the canonical order of a home. */
const inOrder = (a: OrderEntry, b: OrderEntry): number =>
  epochIn(a.entry) - epochIn(b.entry) || a.entry.sequence - b.entry.sequence;

/** Puts the ranges together. Where an entry does not go on from the one before, the rest is left out. */
function orderOf(all: readonly OrderEntry[], home: string) {
  const ranks = new Ranks();
  const keys = new Map<string, Uint8Array>();
  const faults: Fault[] = [];
  const own = all.filter(
    (one) => isOf(one, 'order') && auditPattern.exec(one.entry.subject)?.[2] === home,
  );
  for (const { entry, events } of own) {
    const [first] = events;
    const afterRank = first?.data['afterRank'];
    if (afterRank !== ranks.size) {
      const what =
        `An entry of the order begins at rank ${String(afterRank)}, the one before it ends at ` +
        `${ranks.size}: one is missing, or was changed.`;
      faults.push({ ...placeOf(entry), what });
      break;
    }
    try {
      for (const { data } of events) {
        for (const range of data['ranges'] as OrderRange[]) ranks.append(range);
        const given = (data['keys'] ?? []) as { stream: string; segment: number; key: string }[];
        for (const { stream, segment, key } of given) {
          const name = `${stream} ${segment}`;
          const bytes = Buffer.from(key, 'base64url');
          if (bytes.length !== keyLength) throw new Error(`The key of ${name} is none.`);
          if (!keys.has(name)) keys.set(name, bytes);
        }
      }
    } catch (error) {
      faults.push({ ...placeOf(entry), what: (error as Error).message });
      break;
    }
  }
  const keyOf = (stream: string, sequence: number): Uint8Array | undefined =>
    keys.get(`${stream} ${segmentOf(sequence)}`);
  return { ranks, keyOf, faults };
}

function signaturesOf(all: readonly OrderEntry[], home: string) {
  const events = all
    .filter((one) => isOf(one, 'chain'))
    .flatMap((one) =>
      one.events.map(({ type, data }) => ({ type, data, entry: one.entry, ...placeOf(one.entry) })),
    );
  const faults: Fault[] = [];
  const isWhole = ({ data, stream, sequence }: (typeof events)[number], texts: string[]) => {
    if (Number.isSafeInteger(data['size'])) {
      if (texts.every((name) => typeof data[name] === 'string')) return true;
    }
    const what = `What it says of a checkpoint lacks its size, or one of ${texts.join(', ')}.`;
    faults.push({ stream, sequence, what });
    return false;
  };
  const checkpoints = events
    .filter(({ type }) => type === 'meridian.chain.checkpoint_signed.v1')
    .filter(({ entry }) => auditPattern.exec(entry.subject)?.[2] === home)
    .filter((one) => isWhole(one, ['root', 'headsRoot', 'region', 'publicKey', 'note']))
    .map(({ data, stream, sequence }) => {
      return { ...(data as unknown as LoggedCheckpoint), stream, sequence };
    })
    .toSorted((a, b) => a.size - b.size);
  const cosignatures = events
    .filter(({ type }) => type === 'meridian.chain.checkpoint_cosigned.v1')
    .filter((one) => isWhole(one, ['region', 'publicKey', 'signature']))
    .map(({ data, stream, sequence }) => {
      return { ...(data as unknown as LoggedCosignature), stream, sequence };
    });
  return { checkpoints, cosignatures, faults };
}

/** Where an aggregate ends after an entry: revision and hash of its last event. */
export function headOfEntry(entry: RawEntry): { revision: number; hash: string } {
  const { data } = entry;
  const from = data.lastIndexOf(',\n');
  const last = data.slice(from === -1 ? 1 : from + 2, -1);
  const revision = revisionPattern.exec(last)?.[1];
  return { revision: revision === undefined ? -1 : Number(revision), hash: hashText(last) };
}
