import { contracts, type Contract, type JsonSchema } from '@meridian/wire';
import { sentEventExample, sentEventSchema } from '../publish/documented.ts';
import { dataSchemas, dataSchemaOf } from './data-schemas.ts';

type Json = Record<string, unknown>;

const commands = contracts.filter(({ kind }) => kind === 'COMMAND');
const events = contracts.filter(({ kind }) => kind === 'EVENT');
const text: JsonSchema = { type: 'string' };

/** A decided event as streams hold it; its data keeps the schema of its type. */
const decidedSchema: JsonSchema = {
  type: 'object',
  required: [
    'specversion',
    'id',
    'source',
    'type',
    'subject',
    'time',
    'tenant',
    'region',
    'epoch',
    'revision',
    'prevhash',
    'correlationid',
    'causationid',
    'actor',
    'data',
  ],
  properties: {
    specversion: { const: '1.0' },
    id: { type: 'string', description: '<tenant>.<entity>.<id>.<revision>' },
    source: { type: 'string', description: '/<region>/<service>' },
    type: text,
    subject: text,
    time: { type: 'string', format: 'date-time' },
    datacontenttype: { const: 'application/json' },
    dataschema: text,
    tenant: text,
    region: { type: 'string', description: 'The home region of the aggregate' },
    epoch: { type: 'integer' },
    revision: { type: 'integer', minimum: 0, description: 'Per aggregate, without a gap' },
    prevhash: { type: 'string', description: "SHA-256 of the aggregate's event before, base64url" },
    correlationid: text,
    causationid: text,
    actor: text,
    configversion: { type: 'integer' },
    dataclass: { type: 'string', enum: ['none', 'pseudonymous', 'personal'] },
    traceparent: text,
    data: { type: 'object' },
  },
};

/** The messages of a region as an AsyncAPI 3 document. */
export function asyncApi(region: string): Json {
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Meridian region',
      version: '1.0.0',
      license: { name: 'Apache-2.0' },
      description: `The streams of the region ${region}.`,
    },
    defaultContentType: 'application/json',
    servers: {
      nats: { host: '127.0.0.1:4222', protocol: 'nats', description: 'JetStream of the region' },
      http: { host: '127.0.0.1:8080', protocol: 'http', description: 'The edge' },
    },
    channels: channels(region),
    operations: operations(),
    components: {
      schemas: { SentEvent: sentEventSchema, DecidedEvent: decidedSchema, ...dataSchemas() },
      messages: messages(),
    },
  };
}

const parameter = (description: string): Json => ({ description });
const onNats = [{ $ref: '#/servers/nats' }];
const place = {
  tenant: parameter('The tenant'),
  home: parameter('The region where the contact or agent entered'),
};

function channels(region: string): Json {
  return {
    intake: {
      address: `in.${region}.{tenant}.{home}.{entity}.{id}`,
      servers: onNats,
      title: `Requests, in the stream IN_${region}`,
      description:
        'Published through JetStream, one CloudEvent a message. Header `Nats-Msg-Id: <tenant>#<source>#<id>`.',
      parameters: {
        ...place,
        entity: parameter('contact, reservation, agent or queue'),
        id: parameter('The subject of the event'),
      },
      messages: references(commands),
    },
    requests: {
      address: `publish.${region}.{tenant}`,
      servers: onNats,
      title: 'Requests with an answer',
      description:
        'Core NATS request; headers `Meridian-Key` and `Content-Type` as over HTTP; ' +
        'the reply is what HTTP would answer.',
      parameters: { tenant: place.tenant },
      messages: references(commands),
    },
    decisions: {
      address: `ev.${region}.{home}.{tenant}.{aggregate}.{id}`,
      servers: onNats,
      title: `Decisions, in the stream EV_${region}`,
      description:
        'One decision a message: a JSON list of one or more CloudEvents, stored all or none.',
      parameters: {
        ...place,
        aggregate: parameter('contact, or routing for everything else'),
        id: parameter('The contact or the partition'),
      },
      messages: references(events),
    },
    stream: {
      address: '/v1/stream',
      servers: [{ $ref: '#/servers/http' }],
      title: 'Decisions one by one, as server-sent events',
      messages: references(events),
    },
  };
}

function operations(): Json {
  const operation = (action: string, channel: string, summary: string): Json => ({
    action,
    channel: { $ref: `#/channels/${channel}` },
    summary,
  });
  return {
    takeRequests: operation('receive', 'intake', 'Meridian takes requests'),
    answerRequests: operation('receive', 'requests', 'The edge takes requests and answers'),
    storeDecisions: operation('send', 'decisions', 'Meridian decides'),
    streamDecisions: operation('send', 'stream', 'The edge sends what was decided'),
  };
}

function references(list: readonly Contract[]): Json {
  return Object.fromEntries(
    list.map(({ type }) => [type, { $ref: `#/components/messages/${type}` }]),
  );
}

function messages(): Json {
  return Object.fromEntries(
    contracts.map(({ type, kind, message, summary }) => {
      const envelope = kind === 'COMMAND' ? 'SentEvent' : 'DecidedEvent';
      return [
        type,
        {
          name: type,
          title: type,
          ...(summary === '' ? {} : { summary }),
          contentType: 'application/cloudevents+json',
          payload: {
            allOf: [
              { $ref: `#/components/schemas/${envelope}` },
              {
                type: 'object',
                properties: { type: { const: type }, data: dataSchemaOf(message) },
              },
            ],
          },
          ...(type === sentEventExample.type ? { examples: [{ payload: sentEventExample }] } : {}),
        },
      ];
    }),
  );
}
