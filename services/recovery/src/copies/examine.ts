import type { NatsConnection } from '@nats-io/nats-core';
import { judge, type ReadCopy, type Verdict } from './judge.ts';
import { copyInfo, readRange, type CopyPlace } from './read-copy.ts';
import { firstOf, lastOf } from './rolling-hashes.ts';

export interface Examined extends Verdict {
  /** Where each copy that could be read ends; -1 where there is no stream. */
  readonly ends: Readonly<Record<string, number>>;
}

export interface ExamineOptions {
  readonly connection: NatsConnection;
  /** The region of the connection. */
  readonly region: string;
  readonly regions: readonly string[];
  readonly stream: string;
  readonly origin: string;
  readonly chunk: number;
}

/**
 * Reads one chunk of a stream in every region in reach, and judges. The origin comes last, so that
 * what it has stored meanwhile does not look like something it has lost.
 * @throws LogUnavailable when the own copy cannot be read
 */
export async function examine(options: ExamineOptions): Promise<Examined> {
  const { connection, region, regions, stream, origin, chunk } = options;
  const range = { from: firstOf(chunk), to: lastOf(chunk) };
  const read = async (one: string): Promise<ReadCopy | undefined> => {
    const place: CopyPlace = one === region ? { connection } : { connection, peer: one };
    try {
      const info = await copyInfo(place, stream);
      // An origin that is copied from another region is one that is being restored.
      const isHalf = one === origin && info?.source !== undefined;
      if (info === undefined || isHalf) return { region: one, last: -1, messages: new Map() };
      const to = Math.min(range.to, info.last);
      const messages = to < range.from ? new Map() : await readRange(place, stream, range.from, to);
      return { region: one, last: info.last, messages };
    } catch (error) {
      if (one === region) throw error;
      return undefined;
    }
  };
  const mirrors = await Promise.all(regions.filter((one) => one !== origin).map(read));
  const copies = [...mirrors, await read(origin)].filter((copy) => copy !== undefined);
  const ends = Object.fromEntries(copies.map((copy) => [copy.region, copy.last]));
  return { ...judge(origin, copies, range), ends };
}
