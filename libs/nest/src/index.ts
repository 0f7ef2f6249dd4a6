export type { AsideItem, AsideReason, AsideRecord, AsideStatus } from './aside-record.ts';
export type { Clock, ClockSetting } from './clock.ts';
export { Follow, FollowContext, PassThroughFilter, transportOf } from './follow.ts';
export type { FollowOptions, HandlerResult } from './follow.ts';
export type { ProgressReport, Read } from './progress-report.ts';
export type { Service, Timer } from './service.ts';
export {
  ASIDE, BEAT, CHECKPOINTS, CLOCK, CONFIG, JOURNAL, LOG, LOGGER, METRICS, NATS, PROGRESS, REGISTRY, SERVICE, WRITER,
} from './tokens.ts';
