import type { JsonSchema } from '@meridian/wire';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ApiKey, Scope } from '@meridian/keys';
import type { QueryValues } from '../domain/query.ts';

/** A parameter of the path or the query. */
export interface Parameter {
  readonly description: string;
  readonly schema: JsonSchema;
  /** It may be given more than once, or as a list with commas. */
  readonly many?: true;
  readonly example?: string | number | boolean;
}

export type Parameters = Readonly<Record<string, Parameter>>;

/** A body as the documents describe it. */
export interface Content {
  readonly schema: JsonSchema;
  readonly example?: unknown;
}

export interface DocumentedReply {
  readonly description: string;
  readonly content?: Readonly<Record<string, Content>>;
}

/** A request that passed the key and the query. */
export interface Call {
  /** The key that was shown. */
  readonly key: ApiKey;
  /** The parameters of the path. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly query: QueryValues;
  /** The body as it came; empty when there was none. */
  readonly body: Buffer;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

/** An open request: nobody was asked for a key. */
export type OpenCall = Omit<Call, 'key'>;

interface Described {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** As OpenAPI writes it: `/v1/keys/{id}`. */
  readonly path: string;
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly tag: string;
  readonly parameters?: Parameters;
  /** Whatever else the query holds is refused. */
  readonly query?: Parameters;
  /** Request headers that mean something, for the documents. */
  readonly headers?: Parameters;
  /** The content types taken, for the documents. */
  readonly body?: Readonly<Record<string, Content>>;
  readonly bodyRequired?: boolean;
  /** The good answers by status; refusals are the same everywhere. */
  readonly replies: Readonly<Record<string, DocumentedReply>>;
  /** The statuses with which it may refuse, beyond those that every route has. */
  readonly refusals?: readonly number[];
}

/**
 * What a route does. What it returns is sent as JSON with the status set on the reply (200 by
 * default); `undefined` says that the handler has answered, or will, itself.
 */
export interface KeyedRoute extends Described {
  readonly scope: Scope;
  readonly handle: (call: Call) => unknown;
}

export interface OpenRoute extends Described {
  readonly scope: 'open';
  readonly handle: (call: OpenCall) => unknown;
}

/** One entry of the route table: what is served, and what the documents say of it. */
export type Route = KeyedRoute | OpenRoute;
