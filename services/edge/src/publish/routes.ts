import { currentTraceparent, withSpan } from '@meridian/nest';
import { batchLimit, type Publisher } from './batch.ts';
import { readTraceparent } from '../domain/media.ts';
import { Refusal } from '../domain/problem.ts';
import { oneOf, type QueryValues } from '../domain/query.ts';
import type { Call, Route } from '../http/route.ts';
import { acceptedSchema, batchContent, eventContent, sentHeaders } from './documented.ts';
import type { Intake } from './intake.ts';

/** `POST /v1/events`. @param now the region's clock, as an RFC 3339 timestamp */
export function publishRoutes(intake: Intake, now: () => string): Route[] {
  return [
    {
      method: 'POST',
      path: '/v1/events',
      scope: 'publish',
      operationId: 'publishEvents',
      tag: 'events',
      summary: 'Publish one CloudEvent or a batch of them',
      description:
        'Answers once everything is stored in the log of the region. Each event is known by its ' +
        'source and id: sent again with the same type, subject and data it is a duplicate, with others it ' +
        `is refused. A batch (at most ${batchLimit} events, 1 MiB) is checked whole before anything is stored.`,
      query: {
        durability: {
          description: 'Who holds the events before the answer; `region`: this one.',
          schema: { type: 'string', enum: ['region'], default: 'region' },
        },
      },
      headers: sentHeaders,
      body: { ...eventContent, ...batchContent },
      bodyRequired: false,
      replies: {
        202: { description: 'All are stored', content: { 'application/json': acceptedSchema } },
      },
      refusals: [409, 413, 415, 503],
      async handle({ key, query, request, reply, body }: Call) {
        checkDurability(query);
        const { headers } = request;
        const sent = readTraceparent(headers['traceparent'] as string | undefined);
        const submission = {
          contentType: headers['content-type'],
          contentEncoding: headers['content-encoding'],
          headers:
            headers['ce-specversion'] === undefined && !hasAttributes(headers)
              ? []
              : pairs(request.raw.rawHeaders),
          body,
        };
        const store = (): Promise<string> =>
          intake.publish(submission, { key, now: now(), ...tracedBy(sent) });
        const text = await withSpan('POST /v1/events', sent, store, {}, 'server');
        reply.code(202).type('application/json; charset=utf-8');
        return text;
      },
    },
  ];
}

/** The trace to store with the events: the request's own goes before theirs only if it was sent. */
function tracedBy(sent: string | undefined): Pick<Publisher, 'traceparent' | 'newTraceparent'> {
  const own = currentTraceparent();
  if (sent !== undefined) return { traceparent: own ?? sent };
  return own === undefined ? {} : { newTraceparent: own };
}

function hasAttributes(headers: Readonly<Record<string, unknown>>): boolean {
  for (const name in headers) if (name.startsWith('ce-')) return true;
  return false;
}

/** Raw headers as pairs, names in lower case, repeated ones kept. */
function pairs(raw: readonly string[]): (readonly [string, string])[] {
  const result: (readonly [string, string])[] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) {
    result.push([(raw[index] as string).toLowerCase(), raw[index + 1] as string]);
  }
  return result;
}

/** @throws Refusal when the durability asked for is not there */
export function checkDurability(query: QueryValues): void {
  const asked = query.one('durability');
  if (asked === undefined || asked === 'region') return;
  oneOf('durability', asked, ['region', 'mirrored', 'all']);
  throw new Refusal(
    'durability-unavailable',
    `The durability ${asked} is not available in this region yet; region is the only one.`,
    {
      errors: [
        { pointer: '/query/durability', code: 'not_allowed', detail: 'Only region is available.' },
      ],
    },
  );
}
