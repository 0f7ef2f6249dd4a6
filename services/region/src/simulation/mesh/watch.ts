import type { Log, LogMessage, MessageToAppend } from '@meridian/journal';
import type { Instance, World } from '@meridian/testing';
import { parseSubject } from '@meridian/wire';
import type { MeshProblem } from './check.ts';

/** How a message of a stream was handled. */
interface Handling {
  readonly home: string;
  /** The epoch of the desk that handled it to its end. */
  readonly epoch: number;
}

const epochPattern = /"epoch":(\d+)/;

/**
 * Sees with the world's own clock what no process can: who decides for a home at the same true
 * time, and which requests nobody has handled.
 */
export class Watch {
  readonly #world: World;
  /** By home and epoch: when a desk of it was opened first. */
  readonly #openedMs = new Map<string, Map<number, number>>();
  readonly #handled = new Map<string, Handling[]>();
  readonly problems: MeshProblem[] = [];

  constructor(world: World) {
    this.#world = world;
  }

  /** The log as a service has it: each decision that it sends is seen at the moment of its sending. */
  over(log: Log, instance: Instance): Log {
    return {
      append: (stream, message) => {
        this.#sent(message, instance);
        return log.append(stream, message);
      },
      load: (stream, subject, fromSequence) => log.load(stream, subject, fromSequence),
      get: (stream, sequence) => log.get(stream, sequence),
      lastSequence: (stream, filter) => log.lastSequence(stream, filter),
      replay: (stream, options) => log.replay(stream, options),
      replayBatches: (stream, options) => log.replayBatches(stream, options),
      follow: (stream, options, onMessage) => log.follow(stream, options, onMessage),
      close: () => log.close(),
    };
  }

  /** A desk begins to decide for a home. */
  opened(home: string, epoch: number): void {
    const epochs = this.#openedMs.get(home) ?? new Map<number, number>();
    this.#openedMs.set(home, epochs);
    if (!epochs.has(epoch)) epochs.set(epoch, this.#world.now());
  }

  /** A desk has come to the end of a message. */
  handled(service: string, { stream, sequence }: LogMessage, handling: Handling): void {
    const key = `${service} ${handling.home} ${stream} ${sequence}`;
    this.#handled.set(key, [...(this.#handled.get(key) ?? []), handling]);
  }

  /** How a message was handled by a service for a home, each time. */
  handlings(
    service: string,
    home: string,
    { stream, sequence }: Pick<LogMessage, 'stream' | 'sequence'>,
  ): readonly Handling[] {
    return this.#handled.get(`${service} ${home} ${stream} ${sequence}`) ?? [];
  }

  #sent({ subject, data }: MessageToAppend, { site }: Instance): void {
    const home = parseSubject(subject)?.home ?? '';
    const text = typeof data === 'string' ? data : new TextDecoder().decode(data);
    const epoch = Number(epochPattern.exec(text)?.[1]);
    const nowMs = this.#world.now();
    for (const [later, openedMs] of this.#openedMs.get(home) ?? []) {
      if (later <= epoch || openedMs > nowMs) continue;
      this.problems.push({
        rule: 'lease',
        detail:
          `${site.name} decided for ${home} in epoch ${epoch} (${subject}) ` +
          `${nowMs - openedMs} ms after epoch ${later} had begun to be decided elsewhere`,
      });
      return;
    }
  }
}
