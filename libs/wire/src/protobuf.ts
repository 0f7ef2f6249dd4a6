import {
  createRegistry,
  fromBinary,
  fromJson,
  toBinary,
  toJson,
  type JsonValue,
} from '@bufbuild/protobuf';
import type { Contract } from './contract.ts';
import { file_meridian_agent_v1_commands } from './gen/meridian/agent/v1/commands_pb.ts';
import { file_meridian_agent_v1_events } from './gen/meridian/agent/v1/events_pb.ts';
import { file_meridian_chain_v1_events } from './gen/meridian/chain/v1/events_pb.ts';
import { file_meridian_contact_v1_commands } from './gen/meridian/contact/v1/commands_pb.ts';
import { file_meridian_contact_v1_events } from './gen/meridian/contact/v1/events_pb.ts';
import { file_meridian_custom_v1_events } from './gen/meridian/custom/v1/events_pb.ts';
import { file_meridian_drill_v1_commands } from './gen/meridian/drill/v1/commands_pb.ts';
import { file_meridian_drill_v1_events } from './gen/meridian/drill/v1/events_pb.ts';
import { file_meridian_failover_v1_commands } from './gen/meridian/failover/v1/commands_pb.ts';
import { file_meridian_failover_v1_events } from './gen/meridian/failover/v1/events_pb.ts';
import { file_meridian_order_v1_events } from './gen/meridian/order/v1/events_pb.ts';
import { file_meridian_orphan_v1_events } from './gen/meridian/orphan/v1/events_pb.ts';
import { file_meridian_privacy_v1_commands } from './gen/meridian/privacy/v1/commands_pb.ts';
import { file_meridian_privacy_v1_events } from './gen/meridian/privacy/v1/events_pb.ts';
import { file_meridian_queue_v1_commands } from './gen/meridian/queue/v1/commands_pb.ts';
import { file_meridian_queue_v1_events } from './gen/meridian/queue/v1/events_pb.ts';
import { file_meridian_region_v1_events } from './gen/meridian/region/v1/events_pb.ts';
import { file_meridian_replication_v1_events } from './gen/meridian/replication/v1/events_pb.ts';
import { file_meridian_reservation_v1_commands } from './gen/meridian/reservation/v1/commands_pb.ts';
import { file_meridian_reservation_v1_events } from './gen/meridian/reservation/v1/events_pb.ts';
import { file_meridian_routing_v1_events } from './gen/meridian/routing/v1/events_pb.ts';

const registry = createRegistry(
  file_meridian_agent_v1_commands,
  file_meridian_agent_v1_events,
  file_meridian_chain_v1_events,
  file_meridian_contact_v1_commands,
  file_meridian_contact_v1_events,
  file_meridian_custom_v1_events,
  file_meridian_drill_v1_commands,
  file_meridian_drill_v1_events,
  file_meridian_failover_v1_commands,
  file_meridian_failover_v1_events,
  file_meridian_order_v1_events,
  file_meridian_orphan_v1_events,
  file_meridian_privacy_v1_commands,
  file_meridian_privacy_v1_events,
  file_meridian_queue_v1_commands,
  file_meridian_queue_v1_events,
  file_meridian_region_v1_events,
  file_meridian_replication_v1_events,
  file_meridian_reservation_v1_commands,
  file_meridian_reservation_v1_events,
  file_meridian_routing_v1_events,
);

function messageOf(contract: Contract) {
  const message = registry.getMessage(contract.protobufName);
  if (message === undefined) {
    throw new Error(`${contract.protobufName} is not in the registry of libs/wire.`);
  }
  return message;
}

/**
 * Protobuf bytes of a contract's data as proto3 JSON, canonical.
 * @throws Error when the bytes are no such message, or hold fields that it has not
 */
export function dataFromProtobuf(contract: Contract, bytes: Uint8Array): JsonValue {
  const message = messageOf(contract);
  const value = fromBinary(message, bytes);
  const unknown = unknownField(value);
  if (unknown !== undefined) throw new Error(`field ${unknown} is not known`);
  // What is required may be empty or 0: protobuf leaves it out, the contracts do not.
  return toJson(message, value, { registry, alwaysEmitImplicit: true });
}

/** The number of a field that the contract has not, anywhere in a message. */
function unknownField(value: unknown): number | undefined {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return undefined;
  const { $unknown: [first] = [] } = value as {
    readonly $unknown?: readonly { readonly no: number }[];
  };
  if (first !== undefined) return first.no;
  for (const inner of Object.values(value)) {
    const found = unknownField(inner);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The protobuf bytes of a contract's data, given as valid proto3 JSON. */
export function dataToProtobuf(contract: Contract, data: JsonValue): Uint8Array {
  const message = messageOf(contract);
  return toBinary(message, fromJson(message, data, { registry }));
}
