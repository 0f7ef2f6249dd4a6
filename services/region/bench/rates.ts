/** Work done per second, measured over several rounds taken in turn with its rivals. */
export interface Rate {
  readonly name: string;
  /** Operations per second of each round. */
  readonly rounds: readonly number[];
}

export interface Contender {
  readonly name: string;
  /** Makes ready what the next `run` needs; its time does not count. */
  readonly prepare?: (count: number) => Promise<void>;
  /** Does `count` operations and resolves when all of them are acknowledged. */
  readonly run: (count: number) => Promise<void>;
}

/** The middle one; the mean of the two middle ones of an even number. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return Number.NaN;
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

/**
 * Runs each contender once per round, in turn, after one round that does not count: what else
 * the machine does then weighs on all of them alike.
 * @param count operations per round and contender
 */
export async function race(
  contenders: readonly Contender[],
  count: number,
  rounds: number,
): Promise<Rate[]> {
  const rates = contenders.map(({ name }) => ({ name, rounds: [] as number[] }));
  for (let round = -1; round < rounds; round += 1) {
    for (const [index, contender] of contenders.entries()) {
      await contender.prepare?.(count);
      globalThis.gc?.();
      const start = performance.now();
      await contender.run(count);
      const perSecond = count / ((performance.now() - start) / 1_000);
      if (round >= 0) rates[index]?.rounds.push(perSecond);
    }
  }
  return rates;
}

/** One row of the result: what was reached, and what should be. */
export interface Row {
  readonly what: string;
  readonly ours: number;
  readonly unit: string;
  /** What it is measured against in the same run; absent where a figure stands for itself. */
  readonly against?: string;
  readonly limit?: number;
  /** `ours / limit`, the median of the rounds' ratios. */
  readonly ratio?: number;
  /** Of the ratio where there is one, else of `ours` in its unit. */
  readonly target: number;
  /** Whether the target is a least or a most. */
  readonly better: 'higher' | 'lower';
  readonly isMet: boolean;
  /** What else was seen, for who wants to know more. */
  readonly details?: Readonly<Record<string, number | string>>;
}

/** The row that sets the first of two rates against the second. */
export function ratioRow(what: string, unit: string, ours: Rate, other: Rate, target: number): Row {
  const ratio = median(ours.rounds.map((value, index) => value / (other.rounds[index] as number)));
  return {
    what,
    unit,
    against: other.name,
    ours: median(ours.rounds),
    limit: median(other.rounds),
    ratio,
    target,
    better: 'higher',
    isMet: ratio >= target,
  };
}

/** The row of a figure that must not be above `target`, both in `unit`. */
export function atMostRow(
  what: string,
  unit: string,
  ours: number,
  target: number,
  details: Row['details'] = {},
): Row {
  return { what, unit, ours, target, better: 'lower', isMet: ours <= target, details };
}
