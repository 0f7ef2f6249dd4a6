import type { Log, LogMessage } from '@meridian/journal';

/** How far the rows embody each part of the log, by the name of its checkpoint. */
export type Positions = ReadonlyMap<string, number>;

export interface SourceOptions {
  readonly maxPending: number;
  /** Told when it stops by itself. */
  readonly onFailure: (error: unknown) => void;
  /** Told when messages that were handed over turn out not to count: the rows must be made anew. */
  readonly onRevoked: () => void;
}

/** What follows a source. */
export interface SourceFollower {
  /** Resolves when everything that was there at the time of the call is settled. */
  caughtUp(): Promise<void>;
  close(): Promise<void>;
}

/** Where a projector's messages come from, in the order in which they are to be folded. */
export interface ProjectorSource {
  /** The checkpoint that a message moves; under one name, sequences only rise. */
  checkpointOf(message: LogMessage): string;
  /** Whether the rows at these positions hold what does not count: they are then made anew. */
  isStale(positions: Positions): boolean;
  follow(
    positions: Positions,
    options: SourceOptions,
    onMessage: (message: LogMessage) => Promise<void>,
  ): SourceFollower;
}

/** One stream of the log, all of it. @param name of the checkpoint; default the stream's */
export function streamSource(log: Log, stream: string, name = stream): ProjectorSource {
  return {
    checkpointOf: () => name,
    isStale: () => false,
    follow: (positions, { maxPending, onFailure }, onMessage) =>
      log.follow(
        stream,
        { after: positions.get(name) ?? 0, shared: true, maxPending, onFailure },
        onMessage,
      ),
  };
}
