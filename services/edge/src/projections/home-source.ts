import { epochOf, followHome, homeSource, type Ledger, type Log } from '@meridian/journal';
import type { Positions, ProjectorSource } from '@meridian/readmodel';
import { eventStream } from '@meridian/wire';

/**
 * The name of the checkpoint of what one region wrote for a home under one epoch: `EV_us.eu@3`.
 * The epoch is in it because what counts is judged by it: a region may own a home twice.
 */
export function checkpointName(region: string, home: string, epoch: number): string {
  return `${homeSource(region, home)}@${epoch}`;
}

/** A position by the name of its source alone, the highest of its epochs: `EV_us.eu`. */
export function placesOf(positions: Positions): Record<string, number> {
  const places = new Map<string, number>();
  for (const [name, sequence] of positions) {
    const [source = ''] = name.split('@');
    places.set(source, Math.max(places.get(source) ?? 0, sequence));
  }
  return Object.fromEntries([...places].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * The history of a home in canonical order, across the regions that own it one after the other,
 * as far as it counts. Rows that hold more than a seal lets count are stale.
 */
export function homeHistory(log: Log, ledger: Ledger, home: string): ProjectorSource {
  return {
    checkpointOf: (message) =>
      checkpointName(message.stream.slice(eventStream('').length), home, epochOf(message)),
    isStale: (positions) =>
      ledger
        .epochs(home)
        .some(
          ({ epoch, owner, upTo }) =>
            upTo !== undefined && (positions.get(checkpointName(owner, home, epoch)) ?? 0) > upTo,
        ),
    follow(positions, { maxPending, onFailure, onRevoked }, onMessage) {
      const places = placesOf(positions);
      return followHome(
        log,
        ledger,
        {
          home,
          filters: ['>'],
          after: (region) => places[homeSource(region, home)] ?? 0,
          maxPending,
          onFailure,
          onRevoked,
        },
        onMessage,
      );
    },
  };
}
