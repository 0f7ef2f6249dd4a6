import { randomUUID } from 'node:crypto';
import {
  Server,
  ServerCredentials,
  type Metadata,
  type sendUnaryData,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { Grants, Ledger, Log } from '@meridian/journal';
import type { OrderedLog } from '../order/ordered-log.ts';
import { callerOf, type AccessOptions, type Caller } from './access.ts';
import { append, batchAppend } from './calls/append.ts';
import { isSubscription, read, type ReadParts } from './calls/read.ts';
import { Sink } from './calls/sink.ts';
import { accessDenied, toStatus, unavailable } from './faults.ts';
import type {
  AppendReq,
  AppendResp,
  BatchAppendReq,
  BatchAppendResp,
  ClusterInfo,
  ReadReq,
  ReadResp,
} from './protocol/messages.ts';
import {
  featuresService,
  gossipService,
  streamsService,
  supportedMethods,
} from './protocol/services.ts';
import { OrderReader } from './reading/order-reader.ts';
import { SegmentReader } from './reading/segments.ts';
import { Tail } from './reading/tail.ts';
import { CustomStreams } from './writing/custom-streams.ts';
import { SealedContent, type SealedContentParts } from './writing/sealed-content.ts';

export interface GatewayOptions extends AccessOptions {
  readonly log: Log;
  readonly ordered: OrderedLog;
  readonly ledger: Ledger;
  readonly region: string;
  /** All regions of the mesh. */
  readonly regions: readonly string[];
  /** The right to decide for a home, which appending takes. */
  readonly grants: Pick<Grants, 'holds' | 'grantOf'>;
  /** The keys of those whom clients' events are about. */
  readonly personal: SealedContentParts;
  /** Where another region's gateway is; undefined when that is not known here. */
  readonly gatewayOf?: (region: string) => Endpoint | undefined;
  /** Where to listen. Without TLS it must be a loopback address: API keys are sent in clear otherwise. */
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** PEM. */
  readonly tls?: { readonly certificate: Buffer; readonly key: Buffer };
  /** Where clients reach this gateway, if not where it listens. */
  readonly advertise?: Endpoint;
  readonly limits?: Partial<GatewayLimits>;
  /** Told of what failed on our side. */
  readonly onFault?: (error: unknown) => void;
  /** Epoch ms. */
  readonly now?: () => number;
}

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

export interface GatewayLimits {
  /** Reads under way at once; further ones are refused. */
  readonly reads: number;
  readonly subscriptions: number;
  /** Calls that append; one of BatchAppend lasts as long as its client. */
  readonly appends: number;
  /** How long the client of a read may take nothing, in ms. */
  readonly stallMs: number;
}

const defaultLimits: GatewayLimits = {
  reads: 64,
  subscriptions: 1_024,
  appends: 1_024,
  stallMs: 30_000,
};

type Kind = Exclude<keyof GatewayLimits, 'stallMs'>;

/** A gateway that serves. */
export interface Gateway {
  readonly host: string;
  readonly port: number;
  /** Calls under way, by kind. */
  readonly underWay: Readonly<Record<Kind, number>>;
  /** The homes that are being appended for, and the epochs: a hand-over waits for them. */
  deciding(): Record<string, number>;
  /** Ends all calls and resolves when it serves no more. */
  close(): Promise<void>;
}

const loopback = /^(?:127\.\d+\.\d+\.\d+|::1|localhost)$/;
/** A client that is gone without a word is noticed within two of these. */
const keepaliveMs = 10_000;
const leaderState = 8;

/**
 * Serves the log by the protocol of EventStoreDB and KurrentDB (gRPC).
 * @throws Error when it would listen beyond loopback without TLS, or cannot listen
 */
export async function openGateway(options: GatewayOptions): Promise<Gateway> {
  const { host, port, tls } = options;
  if (tls === undefined && !loopback.test(host)) {
    throw new Error(
      `The event-store gateway would take API keys in clear on ${host}.\n` +
        'Give it a certificate and its key, or let it listen on 127.0.0.1.',
    );
  }
  const credentials =
    tls === undefined
      ? ServerCredentials.createInsecure()
      : ServerCredentials.createSsl(null, [{ cert_chain: tls.certificate, private_key: tls.key }]);
  const gateway = new ServedGateway(options);
  await gateway.listen(`${host.includes(':') ? `[${host}]` : host}:${port}`, credentials);
  return gateway;
}

class ServedGateway implements Gateway {
  readonly #options: GatewayOptions;
  readonly #server = new Server({
    'grpc.keepalive_time_ms': keepaliveMs,
    'grpc.keepalive_timeout_ms': keepaliveMs,
  });
  readonly #tail: Tail;
  readonly #parts: ReadParts;
  readonly #limits: GatewayLimits;
  readonly #instance = randomUUID();
  readonly #closing = new AbortController();
  readonly #unlisten: () => void;
  readonly #streams: CustomStreams;
  readonly underWay: Record<Kind, number> = { reads: 0, subscriptions: 0, appends: 0 };
  #port = 0;

  constructor(options: GatewayOptions) {
    this.#options = options;
    this.#limits = { ...defaultLimits, ...options.limits };
    const { log, ordered, ledger, region, regions, grants, now = Date.now } = options;
    const tail = new Tail(ordered);
    const segments = new SegmentReader({ log, ordered, ledger, regions });
    this.#tail = tail;
    this.#unlisten = ledger.onChange(() => tail.wake());
    const order = new OrderReader({ ordered, ledger, tail });
    const sealing = new SealedContent(options.personal);
    this.#parts = { regions, now, tail, order, segments, sealing };
    this.#streams = new CustomStreams({
      log,
      ordered,
      ledger,
      region,
      regions,
      grants,
      now,
      tail,
      segments,
      sealing,
      gatewayOf: (other) => options.gatewayOf?.(other),
    });
    this.#server.addService(streamsService, this.#handlers());
    this.#server.addService(gossipService, {
      read: (_call: unknown, answer: sendUnaryData<ClusterInfo>) => answer(null, this.#members()),
    });
    this.#server.addService(featuresService, {
      getSupportedMethods: (_call: unknown, answer: sendUnaryData<typeof supportedMethods>) =>
        answer(null, supportedMethods),
    });
  }

  get host(): string {
    return this.#options.host;
  }

  get port(): number {
    return this.#port;
  }

  listen(address: string, credentials: ServerCredentials): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.bindAsync(address, credentials, (error, port) => {
        if (error !== null) {
          reject(
            new Error(`The event-store gateway cannot listen on ${address}: ${error.message}`),
          );
          return;
        }
        this.#port = port;
        resolve();
      });
    });
  }

  close(): Promise<void> {
    this.#closing.abort();
    this.#unlisten();
    this.#tail.close();
    // Clients keep their connections for ever; those that follow go on elsewhere.
    this.#server.forceShutdown();
    return Promise.resolve();
  }

  deciding(): Record<string, number> {
    return this.#streams.deciding();
  }

  #handlers(): UntypedServiceImplementation {
    const refuse = (
      call: ServerUnaryCall<unknown, unknown>,
      answer: sendUnaryData<unknown>,
    ): void => {
      try {
        this.#caller(call.metadata, 'publish');
        answer(toStatus(accessDenied('The log is append-only: no stream can be deleted.')));
      } catch (error) {
        answer(toStatus(error));
      }
    };
    return {
      read: (call: ServerWritableStream<ReadReq, ReadResp>) => void this.#read(call),
      append: (
        call: ServerReadableStream<AppendReq, AppendResp>,
        answer: sendUnaryData<AppendResp>,
      ) => void this.#append(call, answer),
      batchAppend: (call: ServerDuplexStream<BatchAppendReq, BatchAppendResp>) =>
        void this.#batchAppend(call),
      delete: refuse,
      tombstone: refuse,
    };
  }

  #caller(metadata: Metadata, needed: 'read' | 'publish'): Caller {
    return callerOf(metadata, needed, this.#options);
  }

  /** Runs a call if there is room for one more of its kind. */
  async #run(kind: Kind, work: () => Promise<void>): Promise<void> {
    this.underWay[kind] += 1;
    try {
      const limit = this.#limits[kind];
      if (this.underWay[kind] > limit) {
        throw unavailable(`${limit} ${kind} are under way, as many as this gateway takes.`);
      }
      await work();
    } finally {
      this.underWay[kind] -= 1;
    }
  }

  /** Aborted when the client has gone or the gateway closes. */
  #signalOf(call: { once(event: 'cancelled', listener: () => void): unknown }): AbortSignal {
    const gone = new AbortController();
    call.once('cancelled', () => gone.abort());
    return AbortSignal.any([gone.signal, this.#closing.signal]);
  }

  async #read(call: ServerWritableStream<ReadReq, ReadResp>): Promise<void> {
    const { request, metadata } = call;
    const kind = isSubscription(request) ? 'subscriptions' : 'reads';
    const signal = this.#signalOf(call);
    try {
      await this.#run(kind, async () => {
        const caller = this.#caller(metadata, 'read');
        const stall = kind === 'reads' ? { stallLimitMs: this.#limits.stallMs } : {};
        const sink = new Sink<ReadResp>(call, { signal, ...stall });
        await read(this.#parts, { request, caller, sink, signal });
        if (this.#closing.signal.aborted) throw unavailable('This gateway is closing.');
      });
      call.end();
    } catch (error) {
      if (!call.cancelled) call.emit('error', this.#told(error));
    }
  }

  async #append(
    call: ServerReadableStream<AppendReq, AppendResp>,
    answer: sendUnaryData<AppendResp>,
  ): Promise<void> {
    const { regions } = this.#options;
    try {
      await this.#run('appends', async () => {
        const caller = this.#caller(call.metadata, 'publish');
        const parts = { streams: this.#streams, regions };
        const answered = await append(parts, call, caller, Number(call.getDeadline()));
        answer(null, answered);
      });
    } catch (error) {
      if (!call.cancelled) answer(this.#told(error));
    }
  }

  async #batchAppend(call: ServerDuplexStream<BatchAppendReq, BatchAppendResp>): Promise<void> {
    const { regions } = this.#options;
    const signal = this.#signalOf(call);
    try {
      await this.#run('appends', async () => {
        const caller = this.#caller(call.metadata, 'publish');
        const sink = new Sink<BatchAppendResp>(call, { signal });
        await batchAppend({ streams: this.#streams, regions }, call, caller, sink);
      });
      call.end();
    } catch (error) {
      if (!call.cancelled) call.emit('error', this.#told(error));
    }
  }

  /** What is sent for an error; faults of ours are told. */
  #told(error: unknown): ReturnType<typeof toStatus> {
    if ((error as Error).name !== 'CallRefused') this.#options.onFault?.(error);
    return toStatus(error);
  }

  /** Only itself, as the leader: every region's gateway reads everything. */
  #members(): ClusterInfo {
    const { host, advertise, now = Date.now } = this.#options;
    const { host: address, port } = advertise ?? { host, port: this.#port };
    return {
      members: [
        {
          instanceId: { string: this.#instance },
          timeStamp: `${now()}0000`,
          state: leaderState,
          isAlive: true,
          httpEndPoint: { address, port },
        },
      ],
    };
  }
}
