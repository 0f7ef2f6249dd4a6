export { partitionDecider } from './domain/partition.ts';
export type { Command, Partition, PartitionEvent } from './domain/partition.ts';
export { react } from './domain/react.ts';
