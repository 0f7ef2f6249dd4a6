import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js';
import type {
  AppendReq,
  AppendResp,
  BatchAppendReq,
  BatchAppendResp,
  ClusterInfo,
  Empty,
  ReadReq,
  ReadResp,
  SupportedMethods,
} from './messages.ts';
import { codecOf } from './schema.ts';

/** One method as grpc-js wants it described. */
function method<Request extends object, Response extends object>(
  service: string,
  name: string,
  [request, response]: readonly [string, string],
  streams: { readonly request?: true; readonly response?: true } = {},
): MethodDefinition<Request, Response> {
  const asked = codecOf<Request>(request);
  const answered = codecOf<Response>(response);
  return {
    path: `/${service}/${name}`,
    requestStream: streams.request === true,
    responseStream: streams.response === true,
    requestSerialize: (value) => asked.encode(value),
    requestDeserialize: (bytes) => asked.decode(bytes),
    responseSerialize: (value) => answered.encode(value),
    responseDeserialize: (bytes) => answered.decode(bytes),
  };
}

const client = 'event_store.client';
const streams = `${client}.streams`;
const streamsName = `${streams}.Streams`;

export const streamsService = {
  read: method<ReadReq, ReadResp>(
    streamsName,
    'Read',
    [`${streams}.ReadReq`, `${streams}.ReadResp`],
    { response: true },
  ),
  append: method<AppendReq, AppendResp>(
    streamsName,
    'Append',
    [`${streams}.AppendReq`, `${streams}.AppendResp`],
    { request: true },
  ),
  batchAppend: method<BatchAppendReq, BatchAppendResp>(
    streamsName,
    'BatchAppend',
    [`${streams}.BatchAppendReq`, `${streams}.BatchAppendResp`],
    { request: true, response: true },
  ),
  delete: method<Empty, Empty>(streamsName, 'Delete', [
    `${streams}.DeleteReq`,
    `${streams}.DeleteResp`,
  ]),
  tombstone: method<Empty, Empty>(streamsName, 'Tombstone', [
    `${streams}.DeleteReq`,
    `${streams}.DeleteResp`,
  ]),
} satisfies ServiceDefinition;

const gossipName = `${client}.gossip.Gossip`;

export const gossipService = {
  read: method<Empty, ClusterInfo>(gossipName, 'Read', [
    `${client}.Empty`,
    `${client}.gossip.ClusterInfo`,
  ]),
} satisfies ServiceDefinition;

const featuresName = `${client}.server_features.ServerFeatures`;

export const featuresService = {
  getSupportedMethods: method<Empty, SupportedMethods>(featuresName, 'GetSupportedMethods', [
    `${client}.Empty`,
    `${client}.server_features.SupportedMethods`,
  ]),
} satisfies ServiceDefinition;

/** What is told to clients that ask what there is: nothing that is not. */
export const supportedMethods: SupportedMethods = {
  methods: [
    streamsService.read,
    streamsService.append,
    streamsService.batchAppend,
    gossipService.read,
    featuresService.getSupportedMethods,
  ].map(({ path }) => {
    const [, serviceName = '', methodName = ''] = path.toLowerCase().split('/');
    return { serviceName, methodName, features: [] };
  }),
  // Clients read a form of the protocol out of it: that of the year in which this one was fixed.
  eventStoreServerVersion: '24.10.0',
};
