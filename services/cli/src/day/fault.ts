/**
 * What stops a day from being read or planned. Never worth retrying: the input must change.
 * The message names what is wrong on its first line and what to do on the second.
 */
export class DayFault extends Error {
  override readonly name = 'DayFault';
  readonly retryable = false;
  /** What to do next, one sentence. */
  readonly advice: string;
  /** The line of the file, counted from 1 with the header as line 1; absent when not about one. */
  readonly line: number | undefined;
  /** The column's name in the header; absent when the fault is not about one column. */
  readonly column: string | undefined;

  constructor(
    message: string,
    advice: string,
    at: { line?: number; column?: string; cause?: unknown } = {},
  ) {
    super(`${message}\n${advice}`, at.cause === undefined ? undefined : { cause: at.cause });
    this.advice = advice;
    this.line = at.line;
    this.column = at.column;
  }
}
