import type { Random } from '@meridian/core';
import type { ContactType, Priority } from './call.ts';
import { midnightOf } from './date.ts';
import { drawFor } from './draws.ts';
import { DayFault } from './fault.ts';
import { generateAgents } from './generateAgents.ts';
import {
  commonAssumptions,
  contactIdOf,
  longestPatienceSeconds,
  plannedQueues,
  settle,
  splitService,
  wholeMilliseconds,
  type DayPlan,
  type PlannedContact,
  type PlanOptions,
} from './plan.ts';

export interface GenerateOptions extends PlanOptions {
  /** How many contacts arrive, exactly; 1 to 1,000,000. */
  readonly contacts?: number;
  /** How many agents work; 1 to 10,000. The real bank had 10 to 31. */
  readonly agents?: number;
  /** As in 1999-08-02. */
  readonly date?: string;
}

export const defaultContacts = 2000;
export const defaultAgents = 20;
export const defaultDate = '1999-08-02';

/** The centre is open from this hour to midnight. */
export const openingHour = 7;
/** Relative arrivals of each hour from 07:00 to 23:00: the bank's counts of 1-21 August 1999. */
export const hourlyArrivals: readonly number[] = [
  708, 1550, 2390, 2697, 2530, 2270, 2170, 2166, 2184, 2041, 1622, 1506, 1075, 1232, 1445, 1294,
  913,
];
/** Relative frequency of each type and priority: the bank's counts of the same days. */
export const kindCounts: readonly (readonly [ContactType, Priority, number])[] = [
  ['PS', 0, 5993],
  ['PS', 1, 4920],
  ['PS', 2, 8707],
  ['NW', 0, 4916],
  ['NW', 1, 22],
  ['NW', 2, 15],
  ['IN', 0, 2464],
  ['NE', 0, 767],
  ['NE', 1, 308],
  ['NE', 2, 1315],
  ['TT', 0, 285],
  ['TT', 1, 150],
  ['TT', 2, 143],
  ['PE', 0, 42],
  ['PE', 1, 66],
  ['PE', 2, 25],
];
/** Share that leaves in the IVR, and the mean time after which it does, in seconds. */
export const leavesInIvrShare = 0.082;
export const leavesInIvrMeanSeconds = 59;
/** Median and mean of the IVR time of the others, in seconds; lognormal. */
export const ivrMedianSeconds = 6;
export const ivrMeanSeconds = 8;
/** Median and mean service time, in seconds; lognormal, as L. Brown et al. found for this bank. */
export const serviceMedianSeconds = 114;
export const serviceMeanSeconds = 185;
/** Mean patience, in seconds: the bank's waits divided by its hang-ups, 1-21 August 1999. */
export const patienceMeanSeconds = 408;

/** Lognormal by its median m and mean a: exp(ln m + s Z), where s^2 = 2 ln(a / m). */
function lognormal(random: Random, median: number, mean: number): number {
  return median * Math.exp(Math.sqrt(2 * Math.log(mean / median)) * random.normal());
}

/** The index of a weight, with probability weight / sum of weights. */
function weighted(random: Random, weights: readonly number[]): number {
  let left = random.next() * weights.reduce((sum, weight) => sum + weight, 0);
  for (const [index, weight] of weights.entries()) {
    left -= weight;
    if (left < 0) return index;
  }
  return weights.length - 1;
}

/**
 * Arrivals of a Poisson process whose rate is constant within each hour, given how many there
 * are: then they are independent draws from the normalised rate, sorted (S. M. Ross,
 * "Introduction to Probability Models", the conditional distribution of arrival times).
 */
function arrivalsOf(seed: string, contacts: number, midnightAt: number): number[] {
  const arrivals = Array.from({ length: contacts }, (_, index) => {
    const random = drawFor(seed, `arrival-${index + 1}`, 'arrival');
    const hour = openingHour + weighted(random, hourlyArrivals);
    return midnightAt + hour * 3_600_000 + random.int(3_600_000);
  });
  return arrivals.sort((one, two) => one - two);
}

function contactOf(
  seed: string,
  id: string,
  arrivalAt: number,
  wrapUpShare: number,
): PlannedContact {
  const kinds = kindCounts.map(([, , count]) => count);
  const kind = kindCounts[weighted(drawFor(seed, id, 'type'), kinds)];
  const [type, priority] = kind ?? (['PS', 0] as const);
  const ivr = drawFor(seed, id, 'ivr');
  const leavesInIvr = ivr.next() < leavesInIvrShare;
  const ivrSeconds = leavesInIvr
    ? ivr.exponential(leavesInIvrMeanSeconds)
    : lognormal(ivr, ivrMedianSeconds, ivrMeanSeconds);
  const patience = drawFor(seed, id, 'patience').exponential(patienceMeanSeconds);
  const service = drawFor(seed, id, 'service');
  return {
    id,
    arrivalAt,
    type,
    priority,
    ivrSeconds: wholeMilliseconds(ivrSeconds),
    leavesInIvr,
    patienceSeconds: wholeMilliseconds(Math.min(patience, longestPatienceSeconds)),
    ...splitService(lognormal(service, serviceMedianSeconds, serviceMeanSeconds), wrapUpShare),
  };
}

function checkCount(name: string, value: number, most: number): void {
  if (Number.isInteger(value) && value >= 1 && value <= most) return;
  throw new DayFault(`${name} is ${value}.`, `Give a whole number from 1 to ${most}.`);
}

function generatedAssumptions(contacts: number, agents: number): string[] {
  return [
    `The day is generated, not real: ${contacts} contacts and ${agents} agents in the shape of a ` +
      "bank's call log of August 1999, its hours 7:00 to 24:00 read as UTC.",
    'Contacts arrive as a Poisson process whose rate changes by the hour as it did at the bank.',
    'Types and priorities are drawn together, with the frequencies of the bank.',
    `${(leavesInIvrShare * 100).toFixed(1)} % of the contacts leave in the IVR, after an exponential time of ` +
      `mean ${leavesInIvrMeanSeconds} s; the others pass it in a lognormal time of median ` +
      `${ivrMedianSeconds} s and mean ${ivrMeanSeconds} s.`,
    `Service times are lognormal, median ${serviceMedianSeconds} s and mean ` +
      `${serviceMeanSeconds} s, whatever the type.`,
    `Patience is exponential with mean ${patienceMeanSeconds} s, whatever the type and priority.`,
    'Shifts of 8 hours lie where the contacts are, with 30 minutes off in the middle.',
  ];
}

/**
 * A day in the shape of the bank's, from a seed alone.
 * @param seed every draw is keyed by (seed, contact or agent id, purpose)
 * @throws DayFault for an option out of range
 */
export function generatePlan(seed: string, options: GenerateOptions = {}): DayPlan {
  const { contacts = defaultContacts, agents = defaultAgents, date = defaultDate } = options;
  checkCount('contacts', contacts, 1_000_000);
  checkCount('agents', agents, 10_000);
  const midnightAt = midnightOf(date);
  const { wrapUpShare, ring } = settle(options);
  const arrivals = arrivalsOf(seed, contacts, midnightAt);
  return {
    date,
    seed,
    queues: plannedQueues(),
    agents: generateAgents(seed, agents, midnightAt, { openingHour, hourlyArrivals }),
    contacts: arrivals.map((at, index) => contactOf(seed, contactIdOf(index + 1), at, wrapUpShare)),
    ring,
    assumptions: [
      ...generatedAssumptions(contacts, agents),
      ...commonAssumptions(wrapUpShare, ring),
    ],
  };
}
