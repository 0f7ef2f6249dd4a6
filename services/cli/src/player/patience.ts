import { setTimeout as sleep } from 'node:timers/promises';
import type { RawEntry } from '../check/index.ts';
import { CommandFault, EdgeRefusal, EdgeUnreachable, exitCodes } from '../fault.ts';
import type { LogRange, PlayerEdge } from './edge.ts';

export interface PatienceOptions {
  /** How long the region may be away before the player gives up, in ms. */
  readonly patienceMs?: number;
  /** The first and the longest pause between two attempts, in ms. */
  readonly firstPauseMs?: number;
  readonly longestPauseMs?: number;
}

/** Stops the play: the region stayed away, or something can never succeed. */
export class PlayFault extends CommandFault {
  override readonly name = 'PlayFault';

  /** @param message what is wrong on the first line, what to do on the second */
  constructor(message: string, options?: ErrorOptions) {
    super(exitCodes.no, message, options);
  }
}

/** Whether an error of the edge is worth another attempt: the region, or a part of it, was away. */
export function isRetryable(error: unknown): boolean {
  if (error instanceof EdgeUnreachable) return true;
  return error instanceof EdgeRefusal && [408, 429, 500, 502, 503, 504].includes(error.status);
}

/** Tries again what failed because the region was away, with growing pauses and an end. */
export class Patience {
  readonly #patienceMs: number;
  readonly #firstPauseMs: number;
  readonly #longestPauseMs: number;
  /** How many attempts failed so far. */
  failures = 0;

  constructor(options: PatienceOptions = {}) {
    this.#patienceMs = options.patienceMs ?? 180_000;
    this.#firstPauseMs = options.firstPauseMs ?? 50;
    this.#longestPauseMs = options.longestPauseMs ?? 1_000;
  }

  /**
   * The operation's result, after as many attempts as it takes.
   * @param what for the message, such as "set the clock"
   * @param hasMoved says whether the failed attempt achieved something: patience begins anew then
   * @throws PlayFault when patience ends; the operation's own error when it is not retryable
   */
  async keepTrying<T>(
    what: string,
    operation: () => Promise<T>,
    hasMoved: () => boolean = () => false,
  ): Promise<T> {
    let startedAt = performance.now();
    let pauseMs = this.#firstPauseMs;
    for (;;) {
      try {
        return await operation();
      } catch (error) {
        if (!isRetryable(error)) throw error;
        this.failures += 1;
        if (hasMoved()) {
          startedAt = performance.now();
          pauseMs = this.#firstPauseMs;
        }
        if (performance.now() - startedAt >= this.#patienceMs) throw this.#gaveUp(what, error);
        await sleep(pauseMs);
        pauseMs = Math.min(pauseMs * 2, this.#longestPauseMs);
      }
    }
  }

  #gaveUp(what: string, error: unknown): PlayFault {
    const seconds = Math.round(this.#patienceMs / 1000);
    return new PlayFault(
      `Could not ${what} for ${seconds} s: ${(error as Error).message}\n` +
        'Start the region again, then play the day once more under another --run.',
      { cause: error },
    );
  }
}

/** The calls of an edge that answer once, each tried until it succeeds. */
export type PatientEdge = Pick<PlayerEdge, 'publish' | 'clock' | 'advance'>;

/** Sending again is safe: requests bear the same ids, and the clock is set to the same time. */
export function patiently(edge: PlayerEdge, patience: Patience): PatientEdge {
  return {
    publish: (requests) => patience.keepTrying('publish', () => edge.publish(requests)),
    clock: () => patience.keepTrying('read the clock', () => edge.clock()),
    advance: (to) => patience.keepTrying('set the clock', () => edge.advance(to)),
  };
}

/**
 * All entries of a stream, or a part of it, to its present end; when the edge goes away, it goes on behind the last
 * one that came.
 */
export async function* readPatiently(
  edge: Pick<PlayerEdge, 'log'>,
  stream: string,
  patience: Patience,
  range: LogRange = {},
): AsyncGenerator<RawEntry> {
  let { from = 1 } = range;
  const rest = (): AsyncIterator<readonly RawEntry[]> =>
    edge.log(stream, { ...range, from })[Symbol.asyncIterator]();
  let ready: readonly RawEntry[] = [];
  let entries = rest();
  const next = async (): Promise<boolean> => {
    try {
      const { done, value } = await entries.next();
      ready = done === true ? [] : value;
      return done === true;
    } catch (error) {
      entries = rest();
      throw error;
    }
  };
  for (;;) {
    if (await patience.keepTrying(`read ${stream}`, next)) return;
    for (const entry of ready) {
      from = entry.sequence + 1;
      yield entry;
    }
  }
}
