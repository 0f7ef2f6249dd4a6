export { IntakeIndex } from './causes.ts';
export { agentRow, contactRow, expectedRows, queueRow } from './compare.ts';
export type { ReadModel, Row, Snapshot } from './compare.ts';
export { compareCopies } from './copies.ts';
export type { CopiesResult, Copy } from './copies.ts';
export { OwnershipLedger } from './ledger.ts';
export type { Seal, Verdict } from './ledger.ts';
export { epochOf, LogCheck, timeOf } from './log-check.ts';
export type { LogCheckOptions, LogCheckResult } from './log-check.ts';
export { checkMesh } from './mesh-check.ts';
export type { MeshCheckOptions, Source } from './mesh-check.ts';
export type { Orphan } from './orphans.ts';
export { spentUntil, endStates } from './contact-fold.ts';
export type { FoldedContact } from './contact-fold.ts';
export {
  listIn,
  numberIn,
  parseAggregate,
  parseRawEntry,
  readEvents,
  storedAtMs,
  textIn,
} from './raw.ts';
export type { LoggedEvent, RawEntry } from './raw.ts';
export { isOpen } from './routing-fold.ts';
export type { FoldedAgent, FoldedQueue, FoldedReservation } from './routing-fold.ts';
export { rules } from './violation.ts';
export type { RuleName, Violation } from './violation.ts';
export { keyOf, World } from './world.ts';
