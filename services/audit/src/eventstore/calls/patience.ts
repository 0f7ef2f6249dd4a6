import { setTimeout as delay } from 'node:timers/promises';
import { LogFault } from '@meridian/journal';

const pauseMs = { first: 50, longest: 2_000 };

/**
 * Reads for somebody who follows: a log that does not answer for the moment, as while another region
 * goes down, delays them and does not end what they follow.
 * @param read may be called again; it goes on where it stopped
 * @returns undefined when the client has gone
 * @throws whatever does not pass by itself
 */
export async function patiently<T>(
  signal: AbortSignal,
  read: () => Promise<T>,
): Promise<T | undefined> {
  for (let pause = pauseMs.first; !signal.aborted; pause = Math.min(2 * pause, pauseMs.longest)) {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof LogFault && error.retryable)) throw error;
      await delay(pause, undefined, { signal, ref: false }).catch(() => {});
    }
  }
  return undefined;
}
