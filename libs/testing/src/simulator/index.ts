export { drawFaults, noFaults, troubleAt } from './faults.ts';
export type { Crash, FaultPlan, FaultPlanOptions, Trouble, Zombie } from './faults.ts';
export { Gate } from './gate.ts';
export {
  ControlClient,
  ControlStore,
  ControlUnavailable,
  drawMeshFaults,
  noMeshFaults,
  SimulatedMesh,
  SimulatedRegion,
  WrongRevision,
} from './mesh/index.ts';
export type {
  ControlEntry,
  MeshFaults,
  MeshFaultsOptions,
  SimulatedMeshOptions,
} from './mesh/index.ts';
export { NetworkLog, type NetworkLogOptions } from './network-log.ts';
export { Instance, SimulatedNode } from './node.ts';
export type { CheckpointOf, Following, Start } from './node.ts';
export { firmGround, type Connection, type Site } from './site.ts';
export { World } from './world.ts';
export type { Task, WorldOptions } from './world.ts';
