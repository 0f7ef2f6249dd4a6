export { formatOf, formats, readHistory } from './formats.ts';
export type { Format } from './formats.ts';
export type { History, Step, Tally } from './history.ts';
export { fingerprintOf, planImport, safeId } from './plan.ts';
export type { ImportPlan, PlannedRequest } from './plan.ts';
