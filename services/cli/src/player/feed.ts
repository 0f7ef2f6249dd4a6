import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RawEntry } from '../check/index.ts';
import type { Places, PlayerEdge, SeenEvent, StreamedEvent } from './edge.ts';
import { Patience, PlayFault, type PatienceOptions } from './patience.ts';

/**
 * Without a word for this long, the log is asked whether what is missing is for somebody else: soon
 * at first, as nothing goes on meanwhile, then more and more rarely.
 */
const silenceMs = { first: 50, longest: 2_000 } as const;

/** Whose the mesh's own entries are: who decides for which home. */
const meshTenant = 'meridian';

interface Waiter {
  readonly places: Places;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** How far a stream was heard: up to an event of an entry; Infinity for the whole entry. */
interface Heard {
  readonly sequence: number;
  readonly index: number;
}

const nothing: Heard = { sequence: 0, index: Infinity };

/** The event streams among places. */
export function eventPlaces(places: Places): Places {
  return Object.fromEntries(Object.entries(places).filter(([stream]) => stream.startsWith('EV_')));
}

/**
 * The event streams as the player hears them: every decision once, in the order of its stream,
 * across an edge's going away and coming back.
 */
export class Feed {
  readonly #edge: PlayerEdge;
  readonly #see: (event: SeenEvent) => void;
  readonly #patience: Patience;
  readonly #abort = new AbortController();
  readonly #opened = Promise.withResolvers<void>();
  readonly #isFromNow: boolean;
  readonly #heard = new Map<string, Heard>();
  readonly #settled = new Map<string, number>();
  readonly #first = new Map<string, number>();
  #tenant: string | undefined;
  #waiter: Waiter | undefined;
  #onNews: (() => void) | undefined;
  #failure: unknown;
  #running: Promise<void> | undefined;
  /** How many events came. */
  events = 0;
  /** How many came after the player had gone on without them; their effects are not repeatable. */
  late = 0;

  /** @param after the last sequences before the first of interest; `now` for what is to come */
  constructor(
    edge: PlayerEdge,
    after: Places | 'now',
    see: (event: SeenEvent) => void,
    options: PatienceOptions = {},
  ) {
    this.#edge = edge;
    this.#isFromNow = after === 'now';
    for (const [stream, sequence] of Object.entries(after === 'now' ? {} : after)) {
      this.#heard.set(stream, { sequence, index: Infinity });
      this.#settled.set(stream, sequence);
    }
    this.#see = see;
    this.#patience = new Patience(options);
  }

  /** The tenant whose events come; undefined before the first. */
  get tenant(): string | undefined {
    return this.#tenant;
  }

  /** The sequence of the first event that came of each stream. */
  get first(): Places {
    return Object.fromEntries(this.#first);
  }

  /** The sequence up to which everything was heard, of each stream. */
  get last(): Places {
    return Object.fromEntries([...this.#heard].map(([stream, { sequence }]) => [stream, sequence]));
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
   * Resolves once every event up to and with the entries at these places has been seen.
   * @throws PlayFault when the stream cannot be read any more
   */
  async until(places: Places): Promise<void> {
    let waitMs: number = silenceMs.first;
    while (this.#missing(places).length > 0) {
      await this.#wait(places, waitMs);
      waitMs = Math.min(2 * waitMs, silenceMs.longest);
    }
    const moved = Object.entries(places).filter(
      ([stream, sequence]) => sequence > (this.#settled.get(stream) ?? 0),
    );
    if (moved.length === 0) return;
    // The events of one entry come together: the rest of the last one is seen within this turn.
    await nextTurn();
    for (const [stream, sequence] of moved) this.#settled.set(stream, sequence);
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

  #sequenceOf(stream: string): number {
    return (this.#heard.get(stream) ?? nothing).sequence;
  }

  /** The streams that were not heard so far. */
  #missing(places: Places): (readonly [stream: string, to: number])[] {
    return Object.entries(places).filter(([stream, to]) => this.#sequenceOf(stream) < to);
  }

  async #wait(places: Places, waitMs: number): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    let timer: NodeJS.Timeout | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        this.#waiter = { places, resolve, reject };
        timer = setTimeout(resolve, waitMs);
      });
    } finally {
      clearTimeout(timer);
      this.#waiter = undefined;
    }
    for (const [stream, to] of this.#missing(places)) await this.#passOverStrangers(stream, to);
  }

  /** Another tenant's entries count in the sequence and never come: the log shows none there. */
  async #passOverStrangers(stream: string, to: number): Promise<void> {
    const from = this.#sequenceOf(stream) + 1;
    try {
      for await (const entries of this.#edge.log(stream, { from, to })) {
        if (entries.some((entry) => this.#isOurs(entry))) return;
      }
    } catch {
      // The edge is away. The next look will tell.
      return;
    }
    if (this.#sequenceOf(stream) === from - 1) {
      this.#heard.set(stream, { sequence: to, index: Infinity });
    }
  }

  /** Whether an entry is of the tenant whose events come, as far as that is known. */
  #isOurs({ subject }: RawEntry): boolean {
    const tenant = subject.split('.')[3];
    return this.#tenant === undefined ? tenant !== meshTenant : tenant === this.#tenant;
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
    for await (const streamed of this.#edge.events(this.#after(), { signal, onOpen })) {
      this.#hear(streamed);
    }
    if (!signal.aborted) throw new PlayFault('The event stream ended.\nSee the log of the edge.');
  }

  /** An entry of which something was heard is heard again, what is known of it passed over. */
  #after(): Places | 'now' {
    if (this.#isFromNow && this.#heard.size === 0) return 'now';
    return Object.fromEntries(
      [...this.#heard].map(([stream, { sequence, index }]) => [
        stream,
        index === Infinity ? sequence : sequence - 1,
      ]),
    );
  }

  #hear({ stream, sequence, index, event }: StreamedEvent): void {
    const heard = this.#heard.get(stream) ?? nothing;
    if (sequence < heard.sequence || (sequence === heard.sequence && index <= heard.index)) return;
    this.#heard.set(stream, { sequence, index });
    if (!this.#first.has(stream)) this.#first.set(stream, sequence);
    // Who reads the log is recorded on it: that is no event of the day.
    if (!event.type.startsWith('meridian.privacy.')) {
      if (sequence <= (this.#settled.get(stream) ?? 0)) this.late += 1;
      this.events += 1;
      this.#tenant ??= event.tenant;
      this.#see(event);
    }
    const waiter = this.#waiter;
    if (waiter !== undefined && this.#missing(waiter.places).length === 0) waiter.resolve();
    this.#onNews?.();
  }
}
