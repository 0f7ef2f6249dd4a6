import type { LogFault } from './errors.ts';

/**
 * The log as a port: named streams of opaque messages under subjects, append-only, ordered, with
 * optimistic concurrency per subject and deduplication by message id. Two adapters (memory and
 * JetStream) are held to one contract suite, `describeLog` in `@meridian/testing`.
 *
 * Subjects are NATS subjects; filters may use the wildcards `*` and `>`.
 */
export interface Log {
  /**
   * Stores one message. Resolves once it is stored; many appends may be under way at once, and
   * those of one subject are stored in the order of the calls.
   * @throws WrongLastSequence when `expectedLastSequence` is given and is not the subject's last
   * @throws LogUnavailable when no answer came: the message may or may not be stored
   * @throws MessageTooLarge before anything is sent
   * @throws StreamMissing when there is no such stream
   */
  append(stream: string, message: MessageToAppend): Promise<Appended>;

  /** All messages of one subject (no wildcards) in order, from `fromSequence` (default 1) on. */
  load(stream: string, subject: string, fromSequence?: number): Promise<LogMessage[]>;

  /** The message at a sequence, or undefined where there is none. */
  get(stream: string, sequence: number): Promise<LogMessage | undefined>;

  /** The last sequence of the stream, or of the subjects under `filter`; 0 when there is none. */
  lastSequence(stream: string, filter?: string): Promise<number>;

  /** Messages from `from` to `to` (inclusive; default: the last one at the time of the call). */
  replay(stream: string, options?: ReplayOptions): AsyncIterable<LogMessage>;

  /**
   * The same messages in arrays as they arrive, none of them empty: several times faster, because
   * an array costs one turn of the event loop and not each message. Reading pauses while the
   * consumer of the arrays is busy.
   */
  replayBatches(stream: string, options?: ReplayOptions): AsyncIterable<readonly LogMessage[]>;

  /**
   * Calls `onMessage` for every message after `options.after`, in order, without a gap, without a
   * repeat, for ever: across reconnects, restarts of the server and slow handlers.
   * `onMessage` is called synchronously in order. When it returns a promise, at most
   * `options.maxPending` of them are unsettled before delivery pauses. It must neither throw nor
   * reject: the follower then stops, its position stays before that message, and
   * `options.onFailure` is told.
   */
  follow(
    stream: string,
    options: FollowOptions,
    onMessage: (message: LogMessage) => void | Promise<void>,
  ): Follower;

  /** Ends every follower and pending append of this instance; closes what it opened itself. */
  close(): Promise<void>;
}

export interface MessageToAppend {
  readonly subject: string;
  readonly data: Uint8Array | string;
  /** The subject's last sequence that the writer has seen; 0 for a subject not written yet. */
  readonly expectedLastSequence?: number;
  /**
   * Deduplicates within the stream's window: a second message of this id is not stored. Together
   * with `expectedLastSequence` a repetition is recognized at any time: when the message stored
   * after that sequence bears this id, the append reports it as a duplicate, not as a conflict.
   */
  readonly messageId?: string;
  /** Further headers, kept with the message. Names are case-sensitive. */
  readonly headers?: Readonly<Record<string, string>>;
  /**
   * Asked when the message had to wait before it can be sent: why it must not be sent any more, if
   * so. The append then fails with that; nothing was stored.
   */
  readonly fence?: () => LogFault | undefined;
}

export interface Appended {
  readonly sequence: number;
  /** True when a message with this id was stored before; `sequence` is that message's. */
  readonly duplicate: boolean;
}

export interface LogMessage {
  readonly stream: string;
  readonly sequence: number;
  readonly subject: string;
  /** When the log stored it, in epoch milliseconds of the log's own clock. */
  readonly storedAtMs: number;
  readonly data: Uint8Array;
  /** A header's value; undefined when absent. */
  header(name: string): string | undefined;
  /** The data as UTF-8 text. */
  text(): string;
}

export interface ReplayOptions {
  readonly from?: number;
  readonly to?: number;
  /** Subjects to include; all when absent. */
  readonly filters?: readonly string[];
}

export interface FollowOptions {
  /** The last sequence already handled; 0 for everything. */
  readonly after: number;
  readonly filters?: readonly string[];
  /** How many unsettled handlers there may be; default 1,024. */
  readonly maxPending?: number;
  /**
   * Other followers of this log want most of the stream too: what is new is read once for all of
   * them. Each message is then one object for all who share it. Default false.
   */
  readonly shared?: boolean;
  /**
   * Called once if the follower stops by itself: when a handler threw or rejected. Without it the
   * error is thrown where nothing catches it, because a follower must never stop in silence.
   */
  readonly onFailure?: (error: unknown) => void;
}

export interface Follower {
  /** The sequence of the last message handed to the handler. */
  readonly delivered: number;
  /**
   * The highest sequence such that every message handed over up to it is settled: a checkpoint
   * that never passes a gap.
   */
  readonly position: number;
  /**
   * Resolves when everything that was in the log at the time of the call has been settled.
   * @throws LogUnavailable when the log does not say where it ends
   * @throws LogFault when the follower is closed or has failed before
   */
  caughtUp(): Promise<void>;
  /** Stops delivery and resolves when the handlers under way are settled. */
  close(): Promise<void>;
}
