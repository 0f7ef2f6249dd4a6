import { batchLimit, stuck, type Stage, type Steps } from './lockstep.ts';

/** The log's time while it runs by itself. */
export interface RunningClock {
  /** Now, epoch ms. */
  now(): number;
  /** Log ms for each ms of real time. */
  readonly rate: number;
}

/** The region may be silent for this long, real ms, while contacts live and nobody means to act. */
const silenceLimitMs = 600_000;

/** After the last contact the agents' signing out is waited for no longer than this, real ms. */
const signOutLimitMs = 5_000;

/** The clock that showed `at` when the machine's monotonic clock showed `monotonicMs`. */
export function runningFrom(
  at: number,
  rate: number,
  monotonicMs = performance.now(),
): RunningClock {
  return { rate, now: () => at + (performance.now() - monotonicMs) * rate };
}

/**
 * Plays by the clock on the wall, `rate` times as fast: each action at its moment or as soon
 * after it as the machine can. What is decided then depends on how fast that is.
 * @throws PlayFault when the region stays away, or contacts can never end
 */
export async function playScaled(stage: Stage, clock: RunningClock): Promise<Steps> {
  const { edge, cast, requests, feed, disaster, onStep } = stage;
  let published = 0;
  let settlings = 0;
  let quietSinceMs = performance.now();
  for (;;) {
    const now = clock.now();
    const next = cast.peek();
    const quietMs = performance.now() - quietSinceMs;
    if (next === undefined && cast.living === 0 && (cast.isEmpty || quietMs > signOutLimitMs)) {
      return { requests: published, settlings };
    }
    if (next === undefined || next.at > now) {
      const waitMs = next === undefined ? 1_000 : (next.at - now) / clock.rate;
      if (next !== undefined) quietSinceMs = performance.now();
      else if (quietMs > silenceLimitMs) throw stuck(cast);
      await feed.news(Math.min(waitMs, 1_000));
      onStep({ logAt: clock.now(), lagMs: 0 });
      continue;
    }
    const batch = [];
    const strikes = disaster?.isDue(now, next) === true || now >= (disaster?.latestMs ?? Infinity);
    for (let action = cast.peek(); action !== undefined && action.at <= now; action = cast.peek()) {
      if (batch.length === batchLimit) break;
      cast.take();
      const request = requests.of(action, cast, Math.floor(now));
      if (request !== undefined) batch.push(request);
    }
    await Promise.all([
      batch.length > 0 ? edge.publish(batch) : undefined,
      strikes ? disaster?.strike(Math.floor(now)) : undefined,
    ]);
    published += batch.length;
    settlings += 1;
    onStep({ logAt: clock.now(), lagMs: (now - next.at) / clock.rate });
  }
}
