import {
  jetstream,
  jetstreamManager,
  type JetStreamManager,
  type StreamConfig,
  type StreamUpdateConfig,
} from '@nats-io/jetstream';
import { headers, type NatsConnection } from '@nats-io/nats-core';
import {
  ensureStreams,
  mirrorConfig,
  regionStreams,
  remakeMirror,
  sourceConsumer,
  type Mirror,
} from '@meridian/journal';
import type { CopiedMessage } from './copied-message.ts';
import type { Fault } from './judge.ts';
import type { LocalCopy } from './local-copy.ts';
import type { MendFigures } from './notes.ts';
import { isSameAs, onlyHere } from './only-here.ts';
import type { CopyPlace } from './read-copy.ts';
import { setAside } from './set-aside.ts';

/** A mirror whose link was away for a moment gets going again within half a minute by itself. */
const noProgressMs = 60_000;
const pauseMs = 50;
const peerTimeoutMs = 5_000;

/** A copy that is to be replaced, and by which. */
export interface Mending {
  readonly connection: NatsConnection;
  readonly region: string;
  readonly development: boolean;
  readonly copy: LocalCopy;
  readonly fault: Fault;
  readonly source: string;
  /** Where the source's copy ends. */
  readonly sourceLast: () => Promise<number>;
  /** The hashes of the source's complete chunks, asked for now. */
  readonly sourceHashes: () => Promise<readonly string[]>;
  readonly keepMost: number;
  readonly clock: Clock;
  readonly pause: (ms: number) => Promise<void>;
}

export interface Clock {
  /** Monotonic, ms. */
  readonly monotonicMs: () => number;
  /** Epoch ms. */
  readonly wallMs: () => number;
}

export type Replaced = Pick<MendFigures, 'messages' | 'appendedAgain' | 'setAside'>;

/** It did not come to its end; the copy is to be mended again. */
export class MendFailed extends Error {
  override readonly name = 'MendFailed';
}

/**
 * Replaces the mirror of another region's stream by a new copy of `source`, hashes and compares it.
 * What only the old one had is set aside first.
 * @throws MendFailed, LogUnavailable, TooMuchToKeep
 */
export async function replaceMirror(mending: Mending): Promise<Replaced> {
  const { connection, region, development, copy, source } = mending;
  const kept = await keptOf(mending);
  await setAside(connection, kept, takenFrom(mending), mending.clock.wallMs);
  await remakeMirror(connection, region, copy.stream, {
    development,
    ...(source === copy.origin ? {} : { from: source }),
  });
  await caughtUp(mending, await mending.sourceLast());
  return { messages: copy.last, appendedAgain: 0, setAside: kept.length };
}

/**
 * Restores a stream of this region's own: deletes it, copies it back from `source` under the same
 * sequences and times, compares the copy, and takes the copy for its own from there on. Messages that
 * only the damaged one could still give and that follow the source's last are stored again behind
 * it; others are set aside. Deduplication by message id begins anew.
 * Nobody may write to the stream meanwhile.
 * @throws MendFailed, LogUnavailable, TooMuchToKeep
 */
export async function restoreOrigin(mending: Mending): Promise<Replaced> {
  const { connection, region, development, copy, source } = mending;
  const sourceLast = await mending.sourceLast();
  const kept = copy.info?.source === undefined ? await keptOf(mending) : [];
  const { following, others } = split(kept, sourceLast);
  // All of them, lest those that follow are in this process's memory only.
  await setAside(connection, kept, takenFrom(mending), mending.clock.wallMs);
  const own = await jetstreamManager(connection, { checkAPI: false });
  const peer = await peerManager(connection, source);
  const mirror: Mirror = { stream: copy.stream, origin: copy.origin, region, source };
  const config = sourceConsumer(mirror);
  // Before the consumer is made: a mirror of an earlier attempt would get what the new one needs.
  if (copy.info !== undefined) await own.streams.delete(copy.stream);
  await peer.consumers.delete(copy.stream, config.durable_name).catch(() => false);
  await peer.consumers.add(copy.stream, config);
  await own.streams.add(mirrorConfig(mirror, { development }));
  await caughtUp(mending, sourceLast);
  const wanted = regionStreams(region, { development }).find(
    ({ config: { name } }) => name === copy.stream,
  );
  if (wanted === undefined) throw new MendFailed(`${copy.stream} is no stream of ${region}.`);
  await own.streams.update(copy.stream, promoted(wanted.config));
  // Compares every setting with what is wanted; makes what else is missing.
  await ensureStreams(connection, region, { development });
  await peer.consumers.delete(copy.stream, config.durable_name).catch(() => false);
  await appendAgain(mending, following, sourceLast);
  await setAside(connection, following, takenFrom(mending), mending.clock.wallMs, 'resolved');
  await copy.look();
  return { messages: copy.last, appendedAgain: following.length, setAside: others.length };
}

/** The client lays what is given over what is there: what is to go must be there as undefined. */
function promoted(config: Partial<StreamConfig>): Partial<StreamUpdateConfig> {
  const update: Partial<StreamUpdateConfig> = { ...config, mirror_direct: false };
  return Object.assign(update, { mirror: undefined });
}

async function keptOf(mending: Mending): Promise<CopiedMessage[]> {
  const { connection, copy, source, keepMost } = mending;
  await copy.look();
  if (copy.info === undefined) return [];
  const theirs = { last: await mending.sourceLast(), hashes: await mending.sourceHashes() };
  return onlyHere(copy, { connection }, { connection, peer: source }, theirs, keepMost);
}

/** Messages that follow the source's last without a gap, and all others. */
function split(
  kept: readonly CopiedMessage[],
  sourceLast: number,
): { readonly following: readonly CopiedMessage[]; readonly others: readonly CopiedMessage[] } {
  const start = kept.findIndex(({ sequence }) => sequence === sourceLast + 1);
  if (start < 0) return { following: [], others: kept };
  let end = start;
  while (kept[end]?.sequence === sourceLast + 1 + end - start) end += 1;
  return {
    following: kept.slice(start, end),
    others: [...kept.slice(0, start), ...kept.slice(end)],
  };
}

async function appendAgain(
  { connection, copy }: Mending,
  messages: readonly CopiedMessage[],
  sourceLast: number,
): Promise<void> {
  const client = jetstream(connection);
  for (const [index, message] of messages.entries()) {
    const own = headers();
    for (const [name, value] of message.headers) own.append(name, value);
    const { seq } = await client.publish(message.subject, message.data, {
      headers: own,
      expect: { streamName: copy.stream, lastSequence: sourceLast + index },
    });
    if (seq !== message.sequence) {
      throw new MendFailed(`${copy.stream} took sequence ${message.sequence} as ${seq}.`);
    }
  }
}

/** Waits until the new copy goes as far as `last`, hashing it on the way, and compares it. */
async function caughtUp(mending: Mending, last: number): Promise<void> {
  const { copy, clock, connection, source } = mending;
  copy.forget();
  let movedMs = clock.monotonicMs();
  let before = -1;
  while (copy.hashes.upTo < last) {
    await copy.look();
    const missing: number[] = [];
    await copy.follow(Infinity, ({ chunk }) => missing.push(chunk));
    if (missing.length > 0) {
      throw new MendFailed(`${copy.stream} came from ${source} with holes in it.`);
    }
    const moved = Math.max(copy.last, copy.hashes.upTo) + copy.hashes.upTo;
    if (moved !== before) {
      before = moved;
      movedMs = clock.monotonicMs();
    } else if (clock.monotonicMs() - movedMs > noProgressMs) {
      throw new MendFailed(`${copy.stream} comes from ${source} no further than ${copy.last}.`);
    } else await mending.pause(pauseMs);
  }
  const place: CopyPlace = { connection, peer: source };
  if (!(await isSameAs(copy, { connection }, place, await mending.sourceHashes()))) {
    throw new MendFailed(`${copy.stream} came from ${source} and differs from it.`);
  }
}

const takenFrom = ({ region, copy, fault, source }: Mending) => ({
  region,
  stream: copy.stream,
  fault,
  source,
});

const peerManager = (connection: NatsConnection, region: string): Promise<JetStreamManager> =>
  jetstreamManager(connection, { domain: region, checkAPI: false, timeout: peerTimeoutMs });
