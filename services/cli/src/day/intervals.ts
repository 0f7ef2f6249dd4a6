/** A stretch of time, from `startAt` to `endAt`, epoch ms; endAt is not before startAt. */
export interface Interval {
  readonly startAt: number;
  readonly endAt: number;
}

/** Sorted and merged: stretches that overlap, touch or lie within `gapMs` of each other are one. */
export function mergeIntervals(intervals: readonly Interval[], gapMs = 0): Interval[] {
  const merged: { startAt: number; endAt: number }[] = [];
  for (const interval of [...intervals].sort((one, two) => one.startAt - two.startAt)) {
    const last = merged.at(-1);
    if (last !== undefined && interval.startAt - last.endAt <= gapMs) {
      last.endAt = Math.max(last.endAt, interval.endAt);
    } else {
      merged.push({ startAt: interval.startAt, endAt: interval.endAt });
    }
  }
  return merged;
}

/** The time covered by at least one of the stretches, in ms. */
export function coveredMs(intervals: readonly Interval[]): number {
  const merged = mergeIntervals(intervals);
  return merged.reduce((sum, { startAt, endAt }) => sum + endAt - startAt, 0);
}

/** The time covered by both lists at once, in ms. */
export function overlapMs(one: readonly Interval[], two: readonly Interval[]): number {
  return coveredMs(one) + coveredMs(two) - coveredMs([...one, ...two]);
}
