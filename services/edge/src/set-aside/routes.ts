import type { Log } from '@meridian/journal';
import {
  listAside,
  readAside,
  requestRetry,
  type AsideItem,
  type AsideStatus,
} from '@meridian/nest';
import { parseSubject } from '@meridian/wire';
import { Refusal } from '../domain/problem.ts';
import { invalidParameter, oneOf, wholeNumber } from '../domain/query.ts';
import { shown } from '../domain/problem.ts';
import type { Call, Parameters, Route } from '../http/route.ts';
import { orRefuse } from '../http/log-fault.ts';

const statuses: readonly AsideStatus[] = ['rejected', 'failed', 'retry_requested', 'resolved'];
const pageLimit = 1_000;
const pageDefault = 100;

const itemSchema = {
  type: 'object',
  required: [
    'id',
    'position',
    'status',
    'service',
    'stream',
    'sequence',
    'subject',
    'reason',
    'attempts',
    'at',
  ],
  properties: {
    id: { type: 'string', description: '<service>.<stream>.<sequence>' },
    position: { type: 'integer' },
    status: { type: 'string', enum: statuses },
    service: { type: 'string' },
    stream: { type: 'string' },
    sequence: { type: 'integer' },
    subject: { type: 'string' },
    reason: {
      type: 'object',
      properties: {
        code: { type: 'string' },
        detail: { type: 'string' },
        facts: { type: 'object' },
      },
    },
    attempts: { type: 'integer' },
    handler: { type: 'string' },
    event: { description: 'The original, if it can be read' },
    at: { type: 'string', format: 'date-time' },
  },
} as const;

const itemExample = {
  id: 'sessions.IN_eu.42',
  position: 7,
  status: 'rejected',
  service: 'sessions',
  stream: 'IN_eu',
  sequence: 42,
  subject: 'in.eu.demo.eu.contact.c1',
  reason: {
    code: 'contact_over',
    detail: 'The decider refused it: contact_over.',
    facts: { state: 'COMPLETED' },
  },
  attempts: 1,
  handler: 'requests',
  at: '2026-01-31T08:15:00.000Z',
};

const query: Parameters = {
  status: { description: 'Only those in this state', schema: { type: 'string', enum: statuses } },
  service: {
    description: 'Only those of this service',
    schema: { type: 'string' },
    example: 'sessions',
  },
  limit: {
    description: 'How many at most',
    schema: { type: 'integer', minimum: 1, maximum: pageLimit, default: pageDefault },
  },
  after: { description: "An earlier page's `next`", schema: { type: 'integer', minimum: 0 } },
};

const tenantOf = (item: AsideItem): string | undefined => parseSubject(item.subject)?.tenant;

/** `GET /v1/set-aside` and `POST /v1/set-aside/{id}/retry`, of the key's tenant alone. */
export function setAsideRoutes(log: Log, region: string, now: () => number): Route[] {
  return [
    {
      method: 'GET',
      path: '/v1/set-aside',
      scope: 'admin',
      operationId: 'listSetAside',
      tag: 'operations',
      summary: 'What a service could not process, or refused',
      query,
      replies: {
        200: {
          description: 'Each by its present state, in the order in which it came to that',
          content: {
            'application/json': {
              schema: {
                type: 'object',
                required: ['items'],
                properties: {
                  items: { type: 'array', items: itemSchema },
                  next: { type: 'integer' },
                },
              },
              example: { items: [itemExample] },
            },
          },
        },
      },
      refusals: [503],
      async handle({ key, query: values }: Call) {
        const limit =
          wholeNumber('limit', values.one('limit'), { least: 1, most: pageLimit }) ?? pageDefault;
        const after = wholeNumber('after', values.one('after'), {
          least: 0,
          most: Number.MAX_SAFE_INTEGER,
        });
        const status = values.one('status');
        const service = values.one('service');
        if (service !== undefined && !/^[\w-]{1,64}$/.test(service)) {
          throw invalidParameter(
            'service',
            `is ${shown(service)}; it must be the name of a service`,
          );
        }
        // The page is cut here and not there, because only here the tenant is looked at.
        const { items } = await orRefuse(
          listAside(log, region, {
            limit: Number.MAX_SAFE_INTEGER,
            ...(after === undefined ? {} : { after }),
            ...(service === undefined ? {} : { service }),
            ...(status === undefined ? {} : { status: oneOf('status', status, statuses) }),
          }),
        );
        const own = items.filter((item) => tenantOf(item) === key.tenant);
        const page = own.slice(0, limit);
        return { items: page, ...(own.length > limit ? { next: page.at(-1)?.position } : {}) };
      },
    },
    {
      method: 'POST',
      path: '/v1/set-aside/{id}/retry',
      scope: 'admin',
      operationId: 'retrySetAside',
      tag: 'operations',
      summary: 'Ask the service to try a message again',
      parameters: {
        id: {
          description: '<service>.<stream>.<sequence>',
          schema: { type: 'string' },
          example: itemExample.id,
        },
      },
      replies: {
        202: {
          description: 'Its state now: retry_requested, or resolved if it is that already',
          content: {
            'application/json': {
              schema: itemSchema,
              example: { ...itemExample, status: 'retry_requested' },
            },
          },
        },
      },
      refusals: [404, 503],
      async handle({ key, parameters, reply }: Call) {
        const id = parameters['id'] as string;
        const found = await orRefuse(readAside(log, region, id));
        const asked =
          found !== undefined && tenantOf(found) === key.tenant
            ? await orRefuse(requestRetry(log, region, id, now()))
            : undefined;
        if (asked === undefined) {
          throw new Refusal(
            'not-found',
            `The tenant ${key.tenant} has nothing set aside under ${shown(id)}.`,
          );
        }
        reply.code(202);
        return asked;
      },
    },
  ];
}
