import type { Observation, RawEntry, Violation } from '@meridian/cli';
import type { DevelopmentMeshOptions } from '../../development/mesh.ts';
import type { Settled } from '../settle.ts';
import type { Stage } from '../stage.ts';

/** What an exercise leaves to be judged, once everything has come to rest. Times are epoch ms. */
export interface Evidence {
  readonly stage: Stage;
  /** The kill, the cut, the full disk. */
  readonly blowAt: number;
  /** When mending began. */
  readonly mendedAt: number;
  readonly leaseMs: number;
  readonly agentsPerRegion: number;
  /** What the check found and the exercise foresaw: it is not among the violations of the receipt. */
  readonly excused: readonly Violation[];
  readonly settled: Settled;
  /** Every entry of a stream in a region's own copy, in order. */
  readonly entries: (region: string, stream: string) => AsyncIterable<RawEntry>;
}

/** What must be done before the regions start, and how they are started then. */
export interface Preparation {
  readonly mesh: Partial<
    Pick<DevelopmentMeshOptions, 'processes' | 'environmentOf' | 'storeLimit'>
  >;
  /** After the regions have ended, also when the drill failed. */
  undo(): Promise<void>;
}

/** Something that is done to the regions under load, and undone. */
export interface Exercise {
  /** Such as `kill-eu`; part of file names. */
  readonly name: string;
  /** In words, for the receipt. */
  readonly what: string;
  /** Whose ownership is to move, and how. */
  readonly home: string | null;
  readonly kind: 'PLANNED' | 'UNPLANNED' | 'NONE';
  /** Regions whose processes are all gone in between. */
  readonly lost: readonly string[];
  /**
   * Before anything is started. @param dataDir where the regions will keep their things
   * @throws Error when the exercise cannot be carried out here; it says why
   */
  prepare?(dataDir: string): Promise<Preparation>;
  /**
   * Done after a third of the load, while it goes on.
   * @returns when the blow fell, epoch ms
   */
  act(stage: Stage): Promise<number>;
  /** Done after the load: what was killed starts again, what was cut is healed. */
  mend(stage: Stage): Promise<void>;
  /**
   * Whether a breach of a rule is what the exercise itself did, and harms nobody. How many there may
   * be of them is for `judge` to say.
   */
  excuses?(violation: Violation): boolean;
  /** What it promises beyond what all drills do, and what came of it. */
  judge?(evidence: Evidence): Promise<readonly Observation[]>;
}

export const nothing = async (): Promise<void> => {};

export const promised = (
  code: string,
  promise: string,
  measured: number | null,
  bound: Observation['bound'],
  limit: number,
  unit: string,
): Observation => ({ code, promise, measured, bound, limit, unit });
