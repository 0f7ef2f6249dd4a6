import { usageFault } from '../fault.ts';
import type { LoggedEvent } from '../check/index.ts';

/** A place in the log: a time, a sequence of the only stream, or sequences by stream. */
export type Place =
  | { readonly timeMs: number }
  | { readonly sequence: number }
  | { readonly places: ReadonlyMap<string, number> };

const vectorPattern = /^EV_[a-z0-9]+:\d{1,15}(,EV_[a-z0-9]+:\d{1,15})*$/;

/**
 * Reads a place: up to 12 digits are a sequence, `EV_eu:12,EV_us:7` are sequences by stream, anything
 * else is a time.
 * @throws CommandFault (usage) when it is none of them
 */
export function parsePlace(name: string, text: string): Place {
  if (/^\d{1,12}$/.test(text)) return { sequence: Number(text) };
  if (vectorPattern.test(text)) {
    const parts = text.split(',').map((part) => part.split(':'));
    return { places: new Map(parts.map(([stream = '', at]) => [stream, Number(at)])) };
  }
  const timeMs = /^\d+$/.test(text) ? Number(text) : Date.parse(text);
  if (Number.isFinite(timeMs)) return { timeMs };
  throw usageFault(
    `--${name} is ${JSON.stringify(text)}.\n` +
      'Give a time such as 2026-03-02T08:00:00Z, a sequence, or places such as EV_eu:12,EV_us:7.',
  );
}

/** A place as the edge takes it in `/v1/as-of/{time}`. */
export function placeText(place: Place): string {
  if ('timeMs' in place) return new Date(place.timeMs).toISOString();
  if ('sequence' in place) return String(place.sequence);
  return [...place.places].map(([stream, sequence]) => `${stream}:${sequence}`).join(',');
}

/** An event, and where it is. */
export interface PlacedEvent {
  readonly stream: string;
  readonly sequence: number;
  readonly index: number;
  /** The home that it was decided for. */
  readonly home: string;
  /** When its entry was stored, epoch ms. */
  readonly storedAtMs: number;
  readonly event: LoggedEvent;
}

/** The sequence up to which a place reaches in a stream; undefined where the place is a time. */
export function sequenceIn(place: Place, stream: string): number | undefined {
  if ('timeMs' in place) return undefined;
  return 'sequence' in place ? place.sequence : (place.places.get(stream) ?? 0);
}

/** Whether an event is at or after a place. A stream that the place does not name begins at its start. */
export function isFrom({ stream, sequence, event }: PlacedEvent, from: Place | undefined): boolean {
  if (from === undefined) return true;
  return 'timeMs' in from
    ? event.timeMs >= from.timeMs
    : sequence >= (sequenceIn(from, stream) ?? 0);
}

/** Whether an event is at or before a place. Of a stream that the place does not name nothing is. */
export function isTo({ stream, sequence, event }: PlacedEvent, to: Place | undefined): boolean {
  if (to === undefined) return true;
  return 'timeMs' in to ? event.timeMs <= to.timeMs : sequence <= (sequenceIn(to, stream) ?? 0);
}
