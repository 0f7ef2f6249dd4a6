export { partitionDecider } from './domain/partition.ts';
export type { Command, Partition, PartitionEvent } from './domain/partition.ts';
export { lendingDueMs, planLending } from './domain/plan-lending.ts';
export type { Lend } from './domain/plan-lending.ts';
export { react } from './domain/react.ts';
export type { StoredEvent } from './domain/react.ts';
export { RoutingModule } from './routing.module.ts';
export { Routing } from './routing.ts';
export type { RoutingOptions, RoutingOutcome } from './routing.ts';
