export { CommitLoop } from './commit-loop.ts';
export type { CommitLoopOptions, Submission } from './commit-loop.ts';
export {
  AppendRefused,
  CorruptEntry,
  Fenced,
  InvalidMessage,
  LogClosed,
  LogFault,
  LogUnavailable,
  InvalidRequest,
  MessageTooLarge,
  NotOwner,
  StreamMissing,
  WrongLastSequence,
} from './errors.ts';
export { Aggregates, toEncode } from './execute.ts';
export type { AggregatesOptions, DomainEvent, Outcome, Request, Settled } from './execute.ts';
export { headAfter, journalOf, placesOf, readEntry } from './journal.ts';
export type { Entry, EntryToAppend, History, Journal, JournalOptions } from './journal.ts';
export { formatPlaces, parsePlaces } from './places.ts';
export type { Places, Positions } from './places.ts';
export { epochOf, followHome, HomeFollower, homeSource } from './homes/follow-home.ts';
export type { FollowHomeOptions } from './homes/follow-home.ts';
export { placeOf, untraced, type From, type Trace } from './homes/desk-input.ts';
export { DeskKeeper } from './homes/desk-keeper.ts';
export type {
  Desk,
  DeskKeeperOptions,
  DeskSources,
  DeskState,
  Grants,
} from './homes/desk-keeper.ts';
export { followLedger, meshTenant } from './homes/follow-ledger.ts';
export type { FollowedLedger, FollowLedgerOptions } from './homes/follow-ledger.ts';
export { PatientFollower } from './homes/patient-follower.ts';
export type { PatientFollowOptions } from './homes/patient-follower.ts';
export { Ledger } from './homes/ledger.ts';
export type { EpochRecord, OwnershipRecord, Seal, Verdict } from './homes/ledger.ts';
export type {
  Appended,
  Follower,
  FollowOptions,
  Log,
  LogMessage,
  MessageToAppend,
  ReplayOptions,
} from './log.ts';
export { memoryLog, type AppendFate, type MemoryLog, type MemoryLogOptions } from './memory-log.ts';
export { compileFilters, hasWildcard, matchesFilter, type SubjectPredicate } from './subjects.ts';
export { jetstreamLog, type JetStreamLogOptions } from './jetstream/log.ts';
export { connectNats, type ConnectOptions } from './jetstream/link.ts';
export { storedForm, type StoredForm } from './jetstream/message.ts';
export { readRequest } from './read-request.ts';
export type { StoredRequest } from './read-request.ts';
export {
  ensureStreams,
  regionStreams,
  StreamDiffers,
  streamNames,
  type RegionStream,
  type RegionStreamsOptions,
  type StreamRole,
} from './streams.ts';
export {
  copiedStreams,
  ensureMirrors,
  mirrorConfig,
  mirroredStreams,
  mirrorState,
  remakeMirror,
  replication,
  sourceConsumer,
  type CopiedStream,
  type EnsuredMirror,
  type Mirror,
  type MirrorState,
  type RemakeOptions,
} from './mirrors.ts';
export { keepMirrors, type KeepMirrorsOptions, type KeptMirrors } from './keep-mirrors.ts';
export {
  ensureVaultMirrors,
  residencySets,
  vaultConsumer,
  vaultMirrorConfig,
  vaultReplication,
} from './vault-mirrors.ts';
