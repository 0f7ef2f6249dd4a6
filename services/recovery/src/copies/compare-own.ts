import { setTimeout as delay } from 'node:timers/promises';
import { eventStream } from '@meridian/wire';
import type { NatsConnection } from '@nats-io/nats-core';
import type { Comparison } from '../domain/actions.ts';
import { areEqual } from './copied-message.ts';
import type { LocalCopy } from './local-copy.ts';
import { copyInfo, readRange, type CopyInfo } from './read-copy.ts';
import { chunkOf } from './rolling-hashes.ts';
import type { StreamWatch } from './stream-watch.ts';

/**
 * Compares the end of each of the region's own streams with every peer's copy: last sequence, and the
 * last message that both have. What differs is suspected.
 * @param own the watches of the region's own streams
 * @throws LogUnavailable when the region's own JetStream does not answer
 */
export async function compareOwn(
  connection: NatsConnection,
  own: readonly StreamWatch[],
  peers: readonly string[],
  nowMs: number,
): Promise<Comparison> {
  const answered = new Set<string>();
  for (const watch of own) {
    const { copy } = watch;
    if (watch.isBegun) continue;
    const ends = await Promise.all(
      peers.map(async (peer): Promise<readonly [string, CopyInfo | undefined] | undefined> => {
        try {
          return [peer, await copyInfo({ connection, peer }, copy.stream)];
        } catch {
          // Away: the others' word has to do.
          return undefined;
        }
      }),
    );
    await copy.look();
    for (const end of ends) {
      if (end === undefined) continue;
      const [peer, info] = end;
      answered.add(peer);
      if (info !== undefined && !(await isSameEnd(connection, copy, peer, info.last))) {
        watch.suspect(chunkOf(Math.max(1, copy.last)), nowMs);
      }
    }
  }
  if (own.some(({ isUndecided }) => isUndecided)) return 'differs';
  const isDamaged = own.some((watch) => watch.own !== undefined || watch.suspicion !== undefined);
  if (isDamaged) return 'mending';
  return answered.size === 0 ? 'unreachable' : 'whole';
}

/** How long copies may take to get what a peer has, and how often that is looked at, in ms. */
const catchUp = { limitMs: 5_000, pollMs: 50 };

/**
 * Waits until the copies of the peers' decisions hold everything that the peers themselves held when
 * they were asked: who decides for what may have changed there. A peer that is away is not waited for.
 * @returns false when a copy did not get there soon
 * @throws LogUnavailable when the region's own JetStream does not answer
 */
export async function haveCaughtUp(
  connection: NatsConnection,
  peers: readonly string[],
): Promise<boolean> {
  const deadlineMs = performance.now() + catchUp.limitMs;
  const each = await Promise.all(
    peers.map(async (peer): Promise<boolean> => {
      const stream = eventStream(peer);
      const theirs = await copyInfo({ connection, peer }, stream).catch(() => undefined);
      if (theirs === undefined) return true;
      for (;;) {
        const mine = await copyInfo({ connection }, stream);
        if ((mine?.last ?? 0) >= theirs.last) return true;
        if (performance.now() >= deadlineMs) return false;
        await delay(catchUp.pollMs);
      }
    }),
  );
  return each.every(Boolean);
}

async function isSameEnd(
  connection: NatsConnection,
  copy: LocalCopy,
  peer: string,
  last: number,
): Promise<boolean> {
  if (copy.last < last || copy.info?.source !== undefined) return false;
  const shared = Math.min(copy.last, last);
  if (shared < 1) return true;
  const [mine, theirs] = await Promise.all([
    readRange({ connection }, copy.stream, shared, shared),
    readRange({ connection, peer }, copy.stream, shared, shared),
  ]);
  const [one, other] = [mine.get(shared), theirs.get(shared)];
  return one !== undefined && other !== undefined && areEqual(one, other);
}
