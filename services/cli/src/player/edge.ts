import type { DomainCommand, DomainEvent } from '@meridian/wire';
import type { RawEntry } from '../check/index.ts';

/** A request as it is published: a CloudEvent in structured JSON, less what the edge fills in. */
export type PlayerRequest = DomainCommand & {
  readonly specversion: '1.0';
  readonly id: string;
  readonly source: string;
  /** When it was made, by the clock of the log, RFC 3339. */
  readonly time: string;
  /** Among several regions: where what it is about is at home, or is to enter. */
  readonly region?: string;
};

/** Where the edge stored a request. */
export interface StoredRequest {
  readonly id: string;
  readonly stream: string;
  readonly sequence: number;
  /** Whether it had been stored before. */
  readonly duplicate: boolean;
}

/** How far streams have come: the last sequence of each, by its name. */
export type Places = Readonly<Record<string, number>>;

/** What `POST /v1/clock` answers once everything is read and everything due is fired. */
export interface ClockAnswer {
  /** Log time, epoch ms. */
  readonly at: number;
  /** When the next timer of any service is due, epoch ms; null when none is. */
  readonly nextDueMs: number | null;
  /** The last sequence of each stream. */
  readonly lastSequence: Places;
}

/** A decision as it comes out of the event stream. */
export type SeenEvent = DomainEvent & {
  /** RFC 3339. */
  readonly time: string;
  readonly tenant: string;
  /** The home of what it is about. */
  readonly region: string;
};

/** One event with its place. */
export interface StreamedEvent {
  readonly stream: string;
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

export interface ListenOptions {
  readonly signal: AbortSignal;
  readonly onOpen: () => void;
}

/** Who decides for a home, and what counts of what was decided for it. */
export interface HomeView {
  readonly home: string;
  readonly owner: string;
  readonly epoch: number;
  /** ACTIVE unless the ownership is moving. */
  readonly state: string;
  /** The epochs that ended: the last sequence of `EV_<owner>` that counts. */
  readonly seals: readonly {
    readonly epoch: number;
    readonly owner: string;
    readonly upTo: number;
  }[];
}

/** Part of a stream: first and last sequence, both included. */
export interface LogRange {
  readonly from?: number;
  readonly to?: number;
}

/**
 * All that the player knows of a region, or of several together: the HTTP interface. Every method
 * may fail with `EdgeUnreachable` or `EdgeRefusal`.
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
   * The decisions after these places, as they are stored, each once and in the order of its stream,
   * until the signal is aborted. A lost connection is opened again.
   * @param onOpen told once nothing decided from now on will be missed
   */
  events(after: Places | 'now', options: ListenOptions): AsyncIterable<StreamedEvent>;
  /** The regions there are, if there are several. */
  readonly regions?: readonly string[];
  /** Among several regions: the homes, and who decides for them. */
  homes?(): Promise<readonly HomeView[]>;
  /** The raw entries of a stream in order, a few at a time; without `to` to the present end. */
  log(stream: string, range?: LogRange): AsyncIterable<readonly RawEntry[]>;
}

/** An event as one region's edge sends it. */
export interface RegionEvent extends StreamedEvent {
  /** Its id, with which any region's edge goes on after it. */
  readonly position: string;
}

/** One region among several. */
export interface RegionEdge extends PlayerEdge {
  /**
   * @param to with `upTo` it waits first until the region holds the streams so far; without `at`
   *   and `rate` the clock is not touched
   */
  advance(to: {
    readonly at?: number;
    readonly rate?: number;
    readonly upTo?: Places;
  }): Promise<ClockAnswer>;
  /** @param after `now`, places, or the id of an event to go on after */
  events(after: Places | string, options: ListenOptions): AsyncIterable<RegionEvent>;
  /** The homes as this region sees them. */
  homes(): Promise<readonly HomeView[]>;
}
