import { compileFilters, type Follower, type Log, type SubjectPredicate } from '@meridian/journal';

interface Filter {
  readonly matches: SubjectPredicate;
  /** The last sequence seen under it; grows only. */
  last: number;
  /** Resolves once what was stored before it was asked for is known. */
  readonly known: Promise<void>;
}

/**
 * Knows where a stream ends under filters, by following it. The server finds the last message
 * under a wildcard by looking at every subject that matches: 10 ms among 100,000. Here each filter
 * is asked for once; then only the stream's own end is, which costs the same however full it is.
 */
export class StreamEnds {
  readonly stream: string;
  readonly #log: Pick<Log, 'lastSequence' | 'follow'>;
  readonly #filters = new Map<string, Filter>();
  readonly #waiting = new Set<() => void>();
  #opening: Promise<Follower> | undefined;
  #last = 0;

  constructor(log: Pick<Log, 'lastSequence' | 'follow'>, stream: string) {
    this.#log = log;
    this.stream = stream;
  }

  /** The last sequence of the stream when `refresh` was last called, or later. */
  get last(): number {
    return this.#last;
  }

  /** The last sequence under a filter that was refreshed. */
  of(filter: string): number | undefined {
    return this.#filters.get(filter)?.last;
  }

  /**
   * Brings the ends up to everything that is stored at the time of the call.
   * @throws LogFault when the log does not say where it ends
   */
  async refresh(filters: readonly string[]): Promise<void> {
    const follower = await this.#opened();
    const known = filters.map((filter) => this.#filter(filter).known);
    await Promise.all([follower.caughtUp(), ...known]);
  }

  /**
   * Knows the ends under filters as far as it has heard, which may be behind what is stored.
   * @throws LogFault when the log does not say where it ends
   */
  async learn(filters: readonly string[]): Promise<void> {
    await this.#opened();
    await Promise.all(filters.map((filter) => this.#filter(filter).known));
  }

  async #opened(): Promise<Follower> {
    this.#opening ??= this.#open();
    try {
      return await this.#opening;
    } catch (error) {
      this.#opening = undefined;
      throw error;
    }
  }

  /**
   * Resolves once the stream has come to a sequence, or after `limitMs`.
   * @returns whether it has
   * @throws LogFault when the log does not say where it ends
   */
  async reaches(sequence: number, limitMs: number): Promise<boolean> {
    if (this.#last >= sequence) return true;
    await this.learn([]);
    if (this.#last >= sequence || limitMs <= 0) return this.#last >= sequence;
    const { promise, resolve } = Promise.withResolvers<void>();
    const look = (): void => {
      if (this.#last >= sequence) resolve();
    };
    this.#waiting.add(look);
    const limit = setTimeout(resolve, limitMs);
    await promise;
    clearTimeout(limit);
    this.#waiting.delete(look);
    return this.#last >= sequence;
  }

  async close(): Promise<void> {
    const follower = await this.#opening?.catch(() => undefined);
    await follower?.close();
  }

  async #open(): Promise<Follower> {
    const after = await this.#log.lastSequence(this.stream);
    this.#last = after;
    return this.#log.follow(this.stream, { after, shared: true }, ({ sequence, subject }) => {
      this.#last = sequence;
      for (const filter of this.#filters.values()) {
        if (filter.matches(subject)) filter.last = sequence;
      }
      for (const look of this.#waiting) look();
    });
  }

  #filter(name: string): Filter {
    const existing = this.#filters.get(name);
    if (existing !== undefined) return existing;
    // It takes part in what is followed from now on, before it is asked how things were.
    const known = this.#log.lastSequence(this.stream, name).then(
      (last) => {
        filter.last = Math.max(filter.last, last);
      },
      (error: unknown) => {
        this.#filters.delete(name);
        throw error;
      },
    );
    const filter: Filter = { matches: compileFilters([name]), last: 0, known };
    this.#filters.set(name, filter);
    return filter;
  }
}
