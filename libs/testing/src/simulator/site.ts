import type { MemoryLog } from '@meridian/journal';

/** Where processes run: a log of their own, and whether that and they are alive at all. */
export interface Site {
  /** The name before the dot of its nodes' names; empty where there is but one. */
  readonly name: string;
  readonly log: MemoryLog;
  readonly isUp: boolean;
  /** How much faster than the world its monotonic clock runs: 0.01 is a second in 100. */
  readonly drift: number;
  /** Whoever is connected to the log is told when that dies. */
  connect(connection: Connection): void;
  disconnect(connection: Connection): void;
}

export interface Connection {
  /** The log has died: every follower ends, and no call is answered. */
  lost(): void;
}

/** A place that never fails. */
export function firmGround(log: MemoryLog): Site {
  return {
    name: '',
    log,
    isUp: true,
    drift: 0,
    connect: () => undefined,
    disconnect: () => undefined,
  };
}
