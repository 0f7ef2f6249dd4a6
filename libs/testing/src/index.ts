export { eventually, type EventuallyOptions } from './eventually.ts';
export {
  natsServerBinary, startNatsServer, type NatsServer, type NatsServerOptions,
} from './nats-server.ts';
export { temporaryFolder, type TemporaryFolder } from './temporary.ts';
