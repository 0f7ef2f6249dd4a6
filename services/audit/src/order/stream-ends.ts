import { StreamMissing, type Log } from '@meridian/journal';
import { heldSubject, parseHeldReport, type Beat } from '@meridian/nest';
import { eventStream, intakeStream } from '@meridian/wire';
import type { StreamEnd } from './extension.ts';

export interface StreamEndsOptions {
  readonly log: Log;
  readonly beat: Pick<Beat, 'last'>;
  readonly region: string;
  readonly regions: readonly string[];
  /**
   * Whether recovery tells what other regions hold: then only that is ordered of the own streams.
   * Where ownership never moves nothing is ever given anew, and what is stored is enough.
   */
  readonly isReported: boolean;
}

/**
 * Where the streams end as they are held here, and how far another region holds the own ones. It
 * asks for these few numbers when it is told to, and follows nothing.
 */
export class StreamEnds {
  readonly #options: StreamEndsOptions;
  readonly #held = new Map<string, number>();

  constructor(options: StreamEndsOptions) {
    this.#options = options;
  }

  /** How far another region is known to hold one of the own streams. */
  heldElsewhere(stream: string): number {
    return this.#options.isReported ? (this.#held.get(stream) ?? 0) : Number.MAX_SAFE_INTEGER;
  }

  /** Takes what the other regions last said they hold of the own streams. */
  async hear(): Promise<void> {
    const { beat, region, regions, isReported } = this.#options;
    if (!isReported) return;
    const peers = regions.filter((one) => one !== region);
    const texts = await Promise.all(peers.map((peer) => beat.last(heldSubject(region, peer))));
    for (const text of texts) {
      const report = text === undefined ? undefined : parseHeldReport(text);
      for (const [stream, sequence] of Object.entries(report?.streams ?? {})) {
        if (sequence > (this.#held.get(stream) ?? 0)) this.#held.set(stream, sequence);
      }
    }
  }

  /**
   * The ends up to which the streams may be ordered now. The `EV_` ones are asked for first: what a
   * decision came of is then within the ends of the `IN_` ones.
   */
  async toOrder(): Promise<StreamEnd[]> {
    const { regions, region } = this.#options;
    const ends: StreamEnd[] = [];
    for (const streamOf of [eventStream, intakeStream]) {
      const each = regions.map(async (one) => {
        const stream = streamOf(one);
        const sequence = await this.last(stream);
        const most = one === region ? this.heldElsewhere(stream) : sequence;
        return { stream, sequence: Math.min(sequence, most) };
      });
      ends.push(...(await Promise.all(each)));
    }
    return ends;
  }

  /** The last sequence held here; 0 where the copy is not there yet. */
  async last(stream: string): Promise<number> {
    try {
      return await this.#options.log.lastSequence(stream);
    } catch (error) {
      if (error instanceof StreamMissing) return 0;
      throw error;
    }
  }
}
