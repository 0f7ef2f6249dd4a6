import type {
  AgentCommand,
  ContactCommand,
  FailoverCommand,
  QueueCommand,
  ReservationCommand,
} from '@meridian/wire';

export type RequestToPublish =
  | AgentCommand
  | ContactCommand
  | FailoverCommand
  | QueueCommand
  | ReservationCommand;

/** How those outside ask for something. */
export interface Publishing {
  /** @param who publishes; what one publishes is stored in the order of the calls */
  publish(who: string, request: RequestToPublish): void;
}
