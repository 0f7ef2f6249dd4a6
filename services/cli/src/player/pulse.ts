import type { Cast } from './cast.ts';
import type { Feed } from './feed.ts';
import type { Progress } from './progress.ts';

/** Rates are taken over at least this long, real ms. */
const windowMs = 2_000;

interface Beat {
  readonly realMs: number;
  readonly logAt: number;
  readonly events: number;
  readonly steps: number;
}

/** Puts together how a play goes: counts of the cast and the feed, and rates over a short while. */
export class Pulse {
  readonly #cast: Cast;
  readonly #feed: Pick<Feed, 'events'>;
  readonly #failures: () => number;
  readonly #planned: number;
  readonly #realNow: () => number;
  #steps = 0;
  /** The beats that rates are taken from: an old one and a younger one, which takes its place. */
  #old: Beat | undefined;
  #young: Beat | undefined;

  constructor(
    cast: Cast,
    feed: Pick<Feed, 'events'>,
    failures: () => number,
    planned: number,
    realNow: () => number = () => performance.now(),
  ) {
    this.#cast = cast;
    this.#feed = feed;
    this.#failures = failures;
    this.#planned = planned;
    this.#realNow = realNow;
  }

  /** Counts a step. */
  step(): void {
    this.#steps += 1;
  }

  /** The play at this moment. */
  progress({ logAt, lagMs }: { readonly logAt: number; readonly lagMs: number | null }): Progress {
    const realMs = this.#realNow();
    const now: Beat = { realMs, logAt, events: this.#feed.events, steps: this.#steps };
    const since = this.#old ?? now;
    this.#old ??= now;
    this.#young ??= now;
    if (realMs - this.#young.realMs >= windowMs) {
      this.#old = this.#young;
      this.#young = now;
    }
    const seconds = (realMs - since.realMs) / 1000;
    const rate = (amount: number): number => (seconds > 0 ? amount / seconds : 0);
    return {
      logAt,
      lagMs,
      contacts: this.#cast.contacts,
      agents: this.#cast.agents(),
      planned: this.#planned,
      answeredInTime: this.#cast.answeredInTime,
      events: now.events,
      steps: now.steps,
      eventsPerSecond: rate(now.events - since.events),
      stepsPerSecond: rate(now.steps - since.steps),
      pace: rate((logAt - since.logAt) / 1000),
      failures: this.#failures(),
    };
  }
}
