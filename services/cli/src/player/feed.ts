import { setImmediate as nextTurn } from 'node:timers/promises';
import type { PlayerEdge, SeenEvent, StreamedEvent } from './edge.ts';
import { Patience, PlayFault, type PatienceOptions } from './patience.ts';

/** Without a word for this long, the log is asked whether what is missing is for somebody else. */
const silenceMs = 2_000;

/** How far a stream has come. */
export interface Place {
  readonly stream: string;
  readonly sequence: number;
}

interface Waiter {
  readonly sequence: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The event stream of a region as the player hears it: every decision once and in order, across
 * the edge's going away and coming back.
 */
export class Feed {
  readonly #edge: PlayerEdge;
  readonly #see: (event: SeenEvent) => void;
  readonly #patience: Patience;
  readonly #abort = new AbortController();
  readonly #opened = Promise.withResolvers<void>();
  #from: number | 'now';
  #sequence: number;
  #index = Infinity;
  /** The stream that `sequence` counts in: that of the first event. */
  #stream: string | undefined;
  /** How far the streams of other regions were heard. */
  readonly #elsewhere = new Map<string, { readonly sequence: number; readonly index: number }>();
  #settled: number;
  #tenant: string | undefined;
  #waiter: Waiter | undefined;
  #onNews: (() => void) | undefined;
  #failure: unknown;
  #running: Promise<void> | undefined;
  /** The sequence of the first event that came; undefined before it. */
  firstSequence: number | undefined;
  /** How many events came. */
  events = 0;
  /** How many came after the player had gone on without them; their effects are not repeatable. */
  late = 0;

  /** @param after the last sequence before the first of interest; `now` for what is to come */
  constructor(
    edge: PlayerEdge,
    after: number | 'now',
    see: (event: SeenEvent) => void,
    options: PatienceOptions = {},
  ) {
    this.#edge = edge;
    this.#from = after === 'now' ? after : after + 1;
    this.#sequence = after === 'now' ? 0 : after;
    this.#settled = this.#sequence;
    this.#see = see;
    this.#patience = new Patience(options);
  }

  /** The tenant whose events come; undefined before the first. */
  get tenant(): string | undefined {
    return this.#tenant;
  }

  /** The sequence up to which everything was heard. */
  get sequence(): number {
    return this.#sequence;
  }

  /** Begins to listen. Resolves once nothing will be missed. @throws PlayFault as `until` */
  open(): Promise<void> {
    this.#running ??= this.#listen();
    return this.#opened.promise;
  }

  /** Stops listening. */
  async close(): Promise<void> {
    this.#abort.abort();
    await this.#running;
  }

  /**
   * Resolves once every event up to and with the entry `sequence` of `stream` has been seen.
   * @throws PlayFault when the stream cannot be read any more
   */
  async until({ stream, sequence }: Place): Promise<void> {
    while (this.#sequence < sequence) await this.#wait(stream, sequence);
    if (sequence <= this.#settled) return;
    // The events of one entry come together: the rest of the last one is seen within this turn.
    await nextTurn();
    this.#settled = sequence;
  }

  /** Resolves at the next event, or after `timeoutMs`. @throws PlayFault as `until` */
  async news(timeoutMs: number): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, Math.min(timeoutMs, 60_000));
      this.#onNews = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#onNews = undefined;
  }

  async #wait(stream: string, sequence: number): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    let timer: NodeJS.Timeout | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        this.#waiter = { sequence, resolve, reject };
        timer = setTimeout(resolve, silenceMs);
      });
    } finally {
      clearTimeout(timer);
      this.#waiter = undefined;
    }
    if (this.#sequence < sequence) await this.#passOverStrangers(stream, sequence);
  }

  /** Another tenant's entries count in the sequence and never come: the log shows none there. */
  async #passOverStrangers(stream: string, to: number): Promise<void> {
    const from = this.#sequence + 1;
    try {
      for await (const entries of this.#edge.log(stream, { from, to })) {
        if (entries.length > 0) return;
      }
    } catch {
      // The edge is away. The next look will tell.
      return;
    }
    if (this.#sequence === from - 1) {
      this.#sequence = to;
      this.#index = Infinity;
    }
  }

  async #listen(): Promise<void> {
    let heard = 0;
    const hasMoved = (): boolean => heard < (heard = this.events);
    try {
      await this.#patience.keepTrying('read the event stream', () => this.#listenOnce(), hasMoved);
    } catch (error) {
      if (this.#abort.signal.aborted) return;
      this.#failure = error;
      this.#opened.reject(error);
      this.#waiter?.reject(error);
      this.#onNews?.();
    }
  }

  async #listenOnce(): Promise<void> {
    const { signal } = this.#abort;
    const onOpen = (): void => this.#opened.resolve();
    for await (const streamed of this.#edge.events(this.#from, { signal, onOpen })) {
      this.#hear(streamed);
    }
    if (!signal.aborted) throw new PlayFault('The event stream ended.\nSee the log of the edge.');
  }

  #hear(streamed: StreamedEvent): void {
    this.#stream ??= streamed.stream ?? '';
    const isNews =
      (streamed.stream ?? '') === this.#stream
        ? this.#hearOwn(streamed)
        : this.#hearElsewhere(streamed);
    if (!isNews) return;
    this.events += 1;
    this.#tenant ??= streamed.event.tenant;
    this.#see(streamed.event);
    const waiter = this.#waiter;
    if (waiter !== undefined && this.#sequence >= waiter.sequence) waiter.resolve();
    this.#onNews?.();
  }

  #hearOwn({ sequence, index }: StreamedEvent): boolean {
    if (sequence < this.#sequence || (sequence === this.#sequence && index <= this.#index)) {
      return false;
    }
    this.#from = sequence;
    this.#sequence = sequence;
    this.#index = index;
    this.firstSequence ??= sequence;
    if (sequence <= this.#settled) this.late += 1;
    return true;
  }

  #hearElsewhere({ stream = '', sequence, index }: StreamedEvent): boolean {
    const last = this.#elsewhere.get(stream) ?? { sequence: 0, index: 0 };
    if (sequence < last.sequence || (sequence === last.sequence && index <= last.index)) {
      return false;
    }
    this.#elsewhere.set(stream, { sequence, index });
    return true;
  }
}
