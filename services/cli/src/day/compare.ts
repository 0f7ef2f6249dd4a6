import type { DayFigures } from './summary.ts';

/** One figure of two days, ready to print. */
export interface ComparedFigure {
  readonly name: keyof DayFigures;
  readonly label: string;
  readonly unit: 'count' | 'share' | 's' | 'h';
  /** null where the figure is a share or mean of nothing. */
  readonly real: number | null;
  readonly ours: number | null;
}

const labels: readonly (readonly [keyof DayFigures, ComparedFigure['unit'], string])[] = [
  ['contacts', 'count', 'Contacts'],
  ['served', 'count', 'Served'],
  ['abandoned', 'count', 'Abandoned in the queue'],
  ['leftInIvr', 'count', 'Left in the IVR'],
  ['unfinished', 'count', 'Unfinished'],
  ['queued', 'count', 'Queued'],
  ['abandonedShare', 'share', 'Abandoned, of served and abandoned'],
  ['serviceLevelOfServed', 'share', 'Service level 20 s, of served'],
  ['serviceLevelOfOffered', 'share', 'Service level 20 s, of served and abandoned'],
  ['averageSpeedOfAnswerSeconds', 's', 'ASA: mean wait of the served'],
  ['waitP50Seconds', 's', 'Wait of the served, median'],
  ['waitP99Seconds', 's', 'Wait of the served, 99th percentile'],
  ['averageAbandonSeconds', 's', 'Mean wait of the abandoned'],
  ['averageHandleSeconds', 's', 'AHT: mean talk and wrap-up'],
  ['handleP50Seconds', 's', 'Handle time, median'],
  ['agents', 'count', 'Agents'],
  ['signedInHours', 'h', 'Hours signed in'],
  ['occupancy', 'share', 'Occupancy'],
];

/** The real day and a run of ours side by side, every figure once, in reading order. */
export function compareFigures(real: DayFigures, ours: DayFigures): ComparedFigure[] {
  return labels.map(([name, unit, label]) => ({
    name,
    label,
    unit,
    real: real[name],
    ours: ours[name],
  }));
}
