import type { Fault } from './judge.ts';
import type { LocalCopy } from './local-copy.ts';
import type { Claim } from './peers.ts';

/** Something may be wrong in a chunk of a stream. */
export interface Suspicion {
  readonly chunk: number;
  /** When the first sign was seen, by the own monotonic clock. */
  readonly sinceMs: number;
}

/** The own copy is wrong. */
export interface OwnFault {
  readonly fault: Fault;
  readonly sinceMs: number;
  /** Whose copies were found right; the one to copy from is among them. */
  readonly sources: readonly string[];
  /** Where it was found. */
  readonly chunk: number;
}

/** A sign of damage is not looked into more often than this. */
const againMs = 3_000;

/** What is known about one stream. */
export class StreamWatch {
  readonly copy: LocalCopy;
  suspicion: Suspicion | undefined;
  own: OwnFault | undefined;
  claim: Claim | undefined;
  isBegun = false;
  /** Whether a fault of any copy was told, and not yet that all are the same. */
  isTold = false;
  isUndecided = false;
  /** After an attempt that failed: not mended before this. */
  waitUntilMs = -Infinity;
  /** When the own copy last grew, or had nothing to get. */
  movedMs: number;
  lookedAfterMs = -Infinity;
  /** When the origin's stream was made, as it was heard last. */
  originBorn: string | undefined;
  #last = -1;
  #examinedMs = -Infinity;

  constructor(copy: LocalCopy, nowMs: number) {
    this.copy = copy;
    this.movedMs = nowMs;
  }

  /** Keeps the first sign; the lowest chunk is looked at first. */
  suspect(chunk: number, nowMs: number): void {
    const { suspicion } = this;
    if (suspicion !== undefined && suspicion.chunk <= chunk) return;
    this.suspicion = { chunk, sinceMs: suspicion?.sinceMs ?? nowMs };
  }

  /** Whether the suspicion is to be looked into now; it then counts as done. */
  isDue(nowMs: number): boolean {
    if (this.suspicion === undefined || this.own !== undefined) return false;
    if (nowMs - this.#examinedMs < againMs) return false;
    this.#examinedMs = nowMs;
    return true;
  }

  /** For how long the copy has got nothing though its origin ends at `originLast`; 0 if it has all. */
  stalledMs(originLast: number, nowMs: number): number {
    const { last } = this.copy;
    if (last !== this.#last || last >= originLast) {
      this.#last = last;
      this.movedMs = nowMs;
    }
    return nowMs - this.movedMs;
  }

  /** The own copy is whole again. */
  mended(nowMs: number): void {
    this.own = undefined;
    this.claim = undefined;
    this.suspicion = undefined;
    this.isBegun = false;
    this.waitUntilMs = -Infinity;
    this.movedMs = nowMs;
  }
}
