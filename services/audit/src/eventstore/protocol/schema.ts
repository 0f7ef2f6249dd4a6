import protobuf from 'protobufjs';

/**
 * The messages of the event-store protocol that the gateway speaks, as far as it speaks them: names,
 * fields and numbers, which are what the clients and we must agree on. What is not named here is
 * passed over when it is read.
 */
const sources = [
  `syntax = "proto3";
package google.protobuf;
message Any { string type_url = 1; bytes value = 2; }
message Timestamp { int64 seconds = 1; int32 nanos = 2; }
message Duration { int64 seconds = 1; int32 nanos = 2; }
`,
  `syntax = "proto3";
package google.rpc;
message Status { int32 code = 1; string message = 2; google.protobuf.Any details = 3; }
`,
  `syntax = "proto3";
package event_store.client;
message Empty {}
message UUID {
  message Structured { int64 most_significant_bits = 1; int64 least_significant_bits = 2; }
  oneof value { Structured structured = 1; string string = 2; }
}
message StreamIdentifier { bytes stream_name = 3; }
message AllStreamPosition { uint64 commit_position = 1; uint64 prepare_position = 2; }
message WrongExpectedVersion {
  oneof current { uint64 current_stream_revision = 1; Empty current_no_stream = 2; }
  oneof expected {
    uint64 expected_stream_position = 3;
    Empty expected_any = 4;
    Empty expected_stream_exists = 5;
    Empty expected_no_stream = 6;
  }
}
message AccessDenied {}
message Timeout {}
message MaximumAppendSizeExceeded { uint32 max_append_size = 1; }
message BadRequest { string message = 1; }
`,
  `syntax = "proto3";
package event_store.client.streams;
message ReadReq {
  Options options = 1;
  message Options {
    oneof target { StreamOptions stream = 1; AllOptions all = 2; }
    int32 read_direction = 3;
    bool resolve_links = 4;
    oneof amount { uint64 count = 5; SubscriptionOptions subscription = 6; }
    oneof filtering { FilterOptions filter = 7; client.Empty no_filter = 8; }
    UUIDOption uuid_option = 9;
    message StreamOptions {
      client.StreamIdentifier stream_identifier = 1;
      oneof from { uint64 revision = 2; client.Empty start = 3; client.Empty end = 4; }
    }
    message AllOptions {
      oneof from { Position position = 1; client.Empty start = 2; client.Empty end = 3; }
    }
    message SubscriptionOptions {}
    message Position { uint64 commit_position = 1; uint64 prepare_position = 2; }
    message FilterOptions {
      oneof on { Expression stream_identifier = 1; Expression event_type = 2; }
      oneof window { uint32 max = 3; client.Empty count = 4; }
      uint32 checkpoint_interval_multiplier = 5;
      message Expression { string regex = 1; repeated string prefix = 2; }
    }
    message UUIDOption {
      oneof content { client.Empty structured = 1; client.Empty string = 2; }
    }
  }
}
message ReadResp {
  oneof content {
    ReadEvent event = 1;
    SubscriptionConfirmation confirmation = 2;
    Checkpoint checkpoint = 3;
    StreamNotFound stream_not_found = 4;
    CaughtUp caught_up = 8;
    FellBehind fell_behind = 9;
  }
  message ReadEvent {
    RecordedEvent event = 1;
    RecordedEvent link = 2;
    uint64 commit_position = 3;
  }
  message RecordedEvent {
    client.UUID id = 1;
    client.StreamIdentifier stream_identifier = 2;
    uint64 stream_revision = 3;
    uint64 prepare_position = 4;
    uint64 commit_position = 5;
    map<string, string> metadata = 6;
    bytes custom_metadata = 7;
    bytes data = 8;
  }
  message SubscriptionConfirmation { string subscription_id = 1; }
  message Checkpoint {
    uint64 commit_position = 1;
    uint64 prepare_position = 2;
    google.protobuf.Timestamp timestamp = 3;
  }
  message CaughtUp {
    google.protobuf.Timestamp timestamp = 1;
    oneof at { int64 stream_revision = 2; Position position = 3; }
  }
  message FellBehind {
    google.protobuf.Timestamp timestamp = 1;
    oneof at { int64 stream_revision = 2; Position position = 3; }
  }
  message Position { uint64 commit_position = 1; uint64 prepare_position = 2; }
  message StreamNotFound { client.StreamIdentifier stream_identifier = 1; }
}
message AppendReq {
  oneof content { Options options = 1; ProposedMessage proposed_message = 2; }
  message Options {
    client.StreamIdentifier stream_identifier = 1;
    oneof expected {
      uint64 revision = 2;
      client.Empty no_stream = 3;
      client.Empty any = 4;
      client.Empty stream_exists = 5;
    }
  }
  message ProposedMessage {
    client.UUID id = 1;
    map<string, string> metadata = 2;
    bytes custom_metadata = 3;
    bytes data = 4;
  }
}
message AppendResp {
  oneof result { Success success = 1; WrongExpectedVersion wrong_expected_version = 2; }
  message Position { uint64 commit_position = 1; uint64 prepare_position = 2; }
  message Success {
    oneof current { uint64 current_revision = 1; client.Empty no_stream = 2; }
    oneof place { Position position = 3; client.Empty no_position = 4; }
  }
  message WrongExpectedVersion {
    oneof current { uint64 current_revision = 6; client.Empty current_no_stream = 7; }
    oneof expected {
      uint64 expected_revision = 8;
      client.Empty expected_any = 9;
      client.Empty expected_stream_exists = 10;
      client.Empty expected_no_stream = 11;
    }
  }
}
message BatchAppendReq {
  client.UUID correlation_id = 1;
  Options options = 2;
  repeated AppendReq.ProposedMessage proposed_messages = 3;
  bool is_final = 4;
  message Options {
    client.StreamIdentifier stream_identifier = 1;
    oneof expected {
      uint64 stream_position = 2;
      client.Empty no_stream = 3;
      client.Empty any = 4;
      client.Empty stream_exists = 5;
    }
    oneof until {
      google.protobuf.Timestamp deadline_at = 6;
      google.protobuf.Duration deadline_in = 7;
    }
  }
}
message BatchAppendResp {
  client.UUID correlation_id = 1;
  oneof result { google.rpc.Status error = 2; Success success = 3; }
  client.StreamIdentifier stream_identifier = 4;
  oneof expected {
    uint64 stream_position = 5;
    client.Empty no_stream = 6;
    client.Empty any = 7;
    client.Empty stream_exists = 8;
  }
  message Success {
    oneof current { uint64 current_revision = 1; client.Empty no_stream = 2; }
    oneof place { client.AllStreamPosition position = 3; client.Empty no_position = 4; }
  }
}
message DeleteReq {}
message DeleteResp {}
`,
  `syntax = "proto3";
package event_store.client.gossip;
message ClusterInfo { repeated MemberInfo members = 1; }
message EndPoint { string address = 1; uint32 port = 2; }
message MemberInfo {
  client.UUID instance_id = 1;
  int64 time_stamp = 2;
  int32 state = 3;
  bool is_alive = 4;
  EndPoint http_end_point = 5;
}
`,
  `syntax = "proto3";
package event_store.client.server_features;
message SupportedMethods {
  repeated SupportedMethod methods = 1;
  string event_store_server_version = 2;
}
message SupportedMethod {
  string method_name = 1;
  string service_name = 2;
  repeated string features = 3;
}
`,
];

const root = new protobuf.Root();
for (const source of sources) protobuf.parse(source, root);
root.resolveAll();

/** How one message is written and read. */
export interface Codec<T> {
  encode(value: T): Buffer;
  /** Whole numbers of 64 bits become texts, since they may not fit a number. */
  decode(bytes: Uint8Array): T;
}

/** @param name with its package, such as `event_store.client.streams.ReadReq` */
export function codecOf<T extends object>(name: string): Codec<T> {
  const type = root.lookupType(name);
  return {
    encode: (value) => {
      const bytes = type.encode(value).finish();
      return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    },
    decode: (bytes) =>
      type.toObject(type.decode(bytes), { longs: String, arrays: true, objects: true }) as T,
  };
}
