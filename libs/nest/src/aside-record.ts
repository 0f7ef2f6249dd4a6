/** The present state of a message that was not processed: the last record on its aside subject. */
export interface AsideRecord {
  readonly status: AsideStatus;
  readonly service: string;
  readonly stream: string;
  readonly sequence: number;
  /** The original message's subject. */
  readonly subject: string;
  readonly reason: AsideReason;
  /** How often it was tried so far. */
  readonly attempts: number;
  /** The name of the handler that got it. */
  readonly handler: string;
  /**
   * The original, parsed (a CloudEvent or a batch of them), without personal texts in the clear;
   * absent when it cannot be read.
   */
  readonly event?: unknown;
  /** When this record was made, by the service's clock: an RFC 3339 timestamp. */
  readonly at: string;
}

export type AsideStatus = 'rejected' | 'failed' | 'retry_requested' | 'resolved';

export interface AsideReason {
  readonly code: string;
  readonly detail: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

/** A record as listed, with what names it. */
export interface AsideItem extends AsideRecord {
  /** `<service>.<stream>.<sequence>`, what the edge's routes call `{id}`. */
  readonly id: string;
  /** The record's own sequence in `ASIDE_<region>`; a page goes on after it. */
  readonly position: number;
}
