import type { RawEntry } from '@meridian/cli';
import { storedMs } from './findings.ts';
import type { Span } from './isolation.ts';

/**
 * The longest time in which no contact of a home was offered to anybody, by when the entries were
 * stored; both ends of the span count as offers.
 * @returns ms; null when there was no offer at all
 */
export async function longestPauseOfOffers(
  home: string,
  streams: Iterable<AsyncIterable<RawEntry>>,
  { fromMs, toMs }: Span,
): Promise<number | null> {
  const offers: number[] = [];
  for (const entries of streams) {
    for await (const entry of entries) {
      const { subject, data } = entry;
      const isOffer =
        subject.endsWith(`.routing.${home}`) &&
        data.includes('"type":"meridian.reservation.created.v1"');
      const atMs = storedMs(entry);
      if (isOffer && atMs >= fromMs && atMs < toMs) offers.push(atMs);
    }
  }
  if (offers.length === 0) return null;
  const moments = [fromMs, ...offers.toSorted((a, b) => a - b), toMs];
  return Math.round(Math.max(...moments.slice(1).map((at, index) => at - (moments[index] ?? at))));
}
