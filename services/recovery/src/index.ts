export type {
  Action,
  AppendPurpose,
  Comparison,
  EpochRecord,
  Input,
  Position,
  Report,
} from './domain/actions.ts';
export {
  claimKey,
  homeKey,
  leaseKey,
  type ClaimRecord,
  type ControlEntry,
  type FailoverKind,
  type HomeRecord,
  type LeaseRecord,
  type Seal,
} from './domain/control.ts';
export type { Request } from './domain/failover-events.ts';
export { grantable, grantsNow } from './domain/granting.ts';
export type { Ask, Granted } from './domain/grants.ts';
export { step, type Stepped } from './domain/ownership.ts';
export { settingsOf, type Moment, type OnIsolation, type Settings } from './domain/settings.ts';
export { initialState, type State } from './domain/state.ts';
export { ControlUnavailable, WrongRevision, type Control } from './control/control.ts';
export { MemoryControlCluster } from './control/memory-control.ts';
export { natsControl, type NatsControlOptions } from './control/nats-control.ts';
export { Keeper, type Every, type KeeperOptions } from './keeper.ts';
export { RecoveryMetrics } from './metrics.ts';
export { Orphans, type OrphansOptions } from './orphans.ts';
export { Records, type RecordsOptions } from './records.ts';
export { RecoveryModule } from './recovery.module.ts';
export { Recovery, type RecoveryOptions } from './recovery.ts';
