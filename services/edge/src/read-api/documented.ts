import type { ContactState } from '@meridian/wire';
import type { JsonSchema } from '@meridian/wire';
import type { DocumentedReply, Parameters } from '../http/route.ts';

export const contactStates: readonly ContactState[] = [
  'IN_SYSTEM',
  'IVR',
  'QUEUED',
  'OFFERED',
  'CONNECTED',
  'HELD',
  'WRAP_UP',
  'COMPLETED',
  'ABANDONED',
  'CANCELED',
  'FAILED',
];

export const atLeastParameter: Parameters = {
  atLeast: {
    description:
      "Wait (at most 2 s) until the read models embody this sequence of this region's EV stream, or places such as " +
      'EV_eu:12,EV_us:7.',
    schema: { type: 'string', pattern: '^([0-9]+|EV_.+)$' },
  },
};

const homeParameter: Parameters = {
  home: {
    description: 'Only of these homes: the regions that were entered',
    schema: { type: 'array', items: { type: 'string' } },
    many: true,
  },
};

export const asOfPageParameters: Parameters = {
  limit: {
    description: 'How many at most',
    schema: { type: 'integer', minimum: 1, maximum: 500, default: 50 },
  },
  after: {
    description: 'Go on after this id: the `next` of the page before',
    schema: { type: 'string' },
  },
};

export const pageParameters: Parameters = { ...asOfPageParameters, ...atLeastParameter };

export const asOfContactsParameters: Parameters = {
  state: {
    description: 'Only contacts in one of these states',
    schema: { type: 'array', items: { type: 'string', enum: contactStates } },
    many: true,
  },
  queue: { description: 'Only contacts that joined this queue', schema: { type: 'string' } },
  ...homeParameter,
  ...asOfPageParameters,
};

export const contactsParameters: Parameters = { ...asOfContactsParameters, ...atLeastParameter };

export const asOfAgentsParameters: Parameters = { ...homeParameter, ...asOfPageParameters };

export const agentsParameters: Parameters = { ...homeParameter, ...pageParameters };

const text: JsonSchema = { type: 'string' };
const textOrNull: JsonSchema = { type: ['string', 'null'] };
const moment: JsonSchema = { type: 'string', format: 'date-time' };
const momentOrNull: JsonSchema = { type: ['string', 'null'], format: 'date-time' };
const whole: JsonSchema = { type: 'integer', minimum: 0 };
const number: JsonSchema = { type: 'number', minimum: 0 };
const numberOrNull: JsonSchema = { type: ['number', 'null'], minimum: 0 };
const anything: JsonSchema = { type: 'object' };

const listOf = (items: JsonSchema): JsonSchema => ({ type: 'array', items });
const shape = (properties: Readonly<Record<string, JsonSchema>>): JsonSchema => ({
  type: 'object',
  required: Object.keys(properties),
  properties,
});

const position: JsonSchema = {
  type: 'object',
  required: ['stream', 'sequence'],
  properties: {
    stream: text,
    sequence: whole,
    places: {
      type: 'object',
      additionalProperties: whole,
      description:
        'Among several regions: how much of what a region wrote for a home, by EV_<region>.<home>',
    },
  },
};

const contact = {
  id: text,
  home: text,
  state: { type: 'string', enum: contactStates },
  channel: text,
  method: text,
  queueId: textOrNull,
  priority: whole,
  agentId: textOrNull,
  reservationId: textOrNull,
  initiatedAt: moment,
  queuedAt: momentOrNull,
  connectedAt: momentOrNull,
  endedAt: momentOrNull,
  waitedMs: numberOrNull,
  disposition: textOrNull,
  attributes: { type: 'object', additionalProperties: text } as JsonSchema,
  lastStream: text,
  lastSequence: whole,
  revision: whole,
};

const timeline = listOf(
  shape({
    stream: text,
    sequence: whole,
    index: whole,
    type: text,
    time: moment,
    subject: text,
    home: text,
    region: text,
    epoch: { type: ['integer', 'null'], minimum: 1 },
    adoptedFrom: textOrNull,
    event: anything,
  }),
);

const queueFigures = {
  waiting: whole,
  longestWaitingSince: momentOrNull,
  totals: shape({
    queued: whole,
    answered: whole,
    answeredWithinServiceLevel: whole,
    abandoned: whole,
    reaped: whole,
    sumWaitMs: number,
  }),
  serviceLevel: { type: ['number', 'null'], minimum: 0, maximum: 1 } as JsonSchema,
  averageSpeedOfAnswerMs: numberOrNull,
  lastStream: text,
  lastSequence: whole,
};

const queue = {
  id: text,
  settings: { type: ['object', 'null'] } as JsonSchema,
  deletedAt: momentOrNull,
  ...queueFigures,
  homes: listOf(shape({ home: text, ...queueFigures })),
};

const agent = {
  id: text,
  home: text,
  presence: text,
  reason: textOrNull,
  presenceSince: momentOrNull,
  sessionId: textOrNull,
  signedInAt: momentOrNull,
  signingOut: { type: 'boolean' } as JsonSchema,
  skills: listOf(shape({ skill: text, level: whole })),
  capacities: listOf(shape({ channel: text, limit: whole })),
  idleSince: momentOrNull,
  lastStream: text,
  lastSequence: whole,
  channels: listOf(
    shape({
      channel: text,
      state: {
        type: 'string',
        enum: ['OFF_QUEUE', 'IDLE', 'OFFERED', 'INTERACTING', 'ACW', 'AT_CAPACITY'],
      },
      limit: whole,
      offered: whole,
      interacting: whole,
      wrapping: whole,
    }),
  ),
  reservations: listOf(shape({ reservationId: text, contactId: text, channel: text, stage: text })),
};

const reply = (description: string, schema: JsonSchema): DocumentedReply => ({
  description,
  content: { 'application/json': { schema } },
});

const told = 'The header Meridian-Position says the same as `position`: what the answer embodies.';

export function oneReply(noun: 'contact' | 'queue' | 'agent'): DocumentedReply {
  const fields =
    noun === 'contact'
      ? { ...contact, timeline, timelineComplete: { type: 'boolean' } }
      : noun === 'queue'
        ? queue
        : agent;
  return reply(`The ${noun}. ${told}`, shape({ ...fields, position }));
}

export function listReply(noun: 'contacts' | 'queues' | 'agents'): DocumentedReply {
  const item = { contacts: contact, queues: queue, agents: agent }[noun];
  return reply(
    `The ${noun}, and \`next\` to go on with. ${told}`,
    shape({ [noun]: listOf(shape(item)), next: textOrNull, position }),
  );
}

const asOf = shape({
  moment: text,
  places: {
    type: 'object',
    additionalProperties: whole,
    description: 'The last sequence that is in, by EV_<region>.<home>',
  },
  final: {
    type: 'boolean',
    description:
      'Whether the log goes on beyond it in every home, so that the answer never changes',
  },
});

const fieldsOf = { contact, queue, agent };

/** One thing as it was. */
export function asOfReply(noun: 'contact' | 'queue' | 'agent'): DocumentedReply {
  const more = noun === 'contact' ? { timeline, timelineComplete: { type: 'boolean' } } : { asOf };
  return reply(`The ${noun} as it was.`, shape({ ...fieldsOf[noun], ...more }));
}

/** Several as they were. */
export function asOfListReply(noun: 'contacts' | 'queues' | 'agents'): DocumentedReply {
  const item = { contacts: contact, queues: queue, agents: agent }[noun];
  return reply(
    `The ${noun} as they were, and \`next\` to go on with.`,
    shape({ [noun]: listOf(shape(item)), next: textOrNull, asOf }),
  );
}
