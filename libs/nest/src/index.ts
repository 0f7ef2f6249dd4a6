export type { AsideItem, AsideReason, AsideRecord, AsideStatus } from './aside-record.ts';
export { AsideStore, listAside, readAside, readAsideItem, requestRetry } from './aside.ts';
export type { AsidePage, AsideQuery, AsideStoreOptions, Handling } from './aside.ts';
export { memoryBeat, natsBeat, type Beat } from './beat.ts';
export { bootstrap, type BootstrapOptions, type Running } from './bootstrap.ts';
export { kvCheckpoints, memoryCheckpoints, type Checkpoints } from './checkpoints.ts';
export {
  clockSubject,
  DrivenClock,
  openDrivenClock,
  parseClockSetting,
  publishClock,
  setClock,
  systemClock,
} from './clock.ts';
export type { Clock, ClockSetting } from './clock.ts';
export { ConfigInvalid, readConfig, type ConfigProblem, type RegionConfig } from './config.ts';
export { attemptsLimit, onFailure, reasonOf, retryDelayMs, type FailureChoice } from './failure.ts';
export { Follow, FollowContext, PassThroughFilter, transportOf } from './follow.ts';
export type { FollowOptions, HandlerResult } from './follow.ts';
export { liveness, readiness, type Health } from './health.ts';
export { heldSubject, parseHeldReport, type HeldReport } from './held-report.ts';
export {
  leaseAskEveryMs,
  leaseAskSubject,
  leaseGrantSubject,
  parseLeaseAnswer,
  parseLeaseAsk,
  type LeaseAnswer,
  type LeaseAsk,
} from './leases-protocol.ts';
export { openLeases, staticLeases, type Leases, type LeasesOptions } from './leases.ts';
export { createLogger, NestLogger } from './logger.ts';
export { Metrics, MetricsRegistry } from './metrics.ts';
export type { ProgressReport, Read } from './progress-report.ts';
export {
  parseReport,
  ProgressWatch,
  waitUntilSettled,
  type SettlingOptions,
} from './progress-watch.ts';
export { Progress, progressSubject } from './progress.ts';
export {
  parseRecoveryStatus,
  recoveryStatusSubject,
  type RecoveryStatus,
} from './recovery-status.ts';
export { RegionModule, serviceModule, type Given } from './region.module.ts';
export {
  ServiceRuntime,
  type FollowHandler,
  type ServiceState,
  type ServiceStatus,
} from './service-runtime.ts';
export type { Service, Timer } from './service.ts';
export { Services } from './services.ts';
export { settled, type Settled, type SettledInput } from './settled.ts';
export { LogStrategy } from './strategy.ts';
export {
  ASIDE,
  BEAT,
  CHECKPOINTS,
  CLOCK,
  CONFIG,
  HOMES,
  LEASES,
  LOG,
  LOGGER,
  METRICS,
  NATS,
  PROGRESS,
  REGISTRY,
  SERVICE,
} from './tokens.ts';
export {
  currentTraceparent,
  memorySpans,
  parseTraceparent,
  startTracing,
  traceparentOf,
  withSpan,
  type Tracing,
  type TracingOptions,
} from './tracing.ts';
export { Homes } from './homes.ts';
export type { Desks, DesksSpec } from './desks.ts';
export type { FollowPlace } from './follow.ts';
