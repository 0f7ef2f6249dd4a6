import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { problem, Refusal, shown, type Problem, type ProblemKind } from '../domain/problem.ts';
import type { Route } from './route.ts';

export const problemType = 'application/problem+json; charset=utf-8';

/** Errors of Fastify and Node by their code, as what they mean for the client. */
const knownErrors: Readonly<Record<string, readonly [ProblemKind, string]>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: [
    'body-too-large',
    'The body is larger than 1 MiB. Send fewer events at once.',
  ],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: [
    'bad-request',
    'The body is not as long as Content-Length says.',
  ],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [
    'unsupported-media-type',
    'The content type is no media type, or is missing.',
  ],
  FST_ERR_CTP_EMPTY_TYPE: ['unsupported-media-type', 'The content type is missing.'],
  FST_ERR_BAD_URL: ['bad-request', 'The path has a wrong percent-encoding.'],
  FST_ERR_MAX_PARAM_LENGTH: ['uri-too-long', 'A part of the path is longer than 100 characters.'],
  ECONNRESET: ['bad-request', 'The connection ended before the request did.'],
  HPE_HEADER_OVERFLOW: ['headers-too-large', 'The headers are larger than 16 KiB.'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: ['body-too-large', 'The chunk extensions are too large.'],
  ERR_HTTP_REQUEST_TIMEOUT: ['request-timeout', 'The request did not arrive in time.'],
};

/** What an error is for the client, and the headers that go with it. */
export function problemOf(error: unknown): {
  readonly problem: Problem;
  readonly headers: Readonly<Record<string, string>>;
} {
  if (error instanceof Refusal) return { problem: error.problem, headers: error.headers };
  const { code = '', statusCode = 500, message } = (error ?? {}) as Partial<FastifyError>;
  const known = Object.hasOwn(knownErrors, code) ? knownErrors[code] : undefined;
  if (known !== undefined) return { problem: problem(known[0], known[1]), headers: {} };
  if (code.startsWith('HPE_')) {
    return { problem: problem('bad-request', `This is no HTTP request (${code}).`), headers: {} };
  }
  if (statusCode >= 400 && statusCode < 500) {
    const kind: ProblemKind = statusCode === 404 ? 'not-found' : 'bad-request';
    return { problem: { ...problem(kind, String(message)), status: statusCode }, headers: {} };
  }
  return {
    problem: problem(
      'internal',
      'The edge failed at this request. Its log says more; try again later.',
    ),
    headers: {},
  };
}

/** Sends an error as a problem document. */
export function sendProblem(reply: FastifyReply, error: unknown): void {
  const { problem, headers } = problemOf(error);
  void reply.code(problem.status).headers(headers).type(problemType).send(JSON.stringify(problem));
}

/** Writes an error straight to a connection whose request could not be read. */
export function rawProblem(error: unknown): string {
  const { problem } = problemOf(error);
  const body = JSON.stringify(problem);
  return (
    `HTTP/1.1 ${problem.status} ${problem.title}\r\nContent-Type: ${problemType}\r\n` +
    `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`
  );
}

/** A refusal for a path that is not served, or not with this method. */
export function notServed(request: FastifyRequest, routes: readonly Route[]): Refusal {
  const [path = ''] = request.url.split('?');
  const segments = path.split('/');
  const methods = routes
    .filter((route) => isUnder(route.path, segments))
    .map(({ method }) => method);
  if (methods.length === 0) {
    return new Refusal('not-found', `There is nothing at ${shown(path)}. See / and /openapi.json.`);
  }
  const allow = [...new Set(methods)].join(', ');
  return new Refusal(
    'method-not-allowed',
    `${request.method.slice(0, 20)} is not allowed at ${shown(path)}; use ${allow}.`,
    {},
    { allow },
  );
}

function isUnder(template: string, segments: readonly string[]): boolean {
  const parts = template.split('/');
  return (
    parts.length === segments.length &&
    parts.every(
      (part, index) => part === segments[index] || (part.includes('{') && segments[index] !== ''),
    )
  );
}
