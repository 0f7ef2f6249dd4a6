import { setTimeout as delay } from 'node:timers/promises';
import { LogClosed, type Follower, type Log, type LogMessage } from '@meridian/journal';
import { BatchWriter } from './batch-writer.ts';
import { CheckpointMoved } from './checkpoints.ts';
import { isDataRefused, type Database } from './database.ts';
import {
  decodeForProjection,
  type DecodedEntry,
  type Projection,
  type ProjectionFault,
} from './projection.ts';
import { Waiting } from './waiting.ts';

const DEFAULT_BATCH_LENGTH = 1_000;
/** How many batches may wait decoded in memory before the log pauses. */
const BATCHES_PENDING = 3;
const RETRY_DELAY_MS = { first: 100, longest: 5_000 };
const FAULTS_KEPT = 20;

export interface ProjectorOptions {
  /** Names the checkpoint; one projector of a name may work on a database at a time. */
  readonly name: string;
  readonly log: Log;
  /** The stream to follow, such as `EV_eu`. */
  readonly stream: string;
  readonly database: Database;
  readonly projections: readonly Projection[];
  /** The most entries in one transaction; default 1,000. */
  readonly batchLength?: number;
  /** Told what an operator should know, one line each. */
  readonly onLog?: (line: string) => void;
  /** The clock of the log, in epoch ms, for `lag`; default the system's. */
  readonly now?: () => number;
}

export interface Lag {
  /** Entries in the log that the rows do not embody yet. */
  readonly entries: number;
  /** How long ago the first of them was stored, in seconds; 0 when there is none. */
  readonly seconds: number;
}

/** What a projector has done since it was made. */
export interface ProjectorCounts {
  readonly entries: number;
  readonly events: number;
  readonly batches: number;
  /** Transactions that had to be tried again. */
  readonly retries: number;
  /** Events of types that this release does not know, passed over. */
  readonly unknownTypes: number;
  /** Entries that could not be read, or that Postgres refused, passed over. */
  readonly entriesPassedOver: number;
  /** Events on which a projection failed; their rows are as they were before. */
  readonly eventsFailed: number;
}

interface Pending {
  readonly entry: DecodedEntry;
  readonly settle: PromiseWithResolvers<void>;
}

/**
 * Keeps read models up to date: follows a stream and writes what its events do to the rows, in
 * batches, rows and checkpoint in one transaction. So a crash at any moment applies no event twice
 * and skips none. While the database is away it waits, and the log with it.
 */
export class Projector {
  readonly #options: ProjectorOptions;
  readonly #writer: BatchWriter;
  readonly #batchLength: number;
  readonly #waiting = new Waiting();
  readonly #closing = new AbortController();
  readonly #counts = {
    entries: 0,
    events: 0,
    batches: 0,
    retries: 0,
    unknownTypes: 0,
    entriesPassedOver: 0,
    eventsFailed: 0,
  };
  readonly #faults: ProjectionFault[] = [];
  #position = 0;
  #follower: Follower | undefined;
  #queue: Pending[] = [];
  #storing: Promise<void> | undefined;
  #started: Promise<void> | undefined;
  /** Set while followers are exchanged: what is in the queue then belongs to the old one. */
  #resetting = false;

  constructor(options: ProjectorOptions) {
    const { database, name, stream, projections } = options;
    this.#options = options;
    this.#batchLength = Math.max(1, options.batchLength ?? DEFAULT_BATCH_LENGTH);
    this.#writer = new BatchWriter(database, name, stream, projections);
  }

  get name(): string {
    return this.#options.name;
  }

  get stream(): string {
    return this.#options.stream;
  }

  /** The last sequence that the rows embody. */
  get position(): number {
    return this.#position;
  }

  get counts(): ProjectorCounts {
    return { ...this.#counts };
  }

  /** The last 20 events and entries that were passed over. After a fix, `rebuild` takes them in. */
  get faults(): readonly ProjectionFault[] {
    return [...this.#faults];
  }

  /**
   * Reads the checkpoint and follows the stream from there. Resolves once it follows; a database
   * that is away is waited for.
   * @throws LogClosed when the projector is closed before
   */
  start(): Promise<void> {
    this.#started ??= this.#retrying('read the checkpoint', () => this.#writer.begin()).then(
      (position) => this.#followFrom(position),
    );
    return this.#started;
  }

  /** Resolves when the rows embody everything that was in the log at the time of the call. */
  async caughtUp(): Promise<void> {
    await this.start();
    const last = await this.#options.log.lastSequence(this.stream);
    while (this.#position < last) {
      if (this.#closing.signal.aborted) throw closed(this.name);
      await this.reached(last, RETRY_DELAY_MS.longest);
    }
  }

  /** Waits until the rows embody a sequence. False when they do not within the time. */
  reached(sequence: number, timeoutMs: number): Promise<boolean> {
    if (this.#position >= sequence) return Promise.resolve(true);
    if (this.#closing.signal.aborted) return Promise.resolve(false);
    return this.#waiting.until(sequence, timeoutMs);
  }

  async lag(): Promise<Lag> {
    const { log, now = Date.now } = this.#options;
    const position = this.#position;
    const entries = Math.max(0, (await log.lastSequence(this.stream)) - position);
    if (entries === 0) return { entries, seconds: 0 };
    const next =
      this.#queue[0]?.entry.storedAtMs ?? (await log.get(this.stream, position + 1))?.storedAtMs;
    return { entries, seconds: next === undefined ? 0 : Math.max(0, (now() - next) / 1_000) };
  }

  /**
   * Empties the tables and reads the whole log again. Resolves once that has begun; readers see
   * the low position in the meantime, and `caughtUp` tells the end. All projectors that write to
   * the same tables must be rebuilt together.
   */
  async rebuild(): Promise<void> {
    await this.start();
    this.#resetting = true;
    await this.#stopFollowing();
    await this.#retrying('empty the tables', () => this.#writer.clear());
    this.#followFrom(0);
  }

  /** Finishes the transaction under way and stops. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#waiting.giveUp();
    await this.#started?.catch(() => {});
    await this.#stopFollowing();
  }

  #followFrom(position: number): void {
    if (this.#closing.signal.aborted) throw closed(this.name);
    this.#position = position;
    this.#resetting = false;
    const follower: Follower = this.#options.log.follow(
      this.stream,
      {
        after: position,
        shared: true,
        maxPending: this.#batchLength * BATCHES_PENDING,
        onFailure: (error) => this.#followerFailed(follower, error),
      },
      (message) => this.#take(message),
    );
    this.#follower = follower;
  }

  /** A handler rejects only when this projector lets its follower go. */
  #followerFailed(follower: Follower, error: unknown): void {
    if (this.#closing.signal.aborted || this.#resetting || follower !== this.#follower) return;
    this.#say(`stopped following ${this.stream} after ${this.#position}: ${reasonOf(error)}`);
  }

  #take(message: LogMessage): Promise<void> {
    const pending = { entry: decodeForProjection(message), settle: Promise.withResolvers<void>() };
    this.#queue.push(pending);
    this.#storing ??= this.#store().finally(() => {
      this.#storing = undefined;
    });
    return pending.settle.promise;
  }

  /** Stores what is in the queue, batch by batch, until it is empty. Never rejects. */
  async #store(): Promise<void> {
    // One turn later, so that what arrives together is stored together.
    await Promise.resolve();
    while (this.#queue.length > 0 && !this.#closing.signal.aborted && !this.#resetting) {
      const batch = this.#queue.splice(0, this.#batchLength);
      try {
        await this.#storeBatch(batch.map(({ entry }) => entry));
        for (const { settle } of batch) settle.resolve();
      } catch (error) {
        for (const { settle } of batch) settle.reject(error);
      }
    }
  }

  async #storeBatch(entries: readonly DecodedEntry[]): Promise<void> {
    const rest = entries.filter(({ sequence }) => sequence > this.#position);
    if (rest.length === 0) return;
    try {
      await this.#retrying(`store up to ${rest.at(-1)?.sequence}`, () => this.#commit(rest, true));
    } catch (error) {
      if (error instanceof CheckpointMoved) return this.#resume(error, entries);
      if (!isDataRefused(error)) throw error;
      if (rest.length === 1) return this.#passOver(rest[0] as DecodedEntry, error);
      const middle = rest.length >> 1;
      await this.#storeBatch(rest.slice(0, middle));
      await this.#storeBatch(rest.slice(middle));
    }
  }

  async #commit(entries: readonly DecodedEntry[], withRows: boolean): Promise<void> {
    const faults = await this.#writer.commit(this.#position, entries, withRows);
    const counts = this.#counts;
    counts.batches++;
    counts.entries += entries.length;
    for (const { events, unknownTypes, fault } of entries) {
      counts.events += events.length;
      counts.unknownTypes += unknownTypes;
      if (fault === undefined) continue;
      counts.entriesPassedOver++;
      this.#keepFault(fault);
    }
    counts.eventsFailed += faults.length;
    for (const fault of faults) this.#keepFault(fault);
    this.#moveTo(entries.at(-1)?.sequence ?? this.#position);
  }

  /** Postgres refuses what one entry would write: goes on without it. */
  async #passOver(entry: DecodedEntry, error: unknown): Promise<void> {
    await this.#retrying(`pass over ${entry.sequence}`, () => this.#commit([entry], false));
    this.#counts.entriesPassedOver++;
    this.#keepFault({ stream: this.stream, sequence: entry.sequence, reason: reasonOf(error) });
  }

  /** Goes on from where the rows are now: a commit whose answer was lost, or another projector. */
  async #resume(error: CheckpointMoved, entries: readonly DecodedEntry[]): Promise<void> {
    const expected = this.#position;
    const position = await this.#retrying('read the checkpoint', () => this.#writer.begin());
    if (position >= expected) {
      if (position !== entries.at(-1)?.sequence) this.#say(`${error.message} (now ${position})`);
      this.#moveTo(position);
      return this.#storeBatch(entries);
    }
    this.#say(`the checkpoint went back from ${expected} to ${position}; reading on from there`);
    this.#resetting = true;
    // Not awaited here: the old follower ends only when what it waits for has been settled.
    void this.#readOn(position);
    throw error;
  }

  async #readOn(position: number): Promise<void> {
    try {
      await this.#stopFollowing();
      this.#followFrom(position);
    } catch (error) {
      if (!this.#closing.signal.aborted) this.#say(`could not read on: ${reasonOf(error)}`);
    }
  }

  /** Lets the follower go; what it still waits for is not stored and is delivered again later. */
  async #stopFollowing(): Promise<void> {
    const follower = this.#follower;
    const ended = follower?.close();
    await this.#storing;
    const error = closed(this.name);
    for (const { settle } of this.#queue.splice(0)) settle.reject(error);
    await ended;
  }

  #moveTo(position: number): void {
    this.#position = position;
    this.#waiting.wake(position);
  }

  #keepFault(fault: ProjectionFault): void {
    const { stream, sequence, index, type, table, reason } = fault;
    const what =
      index === undefined
        ? `entry ${sequence}`
        : `event ${sequence}.${index} (${type}, for ${table})`;
    this.#say(`passed over ${what} of ${stream}: ${reason}`);
    this.#faults.push(fault);
    if (this.#faults.length > FAULTS_KEPT) this.#faults.shift();
  }

  /** Tries until it succeeds; only what would fail again in the same way is thrown. */
  async #retrying<T>(what: string, work: () => Promise<T>): Promise<T> {
    for (let waitMs = RETRY_DELAY_MS.first, tries = 1; ; tries++) {
      if (this.#closing.signal.aborted) throw closed(this.name);
      try {
        const result = await work();
        if (tries > 1) this.#say(`the database answers again (attempt ${tries} to ${what})`);
        return result;
      } catch (error) {
        if (error instanceof CheckpointMoved || isDataRefused(error)) throw error;
        this.#counts.retries++;
        this.#say(`could not ${what}; next attempt in ${waitMs} ms: ${reasonOf(error)}`);
        await delay(waitMs, undefined, { signal: this.#closing.signal }).catch(() => {});
        waitMs = Math.min(waitMs * 2, RETRY_DELAY_MS.longest);
      }
    }
  }

  #say(line: string): void {
    this.#options.onLog?.(`projector ${this.name}: ${line}`);
  }
}

function closed(name: string): LogClosed {
  return new LogClosed(`The projector ${name} is closed.`);
}

function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join('; ');
  return error instanceof Error ? error.message : String(error);
}
