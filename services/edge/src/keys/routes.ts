import { makeKey, scopes, visible, type KeyRing } from '@meridian/keys';
import { readKeyRequest } from '../http/admin-bodies.ts';
import { Refusal } from '../domain/problem.ts';
import { jsonBody } from '../http/json-body.ts';
import type { Call, Parameters, Route } from '../http/route.ts';
import { orRefuse } from '../http/log-fault.ts';
import type { KeyStore } from './key-store.ts';

const keySchema = {
  type: 'object',
  required: ['id', 'tenant', 'scopes', 'label', 'createdAt'],
  properties: {
    id: { type: 'string' },
    tenant: { type: 'string' },
    scopes: { type: 'array', items: { type: 'string', enum: scopes } },
    label: { type: 'string' },
    createdAt: { type: 'string', format: 'date-time' },
    revokedAt: { type: 'string', format: 'date-time' },
  },
} as const;

const keyExample = {
  id: '3f9a1c5e7b20',
  tenant: 'demo',
  scopes: ['publish', 'read'],
  label: 'CRM',
  createdAt: '2026-01-31T08:15:00.000Z',
};

const idParameter: Parameters = {
  id: { description: 'The id of the key', schema: { type: 'string' }, example: keyExample.id },
};

/** `POST`, `GET` and `DELETE /v1/keys`: an admin key rules over the keys of its own tenant. */
export function keyRoutes(ring: KeyRing, store: KeyStore, realNow: () => string): Route[] {
  return [
    {
      method: 'POST',
      path: '/v1/keys',
      scope: 'admin',
      operationId: 'createKey',
      tag: 'keys',
      summary: 'Make an API key for the tenant of the key shown',
      body: {
        'application/json': {
          schema: {
            type: 'object',
            required: ['scopes'],
            additionalProperties: false,
            properties: {
              scopes: keySchema.properties.scopes,
              label: { type: 'string', maxLength: 100 },
            },
          },
          example: { scopes: ['publish', 'read'], label: 'CRM' },
        },
      },
      replies: {
        201: {
          description: 'The key; its token is shown only now',
          content: {
            'application/json': {
              schema: {
                ...keySchema,
                required: [...keySchema.required, 'token'],
                properties: { ...keySchema.properties, token: { type: 'string' } },
              },
              example: { ...keyExample, token: `mk_${keyExample.id}_${'A'.repeat(43)}` },
            },
          },
        },
      },
      refusals: [413, 415, 503],
      async handle(call: Call) {
        const asked = readKeyRequest(jsonBody(call));
        for (;;) {
          const { key, token } = makeKey({
            tenant: call.key.tenant,
            ...asked,
            createdAt: realNow(),
          });
          if (!(await orRefuse(store.create(key)))) continue;
          call.reply.code(201);
          return { ...visible(key), token };
        }
      },
    },
    {
      method: 'GET',
      path: '/v1/keys',
      scope: 'admin',
      operationId: 'listKeys',
      tag: 'keys',
      summary: 'The keys of the tenant, without their secrets',
      replies: {
        200: {
          description: 'The oldest first',
          content: {
            'application/json': {
              schema: {
                type: 'object',
                required: ['keys'],
                properties: { keys: { type: 'array', items: keySchema } },
              },
              example: { keys: [keyExample] },
            },
          },
        },
      },
      handle: ({ key }: Call) => ({ keys: ring.ofTenant(key.tenant).map(visible) }),
    },
    {
      method: 'DELETE',
      path: '/v1/keys/{id}',
      scope: 'admin',
      operationId: 'revokeKey',
      tag: 'keys',
      summary: 'Revoke a key: it is worth nothing from now on, in every region',
      parameters: idParameter,
      replies: {
        200: {
          description: 'The key, revoked',
          content: {
            'application/json': {
              schema: keySchema,
              example: { ...keyExample, revokedAt: '2026-02-01T00:00:00.000Z' },
            },
          },
        },
      },
      refusals: [404, 503],
      async handle({ key, parameters }: Call) {
        const id = parameters['id'] as string;
        const known = ring.get(id, key.tenant);
        if (known === undefined) {
          throw new Refusal(
            'not-found',
            `The tenant ${key.tenant} has no key of this id. See GET /v1/keys.`,
          );
        }
        await orRefuse(store.revoke(known, realNow()));
        return visible(ring.get(id, key.tenant) ?? known);
      },
    },
  ];
}
