import type { LogMessage } from '@meridian/journal';
import type { Clock } from './clock.ts';

const timeField = /"time":"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)"/;

/** When an entry was decided, in epoch ms, read from its first event without parsing it. */
export function eventTimeOf(message: Pick<LogMessage, 'text'>): number | undefined {
  const time = timeField.exec(message.text())?.[1];
  return time === undefined ? undefined : Date.parse(time);
}

/** How long a decision waits at most for the clock message that it came of. */
const gateLimitMs = 1_000;

/**
 * Resolves when a driven clock shows `timeMs`. Two services hear of a new time at different
 * moments; one that gets a decision made at a time it has not heard of yet waits for that message,
 * so that it fires its own timers first and decides at the same time. After a second it goes on:
 * then the clock was set back, and the message will not come.
 */
export function whenClockShows(clock: Clock, timeMs: number, limitMs = gateLimitMs): Promise<void> {
  if (clock.now() >= timeMs) return Promise.resolve();
  return new Promise((resolve) => {
    const end = (): void => {
      forget();
      clearTimeout(limit);
      clearTimeout(due);
      resolve();
    };
    let due: NodeJS.Timeout | undefined;
    const look = (): void => {
      clearTimeout(due);
      const waitMs = clock.realMsUntil(timeMs);
      if (waitMs === 0) end();
      else if (waitMs < limitMs) due = setTimeout(look, waitMs);
    };
    const limit = setTimeout(end, limitMs);
    const forget = clock.onChange(look);
    look();
  });
}
