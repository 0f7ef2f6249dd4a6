import { eventStream } from '@meridian/wire';
import { parseVector } from '../../domain/position.ts';
import { shown } from '../../domain/problem.ts';
import { invalidParameter } from '../../domain/query.ts';

/**
 * A moment of the past. By time: of each home's history everything before the first entry that was
 * decided after it. By places: of each stream everything up to a sequence.
 */
export type Moment =
  | { readonly timeMs: number }
  /** By stream, all of them named. */
  | { readonly places: ReadonlyMap<string, number> };

const timePattern = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})$/;

/**
 * Reads an RFC 3339 time, or places such as `EV_eu:12,EV_us:7`; a region that is alone takes the
 * sequence by itself too.
 * @throws Refusal when it is neither, or a stream is not named
 */
export function readMoment(regions: readonly string[], text: string): Moment {
  const timeMs = timePattern.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(timeMs)) return { timeMs };
  const streams = regions.map(eventStream);
  const [only = ''] = streams;
  const given = streams.length === 1 && /^\d{1,15}$/.test(text) ? `${only}:${text}` : text;
  const vector = parseVector(streams, given);
  if (vector === undefined) {
    const example = streams.map((stream, index) => `${stream}:${12 + index}`).join(',');
    throw invalidParameter(
      'time',
      `is ${shown(text)}; it must be a time such as 2026-01-31T08:15:00Z, or places such as ${example}`,
    );
  }
  const missing = streams.filter((stream) => !vector.has(stream));
  if (missing.length > 0) {
    throw invalidParameter('time', `does not say how much of ${missing.join(', ')} is meant`);
  }
  return { places: new Map([...vector].map(([stream, { sequence }]) => [stream, sequence])) };
}

/** A moment in one spelling, whatever way it was asked for. */
export function momentText(moment: Moment): string {
  if ('timeMs' in moment) return new Date(moment.timeMs).toISOString();
  return [...moment.places]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([stream, sequence]) => `${stream}:${sequence}`)
    .join(',');
}
