export { arbitraryData, arbitraryIdentifier, arbitraryText } from './arbitrary.ts';
export { eventually, type EventuallyOptions } from './eventually.ts';
export {
  natsServerBinary,
  startNatsServer,
  type NatsServer,
  type NatsServerOptions,
} from './nats-server.ts';
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
  drawFaults,
  Instance,
  NetworkLog,
  noFaults,
  SimulatedNode,
  World,
  type CheckpointOf,
  type FaultPlan,
  type FaultPlanOptions,
  type Following,
  type Start,
  type Task,
} from './simulator/index.ts';
