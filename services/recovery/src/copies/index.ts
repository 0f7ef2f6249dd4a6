export { CopiesMetrics } from './copies-metrics.ts';
export { CopyKeeper, type CopyKeeperOptions } from './copy-keeper.ts';
export type { Fault, Verdict } from './judge.ts';
export type { Fence } from './mender.ts';
export { describeNote, type CopyNote, type MendFigures } from './notes.ts';
export { copiesDefaults, type CopiesSettings } from './settings.ts';
