import { currentTraceparent, withSpan } from '@meridian/nest';
import { batchLimit, type Publisher } from './batch.ts';
import { readTraceparent } from '../domain/media.ts';
import { readDurability } from '../durability/ask.ts';
import { durabilities } from '../domain/held-by.ts';
import type { Call, Route } from '../http/route.ts';
import { acceptedSchema, batchContent, eventContent, sentHeaders } from './documented.ts';
import type { Intake } from './intake.ts';

const place = { name: 'durability', pointer: '/query/durability' } as const;

export interface PublishOptions {
  readonly intake: Intake;
  /** The region's clock, as an RFC 3339 timestamp. */
  readonly now: () => string;
  /** All regions of the mesh; one that is alone can offer no durability beyond itself. */
  readonly regions: readonly string[];
}

/** `POST /v1/events`. */
export function publishRoutes({ intake, now, regions }: PublishOptions): Route[] {
  const alone = regions.length < 2;
  return [
    {
      method: 'POST',
      path: '/v1/events',
      scope: 'publish',
      operationId: 'publishEvents',
      tag: 'events',
      summary: 'Publish one CloudEvent or a batch of them',
      description:
        'Answers once everything is stored in the log of the region, and with `durability` once it is ' +
        'held by others. When they do not say so in time, the answer is 503 with the problem ' +
        'not-mirrored: everything is stored here, and sending it again is safe and waits again. ' +
        'Each event is known by its ' +
        'source and id: sent again with the same type, subject and data it is a duplicate, with others it ' +
        `is refused. A batch (at most ${batchLimit} events, 1 MiB) is checked whole before anything is stored.`,
      query: {
        durability: {
          description:
            'Who holds the events before the answer: this region, one other, every other. ' +
            'A region that is alone has `region` only.',
          schema: {
            type: 'string',
            enum: alone ? ['region'] : durabilities,
            default: 'region',
          },
        },
      },
      headers: sentHeaders,
      body: { ...eventContent, ...batchContent },
      bodyRequired: false,
      replies: {
        202: { description: 'All are stored', content: { 'application/json': acceptedSchema } },
      },
      refusals: [409, 413, 415, 421, 503],
      async handle({ key, query, request, reply, body }: Call) {
        const durability = readDurability(place, query.one('durability'), alone);
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
          intake.publish(submission, { key, now: now(), regions, ...tracedBy(sent) }, durability);
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
