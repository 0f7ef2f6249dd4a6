/** One thing that is wrong, and where: `pointer` is a JSON pointer (RFC 6901) into the request. */
export interface ProblemError {
  readonly pointer: string;
  readonly code: string;
  readonly detail: string;
}

/** A refusal as RFC 9457 says it. */
export interface Problem {
  /** `urn:meridian:problem:<code>`. */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  /** What was wrong, where, and what to do about it. */
  readonly detail: string;
  readonly errors?: readonly ProblemError[];
  /** Where the JSON Schema is that was not kept. */
  readonly schema?: string;
  readonly [extension: string]: unknown;
}

/** Every way in which the edge refuses: its HTTP status and its title. */
export const problemKinds = {
  'bad-request': [400, 'The request cannot be read'],
  'unknown-parameter': [400, 'A query parameter is not known'],
  'invalid-parameter': [400, 'A parameter has a wrong value'],
  'invalid-json': [400, 'The body is no acceptable JSON'],
  'invalid-protobuf': [400, 'The data is no such protobuf message'],
  'invalid-event': [400, 'An event does not keep its contract'],
  'empty-batch': [400, 'The batch holds no event'],
  'batch-too-long': [413, 'The batch holds too many events'],
  'durability-unavailable': [400, 'This durability is not available'],
  'position-ahead': [400, 'The position is not reached yet'],
  unauthenticated: [401, 'A valid API key is needed'],
  forbidden: [403, 'The API key does not allow this'],
  'not-found': [404, 'There is no such thing here'],
  'method-not-allowed': [405, 'The method is not allowed here'],
  'not-settled': [408, 'The services did not settle in time'],
  'request-timeout': [408, 'The request took too long to arrive'],
  conflict: [409, 'Another request was first'],
  'duplicate-id': [409, 'Another event of this id was published before'],
  'clock-not-driven': [409, 'The clock of this region is not driven'],
  'body-too-large': [413, 'The body is too large'],
  'uri-too-long': [414, 'The path or a part of it is too long'],
  'unsupported-media-type': [415, 'The content type is not taken here'],
  'outside-residency': [421, 'Personal data of this tenant is not taken in this region'],
  'headers-too-large': [431, 'The headers are too large'],
  'too-many-streams': [429, 'Too many streams are open'],
  internal: [500, 'The edge failed'],
  'not-mirrored': [503, 'It is stored here, and not in enough other regions yet'],
  'region-not-open': [503, 'The region takes nothing in at the moment'],
  'recovery-away': [503, 'The recovery of this region does not answer'],
  'log-unavailable': [503, 'The log does not answer'],
  'read-models-behind': [503, 'The read models are not there yet'],
  'read-models-unavailable': [503, 'The read models do not answer'],
} as const satisfies Record<string, readonly [status: number, title: string]>;

export type ProblemKind = keyof typeof problemKinds;

/** What a problem may say beside its kind and detail. */
export interface ProblemExtras {
  readonly errors?: readonly ProblemError[];
  readonly schema?: string;
  readonly [extension: string]: unknown;
}

/** Writes a problem document. */
export function problem(kind: ProblemKind, detail: string, extras: ProblemExtras = {}): Problem {
  const [status, title] = problemKinds[kind];
  return { type: `urn:meridian:problem:${kind}`, title, status, detail, ...extras };
}

/** Thrown where a request is refused; whoever answers sends its problem and headers. */
export class Refusal extends Error {
  readonly problem: Problem;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    kind: ProblemKind,
    detail: string,
    extras?: ProblemExtras,
    headers: Record<string, string> = {},
  ) {
    super(detail);
    this.name = 'Refusal';
    this.problem = problem(kind, detail, extras);
    this.headers = headers;
  }
}

const shownLimit = 60;

/** A text from outside as it may be shown in a problem: quoted, and cut when it is long. */
export function shown(text: string): string {
  return JSON.stringify(text.length > shownLimit ? `${text.slice(0, shownLimit)}...` : text);
}
