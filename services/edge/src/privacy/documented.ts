import type { JsonSchema } from '@meridian/wire';
import type { Content } from '../http/route.ts';

const text: JsonSchema = { type: 'string' };
const textOrNull: JsonSchema = { type: ['string', 'null'] };
const whole: JsonSchema = { type: 'integer', minimum: 0 };
const wholeOrNull: JsonSchema = { type: ['integer', 'null'], minimum: 0 };
const yesNo: JsonSchema = { type: 'boolean' };
const listOf = (items: JsonSchema): JsonSchema => ({ type: 'array', items });
const shape = (properties: Readonly<Record<string, JsonSchema>>): JsonSchema => ({
  type: 'object',
  required: Object.keys(properties),
  properties,
});
const closed = (
  required: readonly string[],
  properties: Readonly<Record<string, JsonSchema>>,
): JsonSchema => ({
  type: 'object',
  required: [...required],
  additionalProperties: false,
  properties,
});

export const subjectBody: Content = {
  schema: closed(['identity'], { identity: { ...text, maxLength: 1_024 } }),
  example: { identity: '+49 30 901820' },
};

export const subjectContent: Content = {
  schema: shape({
    region: { ...text, description: 'The region that looked: only vaults that it holds are known' },
    keys: listOf(shape({ id: text, region: text, regions: listOf(text), createdAt: text })),
    contacts: whole,
    contactIds: { ...listOf(text), description: 'The first 1,000 by their ids' },
    streams: listOf(text),
    linked: listOf(
      shape({ keyId: text, by: { type: 'string', enum: ['contact', 'chain'] }, contacts: whole }),
    ),
    holds: listOf(text),
    contactsKnown: { ...yesNo, description: 'Whether the read models could be asked' },
  }),
};

export const erasureBody: Content = {
  schema: closed(['keyIds', 'reason'], {
    id: { ...text, description: 'Sent again with the same id, it is the same request' },
    keyIds: listOf(text),
    reason: { ...text, maxLength: 1_000 },
  }),
  example: { keyIds: ['5d41402abc4b2a76b9719d911017c592'], reason: 'request 17 of 2026' },
};

const erasure = shape({
  id: text,
  state: { type: 'string', enum: ['BLOCKED', 'REQUESTED', 'ERASED'] },
  keys: listOf(shape({ id: text, regions: listOf(text) })),
  contacts: whole,
  reason: text,
  requestedBy: textOrNull,
  requestedAt: textOrNull,
  erasedAt: textOrNull,
  holds: listOf(text),
  regions: {
    ...listOf(shape({ region: text, destroyed: wholeOrNull, absent: wholeOrNull, at: textOrNull })),
    description: 'Those that may hold one of the keys; null: it has not said anything yet',
  },
});
export const erasureContent: Content = { schema: erasure };
export const erasuresContent: Content = { schema: shape({ erasures: listOf(erasure) }) };

export const holdBody: Content = {
  schema: closed(['reason'], {
    id: text,
    identity: { ...text, maxLength: 1_024 },
    contactIds: listOf(text),
    keyIds: listOf(text),
    reason: { ...text, maxLength: 1_000 },
  }),
  example: { contactIds: ['c1'], reason: 'case 4711' },
};

const hold = shape({
  id: text,
  keyIds: listOf(text),
  contactIds: listOf(text),
  reason: text,
  placedBy: textOrNull,
  placedAt: textOrNull,
  released: yesNo,
});
export const holdContent: Content = { schema: hold };
export const holdsContent: Content = { schema: shape({ holds: listOf(hold) }) };

export const residencyBody: Content = {
  schema: closed(['regions'], {
    regions: { ...listOf(text), description: 'An empty list: all regions' },
  }),
  example: { regions: ['eu', 'us'] },
};
export const residencyContent: Content = {
  schema: shape({
    regions: listOf(text),
    isSet: { ...yesNo, description: 'Whether the tenant has a set; else these are all regions' },
  }),
  example: { regions: ['eu', 'us'], isSet: true },
};

export const accessesContent: Content = {
  schema: shape({
    accesses: listOf(
      shape({ at: text, by: text, kind: text, what: text, reason: textOrNull, region: text }),
    ),
  }),
};

export const pendingContent: Content = {
  schema: shape({ id: text, stream: text, sequence: whole }),
};
