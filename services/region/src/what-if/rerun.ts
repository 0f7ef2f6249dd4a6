import {
  DayTally,
  Habits,
  type Ending,
  type Job,
  type RecordedDay,
  type Run,
  type TalliedEvent,
} from '@meridian/cli';
import type { DomainEvent } from '@meridian/wire';
import { Centre } from './centre.ts';
import { People } from './people.ts';

/** More than any day has: beyond it a run does not come to an end. */
const stepsLimit = 100_000_000;
/** Waits that differ by less are the same, ms. */
const sameWaitMs = 1_000;

/**
 * Acts a day out again with the deciders themselves, in memory and as fast as they decide.
 * Deterministic: the same day and seed give the same run.
 * @param also told of every event that was decided
 */
export function rerun(
  day: RecordedDay,
  habits: Habits,
  seed: string,
  serviceLevelMs: ReadonlyMap<string, number>,
  also: (event: DomainEvent, home: string, nowMs: number) => void = () => {},
): Omit<Run, 'day'> {
  const people = new People(day, habits.draws(seed));
  const tally = new DayTally();
  const centre = new Centre(day.homes, day.beginMs, seed, (event, home, nowMs) => {
    people.see(event, home, nowMs);
    const { type, subject, data } = event;
    tally.see({ type, subject, timeMs: nowMs, data: data as TalliedEvent['data'] }, home);
    also(event, home, nowMs);
  });
  people.enter(centre);
  for (let steps = 0; ; steps += 1) {
    if (steps === stepsLimit) throw new Error(`The day had not ended after ${stepsLimit} steps.`);
    const meantMs = people.nextMs();
    const dueMs = centre.nextDueMs();
    if (meantMs === Infinity && dueMs === Infinity) break;
    // What is due goes first: an offer that ends now cannot be taken now.
    centre.advance(Math.min(meantMs, dueMs));
    if (meantMs <= dueMs) people.act();
  }
  const { patience, gaveUp, handlings, reactions, offers } = people.counts;
  return {
    seed,
    figures: tally.figures({ ...day, serviceLevelMs }),
    likeRecord: likeRecord(day, tally.endings()),
    drawn: { patience, gaveUp },
    handlingsDrawn: handlings,
    reactionsDrawn: reactions,
    offers,
    refused: centre.refused,
    events: centre.events,
  };
}

function likeRecord(day: RecordedDay, endings: ReadonlyMap<string, Ending>): Run['likeRecord'] {
  let [answered, sameAgent, sameWait] = [0, 0, 0];
  for (const { id, outcome, agentId, waitedMs, queuedAtMs } of day.contacts) {
    if (outcome !== 'ANSWERED' || queuedAtMs < day.fromMs || queuedAtMs >= day.toMs) continue;
    answered += 1;
    const ending = endings.get(id);
    if (ending?.outcome !== 'ANSWERED') continue;
    if (ending.agentId === agentId) sameAgent += 1;
    if (Math.abs(ending.waitedMs - waitedMs) < sameWaitMs) sameWait += 1;
  }
  return { answered, sameAgent, sameWait };
}

/** Runs every day of a job with every seed, and tells each run as it is done. */
export function runJob({ days, seeds, serviceLevelMs }: Job, onRun: (run: Run) => void): void {
  const levels = new Map(Object.entries(serviceLevelMs));
  const habits = days.map((day) => new Habits(day));
  for (const seed of seeds) {
    for (const [index, day] of days.entries()) {
      onRun({ day: index, ...rerun(day, habits[index] as Habits, seed, levels) });
    }
  }
}
