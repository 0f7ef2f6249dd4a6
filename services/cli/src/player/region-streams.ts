import type { ClockAnswer } from './edge.ts';
import { PlayFault } from './patience.ts';

/** The streams of a region that its own services and edge write. */
export const ownStreams = (region: string): readonly string[] => [`IN_${region}`, `EV_${region}`];
/** The region whose stream it is. */
export const regionOf = (stream: string): string => stream.slice(stream.indexOf('_') + 1);

/** How far a region holds and has read a stream. @throws PlayFault when it does not say */
export function placeIn({ lastSequence }: ClockAnswer, region: string, stream: string): number {
  const place = lastSequence[stream];
  if (place !== undefined) return place;
  throw new PlayFault(
    `The answer of POST /v1/clock of ${region} does not name ${stream}.\n` +
      'Start every region with the same MERIDIAN_REGIONS, and edges of this version.',
  );
}
