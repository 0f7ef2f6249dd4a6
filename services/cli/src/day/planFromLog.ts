import { contactTypes, type Call, type ContactType } from './call.ts';
import type { CallLog } from './callLog.ts';
import { drawFor } from './draws.ts';
import { DayFault } from './fault.ts';
import { fitSurvival, type Observation, type SurvivalCurve } from './kaplanMeier.ts';
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
import { inferStaff, shiftGapMinutes, shortestShiftSeconds, type Staff } from './staff.ts';

export interface LogPlanOptions extends PlanOptions {
  /** Idle for longer than this, an agent had signed out; at least 1. */
  readonly gapMinutes?: number;
}

/**
 * What the calls tell of patience. Who hung up in the queue gave up at its wait; who was served
 * is censored at its wait, which is 0 for a call answered at once; who left in the IVR tells
 * nothing.
 */
export function patienceObservations(calls: readonly Call[]): Observation[] {
  return calls
    .filter((call) => call.outcome !== 'LEFT_IN_IVR')
    .map((call) => ({ seconds: call.waitSeconds, gaveUp: call.outcome === 'ABANDONED' }));
}

/** The observed patience of who hung up, else a draw beyond the wait already served. */
function patienceOf(call: Call, id: string, seed: string, curve: SurvivalCurve): number {
  if (call.outcome === 'ABANDONED') return call.waitSeconds;
  const drawn = curve.drawBeyond(drawFor(seed, id, 'patience').next(), call.waitSeconds);
  return wholeMilliseconds(Math.min(drawn, longestPatienceSeconds));
}

type ServicesByType = Readonly<Record<ContactType, readonly number[]>>;

/** The service times that a type's calls can have: of its served calls, else of all of them. */
function servicesByType(calls: readonly Call[]): ServicesByType {
  const served = calls.filter((call) => call.outcome === 'SERVED');
  const all = served.map((call) => call.serviceSeconds);
  const pairs = contactTypes.map((type) => {
    const own = served.filter((call) => call.type === type).map((call) => call.serviceSeconds);
    // Sorted, so that a draw does not depend on the order of the rows.
    return [type, (own.length > 0 ? own : all).toSorted((one, two) => one - two)] as const;
  });
  return Object.fromEntries(pairs) as unknown as ServicesByType;
}

function logAssumptions(
  log: CallLog,
  staff: Staff,
  curve: SurvivalCurve,
  gapMinutes: number,
): string[] {
  const served = log.calls.filter((call) => call.outcome === 'SERVED').length;
  const abandoned = log.calls.filter((call) => call.outcome === 'ABANDONED').length;
  const sentences = [
    "The log's local times are treated as UTC.",
    `${log.phantoms} phantom rows are ignored: nobody called.`,
    `${log.clampedRows} rows had an offset below zero (clock skew), which became 0.`,
    `${log.inferredStarts} services had no start: it is the end of the IVR plus the wait.`,
    `Patience is exact for the ${abandoned} contacts that hung up in the queue; for the others ` +
      'it is drawn from the Kaplan-Meier estimate of the day, given that it exceeds the wait ' +
      'they accepted; one curve serves all types and priorities.',
    `Beyond the last observed hang-up, at ${curve.steps.at(-1)?.seconds ?? 0} s, patience is ` +
      'exponential with the hazard of the last quarter of the steps ' +
      `(${curve.tailHazardPerSecond.toExponential(2)} per second), and never longer than ` +
      `${longestPatienceSeconds} s.`,
    `Service times are exact for the ${served} served; the others draw one from the served of ` +
      'their type.',
    `Agents' shifts are inferred: services at most ${gapMinutes} minutes apart are one ` +
      `shift, from the first service's start to the last one's end, at least ` +
      `${shortestShiftSeconds} s.`,
    'An agent has a skill for each type they served that day; its level, 1 to 5, is five times ' +
      "the type's share of their calls, rounded up.",
    `${staff.unnamedServices} services name no agent: their contacts are in the plan, ` +
      'but no agent is added for them.',
  ];
  if (staff.adoptedTypes.length > 0) {
    const types = staff.adoptedTypes.join(', ');
    sentences.push(`No named agent served ${types}: everybody can, at level 1.`);
  }
  return sentences;
}

/**
 * The plan of a real day: the arrivals, types, priorities and IVR times of the log, the service
 * and patience times it shows, and draws for those it does not show.
 * @param log of one day; ids follow the order of arrival, and of the file among equals
 * @param seed every draw is keyed by (seed, contact id, purpose)
 * @throws DayFault for a log of several days, a day in which no service names its agent, or an
 * option out of range
 */
export function planFromLog(log: CallLog, seed: string, options: LogPlanOptions = {}): DayPlan {
  if (log.date === null) {
    throw new DayFault('The log is not of one day.', 'Read it with a day, such as 1999-08-02.');
  }
  const { wrapUpShare, ring } = settle(options);
  const gapMinutes = options.gapMinutes ?? shiftGapMinutes;
  const staff = inferStaff(log.calls, gapMinutes);
  const curve = fitSurvival(patienceObservations(log.calls));
  const services = servicesByType(log.calls);
  const ordered = [...log.calls].sort(
    (one, two) => one.arrivalAt - two.arrivalAt || one.line - two.line,
  );
  const contacts = ordered.map((call, index): PlannedContact => {
    const id = contactIdOf(index + 1);
    const service =
      call.outcome === 'SERVED'
        ? call.serviceSeconds
        : drawFor(seed, id, 'service').pick(services[call.type]);
    return {
      id,
      arrivalAt: call.arrivalAt,
      type: call.type,
      priority: call.priority,
      ivrSeconds: call.ivrSeconds,
      leavesInIvr: call.outcome === 'LEFT_IN_IVR',
      patienceSeconds: patienceOf(call, id, seed, curve),
      ...splitService(service, wrapUpShare),
      ...(call.customer === null ? {} : { customer: call.customer }),
    };
  });
  return {
    date: log.date,
    seed,
    queues: plannedQueues(),
    agents: staff.agents,
    contacts,
    ring,
    assumptions: [
      ...logAssumptions(log, staff, curve, gapMinutes),
      ...commonAssumptions(wrapUpShare, ring),
    ],
  };
}
