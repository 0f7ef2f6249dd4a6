export { drawFaults, noFaults, troubleAt } from './faults.ts';
export type { Crash, FaultPlan, FaultPlanOptions, Trouble, Zombie } from './faults.ts';
export { NetworkLog } from './network-log.ts';
export { Instance, SimulatedNode } from './node.ts';
export type { CheckpointOf, Following, Start } from './node.ts';
export { World } from './world.ts';
export type { Task, WorldOptions } from './world.ts';
