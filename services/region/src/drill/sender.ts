import { setTimeout as wait } from 'node:timers/promises';
import type { Durability } from '@meridian/cli';
import type { Acknowledgements } from './acknowledgements.ts';
import type { Door } from './doors.ts';
import { post, type OutsideRequest } from './post.ts';

/** Between two attempts, in ms. */
const pauseMs = { first: 50, longest: 1_000 } as const;

/**
 * Sends a batch until it is acknowledged, with the same ids, at another region's edge when one is
 * away. Gives up when the signal aborts, or when the edge refuses it for good.
 * @returns how long it took in ms; undefined when it was not acknowledged
 */
export async function sendUntilAcknowledged(
  door: Door,
  requests: readonly OutsideRequest[],
  durability: Durability,
  { acknowledgements, signal }: { acknowledgements: Acknowledgements; signal: AbortSignal },
): Promise<number | undefined> {
  const start = performance.now();
  let pause: number = pauseMs.first;
  let why = 'it was not sent';
  while (!signal.aborted) {
    const { edge } = door;
    const posted = await post(edge, requests, durability);
    if (posted.kind === 'stored') {
      acknowledgements.add(durability, posted.places);
      return performance.now() - start;
    }
    ({ why } = posted);
    if (posted.kind === 'refused') break;
    acknowledgements.retried += 1;
    if (posted.isAway) door.moveOn(edge);
    await wait(pause, undefined, { signal }).catch(() => {});
    pause = Math.min(pause * 2, pauseMs.longest);
  }
  acknowledgements.failed(requests.length, why);
  return undefined;
}
