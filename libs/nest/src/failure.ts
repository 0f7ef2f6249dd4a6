import { InvalidRequest, LogClosed, LogFault, StreamMissing } from '@meridian/journal';
import type { AsideReason } from './aside-record.ts';

/** What becomes of a message whose handler failed. */
export type FailureChoice =
  | { readonly kind: 'retry'; readonly delayMs: number }
  | { readonly kind: 'setAside'; readonly reason: AsideReason }
  /** The service cannot go on: its position stays before the message, and it reports itself dead. */
  | { readonly kind: 'stop'; readonly reason: AsideReason };

/** The wait after the first failure; doubled at each further one. */
export const retryFirstDelayMs = 50;
export const retryLongestDelayMs = 5_000;
/** How often a handler is tried whose failure may or may not lie in the message. */
export const attemptsLimit = 3;

/** The wait after the `attempt`-th failure (1 is the first): 50 ms, doubled each time, 5 s at most. */
export function retryDelayMs(attempt: number): number {
  return Math.min(retryLongestDelayMs, retryFirstDelayMs * 2 ** Math.min(attempt - 1, 16));
}

/**
 * What to do about a handler's failure:
 * - the log is away, or a conflict may pass: try again, for ever;
 * - there is no such stream, or the log was closed: stop, no message can be handled;
 * - the message (or what it led to) is itself wrong, as its LogFault says (InvalidRequest,
 *   CorruptEntry, MessageTooLarge and others that are not retryable): set aside at once;
 * - anything else may be a fault of the decider: tried `attemptsLimit` times, then set aside.
 * With `order: 'submit'` nothing may be overtaken, so what would be tried again is set aside.
 * @param attempt how often it was tried, this time included; from 1
 */
export function onFailure(
  error: unknown,
  attempt: number,
  order: 'key' | 'submit' = 'key',
): FailureChoice {
  const reason = reasonOf(error);
  if (error instanceof StreamMissing || error instanceof LogClosed) return { kind: 'stop', reason };
  const ofTheMessage = error instanceof LogFault && !error.retryable;
  if (order === 'submit' || ofTheMessage) return { kind: 'setAside', reason };
  const forEver = error instanceof LogFault;
  if (!forEver && attempt >= attemptsLimit) return { kind: 'setAside', reason };
  return { kind: 'retry', delayMs: retryDelayMs(attempt) };
}

/** An error as a reason that can be kept: a code in snake case, the message, the facts. */
export function reasonOf(error: unknown): AsideReason {
  if (!(error instanceof Error)) return { code: 'unknown', detail: String(error), facts: {} };
  const code = error.name.replace(/(?<=[a-z0-9])(?=[A-Z])/g, '_').toLowerCase();
  const facts = error instanceof InvalidRequest ? { problems: error.problems } : {};
  return { code, detail: error.message, facts };
}
