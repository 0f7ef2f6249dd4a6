import type { ContactState } from '@meridian/wire';

const secondMs = 1_000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;

/** How long after-call work may take before it ends by itself. */
export const wrapUpLimitMs = 5 * minuteMs;

/** No state that is not an end lasts longer than this: the watchdog ends the contact then. */
export const watchdogLimitsMs: Readonly<Partial<Record<ContactState, number>>> = {
  IN_SYSTEM: hourMs,
  IVR: hourMs,
  QUEUED: 24 * hourMs,
  /** An offer ends within its own time to live; this only catches a lost one. */
  OFFERED: 24 * hourMs,
  CONNECTED: 12 * hourMs,
  HELD: 12 * hourMs,
};
