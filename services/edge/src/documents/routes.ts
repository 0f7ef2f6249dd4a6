import { contractOf, dataSchema } from '@meridian/wire';
import { Refusal, shown } from '../domain/problem.ts';
import type { OpenCall, OpenRoute, Route } from '../http/route.ts';
import { asyncApi } from './async-api.ts';
import { indexPage } from './index-page.ts';
import { openApi } from './open-api.ts';

const jsonDocument = (description: string) => ({
  200: { description, content: { 'application/json': { schema: { type: 'object' } } } },
});

/** What the edge says about itself, to anybody. @param routes all others */
export function documentRoutes(routes: readonly Route[], region: string): OpenRoute[] {
  const texts = new Map<string, string>();
  const once = (name: string, make: () => unknown): string => {
    let text = texts.get(name);
    if (text === undefined) {
      const made = make();
      text = typeof made === 'string' ? made : JSON.stringify(made, null, 1);
      texts.set(name, text);
    }
    return text;
  };
  const own: OpenRoute[] = [
    {
      method: 'GET',
      path: '/',
      scope: 'open',
      operationId: 'readIndex',
      tag: 'documents',
      summary: 'Where to begin',
      replies: {
        200: {
          description: 'Links and an example',
          content: { 'text/plain': { schema: { type: 'string' } } },
        },
      },
      handle: ({ reply }: OpenCall) => {
        reply.type('text/plain; charset=utf-8');
        return once('index', () => indexPage(region));
      },
    },
    {
      method: 'GET',
      path: '/openapi.json',
      scope: 'open',
      operationId: 'readOpenApi',
      tag: 'documents',
      summary: 'This interface as OpenAPI 3.1',
      replies: jsonDocument('An OpenAPI document'),
      handle: ({ reply }: OpenCall) => {
        reply.type('application/json; charset=utf-8');
        return once('openapi', () => openApi([...routes, ...own], region));
      },
    },
    {
      method: 'GET',
      path: '/asyncapi.json',
      scope: 'open',
      operationId: 'readAsyncApi',
      tag: 'documents',
      summary: 'The messages of the region as AsyncAPI 3',
      replies: jsonDocument('An AsyncAPI document'),
      handle: ({ reply }: OpenCall) => {
        reply.type('application/json; charset=utf-8');
        return once('asyncapi', () => asyncApi(region));
      },
    },
    {
      method: 'GET',
      path: '/schemas/{name}',
      scope: 'open',
      operationId: 'readSchema',
      tag: 'documents',
      summary: 'The JSON Schema of the data of a type',
      parameters: {
        name: {
          description: '`<type>.json`',
          schema: { type: 'string' },
          example: 'meridian.contact.initiate.v1.json',
        },
      },
      replies: {
        200: {
          description: 'A JSON Schema, draft 2020-12',
          content: { 'application/schema+json': { schema: { type: 'object' } } },
        },
      },
      refusals: [404],
      handle: ({ parameters, reply }: OpenCall) => {
        const name = parameters['name'] as string;
        const contract = name.endsWith('.json')
          ? contractOf(name.slice(0, -'.json'.length))
          : undefined;
        if (contract === undefined) {
          throw new Refusal(
            'not-found',
            `There is no schema ${shown(name)}; /openapi.json names the types.`,
          );
        }
        reply.type('application/schema+json; charset=utf-8');
        return once(name, () => dataSchema(contract));
      },
    },
  ];
  return own;
}
