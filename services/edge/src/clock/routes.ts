import { setClock, type Beat, type Clock } from '@meridian/nest';
import { readClockRequest } from '../http/admin-bodies.ts';
import { Refusal } from '../domain/problem.ts';
import { wholeNumber } from '../domain/query.ts';
import { jsonBody } from '../http/json-body.ts';
import { orRefuse } from '../http/log-fault.ts';
import type { Call, Content, Parameters, Route } from '../http/route.ts';
import type { RestWatch } from './rest.ts';

const timeoutDefaultMs = 30_000;
const timeoutMostMs = 600_000;

const query: Parameters = {
  timeoutMs: {
    description: 'How long to wait until the services have settled, in ms',
    schema: { type: 'integer', minimum: 0, maximum: timeoutMostMs, default: timeoutDefaultMs },
  },
};

const settledContent: Content = {
  schema: {
    type: 'object',
    required: ['at', 'nextDueMs', 'lastSequence'],
    properties: {
      at: { type: 'integer', description: 'Log time, in epoch ms' },
      rate: { type: 'number', description: 'Log milliseconds per real millisecond' },
      nextDueMs: {
        type: ['integer', 'null'],
        description: 'When the next timer of any service is due, in epoch ms',
      },
      lastSequence: {
        type: 'object',
        description: "Where every stream ends here: the own ones, and the copies of other regions'",
        additionalProperties: { type: 'integer' },
      },
    },
  },
  example: {
    at: 1_769_847_300_000,
    rate: 0,
    nextDueMs: 1_769_847_315_000,
    lastSequence: { IN_eu: 12, EV_eu: 9 },
  },
};

const clockContent: Content = {
  schema: {
    type: 'object',
    required: ['source', 'started', 'now', 'setting'],
    properties: {
      source: { type: 'string', enum: ['system', 'driven'] },
      started: {
        type: 'boolean',
        description: 'False until a driven clock was set for the first time',
      },
      now: { type: ['integer', 'null'], description: 'Log time, in epoch ms' },
      setting: {
        type: ['object', 'null'],
        description: 'The last setting of a driven clock: now = at + (wall − wallAt) · rate',
      },
    },
  },
  example: {
    source: 'driven',
    started: true,
    now: 1_769_847_300_000,
    setting: { at: 1_769_847_300_000, wallAt: 1_769_900_000_000, rate: 0 },
  },
};

export interface ClockParts {
  readonly clock: Clock;
  readonly beat: Beat;
  readonly region: string;
  readonly rest: RestWatch;
}

/** `GET` and `POST /v1/clock`. */
export function clockRoutes({ clock, beat, region, rest }: ClockParts): Route[] {
  return [
    {
      method: 'GET',
      path: '/v1/clock',
      scope: 'admin',
      operationId: 'readClock',
      tag: 'operations',
      summary: 'What time it is for this region',
      replies: { 200: { description: 'The clock', content: { 'application/json': clockContent } } },
      handle: () => ({
        source: clock.source,
        started: clock.started,
        now: clock.started ? clock.now() : null,
        setting: clock.setting ?? null,
      }),
    },
    {
      method: 'POST',
      path: '/v1/clock',
      scope: 'admin',
      operationId: 'driveClock',
      tag: 'operations',
      summary: 'Set a driven clock, and wait until every service has done what was due',
      description:
        'Without `at` the clock stays where it is, without `rate` it keeps its rate (0 at first: it stands still); ' +
        'without both it is not touched. ' +
        'Answers once every required service has read everything and has fired what is due. ' +
        'With `upTo` it waits first until the streams are held here so far: what other regions stored until they ' +
        'came to rest. When each of several regions has read what each other one had stored when it rested, all rest.',
      query,
      body: {
        'application/json': {
          schema: {
            type: 'object',
            additionalProperties: false,
            properties: {
              at: { type: ['integer', 'string'], description: 'Epoch ms or an RFC 3339 timestamp' },
              rate: { type: 'number', minimum: 0, maximum: 10_000 },
              upTo: {
                type: 'object',
                description: 'The last sequence of streams, as other regions answered',
                additionalProperties: { type: 'integer', minimum: 0 },
              },
            },
          },
          example: { at: 1_769_847_300_000, rate: 0 },
        },
      },
      replies: {
        200: {
          description: 'Everything has come to rest',
          content: { 'application/json': settledContent },
        },
      },
      refusals: [408, 409, 413, 415, 503],
      async handle(call: Call) {
        const timeoutMs =
          wholeNumber('timeoutMs', call.query.one('timeoutMs'), {
            least: 0,
            most: timeoutMostMs,
          }) ?? timeoutDefaultMs;
        const asked = readClockRequest(jsonBody(call), rest.streams);
        if (clock.source !== 'driven') {
          throw new Refusal(
            'clock-not-driven',
            "This region's clock is the system's. Start it with MERIDIAN_CLOCK=driven to set it.",
          );
        }
        const { at, rate } = setTo(clock, asked);
        const isSet = asked.at !== undefined || asked.rate !== undefined;
        const endRepeating = isSet ? setClock(beat, region, { at, rate }, clock) : () => {};
        const state = await orRefuse(rest.wait(at, timeoutMs, asked.upTo)).finally(endRepeating);
        if (!state.settled) {
          throw new Refusal(
            'not-settled',
            `The clock is set, but not everything came to rest within ${timeoutMs} ms: ${state.waitingFor.join('; ')}.`,
            { at, waitingFor: state.waitingFor },
          );
        }
        return { at, rate, nextDueMs: state.nextDueMs, lastSequence: state.lastSequence };
      },
    },
  ];
}

/** @throws Refusal when the clock has no time yet and none is given, or would go back */
function setTo(
  clock: Clock,
  asked: { readonly at: number | undefined; readonly rate: number | undefined },
) {
  const now = clock.started ? clock.now() : undefined;
  const isLeft = asked.at === undefined && asked.rate === undefined;
  const at = (isLeft ? clock.setting?.at : asked.at) ?? now;
  if (at === undefined) {
    throw new Refusal('bad-request', 'The clock was never set: say `at`, in epoch ms.', {
      errors: [{ pointer: '/at', code: 'missing', detail: '/at is missing.' }],
    });
  }
  if (!isLeft && now !== undefined && at < now) {
    const detail = `/at is ${at}, but the clock shows ${now}; it cannot go back.`;
    throw new Refusal('bad-request', detail, {
      errors: [{ pointer: '/at', code: 'too_small', detail }],
    });
  }
  return { at, rate: asked.rate ?? clock.setting?.rate ?? 0 };
}
