import { toTimestamp } from '@meridian/core';
import type { AgentCounts, ContactCounts } from './counts.ts';

/** A play at one moment. */
export interface Progress {
  /** Log time, epoch ms. */
  readonly logAt: number;
  readonly contacts: ContactCounts;
  readonly agents: AgentCounts;
  /** Contacts of the plan. */
  readonly planned: number;
  /** Answered within the service level. */
  readonly answeredInTime: number;
  /** Decisions seen so far. */
  readonly events: number;
  readonly steps: number;
  /** Per second of real time, lately. */
  readonly eventsPerSecond: number;
  readonly stepsPerSecond: number;
  /** How far the player is behind the log's time, real ms; null in lockstep, where it cannot be. */
  readonly lagMs: number | null;
  /** Log time per real time, lately. */
  readonly pace: number;
  /** Attempts that failed because the region was away. */
  readonly failures: number;
}

/** The share in percent, or a dash when there is none. */
function percent(part: number, whole: number): string {
  return whole === 0 ? '-' : `${((100 * part) / whole).toFixed(1)} %`;
}

function timeOfDay(epochMs: number): string {
  return toTimestamp(epochMs).slice(11, 19);
}

/** Answered in time, of those answered and those that gave up waiting. */
function serviceLevel({ contacts, answeredInTime }: Progress): string {
  const { TALKING, WRAP_UP, SERVED, ABANDONED } = contacts;
  return percent(answeredInTime, TALKING + WRAP_UP + SERVED + ABANDONED);
}

function ended({ contacts }: Progress): number {
  return contacts.SERVED + contacts.ABANDONED + contacts.LEFT_IN_IVR + contacts.FAILED;
}

function pace(progress: Progress): string {
  const lag = progress.lagMs === null ? 'lockstep' : `lag ${Math.round(progress.lagMs)} ms`;
  const away = progress.failures === 0 ? '' : `, ${progress.failures} failed attempts`;
  const { stepsPerSecond, eventsPerSecond } = progress;
  return (
    `${Math.round(progress.pace)} x real time, ${Math.round(stepsPerSecond)} steps/s, ` +
    `${Math.round(eventsPerSecond)} events/s, ${lag}${away}`
  );
}

const barWidth = 40;

function bar(done: number, all: number): string {
  const filled = all === 0 ? barWidth : Math.round((barWidth * done) / all);
  return '#'.repeat(filled).padEnd(barWidth, '.');
}

/** The view of a terminal: a few lines, drawn over again. */
export function renderProgress(progress: Progress): string[] {
  const { contacts, agents, planned } = progress;
  const done = ended(progress);
  return [
    `${timeOfDay(progress.logAt)}  [${bar(done, planned)}] ${done} of ${planned} contacts`,
    `contacts  IVR ${contacts.IVR}  queue ${contacts.QUEUED}  ringing ${contacts.OFFERED}  ` +
      `talking ${contacts.TALKING}  wrap-up ${contacts.WRAP_UP}  |  served ${contacts.SERVED}  ` +
      `abandoned ${contacts.ABANDONED}  left in IVR ${contacts.LEFT_IN_IVR}` +
      (contacts.FAILED === 0 ? '' : `  failed ${contacts.FAILED}`),
    `agents    idle ${agents.IDLE}  ringing ${agents.OFFERED}  talking ${agents.TALKING}  ` +
      `wrap-up ${agents.WRAP_UP}  not responding ${agents.NOT_RESPONDING}  off ${agents.OFFLINE}`,
    `service level ${serviceLevel(progress)}  |  ${pace(progress)}`,
  ];
}

/** The view of a log file: one plain line. */
export function progressLine(progress: Progress): string {
  const { contacts, agents, planned } = progress;
  const busy = agents.OFFERED + agents.TALKING + agents.WRAP_UP;
  const on = busy + agents.IDLE + agents.NOT_RESPONDING;
  return (
    `${timeOfDay(progress.logAt)} ended ${ended(progress)}/${planned}, ` +
    `waiting ${contacts.QUEUED + contacts.OFFERED}, agents busy ${busy}/${on}, ` +
    `service level ${serviceLevel(progress)}, ${pace(progress)}`
  );
}
