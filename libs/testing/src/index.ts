export { arbitraryData, arbitraryIdentifier, arbitraryText } from './arbitrary.ts';
export { eventually, type EventuallyOptions } from './eventually.ts';
export {
  natsServerBinary,
  startNatsServer,
  type NatsServer,
  type NatsServerOptions,
} from './nats-server.ts';
export { startMesh, MeshServer, type Mesh, type MeshOptions, type MeshRegion } from './mesh.ts';
export { cuttableLinks, type CuttableLinks } from './mesh-links.ts';
export { freeLoopbackPort } from './mesh-ports.ts';
export { CuttableProxy, type Cut, type Direction } from './mesh-proxy.ts';
export { temporaryFolder, type TemporaryFolder } from './temporary.ts';
export { describeLog, type LogFixture } from './describe-log.ts';
export {
  specify,
  type AndState,
  type Answer,
  type Given,
  type PastEvent,
  type Specification,
  type When,
} from './specify.ts';
export {
  ControlClient,
  ControlStore,
  ControlUnavailable,
  drawFaults,
  drawMeshFaults,
  Gate,
  Instance,
  NetworkLog,
  noFaults,
  noMeshFaults,
  SimulatedMesh,
  SimulatedNode,
  SimulatedRegion,
  World,
  WrongRevision,
  type CheckpointOf,
  type ControlEntry,
  type FaultPlan,
  type FaultPlanOptions,
  type Following,
  type MeshFaults,
  type MeshFaultsOptions,
  type SimulatedMeshOptions,
  type Site,
  type Start,
  type Task,
} from './simulator/index.ts';
export { evaluate, metricsIn, type Sample, type Samples } from './promql.ts';
