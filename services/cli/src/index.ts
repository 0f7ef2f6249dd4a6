export { endStates, IntakeIndex, keyOf, LogCheck } from './check/index.ts';
export type { LogCheckResult, RawEntry, Violation } from './check/index.ts';
export { generatePlan } from './day/index.ts';
export type { DayPlan } from './day/index.ts';
export { EdgeClient } from './http/client.ts';
export { clientEdge, isGood, playDay } from './player/index.ts';
export type { PlayerEdge, PlayReport, SeenEvent, StoredRequest } from './player/index.ts';
