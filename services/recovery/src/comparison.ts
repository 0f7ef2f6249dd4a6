import { hash } from 'node:crypto';
import {
  jetstream,
  JetStreamApiError,
  jetstreamManager,
  type JetStreamManager,
  type StoredMsg,
} from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import { eventStream, intakeStream } from '@meridian/wire';
import type { Comparison } from './domain/actions.ts';
import { verdictOf, type EntryMark, type PeerCopy, type Verdict } from './domain/compare.ts';

const STREAM_NOT_FOUND = 10_059;
/** How long a peer may take to answer, in ms. */
const peerMs = 2_000;
/** How many entries are fetched from a peer at once. */
const batchSize = 256;

/** What was found about one of the own streams. */
export interface Finding {
  readonly stream: string;
  readonly verdict: Verdict;
  /** How many entries were taken back from a peer. */
  readonly imported: number;
}

export interface ComparisonOptions {
  readonly connection: NatsConnection;
  readonly region: string;
  readonly regions: readonly string[];
  readonly onFinding?: (finding: Finding) => void;
  /** Makes a stream that came back short whole again; by default its tail is stored again. */
  readonly mend?: (stream: string, verdict: Short) => Promise<number>;
}

type Short = Extract<Verdict, { kind: 'short' }>;

/**
 * Compares the own streams with the peers' copies (last sequence and the last shared entry), and takes back
 * the tail of a stream that came back short, each entry under the sequence that it had.
 */
export async function compareStreams(options: ComparisonOptions): Promise<Comparison> {
  const { connection, region, regions, onFinding } = options;
  if (regions.length === 1) return 'whole';
  const own = await jetstreamManager(connection, { checkAPI: false, timeout: peerMs });
  const found: Verdict['kind'][] = [];
  for (const stream of [intakeStream(region), eventStream(region)]) {
    const verdict = await judge(options, own, stream);
    const imported =
      verdict.kind === 'short'
        ? await (options.mend?.(stream, verdict) ?? importTail(connection, stream, verdict))
        : 0;
    onFinding?.({ stream, verdict, imported });
    found.push(verdict.kind);
  }
  if (found.includes('differs')) return 'differs';
  // What was mended is compared again.
  if (found.includes('short')) return 'mending';
  return found.includes('unreachable') ? 'unreachable' : 'whole';
}

async function judge(
  { connection, region, regions }: ComparisonOptions,
  own: JetStreamManager,
  stream: string,
): Promise<Verdict> {
  const ownLast = (await own.streams.info(stream)).state.last_seq;
  const copies = await Promise.all(
    regions
      .filter((peer) => peer !== region)
      .map((peer) => copyOf(connection, own, stream, ownLast, peer)),
  );
  return verdictOf(ownLast, copies.flat(), true);
}

/** What a peer holds; nothing when it does not answer. */
async function copyOf(
  connection: NatsConnection,
  own: JetStreamManager,
  stream: string,
  ownLast: number,
  peer: string,
): Promise<PeerCopy[]> {
  try {
    const there = await peerManager(connection, peer);
    const lastSequence = (await there.streams.info(stream)).state.last_seq;
    const sequence = Math.min(ownLast, lastSequence);
    if (sequence === 0) return [{ peer, lastSequence }];
    const [mine, theirs] = await Promise.all([
      own.streams.getMessage(stream, { seq: sequence }),
      there.direct.getMessage(stream, { seq: sequence }),
    ]);
    if (mine === null || theirs === null) return [{ peer, lastSequence }];
    return [{ peer, lastSequence, shared: { own: markOf(mine), peer: markOf(theirs) } }];
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === STREAM_NOT_FOUND) {
      return [{ peer, lastSequence: 0 }];
    }
    return [];
  }
}

/** @returns how many entries were stored */
async function importTail(
  connection: NatsConnection,
  stream: string,
  { from, after, to }: Short,
): Promise<number> {
  const there = await peerManager(connection, from);
  const client = jetstream(connection);
  let last = after;
  while (last < to) {
    const batch = await there.direct.getBatch(stream, {
      seq: last + 1,
      batch: Math.min(batchSize, to - last),
    });
    const before = last;
    for await (const message of batch) {
      if (message.seq !== last + 1) break;
      await client.publish(message.subject, message.data, {
        headers: message.header,
        expect: { lastSequence: last },
        timeout: peerMs,
      });
      last = message.seq;
    }
    if (last === before) break;
  }
  return last - after;
}

function markOf({ seq, subject, data }: StoredMsg): EntryMark {
  const text = Buffer.concat([Buffer.from(`${subject}\n`), data]);
  return { sequence: seq, hash: hash('sha256', text, 'base64url') };
}

function peerManager(connection: NatsConnection, peer: string): Promise<JetStreamManager> {
  return jetstreamManager(connection, { domain: peer, checkAPI: false, timeout: peerMs });
}
