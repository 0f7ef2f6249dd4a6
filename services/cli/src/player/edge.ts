import type { DomainCommand, DomainEvent } from '@meridian/wire';
import type { RawEntry } from '../check/index.ts';

/** A request as it is published: a CloudEvent in structured JSON, less what the edge fills in. */
export type PlayerRequest = DomainCommand & {
  readonly specversion: '1.0';
  readonly id: string;
  readonly source: string;
  /** When it was made, by the clock of the log, RFC 3339. */
  readonly time: string;
};

/** Where the edge stored a request. */
export interface StoredRequest {
  readonly id: string;
  readonly stream: string;
  readonly sequence: number;
  /** Whether it had been stored before. */
  readonly duplicate: boolean;
}

/** What `POST /v1/clock` answers once everything is read and everything due is fired. */
export interface ClockAnswer {
  /** Log time, epoch ms. */
  readonly at: number;
  /** When the next timer of any service is due, epoch ms; null when none is. */
  readonly nextDueMs: number | null;
  /** The last sequence of each stream. */
  readonly lastSequence: Readonly<Record<string, number>>;
}

/** A decision as it comes out of the event stream. */
export type SeenEvent = DomainEvent & {
  /** RFC 3339. */
  readonly time: string;
  readonly tenant: string;
};

/** One event with its place. */
export interface StreamedEvent {
  /** The stream that holds it; absent where there is only one. */
  readonly stream?: string;
  readonly sequence: number;
  /** Which of the entry's events, from 0. */
  readonly index: number;
  readonly event: SeenEvent;
}

/** What `GET /v1/clock` says. */
export interface ClockReading {
  /** Whether POST /v1/clock moves it; otherwise it is the system's. */
  readonly driven: boolean;
  /** Log time, epoch ms; null while a driven clock was never set. */
  readonly now: number | null;
}

/** Part of a stream: first and last sequence, both included. */
export interface LogRange {
  readonly from?: number;
  readonly to?: number;
}

/**
 * All that the player knows of a region: its HTTP interface. Every method may fail with
 * `EdgeUnreachable` or `EdgeRefusal`.
 */
export interface PlayerEdge {
  /** Stores requests, all or none; sent again with the same ids they are duplicates. */
  publish(requests: readonly PlayerRequest[]): Promise<readonly StoredRequest[]>;
  clock(): Promise<ClockReading>;
  /**
   * Sets the driven clock and waits until the services have settled at it.
   * @param to without `at` the clock stays where it is
   */
  advance(to: { readonly at?: number; readonly rate: number }): Promise<ClockAnswer>;
  /**
   * The decisions from the entry `from` on, as they are stored, each once and in order, until the
   * signal is aborted. A lost connection is opened again.
   * @param onOpen told once nothing decided from now on will be missed
   */
  events(
    from: number | 'now',
    options: { readonly signal: AbortSignal; readonly onOpen: () => void },
  ): AsyncIterable<StreamedEvent>;
  /** The raw entries of a stream in order, a few at a time; without `to` to the present end. */
  log(stream: string, range?: LogRange): AsyncIterable<readonly RawEntry[]>;
}
