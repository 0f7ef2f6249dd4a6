import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { contracts } from '@meridian/wire';
import { sentEventExample } from '../src/publish/documented.ts';
import { post } from './edge-under-test.ts';
import { startNestEdge, type NestEdge } from './nest-edge.ts';

describe('what the edge says about itself', () => {
  let edge: NestEdge;
  const get = async (path: string): Promise<any> => (await fetch(`${edge.url}${path}`)).json();

  beforeAll(async () => {
    edge = await startNestEdge();
  });
  afterAll(() => edge.close());

  /** Every route that the server has, as OpenAPI writes paths; those of health are not the interface. */
  function servedRoutes(): string[] {
    return edge.served
      .map((route) => route.replaceAll(/:(\w+)/g, '{$1}'))
      .filter((route) => !/ \/(health|metrics)/.test(route))
      .sort();
  }

  it('is an OpenAPI document of exactly the routes that are served', async () => {
    const document = await get('/openapi.json');
    expect(document.openapi).toBe('3.1.0');
    const documented = Object.entries<any>(document.paths)
      .flatMap(([path, methods]) =>
        Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
      )
      .sort();
    expect(documented).toEqual(servedRoutes());
    expect(documented).toEqual(
      expect.arrayContaining([
        'POST /v1/events',
        'GET /v1/stream',
        'DELETE /v1/keys/{id}',
        'POST /v1/clock',
      ]),
    );
  });

  it.each(['/openapi.json', '/asyncapi.json'])(
    'refers to nothing that is not in %s',
    async (path) => {
      const document = await get(path);
      const references: string[] = [];
      JSON.stringify(document, (key, value: unknown) => {
        if (key === '$ref') references.push(value as string);
        return value;
      });
      expect(references.length).toBeGreaterThan(10);
      for (const reference of new Set(references)) {
        const names = reference
          .slice(2)
          .split('/')
          .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'));
        expect([reference, names.reduce((place, name) => place?.[name], document)]).toEqual([
          reference,
          expect.anything(),
        ]);
      }
    },
  );

  it('describes every operation: an id of its own, a reply, its parameters', async () => {
    const { paths } = await get('/openapi.json');
    const operations = Object.entries<any>(paths).flatMap(([path, methods]) =>
      Object.values<any>(methods).map((operation) => ({ path, ...operation })),
    );
    expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length);
    for (const { path, responses, parameters = [], security } of operations) {
      expect(Object.keys(responses).some((status) => status.startsWith('2'))).toBe(true);
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]: string[]) => name);
      expect(
        parameters.filter((one: any) => one.in === 'path').map((one: any) => one.name),
      ).toEqual(inPath);
      expect(security).toEqual(path.startsWith('/v1/') ? [{ key: [] }] : []);
    }
  });

  it('gives examples that work', async () => {
    const { paths } = await get('/openapi.json');
    const { content } = paths['/v1/events'].post.requestBody;
    for (const type of ['application/cloudevents+json', 'application/cloudevents-batch+json']) {
      const reply = await post(edge.url, edge.token, JSON.stringify(content[type].example), {
        'content-type': type,
      });
      expect(reply.status).toBe(202);
    }
    const key = paths['/v1/keys'].post.requestBody.content['application/json'].example;
    expect(
      (
        await post(
          edge.url,
          edge.token,
          JSON.stringify(key),
          { 'content-type': 'application/json' },
          '/v1/keys',
        )
      ).status,
    ).toBe(201);
  });

  it('has a schema for the data of every type', async () => {
    for (const { type } of contracts) {
      const schema = await get(`/schemas/${type}.json`);
      expect([schema.$id, schema.type]).toEqual([`urn:meridian:schema:${type}`, 'object']);
    }
    expect((await fetch(`${edge.url}/schemas/nothing.json`)).status).toBe(404);
    expect((await fetch(`${edge.url}/schemas/${sentEventExample.type}`)).status).toBe(404);
  });

  it('names every type in the AsyncAPI document, on the side it belongs to', async () => {
    const { asyncapi, channels, components } = await get('/asyncapi.json');
    expect(asyncapi).toBe('3.0.0');
    const types = (kind: string): string[] =>
      contracts
        .filter((one) => one.kind === kind)
        .map(({ type }) => type)
        .sort();
    expect(Object.keys(channels.intake.messages).sort()).toEqual(types('COMMAND'));
    expect(Object.keys(channels.decisions.messages).sort()).toEqual(types('EVENT'));
    expect(Object.keys(channels.stream.messages).sort()).toEqual(types('EVENT'));
    expect(Object.keys(components.messages)).toHaveLength(contracts.length);
  });

  it('greets people with a terminal', async () => {
    const response = await fetch(`${edge.url}/`);
    expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(await response.text()).toContain('curl -X POST');
  });

  it('refuses as problem documents where Nest would answer itself', async () => {
    for (const [path, method] of [
      ['/health/live', 'POST'],
      ['/nowhere', 'GET'],
      ['/metrics', 'DELETE'],
    ] as const) {
      const response = await fetch(`${edge.url}${path}`, { method });
      expect([response.status, response.headers.get('content-type')]).toEqual([
        404,
        'application/problem+json; charset=utf-8',
      ]);
    }
  });
});
