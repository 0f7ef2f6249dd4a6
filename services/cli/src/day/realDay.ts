import type { Call } from './call.ts';
import { inferStaff, serviceInterval, shiftGapMinutes } from './staff.ts';
import { summarise, type ContactSample, type DayFigures, type DaySamples } from './summary.ts';

function sampleOf(call: Call): ContactSample {
  const leftIvrAt = call.arrivalAt + call.ivrSeconds * 1000;
  const waitedUntil = leftIvrAt + call.waitSeconds * 1000;
  const served = call.outcome === 'SERVED';
  return {
    outcome: call.outcome,
    queuedAt: call.queued ? leftIvrAt : null,
    connectedAt: served ? waitedUntil : null,
    endedAt: waitedUntil + call.serviceSeconds * 1000,
    talkSeconds: call.serviceSeconds,
    wrapUpSeconds: 0,
  };
}

/**
 * What the real centre did, in the shape of a run of ours. The wait is the log's own column, not
 * the distance to the service start, which differs from it by a second or two. The log has no
 * wrap-up: the whole service is in `talkSeconds`. Shifts are those of `inferStaff`; services that
 * name no agent count for the contacts and for nobody's occupancy.
 * @throws DayFault when no service names its agent
 */
export function realSamples(calls: readonly Call[], gapMinutes = shiftGapMinutes): DaySamples {
  const agents = inferStaff(calls, gapMinutes).agents.map(({ id, shifts }) => ({
    signedIn: shifts.map(({ signInAt, signOutAt }) => ({ startAt: signInAt, endAt: signOutAt })),
    busy: calls.filter((call) => call.agent === id).map(serviceInterval),
  }));
  return { contacts: calls.map(sampleOf), agents };
}

/** The figures of the real day (or days): `summarise` over `realSamples`. */
export function realFigures(calls: readonly Call[], gapMinutes = shiftGapMinutes): DayFigures {
  return summarise(realSamples(calls, gapMinutes));
}
