import type { Run } from './job.ts';
import type { DayFigures, Figures } from './tally.ts';

/** Shares are printed in per cent, spans are ms. */
export type Unit = 'share' | 'span' | 'count';

export interface Metric {
  readonly name: keyof Figures | 'occupancy';
  readonly label: string;
  readonly unit: Unit;
}

/** What is compared, in reading order. */
export const metrics: readonly Metric[] = [
  { name: 'serviceLevel', label: 'Service level', unit: 'share' },
  { name: 'asaMs', label: 'ASA', unit: 'span' },
  { name: 'abandonment', label: 'Abandonment', unit: 'share' },
  { name: 'longestWaitMs', label: 'Longest wait', unit: 'span' },
  { name: 'occupancy', label: 'Occupancy', unit: 'share' },
  { name: 'answered', label: 'Answered', unit: 'count' },
  { name: 'abandoned', label: 'Abandoned', unit: 'count' },
  { name: 'open', label: 'Open at the end', unit: 'count' },
  { name: 'offers', label: 'Offers', unit: 'count' },
  { name: 'offersRejected', label: 'Offers rejected', unit: 'count' },
  { name: 'offersTimedOut', label: 'Offers timed out', unit: 'count' },
];

/** A mean over runs, with the half width of its 95 % interval; null with fewer than two runs. */
export interface Estimate {
  readonly mean: number;
  readonly halfWidth: number | null;
}

/** One figure of the record, and over the runs of both configurations. Null: of nothing. */
export interface Compared {
  readonly recorded: number | null;
  /** Under the recorded configuration. */
  readonly again: Estimate | null;
  /** Under the changed one; null without one. */
  readonly changed: Estimate | null;
  /** Changed less again, run by run with the same seed. */
  readonly difference: Estimate | null;
}

export type ComparedFigures = Readonly<Record<Metric['name'], Compared>>;

export interface Comparison {
  readonly all: ComparedFigures;
  readonly queues: Readonly<Record<string, ComparedFigures>>;
}

/** Two-sided 95 % quantiles of Student's t for 1 to 30 degrees of freedom. */
const student = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145,
  2.131, 2.12, 2.11, 2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048,
  2.045, 2.042,
];

/**
 * The mean, and the half width of its 95 % interval by Student's t with n - 1 degrees of freedom;
 * beyond 30 of them 1.96 + 2.46 / df, which is less than 0.002 off.
 */
export function estimate(values: readonly number[]): Estimate | null {
  const count = values.length;
  if (count === 0) return null;
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  if (count === 1) return { mean, halfWidth: null };
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const quantile = student[count - 2] ?? 1.96 + 2.46 / (count - 1);
  return { mean, halfWidth: quantile * Math.sqrt(squares / (count - 1) / count) };
}

type Part = (figures: DayFigures) => Figures | undefined;

/** Sets the runs of both days against each other, seed by seed, and against the record. */
export function compare(recorded: DayFigures, runs: readonly Run[]): Comparison {
  const names = new Set(
    [recorded, ...runs.map(({ figures }) => figures)].flatMap(({ queues }) => Object.keys(queues)),
  );
  return {
    all: comparePart(recorded, runs, ({ all }) => all),
    queues: Object.fromEntries(
      [...names]
        .toSorted()
        .map((id) => [id, comparePart(recorded, runs, ({ queues }) => queues[id], true)]),
    ),
  };
}

function comparePart(
  recorded: DayFigures,
  runs: readonly Run[],
  part: Part,
  isQueue = false,
): ComparedFigures {
  const bySeed = [...Map.groupBy(runs, ({ seed }) => seed).values()];
  const compared = metrics
    .filter(({ name }) => name !== 'occupancy' || !isQueue)
    .map(({ name }): [Metric['name'], Compared] => {
      const valueOf = (figures: DayFigures | undefined): number | null => {
        if (figures === undefined) return null;
        return name === 'occupancy' ? figures.occupancy : (part(figures)?.[name] ?? null);
      };
      const pairs = bySeed.map((some) =>
        [0, 1].map((day) => valueOf(some.find((run) => run.day === day)?.figures)),
      );
      const column = (day: 0 | 1): number[] => pairs.flatMap((pair) => pair[day] ?? []);
      const differences = pairs.flatMap(([again = null, changed = null]) =>
        again === null || changed === null ? [] : [changed - again],
      );
      return [
        name,
        {
          recorded: valueOf(recorded),
          again: estimate(column(0)),
          changed: estimate(column(1)),
          difference: estimate(differences),
        },
      ];
    });
  return Object.fromEntries(compared) as ComparedFigures;
}
