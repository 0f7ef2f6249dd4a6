export {
  checkMesh,
  compareCopies,
  endStates,
  IntakeIndex,
  keyOf,
  LogCheck,
  OwnershipLedger,
} from './check/index.ts';
export type { Copy, LogCheckResult, RawEntry, Source, Violation } from './check/index.ts';
export type { MeshView } from './commands/regions.ts';
export { generatePlan } from './day/index.ts';
export type { DayPlan } from './day/index.ts';
export { EdgeClient } from './http/client.ts';
export type { DeedMessage, SignedDay } from './commands/starter.ts';
export { clientEdge, dayFacts, isGood, MeshEdge, playDay } from './player/index.ts';
export type {
  Blow,
  DayFacts,
  PlayerEdge,
  PlayReport,
  RegionEdge,
  SeenEvent,
  StoredRequest,
} from './player/index.ts';
export { needlesOf, type Needle } from './erase/needles.ts';
export { searchFolders, type Finding, type Searched } from './erase/search.ts';
export {
  buildReceipt,
  checkFigures,
  durabilities,
  ensureSigningKey,
  inconsistenciesOf,
  lostOf,
  renderReceipt,
  signReceipt,
  verifyReceipt,
} from './receipt/index.ts';
export type {
  Durability,
  Epoch,
  Facts,
  Lost,
  LostMessage,
  Observation,
  Receipt,
  Takeover,
} from './receipt/index.ts';
export { changeDay, DayReader, DayTally, Habits, lastSettings } from './what-if/index.ts';
export type {
  AgentAct,
  AgentDay,
  Changes,
  Draws,
  Ending,
  Handling,
  Job,
  QueueAct,
  RecordedContact,
  RecordedDay,
  Run,
  TalliedEvent,
} from './what-if/index.ts';
