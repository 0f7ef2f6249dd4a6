/** What time it is for deciders: the system's clock, or one that is driven through the log. */
export interface Clock {
  readonly source: 'system' | 'driven';
  /** False until a driven clock has seen its first message; nothing is followed before. */
  readonly started: boolean;
  /** The last clock message; undefined for the system's clock and before the first message. */
  readonly setting: ClockSetting | undefined;
  /**
   * Now, in epoch milliseconds (whole).
   * @throws Error when a driven clock has not seen a message yet
   */
  now(): number;
  /**
   * How many milliseconds of real time until the clock shows `epochMs`: 0 when it does already,
   * Infinity when it stands still before it.
   */
  realMsUntil(epochMs: number): number;
  /** Calls back, in the order of registration, after each change of a driven clock's setting. */
  onChange(callback: () => void): () => void;
  /** Ends what the clock holds open. */
  close(): void;
}

/** A message on `beat.<region>.clock`: now = at + (wall − wallAt) · rate. */
export interface ClockSetting {
  /** Log time at `wallAt`, in epoch milliseconds. */
  readonly at: number;
  /** Real time when the clock showed `at`, in epoch ms; strictly increasing from message to message. */
  readonly wallAt: number;
  /** Log milliseconds per real millisecond; 0 stands still until the next message. */
  readonly rate: number;
}
