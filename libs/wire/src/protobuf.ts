import { createRegistry, fromBinary, fromJson, toBinary, toJson, type JsonValue } from '@bufbuild/protobuf';
import type { Contract } from './contract.ts';
import { file_meridian_agent_v1_commands } from './gen/meridian/agent/v1/commands_pb.ts';
import { file_meridian_agent_v1_events } from './gen/meridian/agent/v1/events_pb.ts';
import { file_meridian_contact_v1_commands } from './gen/meridian/contact/v1/commands_pb.ts';
import { file_meridian_contact_v1_events } from './gen/meridian/contact/v1/events_pb.ts';
import { file_meridian_queue_v1_commands } from './gen/meridian/queue/v1/commands_pb.ts';
import { file_meridian_queue_v1_events } from './gen/meridian/queue/v1/events_pb.ts';
import { file_meridian_reservation_v1_commands } from './gen/meridian/reservation/v1/commands_pb.ts';
import { file_meridian_reservation_v1_events } from './gen/meridian/reservation/v1/events_pb.ts';
import { file_meridian_routing_v1_events } from './gen/meridian/routing/v1/events_pb.ts';

const registry = createRegistry(
  file_meridian_agent_v1_commands, file_meridian_agent_v1_events,
  file_meridian_contact_v1_commands, file_meridian_contact_v1_events,
  file_meridian_queue_v1_commands, file_meridian_queue_v1_events,
  file_meridian_reservation_v1_commands, file_meridian_reservation_v1_events,
  file_meridian_routing_v1_events,
);

function messageOf(contract: Contract) {
  const message = registry.getMessage(contract.protobufName);
  if (message === undefined) throw new Error(`${contract.protobufName} is not in the registry of libs/wire.`);
  return message;
}

/**
 * Protobuf bytes of a contract's data as proto3 JSON, canonical.
 * @throws Error when the bytes are no such message
 */
export function dataFromProtobuf(contract: Contract, bytes: Uint8Array): JsonValue {
  const message = messageOf(contract);
  return toJson(message, fromBinary(message, bytes), { registry });
}

/** The protobuf bytes of a contract's data, given as valid proto3 JSON. */
export function dataToProtobuf(contract: Contract, data: JsonValue): Uint8Array {
  const message = messageOf(contract);
  return toBinary(message, fromJson(message, data, { registry }));
}
