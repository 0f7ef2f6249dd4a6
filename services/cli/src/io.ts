/** What a command reads and writes: the process's own, or a test's. */
export interface Io {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Whether `out` is a terminal: colours and progress only there. */
  readonly isTty: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The folder in which it was called. */
  readonly folder: string;
  readonly stdin: AsyncIterable<Uint8Array | string>;
  /** Aborts when the user interrupts. */
  readonly signal: AbortSignal;
  /** Epoch milliseconds. */
  readonly now: () => number;
}
