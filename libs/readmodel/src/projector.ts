import { setTimeout as delay } from 'node:timers/promises';
import { LogClosed, type Log, type LogMessage } from '@meridian/journal';
import { BatchWriter, type Share } from './batch-writer.ts';
import { CheckpointMoved } from './checkpoints.ts';
import { Collecting } from './collecting.ts';
import { isDataRefused, type Database } from './database.ts';
import {
  decodeForProjection,
  type DecodedEntry,
  type Projection,
  type ProjectionFault,
} from './projection.ts';
import {
  streamSource,
  type Positions,
  type ProjectorSource,
  type SourceFollower,
} from './source.ts';
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
  /** The stream to follow, such as `EV_eu`; with a source, the one that `position` speaks of. */
  readonly stream: string;
  /** Where the messages come from; default all of the stream. */
  readonly source?: ProjectorSource;
  /** The checkpoint that `position` is of; default the stream's name. */
  readonly checkpoint?: string;
  /** Where several projectors write to the same tables: which rows are made by this one. */
  readonly share?: Share;
  readonly database: Database;
  readonly projections: readonly Projection[];
  /** The most entries in one transaction; default 1,000. */
  readonly batchLength?: number;
  /**
   * While nobody waits for the rows, entries of so many ms are written together: rows that change
   * often are written once for all of them. Default 0: as they come.
   */
  readonly collectMs?: number;
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
  readonly checkpoint: string;
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
  readonly #source: ProjectorSource;
  readonly #checkpoint: string;
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
  readonly #collecting: Collecting;
  #positions = new Map<string, number>();
  #follower: SourceFollower | undefined;
  #queue: Pending[] = [];
  #storing: Promise<void> | undefined;
  #started: Promise<void> | undefined;
  /** Set while followers are exchanged: what is in the queue then belongs to the old one. */
  #resetting = false;

  constructor(options: ProjectorOptions) {
    const { database, name, stream, projections, share, log, checkpoint = stream } = options;
    this.#options = options;
    this.#batchLength = Math.max(1, options.batchLength ?? DEFAULT_BATCH_LENGTH);
    this.#writer = new BatchWriter(database, name, projections, share);
    this.#collecting = new Collecting(options.collectMs ?? 0);
    this.#source = options.source ?? streamSource(log, stream, checkpoint);
    this.#checkpoint = checkpoint;
  }

  get name(): string {
    return this.#options.name;
  }

  get stream(): string {
    return this.#options.stream;
  }

  /** The last sequence that the rows embody. */
  get position(): number {
    return this.#positions.get(this.#checkpoint) ?? 0;
  }

  /** The last sequences that the rows embody, by checkpoint. */
  get positions(): Positions {
    return new Map(this.#positions);
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
      (positions) => this.#begin(positions),
    );
    return this.#started;
  }

  /** Resolves when the rows embody everything that was in the log at the time of the call. */
  caughtUp(): Promise<void> {
    return this.#collecting.hurry(() => this.#caughtUp());
  }

  /** Waits until the rows embody a sequence. False when they do not within the time. */
  reached(sequence: number, timeoutMs: number): Promise<boolean> {
    if (this.position >= sequence) return Promise.resolve(true);
    if (this.#closing.signal.aborted) return Promise.resolve(false);
    return this.#collecting.hurry(() => this.#waiting.until(sequence, timeoutMs));
  }

  async #caughtUp(): Promise<void> {
    await this.start();
    for (;;) {
      const follower = this.#follower;
      try {
        await follower?.caughtUp();
        if (follower === this.#follower) return;
      } catch (error) {
        if (this.#closing.signal.aborted) throw closed(this.name);
        // Another follower takes its place: a database that was away, or rows that are made anew.
        if (follower === this.#follower && !this.#resetting) throw error;
        await delay(RETRY_DELAY_MS.first);
      }
    }
  }

  async lag(): Promise<Lag> {
    const { log, now = Date.now } = this.#options;
    const { position } = this;
    const entries = Math.max(0, (await log.lastSequence(this.stream)) - position);
    if (entries === 0) return { entries, seconds: 0 };
    const next =
      this.#queue[0]?.entry.storedAtMs ?? (await log.get(this.stream, position + 1))?.storedAtMs;
    return { entries, seconds: next === undefined ? 0 : Math.max(0, (now() - next) / 1_000) };
  }

  /**
   * Deletes its rows and reads everything again. Resolves once that has begun; readers see the low
   * position in the meantime, and `caughtUp` tells the end. All projectors that write to the same
   * rows must be rebuilt together.
   */
  async rebuild(): Promise<void> {
    await this.start();
    await this.#rebuild();
  }

  /** Finishes the transaction under way and stops. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#waiting.giveUp();
    await this.#started?.catch(() => {});
    await this.#stopFollowing();
  }

  async #begin(positions: Map<string, number>): Promise<void> {
    if (this.#source.isStale(positions)) {
      this.#say('the rows hold what does not count; making them anew');
      await this.#rebuild();
    } else this.#followFrom(positions);
  }

  async #rebuild(): Promise<void> {
    this.#resetting = true;
    await this.#stopFollowing();
    await this.#retrying('delete the rows', () => this.#writer.clear());
    this.#followFrom(new Map());
  }

  #followFrom(positions: Map<string, number>): void {
    if (this.#closing.signal.aborted) throw closed(this.name);
    this.#positions = positions;
    this.#resetting = false;
    const follower: SourceFollower = this.#source.follow(
      positions,
      {
        maxPending: this.#batchLength * BATCHES_PENDING,
        onFailure: (error) => this.#followerFailed(follower, error),
        onRevoked: () => this.#revoked(),
      },
      (message) => this.#take(message),
    );
    this.#follower = follower;
  }

  /** What was stored does not count: a failover sealed the epoch before it. */
  #revoked(): void {
    if (this.#closing.signal.aborted || this.#resetting) return;
    this.#say('some of what was stored does not count; making the rows anew');
    this.#rebuild().catch((error: unknown) => {
      if (!this.#closing.signal.aborted) {
        this.#say(`could not make the rows anew: ${reasonOf(error)}`);
      }
    });
  }

  /** A handler rejects only when this projector lets its follower go. */
  #followerFailed(follower: SourceFollower, error: unknown): void {
    if (this.#closing.signal.aborted || this.#resetting || follower !== this.#follower) return;
    this.#say(`stopped following ${this.stream} after ${this.position}: ${reasonOf(error)}`);
  }

  #take(message: LogMessage): Promise<void> {
    const pending: Pending = {
      entry: decodeForProjection(message),
      checkpoint: this.#source.checkpointOf(message),
      settle: Promise.withResolvers<void>(),
    };
    this.#queue.push(pending);
    if (this.#queue.length === this.#batchLength) this.#collecting.end();
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
      if (this.#queue.length < this.#batchLength) await this.#collecting.collected();
      if (this.#closing.signal.aborted || this.#resetting) return;
      const batch = this.#queue.splice(0, this.#nextLength());
      const checkpoint = batch[0]?.checkpoint ?? '';
      try {
        await this.#storeBatch(
          checkpoint,
          batch.map(({ entry }) => entry),
        );
        for (const { settle } of batch) settle.resolve();
      } catch (error) {
        for (const { settle } of batch) settle.reject(error);
      }
    }
  }

  /** How many entries at the head of the queue go into one transaction: those of one checkpoint. */
  #nextLength(): number {
    const checkpoint = this.#queue[0]?.checkpoint;
    const most = Math.min(this.#queue.length, this.#batchLength);
    let length = 1;
    while (length < most && this.#queue[length]?.checkpoint === checkpoint) length += 1;
    return length;
  }

  async #storeBatch(checkpoint: string, entries: readonly DecodedEntry[]): Promise<void> {
    const from = this.#positions.get(checkpoint) ?? 0;
    const rest = entries.filter(({ sequence }) => sequence > from);
    if (rest.length === 0) return;
    try {
      await this.#retrying(`store up to ${rest.at(-1)?.sequence}`, () =>
        this.#commit(checkpoint, rest, true),
      );
    } catch (error) {
      if (error instanceof CheckpointMoved) return this.#resume(checkpoint, error, entries);
      if (!isDataRefused(error)) throw error;
      if (rest.length === 1) return this.#passOver(checkpoint, rest[0] as DecodedEntry, error);
      const middle = rest.length >> 1;
      await this.#storeBatch(checkpoint, rest.slice(0, middle));
      await this.#storeBatch(checkpoint, rest.slice(middle));
    }
  }

  async #commit(
    checkpoint: string,
    entries: readonly DecodedEntry[],
    withRows: boolean,
  ): Promise<void> {
    const from = this.#positions.get(checkpoint) ?? 0;
    const faults = await this.#writer.commit(checkpoint, from, entries, withRows);
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
    this.#moveTo(checkpoint, entries.at(-1)?.sequence ?? from);
  }

  /** Postgres refuses what one entry would write: goes on without it. */
  async #passOver(checkpoint: string, entry: DecodedEntry, error: unknown): Promise<void> {
    await this.#retrying(`pass over ${entry.sequence}`, () =>
      this.#commit(checkpoint, [entry], false),
    );
    this.#counts.entriesPassedOver++;
    this.#keepFault({ stream: this.stream, sequence: entry.sequence, reason: reasonOf(error) });
  }

  /** Goes on from where the rows are now: a commit whose answer was lost, or another projector. */
  async #resume(
    checkpoint: string,
    error: CheckpointMoved,
    entries: readonly DecodedEntry[],
  ): Promise<void> {
    const expected = this.#positions.get(checkpoint) ?? 0;
    const positions = await this.#retrying('read the checkpoint', () => this.#writer.begin());
    const position = positions.get(checkpoint) ?? 0;
    if (position >= expected) {
      if (position !== entries.at(-1)?.sequence) this.#say(`${error.message} (now ${position})`);
      this.#moveTo(checkpoint, position);
      return this.#storeBatch(checkpoint, entries);
    }
    this.#say(`the checkpoint went back from ${expected} to ${position}; reading on from there`);
    this.#resetting = true;
    // Not awaited here: the old follower ends only when what it waits for has been settled.
    void this.#readOn(positions);
    throw error;
  }

  async #readOn(positions: Map<string, number>): Promise<void> {
    try {
      await this.#stopFollowing();
      this.#followFrom(positions);
    } catch (error) {
      if (!this.#closing.signal.aborted) this.#say(`could not read on: ${reasonOf(error)}`);
    }
  }

  /** Lets the follower go; what it still waits for is not stored and is delivered again later. */
  async #stopFollowing(): Promise<void> {
    const follower = this.#follower;
    const ended = follower?.close();
    this.#collecting.end();
    await this.#storing;
    const error = closed(this.name);
    for (const { settle } of this.#queue.splice(0)) settle.reject(error);
    await ended;
  }

  #moveTo(checkpoint: string, position: number): void {
    this.#positions.set(checkpoint, position);
    if (checkpoint === this.#checkpoint) this.#waiting.wake(position);
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
      const answers = (): void => {
        if (tries > 1) this.#say(`the database answers again (attempt ${tries} to ${what})`);
      };
      try {
        const result = await work();
        answers();
        return result;
      } catch (error) {
        if (error instanceof CheckpointMoved || isDataRefused(error)) {
          answers();
          throw error;
        }
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
