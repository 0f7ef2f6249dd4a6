import type { Beat } from './beat.ts';
import type { Clock } from './clock.ts';
import type { DueTimer } from './due-timer.ts';
import type { ProgressReport, Read } from './progress-report.ts';

/** The subject on which a service reports. */
export const progressSubject = (region: string, service: string): string =>
  `beat.${region}.progress.${service}`;

/** One reader's part of a report. */
export interface ReadState {
  readonly reads: readonly Read[];
  /** Whether something handed over is not settled yet: the next settling is worth a report. */
  readonly pending: boolean;
  /** Whether it is to read or to decide what it does not yet: the clock is held back then. */
  readonly isTurning?: boolean;
}

export interface ProgressOptions {
  readonly region: string;
  readonly service: string;
  /** One process's name for itself, new at each start. */
  readonly instance: string;
  readonly clock: Clock;
  readonly beat: Beat;
  /** The shortest time between two reports, in ms; default 2 with a driven clock, 100 otherwise. */
  readonly shortestGapMs?: number;
}

const livenessEveryMs = 1_000;

/**
 * Says how far a service has come. What a report promises is written at `settled`; it holds
 * because `snapshot` is one synchronous look at positions and timers:
 * - a follower's position passes a message only after its handler's promise has resolved, which
 *   is after its appends are stored; and after what was rejected or set aside is stored in ASIDE;
 * - a timer counts as busy from the moment it is due until its `fire` has resolved;
 * - work that belongs to neither (opening) holds the clock back by `hold`, and so does a desk that
 *   is not yet what the ownership says: it will read and decide more than it shows.
 */
export class Progress {
  readonly #options: ProgressOptions;
  readonly #readers: (() => ReadState)[] = [];
  readonly #timers: DueTimer[] = [];
  readonly #gapMs: number;
  #holds = 0;
  #open = false;
  #liveness: NodeJS.Timeout | undefined;
  #scheduled: NodeJS.Timeout | NodeJS.Immediate | undefined;
  #lastSentMs = -Infinity;
  #lastSent = '';
  #stopListening: () => void = () => {};

  constructor(options: ProgressOptions) {
    this.#options = options;
    this.#gapMs = options.shortestGapMs ?? (options.clock.source === 'driven' ? 2 : 100);
  }

  /** Takes part with a reader. */
  addReader(reader: () => ReadState): void {
    this.#readers.push(reader);
  }

  /** Takes part with a timer. */
  addTimer(timer: DueTimer): void {
    this.#timers.push(timer);
  }

  /** While held, the clock is reported as null: something is under way that no reader shows. */
  hold(): () => void {
    this.#holds += 1;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#holds -= 1;
      this.changed();
    };
  }

  /** This instant, as it would be reported. */
  snapshot(): ProgressReport {
    const { service, instance, clock } = this.#options;
    const states = this.#readers.map((reader) => reader());
    const quiet =
      this.#holds === 0 &&
      !this.#timers.some((timer) => timer.busy) &&
      !states.some(({ isTurning }) => isTurning === true);
    let nextDueMs: number | null = null;
    for (const timer of this.#timers) {
      const next = timer.nextDueMs;
      if (next !== undefined) nextDueMs = Math.min(nextDueMs ?? Infinity, next);
    }
    const reads = states.flatMap((state) => state.reads);
    return {
      service,
      instance,
      clock: quiet ? (clock.setting?.at ?? null) : null,
      nextDueMs,
      reads,
    };
  }

  /** Something has moved: reports soon, once nothing handed over is under way. */
  changed(): void {
    if (!this.#open || this.#scheduled !== undefined) return;
    const waitMs = this.#gapMs - (performance.now() - this.#lastSentMs);
    const send = (): void => {
      this.#scheduled = undefined;
      if (!this.#readers.some((reader) => reader().pending)) this.#send(false);
    };
    this.#scheduled = waitMs > 0 ? setTimeout(send, waitMs) : setImmediate(send);
  }

  open(): void {
    this.#open = true;
    this.#stopListening = this.#options.clock.onChange(() => this.changed());
    this.#liveness = setInterval(() => this.#send(true), livenessEveryMs);
    this.#liveness.unref();
    this.#send(true);
  }

  /** Reports once more and falls silent. */
  close(): void {
    if (!this.#open) return;
    this.#send(true);
    this.#open = false;
    this.#stopListening();
    clearInterval(this.#liveness);
    clearTimeout(this.#scheduled as NodeJS.Timeout | undefined);
    clearImmediate(this.#scheduled as NodeJS.Immediate | undefined);
    this.#scheduled = undefined;
  }

  #send(evenIfSame: boolean): void {
    const { beat, region, service } = this.#options;
    const text = JSON.stringify(this.snapshot());
    if (!evenIfSame && text === this.#lastSent) return;
    this.#lastSent = text;
    this.#lastSentMs = performance.now();
    beat.publish(progressSubject(region, service), text);
  }
}
