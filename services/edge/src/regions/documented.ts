import type { JsonSchema } from '@meridian/wire';
import type { Content } from '../http/route.ts';

const text: JsonSchema = { type: 'string' };
const textOrNull: JsonSchema = { type: ['string', 'null'] };
const whole: JsonSchema = { type: 'integer', minimum: 0 };
const number: JsonSchema = { type: 'number', minimum: 0 };
const numberOrNull: JsonSchema = { type: ['number', 'null'], minimum: 0 };
const yesNo: JsonSchema = { type: 'boolean' };
const yesNoOrNull: JsonSchema = { type: ['boolean', 'null'] };
const listOf = (items: JsonSchema): JsonSchema => ({ type: 'array', items });
const shape = (properties: Readonly<Record<string, JsonSchema>>): JsonSchema => ({
  type: 'object',
  required: Object.keys(properties),
  properties,
});
const orNull = (schema: JsonSchema): JsonSchema => ({ oneOf: [schema, { type: 'null' }] });

export const regionsContent: Content = {
  schema: shape({
    region: { ...text, description: 'The region that looks' },
    regions: listOf(
      shape({
        region: text,
        owns: { ...listOf(text), description: 'The homes it decides for' },
        lease: orNull(shape({ holder: text, ageMs: number })),
        isolated: { ...yesNoOrNull, description: 'As it says itself; null when nothing was heard' },
        control: textOrNull,
      }),
    ),
    homes: listOf(
      shape({
        home: text,
        owner: text,
        epoch: whole,
        state: { type: 'string', enum: ['ACTIVE', 'FAILING_OVER', 'TAKING_OVER'] },
        failover: orNull(shape({ to: text, kind: text, step: text })),
        seals: listOf(shape({ epoch: whole, owner: text, upTo: whole })),
      }),
    ),
    links: {
      ...listOf(shape({ from: text, to: text, events: whole, ms: number })),
      description: 'What `to` does not hold of the streams of `from`, and for how long',
    },
    isolated: yesNoOrNull,
    atRisk: shape({
      ms: {
        ...numberOrNull,
        description: 'The age of the oldest message that no other region holds',
      },
      messages: { type: 'object', additionalProperties: whole },
    }),
    intakeOpen: yesNo,
    control: { ...textOrNull, description: 'ok or away; null when recovery says nothing' },
    recovery: orNull(shape({ heardMsAgo: number })),
  }),
};

export const planContent: Content = {
  schema: shape({
    home: text,
    from: { ...text, description: 'Who decides now' },
    to: text,
    epoch: whole,
    nextEpoch: whole,
    kind: {
      type: 'string',
      enum: ['PLANNED', 'UNPLANNED'],
      description: 'UNPLANNED when the owner gives no sign of life',
    },
    failback: yesNo,
    steps: listOf(text),
    blastRadius: shape({
      contacts: orNull(shape({ open: whole, waiting: whole, offered: whole, connected: whole })),
      agents: orNull(shape({ signedIn: whole })),
      intakeBehind: { type: ['integer', 'null'], minimum: 0 },
    }),
    blockers: listOf(shape({ code: text, detail: text })),
  }),
};

const failover = {
  home: text,
  from: text,
  to: text,
  kind: text,
  state: {
    type: 'string',
    enum: ['REQUESTED', 'STARTED', 'SEALED', 'COMPLETED', 'FAILED'],
  } as JsonSchema,
  epoch: { ...whole, description: 'The epoch that ended, or was to end' },
  requestedAt: textOrNull,
  startedAt: textOrNull,
  endedAt: textOrNull,
  reason: textOrNull,
  breakGlass: yesNo,
  upTo: { ...numberOrNull, description: 'The seal: the last sequence of EV_<from> that counts' },
  rpoMs: numberOrNull,
  takeoverMs: numberOrNull,
  failure: orNull(shape({ code: text, reason: text })),
  at: { ...text, description: 'Where its last event is' },
};

export const failoversContent: Content = { schema: shape({ failovers: listOf(shape(failover)) }) };

export const failoverBody: Content = {
  schema: {
    type: 'object',
    required: ['home', 'to', 'kind'],
    additionalProperties: false,
    properties: {
      id: { ...text, description: 'Sent again with the same id, it is the same request' },
      home: text,
      to: text,
      kind: { type: 'string', enum: ['PLANNED', 'UNPLANNED'] },
      reason: { type: 'string', maxLength: 1_000 },
      breakGlass: {
        ...yesNo,
        description: 'Without the control cluster, because the other regions are lost for good',
      },
    },
  },
  example: { home: 'eu', to: 'us', kind: 'PLANNED', reason: 'servers are replaced' },
};

export const storedContent: Content = {
  schema: shape({ id: text, stream: text, sequence: whole, duplicate: yesNo }),
  example: { id: '8f14e45f', stream: 'IN_eu', sequence: 7, duplicate: false },
};

const drill = {
  id: text,
  exercise: text,
  passed: yesNo,
  startedAt: text,
  endedAt: text,
  at: text,
};

export const drillsContent: Content = { schema: shape({ drills: listOf(shape(drill)) }) };
export const drillContent: Content = {
  schema: shape({
    ...drill,
    receipt: { ...text, description: 'As it was signed, byte for byte' },
  }),
};

export const drillBody: Content = {
  schema: {
    type: 'object',
    required: ['receipt', 'passed', 'exercise', 'startedAt', 'endedAt'],
    additionalProperties: false,
    properties: {
      id: text,
      receipt: { type: 'string', maxLength: 131_072 },
      passed: yesNo,
      exercise: text,
      startedAt: { type: 'string', format: 'date-time' },
      endedAt: { type: 'string', format: 'date-time' },
    },
  },
};
