import type {
  AgentCommand,
  ContactCommand,
  QueueCommand,
  ReservationCommand,
} from '@meridian/wire';

export type RequestToPublish = AgentCommand | ContactCommand | QueueCommand | ReservationCommand;

/** How those outside ask for something. */
export interface Publishing {
  /** @param who publishes; what one publishes is stored in the order of the calls */
  publish(who: string, request: RequestToPublish): void;
}
