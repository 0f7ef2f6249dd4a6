import { Refusal, type ProblemError } from '../domain/problem.ts';
import { jsonBody } from '../http/json-body.ts';
import type { Call, Parameters, Route } from '../http/route.ts';
import { notOpenedReasons, type Opening } from './opening.ts';

/** The most values that are opened at once. */
export const valuesLimit = 1_000;

const bodySchema = {
  type: 'object',
  required: ['values'],
  additionalProperties: false,
  properties: {
    values: { type: 'array', minItems: 1, maxItems: valuesLimit, items: { type: 'string' } },
  },
};

const openedSchema = {
  type: 'object',
  required: ['values'],
  properties: {
    values: {
      type: 'array',
      description: 'One for each value sent, in their order',
      items: {
        oneOf: [
          { type: 'object', required: ['text'], properties: { text: { type: 'string' } } },
          {
            type: 'object',
            required: ['reason'],
            properties: {
              reason: {
                type: 'string',
                enum: notOpenedReasons,
                description:
                  'NOT_SEALED: it is no sealed text. ERASED: the log says that its key was destroyed. NOT_HELD_HERE: ' +
                  "this region may not hold the tenant's keys. NO_SUCH_KEY: no key of this id is held here. " +
                  'DAMAGED: it was changed.',
              },
            },
          },
        ],
      },
    },
  },
};

/** `POST /v1/personal/open`. @param headers that say why, for the documents */
export function personalRoutes(opening: Opening, headers: Parameters = {}): Route[] {
  return [
    {
      method: 'POST',
      path: '/v1/personal/open',
      scope: 'personal',
      operationId: 'openPersonal',
      tag: 'privacy',
      summary: 'The clear text of sealed personal texts',
      description:
        'Personal fields travel and are stored as sealed texts (`sealed:1:…`); their keys are in ' +
        `vaults of the regions. At most ${valuesLimit} values. Each opening is an event of the tenant.`,
      headers,
      body: { 'application/json': { schema: bodySchema } },
      replies: {
        200: {
          description: 'What each value says, or why it is not known',
          content: { 'application/json': { schema: openedSchema } },
        },
      },
      refusals: [413, 415, 503],
      async handle(call: Call) {
        const values = readValues(jsonBody(call));
        return { values: await opening.values(call, values) };
      },
    },
  ];
}

/** @throws Refusal 400 */
function readValues(body: unknown): string[] {
  const refuse = (error: ProblemError): never => {
    throw new Refusal('bad-request', error.detail, { errors: [error] });
  };
  const { values, ...others } = Object(body) as { readonly values?: unknown };
  const [other] = Object.keys(others);
  if (other !== undefined || Array.isArray(body)) {
    const detail = 'The body must be an object with `values` alone.';
    return refuse({ pointer: '', code: 'unknown', detail });
  }
  if (!Array.isArray(values) || values.length === 0 || values.length > valuesLimit) {
    const detail = `/values must be a list of 1 to ${valuesLimit} texts.`;
    return refuse({ pointer: '/values', code: values === undefined ? 'missing' : 'type', detail });
  }
  for (const [index, value] of values.entries()) {
    if (typeof value === 'string') continue;
    const pointer = `/values/${index}`;
    refuse({ pointer, code: 'type', detail: `${pointer} must be a text.` });
  }
  return values as string[];
}
