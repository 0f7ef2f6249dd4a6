/** What a service says on `beat.<region>.progress.<service>`. See `settled` for what it promises. */
export interface ProgressReport {
  readonly service: string;
  /** One process's name for itself, new at each start. */
  readonly instance: string;
  /**
   * `at` of the last clock message, once every timer due then has been fired and its appends are
   * stored; null while one is due or being fired, before the first message, and with the system's clock.
   */
  readonly clock: number | null;
  /** When its next timer is due, in epoch ms; null when none is. */
  readonly nextDueMs: number | null;
  /** How far it has read: the effects of all messages of `filter` up to `position` are stored. */
  readonly reads: readonly Read[];
}

export interface Read {
  readonly stream: string;
  readonly filter: string;
  readonly position: number;
}
