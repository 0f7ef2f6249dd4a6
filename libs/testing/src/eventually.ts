import { setTimeout as delay } from 'node:timers/promises';

export interface EventuallyOptions {
  /** How long to wait in all, in milliseconds; default 20,000. */
  readonly timeoutMs?: number;
  /** How long to pause between two attempts, in milliseconds; default 5. */
  readonly pauseMs?: number;
}

/**
 * Waits until `condition` holds: until it returns something truthy, which is the result.
 * A condition that throws does not hold yet; its last error is the cause of the time-out's.
 */
export async function eventually<T>(
  what: string,
  condition: () => T | Promise<T>,
  options: EventuallyOptions = {},
): Promise<NonNullable<T>> {
  const { timeoutMs = 20_000, pauseMs = 5 } = options;
  const deadline = performance.now() + timeoutMs;
  let cause: unknown;
  for (;;) {
    try {
      const result = await condition();
      if (result) return result;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    if (performance.now() > deadline) {
      throw new Error(`Not within ${timeoutMs} ms: ${what}`, { cause });
    }
    await delay(pauseMs);
  }
}
