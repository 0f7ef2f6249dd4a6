import { describe, expect, test } from '@jest/globals';
import { seeded, type Random } from '@meridian/core';
import { arbitraryData } from '@meridian/testing';
import type { Contract } from './contract.ts';
import { contracts } from './gen/contracts.ts';
import { dataSchema, messageSchema, type JsonSchema } from './json-schema.ts';
import { contractOf, validateData } from './validate.ts';

const of = (name: string): Contract => contractOf(`meridian.${name}.v1`) as Contract;
const signIn = { sessionId: 's1', capacities: [{ channel: 'VOICE', limit: 1 }] };
const settings = {
  strategy: 'LONGEST_IDLE',
  offerTtlMs: 20_000,
  ageingMsPerLevel: 1,
  serviceLevelMs: 1,
};
const duration = { state: 'IVR', durationMs: 1 };

describe('every rule', () => {
  test.each<[string, string, unknown, [pointer: string, code: string][]]>([
    ['no object', 'contact.hang_up', null, [['/data', 'type']]],
    ['a list for an object', 'contact.hang_up', [], [['/data', 'type']]],
    ['what is required missing', 'contact.hang_up', {}, [['/data/by', 'missing']]],
    ['an unknown field', 'contact.hold', { why: 1 }, [['/data/why', 'unknown']]],
    [
      'an unknown field with a slash and a tilde',
      'contact.hold',
      { 'a/~b': 1 },
      [['/data/a~1~0b', 'unknown']],
    ],
    ['no text', 'contact.hang_up', { by: 'AGENT', reason: 1 }, [['/data/reason', 'type']]],
    [
      'null for a text',
      'contact.hang_up',
      { by: 'AGENT', reason: null },
      [['/data/reason', 'type']],
    ],
    [
      'an empty text that is required',
      'agent.sign_in',
      { ...signIn, sessionId: '' },
      [['/data/sessionId', 'missing']],
    ],
    [
      'no identifier',
      'agent.sign_in',
      { ...signIn, sessionId: 'a b' },
      [['/data/sessionId', 'identifier']],
    ],
    [
      'too long an identifier',
      'agent.sign_in',
      { ...signIn, sessionId: 'a'.repeat(73) },
      [['/data/sessionId', 'identifier']],
    ],
    [
      'too long a text',
      'contact.complete_wrap_up',
      { disposition: 'a'.repeat(65) },
      [['/data/disposition', 'too_long']],
    ],
    ['an unknown name', 'contact.hang_up', { by: 'NOBODY' }, [['/data/by', 'not_allowed']]],
    [
      'the name of no value',
      'contact.hang_up',
      { by: 'PARTY_UNSPECIFIED' },
      [['/data/by', 'not_allowed']],
    ],
    ['a number for a name', 'contact.hang_up', { by: 1 }, [['/data/by', 'not_allowed']]],
    [
      'no number',
      'contact.enter_queue',
      { queueId: 'q', priority: '1' },
      [['/data/priority', 'type']],
    ],
    [
      'a broken number',
      'contact.enter_queue',
      { queueId: 'q', priority: 1.5 },
      [['/data/priority', 'type']],
    ],
    [
      'too small a number',
      'contact.enter_queue',
      { queueId: 'q', priority: -1 },
      [['/data/priority', 'too_small']],
    ],
    [
      'too large a number',
      'contact.enter_queue',
      { queueId: 'q', priority: 101 },
      [['/data/priority', 'too_large']],
    ],
    [
      'more than 32 bits',
      'contact.queued',
      { queueId: 'q', channel: 'VOICE', requirements: [], priority: 2 ** 32 },
      [['/data/priority', 'too_large']],
    ],
    [
      'NaN',
      'contact.completed',
      { durations: [{ ...duration, durationMs: Number.NaN }] },
      [['/data/durations/0/durationMs', 'type']],
    ],
    [
      'infinity',
      'contact.completed',
      { durations: [{ ...duration, durationMs: Infinity }] },
      [['/data/durations/0/durationMs', 'too_large']],
    ],
    ['no list', 'contact.completed', { durations: {} }, [['/data/durations', 'type']]],
    [
      'too long a list',
      'agent.sign_in',
      { ...signIn, capacities: Array.from({ length: 9 }, () => signIn.capacities[0]) },
      [['/data/capacities', 'too_long']],
    ],
    [
      'what is wrong within a list',
      'agent.sign_in',
      { ...signIn, capacities: [signIn.capacities[0], { channel: 'FAX', limit: 0 }] },
      [
        ['/data/capacities/1/channel', 'not_allowed'],
        ['/data/capacities/1/limit', 'too_small'],
      ],
    ],
    [
      'what is missing within a message',
      'queue.configure',
      { settings: { strategy: 'LONGEST_IDLE' } },
      ['offerTtlMs', 'ageingMsPerLevel', 'serviceLevelMs'].map((name) => [
        `/data/settings/${name}`,
        'missing',
      ]),
    ],
    [
      'the bounds of a field',
      'queue.configure',
      { settings: { ...settings, offerTtlMs: 999, ageingMsPerLevel: 0 } },
      [
        ['/data/settings/offerTtlMs', 'too_small'],
        ['/data/settings/ageingMsPerLevel', 'too_small'],
      ],
    ],
    ['no map', 'contact.update_attributes', { attributes: [] }, [['/data/attributes', 'type']]],
    [
      'too many entries',
      'contact.update_attributes',
      {
        attributes: Object.fromEntries(
          Array.from({ length: 33 }, (_, index) => [`k${index}`, 'v']),
        ),
      },
      [['/data/attributes', 'too_long']],
    ],
    [
      'no text in a map',
      'contact.update_attributes',
      { attributes: { a: 1 } },
      [['/data/attributes/a', 'type']],
    ],
    [
      'too long a key',
      'contact.update_attributes',
      { attributes: { ['k'.repeat(65)]: 'v' } },
      [[`/data/attributes/${'k'.repeat(60)}...`, 'too_long']],
    ],
    [
      'a key that is no name',
      'contact.update_attributes',
      JSON.parse('{"attributes":{"__proto__":"v"}}'),
      [['/data/attributes/__proto__', 'not_allowed']],
    ],
    [
      'no timestamp',
      'contact.acw_started',
      { agentId: 'a', limitAt: 'soon' },
      [['/data/limitAt', 'type']],
    ],
    [
      'a timestamp without a zone',
      'contact.acw_started',
      { agentId: 'a', limitAt: '2026-01-01T00:00:00' },
      [['/data/limitAt', 'type']],
    ],
    [
      'a month too many',
      'contact.acw_started',
      { agentId: 'a', limitAt: '2026-13-01T00:00:00Z' },
      [['/data/limitAt', 'type']],
    ],
  ])('%s', (_, name, data, expected) => {
    const problems = validateData(of(name), data);
    expect(problems.map(({ pointer, code }) => [pointer, code])).toEqual(expected);
    for (const { detail } of problems) expect(detail).toMatch(/\.$/);
  });

  test.each<[string, string, unknown]>([
    ['bounds included', 'contact.enter_queue', { queueId: 'q', priority: 100 }],
    ['an empty list that is required', 'agent.sign_in', { ...signIn, capacities: [] }],
    ['the longest identifier', 'agent.sign_in', { ...signIn, sessionId: 'a'.repeat(72) }],
    ['the longest key', 'contact.update_attributes', { attributes: { ['k'.repeat(64)]: '' } }],
    [
      'nanoseconds and a zone',
      'contact.acw_started',
      { agentId: 'a', limitAt: '2026-01-01T00:00:00.123456789+05:30' },
    ],
  ])('%s: nothing is wrong', (_, name, data) => {
    expect(validateData(of(name), data)).toEqual([]);
  });

  test('sixteen problems are enough, and long values are cut', () => {
    const wrong = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`f${index}`, 1]));
    expect(validateData(of('contact.hold'), wrong)).toHaveLength(16);
    const [problem] = validateData(of('contact.hang_up'), { by: 'x'.repeat(5_000) });
    expect(problem?.detail.length).toBeLessThan(200);
  });
});

// --- The JSON Schema says the same

/** As much of JSON Schema (2020-12) as the schemas use; anything else is a fault. */
function allows(
  schema: JsonSchema,
  value: unknown,
  definitions: Record<string, JsonSchema>,
): boolean {
  return Object.entries(schema).every(([keyword, rule]) => {
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    const entries = isObject ? Object.entries(value) : [];
    const nested = (inner: unknown, each: unknown): boolean =>
      allows(inner as JsonSchema, each, definitions);
    switch (keyword) {
      case '$schema':
      case '$id':
      case 'title':
      case 'description':
      case '$defs':
      case 'x-personal':
        return true;
      case '$ref':
        return nested(definitions[(rule as string).slice('#/$defs/'.length)], value);
      case 'type':
        if (rule === 'object') return isObject;
        if (rule === 'array') return Array.isArray(value);
        if (rule === 'integer') return Number.isInteger(value);
        return typeof value === rule && !Number.isNaN(value);
      case 'enum':
        return (rule as unknown[]).includes(value);
      case 'const':
        return value === rule;
      case 'not':
        return !nested(rule, value);
      case 'anyOf':
        return (rule as unknown[]).some((one) => nested(one, value));
      case 'pattern':
        return typeof value !== 'string' || new RegExp(rule as string, 'u').test(value);
      case 'format':
        return typeof value !== 'string' || !Number.isNaN(Date.parse(value));
      case 'minLength':
        return typeof value !== 'string' || value.length >= (rule as number);
      case 'maxLength':
        return typeof value !== 'string' || value.length <= (rule as number);
      case 'minimum':
        return typeof value !== 'number' || value >= (rule as number);
      case 'maximum':
        return typeof value !== 'number' || value <= (rule as number);
      case 'maxItems':
        return !Array.isArray(value) || value.length <= (rule as number);
      case 'items':
        return !Array.isArray(value) || value.every((each) => nested(rule, each));
      case 'maxProperties':
        return entries.length <= (rule as number);
      case 'propertyNames':
        return entries.every(([name]) => nested(rule, name));
      case 'required':
        return !isObject || (rule as string[]).every((name) => Object.hasOwn(value, name));
      case 'properties':
        return entries.every(([name, each]) => {
          const property = (rule as Record<string, JsonSchema>)[name];
          return property === undefined || nested(property, each);
        });
      case 'additionalProperties': {
        const known = schema['properties'] as object | undefined;
        return entries.every(
          ([name, each]) =>
            (known !== undefined && Object.hasOwn(known, name)) ||
            (rule !== false && nested(rule, each)),
        );
      }
      default:
        throw new Error(`The keyword ${keyword} is new here.`);
    }
  });
}

const oddities: readonly unknown[] = [
  null,
  0,
  -1,
  1.5,
  101,
  2 ** 32,
  '',
  'x',
  'a b',
  'VOICE',
  'x'.repeat(300),
  [],
  {},
  [{}],
  true,
  { a: 1 },
];

/** The data with one value somewhere in it replaced, taken away or added. */
function spoil(value: unknown, random: Random): unknown {
  if (typeof value !== 'object' || value === null || random.next() < 0.2) {
    return random.pick(oddities);
  }
  if (Array.isArray(value)) {
    if (value.length === 0) return [random.pick(oddities)];
    return value.with(random.int(value.length), spoil(value[0], random));
  }
  const entries = Object.entries(value);
  const at = random.int(entries.length + 1);
  const entry = entries[at];
  if (entry === undefined) {
    return { ...value, [random.pick(['extra', 'queueId', 'reason'])]: random.pick(oddities) };
  }
  if (random.next() < 0.3) return Object.fromEntries(entries.filter((_, index) => index !== at));
  return { ...value, [entry[0]]: spoil(entry[1], random) };
}

describe('the JSON Schema and the check agree', () => {
  test.each(contracts.map((contract) => [contract.type, contract] as const))(
    '%s',
    (type, contract) => {
      const schema = dataSchema(contract);
      const definitions = (schema['$defs'] ?? {}) as Record<string, JsonSchema>;
      expect(schema).toMatchObject({
        $id: `urn:meridian:schema:${type}`,
        title: type,
        type: 'object',
      });
      expect(JSON.parse(JSON.stringify(schema))).toStrictEqual(schema);
      const random = seeded(`schema ${type}`);
      let refused = 0;
      for (let round = 0; round < 60; round += 1) {
        const data = arbitraryData(contract, random);
        const tried = round % 3 === 0 ? data : spoil(data, random);
        const isAllowed = validateData(contract, tried).length === 0;
        expect([tried, allows(schema, tried, definitions)]).toEqual([tried, isAllowed]);
        if (!isAllowed) refused += 1;
      }
      expect(refused).toBeGreaterThan(5);
    },
  );

  test('a message that is not there is named', () => {
    expect(() => messageSchema('Nobody', () => ({}))).toThrow(/no message Nobody/);
  });
});
