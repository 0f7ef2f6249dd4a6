import { DayFault } from './fault.ts';

/** How long one customer was seen waiting, in seconds. */
export interface Observation {
  readonly seconds: number;
  /** true: gave up at that moment. false: was answered then, and would have waited longer. */
  readonly gaveUp: boolean;
}

/** One downward step of the survival curve. */
export interface SurvivalStep {
  readonly seconds: number;
  /** How many were still being observed just before. */
  readonly atRisk: number;
  readonly events: number;
  /** S(seconds): the share that waits longer than `seconds`. */
  readonly survival: number;
}

/** A survival curve S(t) = P(T > t) of a patience T, in seconds. */
export interface SurvivalCurve {
  /** One step for each distinct time at which somebody gave up, rising. */
  readonly steps: readonly SurvivalStep[];
  /** Hazard of the tail after the last step, per second; 0 when nobody gave up after a wait. */
  readonly tailHazardPerSecond: number;
  /** S(t); right-continuous, 1 before the first step. */
  survival(seconds: number): number;
  /**
   * The smallest t with P(T <= t) >= share, for share in [0, 1). Infinity in a tail of hazard 0.
   * @throws RangeError for a share outside [0, 1)
   */
  quantile(share: number): number;
  /**
   * A draw of T given T > alreadyWaited, by inverse transform.
   * @param u uniform in [0, 1)
   * @returns more than alreadyWaited (equal for u = 0 in the tail); Infinity in a tail of hazard 0
   * @throws RangeError for u outside [0, 1) or a negative wait
   */
  drawBeyond(u: number, alreadyWaitedSeconds: number): number;
}

/** The share of the steps, from the last backwards, on which the tail's hazard is measured. */
export const tailShare = 0.25;

function checkObservations(observations: readonly Observation[]): void {
  if (observations.length === 0) {
    throw new DayFault('There are no observations of patience.', 'Give at least one.');
  }
  const bad = observations.find(({ seconds }) => !Number.isFinite(seconds) || seconds < 0);
  if (bad === undefined) return;
  throw new DayFault(
    `An observed wait is ${bad.seconds} s.`,
    'Give finite waits of at least 0 seconds.',
  );
}

function stepsOf(observations: readonly Observation[]): SurvivalStep[] {
  const sorted = [...observations].sort((one, two) => one.seconds - two.seconds);
  const steps: SurvivalStep[] = [];
  let survival = 1;
  let index = 0;
  while (index < sorted.length) {
    const seconds = sorted[index]?.seconds ?? 0;
    const atRisk = sorted.length - index;
    let events = 0;
    while (sorted[index]?.seconds === seconds) {
      if (sorted[index]?.gaveUp === true) events += 1;
      index += 1;
    }
    if (events === 0) continue;
    survival *= (atRisk - events) / atRisk;
    steps.push({ seconds, atRisk, events, survival });
  }
  return steps;
}

/** Events over time at risk, after the time at which the last quarter of the steps begins. */
function tailHazard(steps: readonly SurvivalStep[], observations: readonly Observation[]): number {
  const last = steps.at(-1);
  if (last === undefined) return 0;
  const from = steps[Math.floor(steps.length * (1 - tailShare)) - 1]?.seconds ?? 0;
  let events = 0;
  let exposureSeconds = 0;
  for (const { seconds, gaveUp } of observations) {
    if (seconds <= from) continue;
    exposureSeconds += seconds - from;
    if (gaveUp) events += 1;
  }
  return events === 0 ? 0 : events / exposureSeconds;
}

/** How many of the steps the test holds for; it holds for a first part of them, then no more. */
function countWhile(
  steps: readonly SurvivalStep[],
  holds: (step: SurvivalStep) => boolean,
): number {
  let low = 0;
  let high = steps.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const step = steps[middle];
    if (step !== undefined && holds(step)) low = middle + 1;
    else high = middle;
  }
  return low;
}

function checkShare(name: string, value: number): void {
  if (value >= 0 && value < 1) return;
  throw new RangeError(`${name} is ${value}.\nGive a number of at least 0 and below 1.`);
}

/**
 * The product-limit estimator under right censoring: S(t) = product over event times t_i <= t of
 * (1 - d_i / n_i), where d_i gave up at t_i out of n_i still observed; who is censored at t_i
 * counts as at risk there. E. L. Kaplan and P. Meier, "Nonparametric Estimation from Incomplete
 * Observations", Journal of the American Statistical Association 53 (1958), 457-481.
 *
 * The estimator says nothing after the last time somebody gave up when others were still
 * waiting then. From there on the curve is exponential, with the hazard (events over time at
 * risk, the maximum-likelihood rate of a piecewise exponential model) seen in the last quarter
 * of the steps. Where the curve has reached 0 the same tail serves a draw beyond the end.
 * @throws DayFault without observations, or with one that is negative or not finite
 */
export function fitSurvival(observations: readonly Observation[]): SurvivalCurve {
  checkObservations(observations);
  const steps = stepsOf(observations);
  const hazard = tailHazard(steps, observations);
  const end = steps.at(-1)?.seconds ?? 0;
  const endSurvival = steps.at(-1)?.survival ?? 1;
  const tail = (seconds: number, u: number): number =>
    hazard === 0 ? Infinity : seconds - Math.log(1 - u) / hazard;
  const survival = (seconds: number): number => {
    if (seconds > end) return endSurvival * Math.exp(-hazard * (seconds - end));
    const passed = countWhile(steps, (step) => step.seconds <= seconds);
    return steps[passed - 1]?.survival ?? 1;
  };
  return {
    steps,
    tailHazardPerSecond: hazard,
    survival,
    quantile(share) {
      checkShare('The share', share);
      if (share === 0) return 0;
      const passed = countWhile(steps, (step) => 1 - step.survival < share);
      const step = steps[passed];
      return step === undefined ? tail(end, 1 - (1 - share) / endSurvival) : step.seconds;
    },
    drawBeyond(u, alreadyWaitedSeconds) {
      checkShare('The uniform draw u', u);
      if (!(alreadyWaitedSeconds >= 0)) {
        throw new RangeError(`The wait is ${alreadyWaitedSeconds} s.\nGive at least 0 seconds.`);
      }
      const base = survival(alreadyWaitedSeconds);
      const left = base * (1 - u);
      // Strictly below: u is below 1, so each step is drawn with exactly its probability, and
      // the steps up to the wait, with S of at least `base`, never are.
      const step = steps[countWhile(steps, ({ survival }) => survival >= left)];
      if (step !== undefined) return step.seconds;
      if (alreadyWaitedSeconds >= end) return tail(alreadyWaitedSeconds, u);
      return tail(end, 1 - left / endSurvival);
    },
  };
}
