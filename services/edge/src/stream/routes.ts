import { eventStream } from '@meridian/wire';
import { entities, readEventFilter } from './event-filter.ts';
import { parsePosition, type Position } from '../domain/position.ts';
import { Refusal, shown } from '../domain/problem.ts';
import { invalidParameter, wholeNumber, type QueryValues } from '../domain/query.ts';
import type { Call, Parameters, Route } from '../http/route.ts';
import type { Plan, StreamHub } from './hub.ts';

const largest = Number.MAX_SAFE_INTEGER;

const query: Parameters = {
  entity: {
    description: 'Whom events are about',
    many: true,
    schema: { type: 'array', items: { type: 'string', enum: entities } },
  },
  type: {
    description: 'Types of events',
    many: true,
    schema: { type: 'array', items: { type: 'string' } },
    example: 'meridian.contact.queued.v1',
  },
  subject: {
    description: 'Ids of contacts, reservations, agents or queues',
    many: true,
    schema: { type: 'array', items: { type: 'string' } },
    example: 'c1',
  },
  from: {
    description: 'The sequence of the first entry, `start`, or `now` (what is decided from now on)',
    schema: { type: 'string', pattern: '^(start|now|[0-9]+)$', default: 'now' },
  },
  to: {
    description: 'The sequence of the last entry: the stream ends there',
    schema: { type: 'integer', minimum: 1 },
  },
};

const headers: Parameters = {
  'last-event-id': {
    description: 'The id of the last event received; the stream goes on with the very next one',
    schema: { type: 'string' },
    example: 'EV_eu:123.0',
  },
};

/** `GET /v1/stream`. */
export function streamRoutes(hub: StreamHub, region: string): Route[] {
  return [
    {
      method: 'GET',
      path: '/v1/stream',
      scope: 'read',
      operationId: 'streamEvents',
      tag: 'events',
      summary: 'Decided events as they are stored, as server-sent events',
      description:
        'Each event has an id (`EV_eu:123.0`: entry and place in it), its type as `event` and the CloudEvent as ' +
        '`data`. Filters of one name are alternatives, of different names conditions. A slow reader misses nothing. ' +
        'A request that goes on after `to` is answered with 204, which tells an EventSource to stop.',
      query,
      headers,
      replies: {
        200: {
          description: 'Events, with comment lines as heartbeats',
          content: {
            'text/event-stream': {
              schema: { type: 'string' },
              example:
                'id: EV_eu:123.0\nevent: meridian.contact.queued.v1\ndata: {"specversion":"1.0",…}\n\n',
            },
          },
        },
        204: { description: 'Nothing is left to send up to `to`' },
      },
      refusals: [429, 503],
      async handle({ key, query: values, request, reply }: Call) {
        const lastEventId = request.headers['last-event-id'];
        await hub.stream(
          reply,
          planOf(
            values,
            typeof lastEventId === 'string' ? lastEventId : undefined,
            region,
            key.tenant,
          ),
        );
      },
    },
  ];
}

/** @throws Refusal when a parameter is wrong; the plan itself when its position is not reached yet */
export function planOf(
  values: QueryValues,
  lastEventId: string | undefined,
  region: string,
  tenant: string,
): Plan {
  const stream = eventStream(region);
  const filter = readEventFilter(values, tenant);
  const to = wholeNumber('to', values.one('to'), { least: 1, most: largest }) ?? Infinity;
  const resumed =
    lastEventId === undefined || lastEventId === '' ? undefined : after(stream, lastEventId);
  const asked = fromOf(values.one('from'));
  if (resumed === undefined && asked !== 'now' && asked.sequence > to) {
    throw invalidParameter('to', `is ${to}, before from (${asked.sequence})`);
  }
  return (next) => {
    const from = resumed ?? (asked === 'now' ? { sequence: next, index: 0 } : asked);
    if (from.sequence > next || (resumed !== undefined && from.sequence === next)) {
      throw new Refusal(
        'position-ahead',
        `${stream} ends at ${next - 1}; ${resumed === undefined ? 'from' : 'Last-Event-ID'} is ahead of it.`,
      );
    }
    return from.sequence > to ? 'nothing-left' : { filter, region, from, to };
  };
}

function after(stream: string, id: string): Position {
  const last = parsePosition(stream, id);
  if (last !== undefined) return { sequence: last.sequence, index: last.index + 1 };
  throw new Refusal(
    'invalid-parameter',
    `Last-Event-ID is ${shown(id)}; it must be the id of an event of this stream, such as ${stream}:123.0.`,
    {
      errors: [
        {
          pointer: '/headers/last-event-id',
          code: 'not_allowed',
          detail: 'It is no id of an event of this stream.',
        },
      ],
    },
  );
}

function fromOf(text: string | undefined): Position | 'now' {
  if (text === undefined || text === 'now') return 'now';
  if (text === 'start') return { sequence: 1, index: 0 };
  return { sequence: wholeNumber('from', text, { least: 1, most: largest }) as number, index: 0 };
}
