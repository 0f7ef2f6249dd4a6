import { contracts, type JsonSchema } from '@meridian/wire';
import { batchLimit, ownRoutes } from './batch.ts';
import { durabilities } from '../domain/held-by.ts';
import { batchType, cloudEventType } from '../domain/media.ts';
import type { Content, Parameters } from '../http/route.ts';

const commands = contracts
  .filter(({ kind, entity }) => kind === 'COMMAND' && !ownRoutes.has(entity))
  .map(({ type }) => type);

const identifier = { type: 'string', pattern: '^[A-Za-z0-9_-]{1,72}$' } as const;

/** The CloudEvent that a publisher sends. Its data keeps the schema of its type. */
export const sentEventSchema: JsonSchema = {
  type: 'object',
  required: ['specversion', 'id', 'source', 'type', 'subject'],
  properties: {
    specversion: { const: '1.0' },
    id: { type: 'string', minLength: 1, maxLength: 256, description: 'Unique within the source.' },
    source: {
      type: 'string',
      format: 'uri-reference',
      minLength: 1,
      maxLength: 256,
      pattern: '^[^#]*$',
    },
    type: { type: 'string', enum: commands },
    subject: { ...identifier, description: 'The contact, reservation, agent or queue.' },
    time: { type: 'string', format: 'date-time' },
    datacontenttype: { type: 'string', const: 'application/json' },
    tenant: { type: 'string', description: "The key's, or absent." },
    region: {
      type: 'string',
      pattern: '^[a-z0-9]{1,16}$',
      description:
        'Where what the event is about is at home, as every decided event about it says. Without it the edge looks ' +
        'for it. What begins and is not known yet begins there; not regarded for queues.',
    },
    correlationid: identifier,
    traceparent: { type: 'string', pattern: '^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$' },
    data: { type: 'object', description: 'As /schemas/{type}.json says.' },
  },
};

export const sentEventExample = {
  specversion: '1.0',
  id: '8f14e45f',
  source: '/crm/eu',
  type: 'meridian.contact.initiate.v1',
  subject: 'c1',
  data: { method: 'INBOUND', channel: 'VOICE' },
};

const reference = { $ref: '#/components/schemas/SentEvent' } as const;

export const eventContent: Readonly<Record<string, Content>> = {
  [cloudEventType]: { schema: reference, example: sentEventExample },
  'application/json': {
    schema: {
      type: 'object',
      description: 'Binary mode: the data alone; attributes are in ce- headers.',
    },
    example: sentEventExample.data,
  },
  'application/protobuf': {
    schema: {
      type: 'string',
      contentMediaType: 'application/protobuf',
      description: 'Binary mode: the message of the type.',
    },
  },
};

export const batchContent: Readonly<Record<string, Content>> = {
  [batchType]: {
    schema: { type: 'array', minItems: 1, maxItems: batchLimit, items: reference },
    example: [sentEventExample],
  },
};

export const acceptedSchema: Content = {
  schema: {
    type: 'object',
    required: ['accepted'],
    properties: {
      accepted: {
        type: 'array',
        description: 'One for each event sent, in their order.',
        items: {
          type: 'object',
          required: ['id', 'stream', 'sequence', 'duplicate', 'durability'],
          properties: {
            id: { type: 'string' },
            stream: { type: 'string' },
            sequence: { type: 'integer', minimum: 1 },
            duplicate: {
              type: 'boolean',
              description: 'It was stored before; the sequence is that of the first.',
            },
            durability: {
              type: 'string',
              enum: durabilities,
              description: 'Who is known to hold it: this region, one other, every other.',
            },
          },
        },
      },
    },
  },
  example: {
    accepted: [
      {
        id: '8f14e45f',
        stream: 'IN_eu',
        sequence: 1,
        duplicate: false,
        durability: 'mirrored',
      },
    ],
  },
};

const attribute = (description: string): Parameters[string] => ({
  description,
  schema: { type: 'string' },
});

export const sentHeaders: Parameters = {
  'ce-specversion': attribute('Binary mode: 1.0'),
  'ce-id': attribute('Binary mode: the id, percent-encoded where it is not plain ASCII'),
  'ce-source': attribute('Binary mode: the source'),
  'ce-type': attribute('Binary mode: the type'),
  'ce-subject': attribute('Binary mode: the subject'),
  'ce-time': attribute('Binary mode: the time'),
  'ce-region': attribute('Binary mode: the home region of the subject'),
  traceparent: attribute('W3C Trace Context; stored with every event of the request'),
};
