import type { Log } from '@meridian/journal';
import { heldSubject, parseHeldReport, type Beat } from '@meridian/nest';
import { eventStream, intakeStream } from '@meridian/wire';
import { HeldBy, type Durability, type Waited } from '../domain/held-by.ts';
import type { DurabilityMetrics } from './metrics.ts';

export interface HeldWatchOptions {
  readonly beat: Beat;
  readonly region: string;
  readonly regions: readonly string[];
  /** How long a request waits for other regions, in ms. */
  readonly waitMs: number;
  readonly metrics?: DurabilityMetrics;
}

/** Hears what the other regions hold of this region's streams, and waits for them. */
export class HeldWatch {
  readonly held: HeldBy;
  readonly #options: HeldWatchOptions;
  readonly #ends: (() => void)[];
  /** Regions that have reported since the watch began or was connected again. */
  readonly #heard = new Set<string>();

  constructor(options: HeldWatchOptions) {
    const { beat, region, regions } = options;
    this.#options = options;
    this.held = new HeldBy(regions.filter((one) => one !== region));
    this.#ends = this.held.alone
      ? []
      : [
          beat.subscribe(heldSubject(region, '*'), (text, subject) => this.#take(text, subject)),
          beat.onReconnect(() => {
            this.#heard.clear();
            this.#readLast();
          }),
        ];
    this.#readLast();
  }

  /**
   * Waits until everything of a stream up to a sequence has reached a level, at most `waitMs`.
   * @returns whether it has
   */
  wait(level: Waited, stream: string, sequence: number): Promise<boolean> {
    const startedMs = performance.now();
    const { waitMs, metrics } = this.#options;
    return new Promise((resolve) => {
      const finish = (reached: boolean): void => {
        metrics?.waited(level, performance.now() - startedMs, reached);
        resolve(reached);
      };
      const limit = setTimeout(() => {
        giveUp();
        finish(false);
      }, waitMs);
      const giveUp = this.held.wait(level, stream, sequence, () => {
        clearTimeout(limit);
        finish(true);
      });
    });
  }

  /** The highest level that a stored message is known to have reached. */
  reached(stream: string, sequence: number): Durability {
    return this.held.alone ? 'region' : this.held.reached(stream, sequence);
  }

  close(): void {
    for (const end of this.#ends) end();
  }

  #take(text: string, subject: string): void {
    const report = parseHeldReport(text);
    // Who says it is in the subject, which the server guards.
    if (report === undefined || !subject.endsWith(`.${report.region}`)) return;
    this.#heard.add(report.region);
    this.held.report(report.region, report.streams);
  }

  /** What was said before this watch listened; what is said meanwhile is newer. */
  #readLast(): void {
    const { beat, region } = this.#options;
    for (const peer of this.held.peers) {
      const subject = heldSubject(region, peer);
      beat.last(subject).then(
        (text) => {
          if (text !== undefined && !this.#heard.has(peer)) this.#take(text, subject);
        },
        // The next report says it again.
        () => {},
      );
    }
  }
}

/** How many messages of a region's streams no other region holds. @throws LogFault */
export async function atRisk(
  log: Pick<Log, 'lastSequence'>,
  region: string,
  held: HeldBy,
): Promise<Readonly<Record<string, number>>> {
  const streams = [intakeStream(region), eventStream(region)];
  const counts = await Promise.all(
    streams.map(async (stream) => {
      const last = await log.lastSequence(stream);
      return [stream, Math.max(0, last - held.heldAt('mirrored', stream))] as const;
    }),
  );
  return Object.fromEntries(counts);
}
