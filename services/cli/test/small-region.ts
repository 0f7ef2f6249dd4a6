import { setImmediate as nextTurn } from 'node:timers/promises';
import { toTimestamp } from '@meridian/core';
import {
  decodeEntry,
  emptyHead,
  encodeEntry,
  type DomainCommand,
  type DomainEvent,
  type Head,
} from '@meridian/wire';
import type { RawEntry } from '../src/check/index.ts';
import { EdgeUnreachable } from '../src/fault.ts';
import type {
  ClockAnswer,
  LogRange,
  Places,
  PlayerEdge,
  PlayerRequest,
  SeenEvent,
  StoredRequest,
  StreamedEvent,
} from '../src/player/index.ts';
import { SmallCentre } from './small-centre.ts';

export interface SmallRegionOptions {
  /** False: the clock is the system's, here a number that the test sets. */
  readonly driven?: boolean;
  /**
   * Whether the call (counted from 1 for each method) fails: before it had an effect, or after
   * it, so that the caller does not know of the effect.
   */
  readonly fails?: (
    method: 'publish' | 'advance' | 'log',
    call: number,
  ) => 'before' | 'after' | undefined;
  readonly tenant?: string;
}

/**
 * A region in memory that keeps the contract of the edge: requests are deduplicated, `advance`
 * fires what is due and answers once nothing is left to do, decisions come out of `events` a turn
 * of the event loop later. Who is served by whom is decided by `SmallCentre`.
 */
export class SmallRegion implements PlayerEdge {
  readonly intake: RawEntry[] = [];
  readonly entries: RawEntry[] = [];
  /** The times to which the clock was set, repeated ones once. */
  readonly times: number[] = [];
  /** The log's time; with a system's clock the test may move it. */
  now: number | null = null;
  readonly #options: SmallRegionOptions;
  readonly #centre = new SmallCentre((aggregate, events, cause) =>
    this.#store(aggregate, events, cause),
  );
  readonly #heads = new Map<string, Head>();
  readonly #stored = new Map<string, StoredRequest>();
  readonly #calls = { publish: 0, advance: 0, log: 0 };
  readonly #listeners = new Set<() => void>();
  #causes = 0;

  constructor(options: SmallRegionOptions = {}) {
    this.#options = options;
  }

  async publish(requests: readonly PlayerRequest[]): Promise<readonly StoredRequest[]> {
    return this.#answer('publish', () => requests.map((request) => this.#take(request)));
  }

  async clock(): Promise<{ driven: boolean; now: number | null }> {
    return { driven: this.#options.driven !== false, now: this.now };
  }

  async advance({ at }: { at?: number; rate: number }): Promise<ClockAnswer> {
    return this.#answer('advance', () => {
      const now = at ?? this.now ?? 0;
      if (this.now !== null && now < this.now) throw new Error(`the clock would go back to ${now}`);
      if (this.now !== now) this.times.push(now);
      this.now = now;
      this.#centre.timePasses(now, () => `timer-${(this.#causes += 1)}`);
      const lastSequence = { IN_eu: this.intake.length, EV_eu: this.entries.length };
      return { at: now, nextDueMs: this.#centre.nextDueMs(), lastSequence };
    });
  }

  async *events(
    after: Places | 'now',
    { signal, onOpen }: { signal: AbortSignal; onOpen: () => void },
  ): AsyncGenerator<StreamedEvent> {
    let sequence = (after === 'now' ? this.entries.length : (after['EV_eu'] ?? 0)) + 1;
    onOpen();
    while (!signal.aborted) {
      const entry = this.entries[sequence - 1];
      if (entry === undefined) {
        await this.#next(signal);
        continue;
      }
      await nextTurn();
      for (const [index, event] of decodeEntry(entry.data).entries()) {
        yield { stream: 'EV_eu', sequence, index, event: event as unknown as SeenEvent };
      }
      sequence += 1;
    }
  }

  async *log(
    stream: string,
    { from = 1, to = Infinity }: LogRange = {},
  ): AsyncGenerator<RawEntry[]> {
    const all = stream === 'IN_eu' ? this.intake : this.entries;
    for (let first = from; first <= Math.min(to, all.length); first += 100) {
      yield await this.#answer('log', () => all.slice(first - 1, Math.min(first + 99, to)));
    }
  }

  async #answer<T>(method: 'publish' | 'advance' | 'log', work: () => T): Promise<T> {
    const fails = this.#options.fails?.(method, (this.#calls[method] += 1));
    if (fails === 'before') throw new EdgeUnreachable(method, 'memory:', new Error('away'));
    const answer = work();
    await nextTurn();
    if (fails === 'after') throw new EdgeUnreachable(method, 'memory:', new Error('cut off'));
    return answer;
  }

  #take(request: PlayerRequest): StoredRequest {
    const key = `${request.source}#${request.id}`;
    const before = this.#stored.get(key);
    if (before !== undefined) return { ...before, duplicate: true };
    const { tenant = 'demo' } = this.#options;
    this.intake.push({
      stream: 'IN_eu',
      sequence: this.intake.length + 1,
      subject: `in.eu.${tenant}.eu.any.${request.subject}`,
      storedAt: toTimestamp(Date.now()),
      data: JSON.stringify({ ...request, tenant }),
    });
    const stored = {
      id: request.id,
      stream: 'IN_eu',
      sequence: this.intake.length,
      duplicate: false,
    };
    this.#stored.set(key, stored);
    this.#centre.handle(request as DomainCommand, this.now ?? 0, key);
    return stored;
  }

  /** Stores one decision. @returns the ids of its events */
  #store(
    [entity, id]: readonly [string, string],
    events: readonly DomainEvent[],
    causationId: string,
  ): string[] {
    const { tenant = 'demo' } = this.#options;
    const subject = `ev.eu.eu.${tenant}.${entity}.${id}`;
    const head = this.#heads.get(subject) ?? emptyHead;
    const service = entity === 'contact' ? 'sessions' : 'routing';
    const encoded = encodeEntry(
      { region: 'eu', home: 'eu', service, epoch: 1 },
      { tenant, entity, id },
      head,
      events.map((event) => ({ ...event, cause: { causationId }, timeMs: this.now ?? 0 })),
    );
    const sequence = this.entries.length + 1;
    this.#heads.set(subject, { sequence, revision: encoded.revision, hash: encoded.hash });
    this.entries.push({
      stream: 'EV_eu',
      sequence,
      subject,
      storedAt: toTimestamp(Date.now()),
      headers: {},
      data: encoded.text,
    });
    for (const listener of this.#listeners) listener();
    return events.map((_, index) => `${tenant}.${entity}.${id}.${head.revision + 1 + index}`);
  }

  #next(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#listeners.delete(done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      this.#listeners.add(done);
      signal.addEventListener('abort', done);
    });
  }
}
