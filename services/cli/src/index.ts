export { endStates, IntakeIndex, keyOf, LogCheck } from './check/index.ts';
export type { LogCheckResult, RawEntry, Violation } from './check/index.ts';
