import type { Ledger } from '@meridian/journal';
import { eventStream } from '@meridian/wire';
import { entities, readEventFilter, type EventFilter } from './event-filter.ts';
import {
  after,
  parsePosition,
  parseVector,
  type Position,
  type Vector,
} from '../domain/position.ts';
import { Refusal, shown } from '../domain/problem.ts';
import { invalidParameter, wholeNumber, type QueryValues } from '../domain/query.ts';
import { orRefuse } from '../http/log-fault.ts';
import type { Call, Parameters, Route } from '../http/route.ts';
import type { Track } from './cursor.ts';
import type { Plan, StreamHub } from './hub.ts';

const largest = Number.MAX_SAFE_INTEGER;
const vectorPattern = 'EV_\\w+:[0-9]+(\\.[0-9]+)?(,EV_\\w+:[0-9]+(\\.[0-9]+)?)*';

const query: Parameters = {
  home: {
    description: 'Homes: the regions that contacts and agents entered',
    many: true,
    schema: { type: 'array', items: { type: 'string' } },
    example: 'eu',
  },
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
    description:
      '`now` (what is decided from now on), `start`, the id of an event to go on after, or a sequence: that of the ' +
      "first entry of this region's stream, the others then from now on",
    schema: {
      type: 'string',
      pattern: `^(start|now|[0-9]+|${vectorPattern})$`,
      default: 'now',
    },
  },
  to: {
    description:
      "The sequence of the last entry of this region's stream, or places such as EV_eu:12,EV_us:7: the stream ends " +
      'there, and for streams that are not named where they end now',
    schema: { type: 'string', pattern: `^([0-9]+|${vectorPattern})$` },
  },
};

const headers: Parameters = {
  'last-event-id': {
    description: 'The id of the last event received; the stream goes on with the very next one',
    schema: { type: 'string' },
    example: 'EV_eu:123.0',
  },
};

export interface StreamOptions {
  readonly hub: StreamHub;
  readonly region: string;
  /** All regions, in the order of the hub's feeds. */
  readonly regions: readonly string[];
  /** Says what does not count; without it everything does. */
  readonly ledger?: Ledger;
  /** Resolves once the ledger knows what the local copies hold. */
  readonly ledgerKnown: () => Promise<void>;
}

/** `GET /v1/stream`. */
export function streamRoutes(options: StreamOptions): Route[] {
  const { hub, regions } = options;
  return [
    {
      method: 'GET',
      path: '/v1/stream',
      scope: 'read',
      operationId: 'streamEvents',
      tag: 'events',
      summary: 'Decided events as they are stored, as server-sent events',
      description:
        'Each event has an id, its type as `event` and the CloudEvent as `data`. The id says the place of ' +
        'the event in its stream (`EV_eu:123.0`: entry and place in it) and, with several regions, how far ' +
        'all streams were sent (`EV_eu:123.0,EV_us:77`; without an index: the whole entry): the stream can ' +
        'be resumed with it at any edge of any region. Each stream keeps its order; between streams there ' +
        'is none. What a lost owner decided beyond its seal is left out once that is known. Filters of one ' +
        'name are alternatives, of different names conditions. A slow reader misses nothing. A request ' +
        'that goes on after `to` is answered with 204, which tells an EventSource to stop.',
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
        const given = request.headers['last-event-id'];
        const lastEventId = typeof given === 'string' && given !== '' ? given : undefined;
        const filter = readEventFilter(values, key.tenant, regions);
        const plan = planOf(values, lastEventId, filter, options);
        await orRefuse(options.ledgerKnown());
        await hub.stream(reply, plan);
      },
    },
  ];
}

/** @throws Refusal when a parameter is wrong; the plan itself when its position is not reached yet */
function planOf(
  values: QueryValues,
  lastEventId: string | undefined,
  filter: EventFilter,
  { region, regions, ledger }: Pick<StreamOptions, 'region' | 'regions' | 'ledger'>,
): Plan {
  const streams = regions.map(eventStream);
  const own = eventStream(region);
  const resumed = lastEventId === undefined ? undefined : vectorOf(streams, lastEventId);
  const from = fromOf(values.one('from'), streams);
  const to = toOf(values.one('to'), streams);
  if (resumed === undefined && typeof from === 'number' && typeof to === 'number' && from > to) {
    throw invalidParameter('to', `is ${to}, before from (${from})`);
  }
  const vector = resumed ?? (from instanceof Map ? (from as Vector) : undefined);
  return (nexts) => {
    const tracks = streams.map((stream, index): Track => {
      const next = nexts[index] as number;
      const place = vector?.get(stream);
      if (stream === own && place !== undefined && place.sequence >= next) {
        throw ahead(own, next, resumed === undefined ? 'from' : 'Last-Event-ID');
      }
      return {
        from: vector === undefined ? startOf(from, stream === own, next) : after(place ?? none),
        to: endOf(to, stream, stream === own, next),
      };
    });
    const nothingLeft = tracks.every(({ from: first, to: last }) => first.sequence > last);
    return nothingLeft
      ? 'nothing-left'
      : { filter, tracks, ...(ledger === undefined ? {} : { ledger }) };
  };
}

const none = { sequence: 0 } as const;

function ahead(stream: string, next: number, name: string): Refusal {
  return new Refusal('position-ahead', `${stream} ends at ${next - 1}; ${name} is ahead of it.`);
}

function startOf(from: From, isOwn: boolean, next: number): Position {
  if (from === 'start') return { sequence: 1, index: 0 };
  if (typeof from !== 'number' || !isOwn) return { sequence: next, index: 0 };
  if (from > next) throw ahead('The stream of this region', next, 'from');
  return { sequence: from, index: 0 };
}

function endOf(
  to: number | Vector | undefined,
  stream: string,
  isOwn: boolean,
  next: number,
): number {
  if (to === undefined) return Infinity;
  if (typeof to === 'number') return isOwn ? to : next - 1;
  return to.get(stream)?.sequence ?? next - 1;
}

/** Where a stream goes on: the id of an event of a stream that is alone says its index. */
function readVector(streams: readonly string[], text: string): Vector | undefined {
  const [only = ''] = streams;
  if (streams.length > 1) return parseVector(streams, text);
  const position = parsePosition(only, text);
  return position && new Map([[only, position]]);
}

function vectorOf(streams: readonly string[], id: string): Vector {
  const vector = readVector(streams, id);
  if (vector !== undefined) return vector;
  const example = streams.map((stream) => `${stream}:123`).join(',');
  throw new Refusal(
    'invalid-parameter',
    `Last-Event-ID is ${shown(id)}; it must be the id of an event of this stream, such as ${example}.0.`,
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

type From = 'now' | 'start' | number | Vector;

function fromOf(text: string | undefined, streams: readonly string[]): From {
  if (text === undefined || text === 'now') return 'now';
  if (text === 'start') return 'start';
  return (
    readVector(streams, text) ?? (wholeNumber('from', text, { least: 1, most: largest }) as number)
  );
}

function toOf(text: string | undefined, streams: readonly string[]): number | Vector | undefined {
  if (text === undefined) return undefined;
  return parseVector(streams, text) ?? wholeNumber('to', text, { least: 1, most: largest });
}
