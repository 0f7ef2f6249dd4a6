import type { RawEntry } from '@meridian/cli';
import { storedMs } from './findings.ts';

/**
 * Counts the events whose time is later than the time at which their entry was stored.
 * @param byMs how much later at least
 * @returns how many of each type, those with most first
 */
export async function eventsAhead(
  streams: Iterable<AsyncIterable<RawEntry>>,
  byMs: number,
): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for (const entries of streams) {
    for await (const entry of entries) {
      const events = JSON.parse(entry.data) as readonly { type: string; time: string }[];
      for (const { type, time } of events) {
        if (Date.parse(time) < storedMs(entry) + byMs) continue;
        counts.set(type, (counts.get(type) ?? 0) + 1);
      }
    }
  }
  return new Map([...counts].toSorted(([, a], [, b]) => b - a));
}
