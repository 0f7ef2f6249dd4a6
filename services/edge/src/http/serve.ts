import type { FastifyInstance, FastifyReply, FastifyRequest, FastifyServerOptions } from 'fastify';
import type { Socket } from 'node:net';
import { allows, bearerToken, type ApiKey } from '@meridian/keys';
import { Refusal } from '../domain/problem.ts';
import { readQuery, type QueryValues } from '../domain/query.ts';
import { sendProblem, notServed, rawProblem } from './answer.ts';
import type { Call, Route } from './route.ts';

/** The largest body, in bytes. */
export const bodyLimitBytes = 1_048_576;
/** How long a request may take to arrive, in ms; answers may take longer. */
const requestTimeoutMs = 30_000;

/** Finds the key that a token belongs to; undefined when it is worth nothing. */
export type Authenticate = (token: string) => ApiKey | undefined;

export interface ServeOptions {
  readonly routes: readonly Route[];
  readonly authenticate: Authenticate;
  /** Told of errors that are the edge's own fault. */
  readonly onFault: (error: unknown, request: FastifyRequest) => void;
}

const passed = Symbol('meridian.passed');

/** What the first hook found out about a request. */
interface Passed {
  readonly key: ApiKey | undefined;
  readonly query: QueryValues;
}

/** The settings of the HTTP server that every answer depends on, refusals of broken requests included. */
export const serverOptions = {
  bodyLimit: bodyLimitBytes,
  requestTimeout: requestTimeoutMs,
  forceCloseConnections: true,
  exposeHeadRoutes: false,
  frameworkErrors: (error: unknown, _request: unknown, reply: unknown): void => {
    sendProblem(reply as FastifyReply, error);
  },
  clientErrorHandler(error: unknown, socket: Socket): void {
    if (!socket.writable) {
      socket.destroy();
      return;
    }
    socket.end(rawProblem(error));
    socket.destroySoon();
  },
} as const satisfies FastifyServerOptions;

/** Serves a route table, in a scope of its own so that no other parser or handler has a say. */
export function serve(fastify: FastifyInstance, options: ServeOptions): void {
  void fastify.register((scope, _, done) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser(
      '*',
      { parseAs: 'buffer', bodyLimit: bodyLimitBytes },
      (_request, body, parsed) => parsed(null, body),
    );
    scope.setErrorHandler((error, request, reply) => {
      if (
        (error as { statusCode?: number }).statusCode === undefined &&
        !(error instanceof Refusal)
      ) {
        options.onFault(error, request);
      }
      sendProblem(reply, error);
    });
    scope.decorateRequest(passed as never, null as never);
    for (const route of options.routes) register(scope, route, options.authenticate);
    done();
  });
}

/** Answers what no route takes. For the root of a server that has no such handler yet. */
export function refuseTheRest(fastify: FastifyInstance, routes: readonly Route[]): void {
  fastify.setNotFoundHandler((request, reply) => sendProblem(reply, notServed(request, routes)));
}

function register(scope: FastifyInstance, route: Route, authenticate: Authenticate): void {
  const declared = route.query ?? {};
  scope.route({
    method: route.method,
    url: route.path.replaceAll(/\{(\w+)\}/g, ':$1'),
    exposeHeadRoute: false,
    // Before the body is read: nobody without a key makes the edge keep a megabyte.
    onRequest(request, _reply, next) {
      const key =
        route.scope === 'open' ? undefined : authorize(request, route.scope, authenticate);
      const query = readQuery(request.query as Record<string, unknown>, declared);
      (request as unknown as Record<symbol, Passed>)[passed] = { key, query };
      next();
    },
    async handler(request, reply) {
      const { key, query } = (request as unknown as Record<symbol, Passed>)[passed] as Passed;
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      const parameters = request.params as Record<string, string>;
      const result = await route.handle({ key, parameters, query, body, request, reply } as Call);
      if (result === undefined) return reply;
      if (typeof result === 'string') return reply.send(result);
      return reply.type('application/json; charset=utf-8').send(JSON.stringify(result));
    },
  });
}

const challenge = 'Bearer realm="meridian"';

/** @throws Refusal 401 without a valid key, 403 when it does not allow this */
function authorize(
  request: FastifyRequest,
  scope: ApiKey['scopes'][number],
  authenticate: Authenticate,
): ApiKey {
  return keyFor(
    bearerToken(request.headers.authorization),
    scope,
    authenticate,
    'Show an API key: `Authorization: Bearer mk_<id>_<secret>`.',
  );
}

/**
 * Finds the key for what needs a scope, by whatever way a token came.
 * @throws Refusal 401 without a valid key, 403 when it does not allow this
 */
export function keyFor(
  token: string | undefined,
  scope: ApiKey['scopes'][number],
  authenticate: Authenticate,
  advice: string,
): ApiKey {
  if (token === undefined) {
    throw new Refusal('unauthenticated', advice, {}, { 'www-authenticate': challenge });
  }
  const key = authenticate(token);
  if (key === undefined) {
    throw new Refusal(
      'unauthenticated',
      'The API key is not known, not whole, or was revoked.',
      {},
      { 'www-authenticate': `${challenge}, error="invalid_token"` },
    );
  }
  if (allows(key, scope)) return key;
  throw new Refusal(
    'forbidden',
    `This needs a key of the scope ${scope}; the key ${key.id} has ${key.scopes.join(', ') || 'none'}.`,
    {},
    { 'www-authenticate': `${challenge}, error="insufficient_scope", scope="${scope}"` },
  );
}
