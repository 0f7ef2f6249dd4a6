import { hash } from 'node:crypto';
import type { Acknowledged } from './acknowledgements.ts';
import { lostOf, type Lost, type LostMessage } from '@meridian/cli';
import { connectNats, jetstreamLog, type Log } from '@meridian/journal';
import { eventStream, intakeStream } from '@meridian/wire';
import type { MeshMember } from '../development/member.ts';
import { source } from './post.ts';

/** A region's copies of all streams, read past the services: from its own nats-server. */
export class RegionCopies {
  readonly region: string;
  readonly log: Log;
  readonly #close: () => Promise<void>;

  private constructor(region: string, log: Log, close: () => Promise<void>) {
    this.region = region;
    this.log = log;
    this.#close = close;
  }

  static async open({ name, natsUrl, seeds }: MeshMember): Promise<RegionCopies> {
    const connection = await connectNats({
      servers: natsUrl,
      seedFile: seeds.services,
      name: `drill-${name}`,
      // Where much is done at once, a server may answer late.
      waitOnFirstConnect: true,
    });
    const log = await jetstreamLog({ connection });
    return new RegionCopies(name, log, async () => {
      await log.close();
      await connection.close();
    });
  }

  async close(): Promise<void> {
    await this.#close();
  }

  /** Which messages the copy of a stream holds, up to a sequence; without one, up to its end. */
  async read(stream: string, to?: number): Promise<CopyContent> {
    const ids = new Map<number, string>();
    let [rolling, last] = ['', 0];
    for await (const batch of this.log.replayBatches(stream, to === undefined ? {} : { to })) {
      for (const message of batch) {
        const { sequence, subject, data } = message;
        last = sequence;
        rolling = hash('sha256', `${rolling} ${sequence} ${subject} ${hash('sha256', data)}`);
        const id = message.header('Nats-Msg-Id');
        if (id !== undefined) ids.set(sequence, id);
      }
    }
    return { stream, last, ids, digest: rolling };
  }
}

export interface CopyContent {
  readonly stream: string;
  readonly last: number;
  /** Message ids by sequence. */
  readonly ids: ReadonlyMap<number, string>;
  /** Rolling hash over sequence, subject and data of everything read. */
  readonly digest: string;
}

/** All streams of the mesh that every region holds. */
export function streamsOf(regions: readonly string[]): string[] {
  return regions.flatMap((region) => [intakeStream(region), eventStream(region)]);
}

/** Whether a copy holds what was acknowledged: at that sequence, with that id. */
export function holds({ ids }: CopyContent, { sequence, id }: Acknowledged): boolean {
  return ids.get(sequence)?.endsWith(`#${source}#${id}`) === true;
}

/**
 * What was acknowledged in a lost region's intake, and is not held as it must be by those that are
 * left: `all` by each of them, the rest by one.
 */
export function missingElsewhere(
  acknowledged: readonly Acknowledged[],
  stream: string,
  survivors: readonly CopyContent[],
): { readonly lost: Lost; readonly messages: readonly Acknowledged[] } {
  const messages = acknowledged.filter((one) => {
    if (one.stream !== stream) return false;
    const isHeld = (copy: CopyContent): boolean => holds(copy, one);
    return one.durability === 'all' ? !survivors.every(isHeld) : !survivors.some(isHeld);
  });
  return { lost: lostOf(messages), messages };
}

export interface Comparison {
  readonly lost: Lost;
  /** Copies that are not byte for byte alike: `EV_eu in us`. */
  readonly differing: readonly string[];
}

/** Compares all copies with those of the regions that write them, and looks for what was acknowledged. */
export async function compareAll(
  copies: readonly RegionCopies[],
  acknowledged: readonly Acknowledged[],
): Promise<Comparison> {
  const byStream = Map.groupBy(acknowledged, ({ stream }) => stream);
  const lost = new Map<string, LostMessage>();
  const differing: string[] = [];
  for (const stream of streamsOf(copies.map(({ region }) => region))) {
    let original: string | undefined;
    const origins = copies.toSorted(
      (a, b) => Number(stream.endsWith(`_${b.region}`)) - Number(stream.endsWith(`_${a.region}`)),
    );
    // What came after all had been alike may be under way.
    const to = Math.min(...(await Promise.all(copies.map(({ log }) => log.lastSequence(stream)))));
    for (const copy of origins) {
      const content = await copy.read(stream, to);
      original ??= content.digest;
      if (content.digest !== original) differing.push(`${stream} in ${copy.region}`);
      for (const one of byStream.get(stream) ?? []) {
        if (one.sequence > to || !holds(content, one)) {
          lost.set(`${stream}:${one.sequence}:${one.id}`, one);
        }
      }
    }
  }
  return { lost: lostOf([...lost.values()]), differing };
}
