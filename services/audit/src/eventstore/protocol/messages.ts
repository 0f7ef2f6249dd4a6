/** The shapes of the messages in `schema.ts`, as far as TypeScript is to check them. */

/** 64 bits: a text when read; a number below 2^53 or a text when written. */
export type Whole = number | string;
export type Empty = Record<string, never>;

export interface WireUuid {
  readonly structured?: {
    readonly mostSignificantBits: Whole;
    readonly leastSignificantBits: Whole;
  };
  readonly string?: string;
}

export interface StreamIdentifier {
  readonly streamName: Uint8Array;
}

export interface WirePosition {
  readonly commitPosition: Whole;
  readonly preparePosition: Whole;
}

export interface Timestamp {
  readonly seconds: Whole;
  readonly nanos: number;
}

export interface FilterExpression {
  readonly regex?: string;
  readonly prefix?: readonly string[];
}

export interface FilterOptions {
  readonly streamIdentifier?: FilterExpression;
  readonly eventType?: FilterExpression;
  readonly max?: number;
  readonly checkpointIntervalMultiplier?: number;
}

export interface ReadOptions {
  readonly stream?: {
    readonly streamIdentifier?: StreamIdentifier;
    readonly revision?: Whole;
    readonly start?: Empty;
    readonly end?: Empty;
  };
  readonly all?: {
    readonly position?: WirePosition;
    readonly start?: Empty;
    readonly end?: Empty;
  };
  /** 0 forwards, 1 backwards. */
  readonly readDirection?: number;
  readonly resolveLinks?: boolean;
  readonly count?: Whole;
  readonly subscription?: Empty;
  readonly filter?: FilterOptions;
  readonly uuidOption?: { readonly structured?: Empty; readonly string?: Empty };
}

export interface ReadReq {
  readonly options?: ReadOptions;
}

export interface WireRecord {
  readonly id: WireUuid;
  readonly streamIdentifier: StreamIdentifier;
  readonly streamRevision: number;
  readonly preparePosition: number;
  readonly commitPosition: number;
  readonly metadata: Readonly<Record<string, string>>;
  readonly customMetadata: Uint8Array;
  readonly data: Uint8Array;
}

interface Reached {
  readonly timestamp: Timestamp;
  readonly streamRevision?: number;
  readonly position?: WirePosition;
}

export interface ReadResp {
  readonly event?: {
    readonly event: WireRecord;
    readonly link?: WireRecord;
    readonly commitPosition: number;
  };
  readonly confirmation?: { readonly subscriptionId: string };
  readonly checkpoint?: WirePosition & { readonly timestamp: Timestamp };
  readonly streamNotFound?: { readonly streamIdentifier: StreamIdentifier };
  readonly caughtUp?: Reached;
  readonly fellBehind?: Reached;
}

/** What an append expects of the stream; `revision` in Append, `streamPosition` in BatchAppend. */
export interface WireExpected {
  readonly revision?: Whole;
  readonly streamPosition?: Whole;
  readonly noStream?: Empty;
  readonly any?: Empty;
  readonly streamExists?: Empty;
}

export interface ProposedMessage {
  readonly id?: WireUuid;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly customMetadata?: Uint8Array;
  readonly data?: Uint8Array;
}

export interface AppendReq {
  readonly options?: WireExpected & { readonly streamIdentifier?: StreamIdentifier };
  readonly proposedMessage?: ProposedMessage;
}

export interface AppendSuccess {
  readonly currentRevision?: number;
  readonly noStream?: Empty;
  readonly position?: WirePosition;
  readonly noPosition?: Empty;
}

export interface AppendResp {
  readonly success?: AppendSuccess;
  readonly wrongExpectedVersion?: {
    readonly currentRevision?: number;
    readonly currentNoStream?: Empty;
    readonly expectedRevision?: number;
    readonly expectedAny?: Empty;
    readonly expectedStreamExists?: Empty;
    readonly expectedNoStream?: Empty;
  };
}

export interface BatchAppendReq {
  readonly correlationId?: WireUuid;
  readonly options?: WireExpected & {
    readonly streamIdentifier?: StreamIdentifier;
    readonly deadlineAt?: Timestamp;
    readonly deadlineIn?: Timestamp;
  };
  readonly proposedMessages?: readonly ProposedMessage[];
  readonly isFinal?: boolean;
}

export interface BatchAppendResp extends WireExpected {
  readonly correlationId: WireUuid;
  readonly streamIdentifier: StreamIdentifier;
  readonly error?: RpcStatus;
  readonly success?: AppendSuccess;
}

/** `google.rpc.Status`, its details being one `Any`. */
export interface RpcStatus {
  readonly code: number;
  readonly message: string;
  readonly details: { readonly typeUrl: string; readonly value: Uint8Array };
}

/** `event_store.client.WrongExpectedVersion`. */
export interface WrongExpectedVersion {
  readonly currentStreamRevision?: number;
  readonly currentNoStream?: Empty;
  readonly expectedStreamPosition?: number;
  readonly expectedAny?: Empty;
  readonly expectedStreamExists?: Empty;
  readonly expectedNoStream?: Empty;
}

export interface ClusterInfo {
  readonly members: readonly {
    readonly instanceId: WireUuid;
    readonly timeStamp: Whole;
    /** 8 is the leader. */
    readonly state: number;
    readonly isAlive: boolean;
    readonly httpEndPoint: { readonly address: string; readonly port: number };
  }[];
}

export interface SupportedMethods {
  readonly methods: readonly {
    readonly methodName: string;
    readonly serviceName: string;
    readonly features: readonly string[];
  }[];
  readonly eventStoreServerVersion: string;
}
