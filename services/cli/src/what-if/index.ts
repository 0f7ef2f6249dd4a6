export { changeDay } from './change-day.ts';
export { parseChanges } from './config.ts';
export type { Changes } from './config.ts';
export { lastSettings } from './day.ts';
export type {
  AgentAct,
  AgentDay,
  Handling,
  QueueAct,
  Reaction,
  RecordedContact,
  RecordedDay,
} from './day.ts';
export { Habits } from './habits.ts';
export type { Draws } from './habits.ts';
export type { Job, Run, Simulator } from './job.ts';
export { DayReader, readDay } from './read-day.ts';
export { DayTally } from './tally.ts';
export type { DayFigures, Ending, Figures, Measure, TalliedEvent } from './tally.ts';
export { compare } from './compare.ts';
export { limitsOf } from './limits.ts';
export { joined, render } from './render.ts';
export type { Answer } from './render.ts';
export { checkoutSimulator, spawnedSimulator } from './spawned.ts';
