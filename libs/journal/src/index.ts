export { CommitLoop } from './commit-loop.ts';
export type { CommitLoopOptions, Submission } from './commit-loop.ts';
export {
  AppendRefused,
  CorruptEntry,
  InvalidMessage,
  LogClosed,
  LogFault,
  LogUnavailable,
  InvalidRequest,
  MessageTooLarge,
  StreamMissing,
  WrongLastSequence,
} from './errors.ts';
export { Aggregates, toEncode } from './execute.ts';
export type { AggregatesOptions, DomainEvent, Outcome, Request, Settled } from './execute.ts';
export { headAfter, journalOf, readEntry } from './journal.ts';
export type { Entry, EntryToAppend, History, Journal, Positions } from './journal.ts';
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
