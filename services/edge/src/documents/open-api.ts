import { contracts, type JsonSchema } from '@meridian/wire';
import { problemKinds } from '../domain/problem.ts';
import { sentEventSchema } from '../publish/documented.ts';
import type { DocumentedReply, Parameters, Route } from '../http/route.ts';
import { dataSchemas, dataSchemaOf } from './data-schemas.ts';

type Json = Record<string, unknown>;

const problemSchema: JsonSchema = {
  type: 'object',
  required: ['type', 'title', 'status', 'detail'],
  properties: {
    type: {
      type: 'string',
      enum: Object.keys(problemKinds).map((kind) => `urn:meridian:problem:${kind}`),
    },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        required: ['pointer', 'code', 'detail'],
        properties: {
          pointer: { type: 'string' },
          code: { type: 'string' },
          detail: { type: 'string' },
        },
      },
    },
    schema: { type: 'string', description: 'Where the JSON Schema is that was not kept' },
  },
};

/** Statuses with which any route may refuse, and those with which only a route with a key may. */
const always = [400];
const keyed = [401, 403];

/** The OpenAPI 3.1 document of a route table. */
export function openApi(routes: readonly Route[], region: string): Json {
  const paths: Record<string, Json> = {};
  for (const route of routes) {
    const path = (paths[route.path] ??= {});
    path[route.method.toLowerCase()] = operation(route);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Meridian edge',
      version: '1.0.0',
      description: `What enters and leaves the region ${region}. Refusals are RFC 9457 problem documents.`,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    tags: [...new Set(routes.map(({ tag }) => tag))].map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: {
        key: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'mk_<id>_<secret>',
          description: 'An API key of the tenant',
        },
      },
      schemas: {
        SentEvent: sentEventSchema,
        Problem: problemSchema,
        ...dataSchemas(),
        ...typeSchemas(),
      },
      responses: problemResponses(),
    },
  };
}

function operation(route: Route): Json {
  const {
    operationId,
    summary,
    description,
    tag,
    scope,
    body,
    bodyRequired = true,
    replies,
    refusals = [],
  } = route;
  const statuses = [...new Set([...always, ...(scope === 'open' ? [] : keyed), ...refusals])].sort(
    (a, b) => a - b,
  );
  const parameters = [
    ...parametersIn('path', route.parameters, true),
    ...parametersIn('query', route.query, false),
    ...parametersIn('header', route.headers, false),
  ];
  return {
    operationId,
    summary,
    ...(description === undefined ? {} : { description }),
    tags: [tag],
    security: scope === 'open' ? [] : [{ key: [] }],
    ...(scope === 'open' ? {} : { 'x-scope': scope }),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : { requestBody: { required: bodyRequired, content: body } }),
    responses: {
      ...Object.fromEntries(
        Object.entries(replies).map(([status, reply]) => [status, responseOf(reply)]),
      ),
      ...Object.fromEntries(
        statuses.map((status) => [status, { $ref: `#/components/responses/${status}` }]),
      ),
    },
  };
}

function responseOf({ description, content }: DocumentedReply): Json {
  return { description, ...(content === undefined ? {} : { content }) };
}

function parametersIn(
  place: 'path' | 'query' | 'header',
  parameters: Parameters = {},
  required: boolean,
): Json[] {
  return Object.entries(parameters).map(([name, { description, schema, many, example }]) => ({
    name,
    in: place,
    description,
    required,
    schema,
    ...(many === true ? { style: 'form', explode: true } : {}),
    ...(example === undefined ? {} : { example: many === true ? [example] : example }),
  }));
}

/** The schema of each type's data, under the type's name. */
function typeSchemas(): Json {
  return Object.fromEntries(
    contracts.map(({ type, message, summary }) => [
      type,
      {
        title: type,
        ...(summary === '' ? {} : { description: summary }),
        ...dataSchemaOf(message),
      },
    ]),
  );
}

function problemResponses(): Json {
  const kindsByStatus = new Map<number, [kind: string, title: string][]>();
  for (const [kind, [status, title]] of Object.entries(problemKinds)) {
    kindsByStatus.set(status, [...(kindsByStatus.get(status) ?? []), [kind, title]]);
  }
  return Object.fromEntries(
    [...kindsByStatus].map(([status, kinds]) => {
      const [kind, title] = kinds[0] as [string, string];
      return [
        status,
        {
          description: kinds.map(([, each]) => each).join(', or: '),
          content: {
            'application/problem+json': {
              schema: { $ref: '#/components/schemas/Problem' },
              example: { type: `urn:meridian:problem:${kind}`, title, status, detail: title },
            },
          },
        },
      ];
    }),
  );
}
