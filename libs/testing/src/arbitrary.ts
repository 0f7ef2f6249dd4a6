import type { Random } from '@meridian/core';
import { dataSchema, type Contract, type JsonSchema } from '@meridian/wire';

/** Texts that programs stumble over: quotes, line ends, escapes, other scripts, pairs. */
const hostileTexts = [
  ',\n',
  '"',
  '\\',
  '\\u000a',
  '},\n{',
  '[',
  ']',
  '\u2028',
  '\u0000',
  '\t',
  '</script>',
  '%00',
  '$&',
  'ünïcödé',
  '日本語',
  '👩‍👩‍👧',
  ' ',
  '.',
  '*',
  '>',
  '#',
  '__proto_',
  'null',
  '{"a":1}',
  '-0',
  '1e400',
];
const letters = Array.from('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-');

/** 1 to 12 characters of what a name in subjects and keys may hold. */
export function arbitraryIdentifier(random: Random): string {
  return Array.from({ length: 1 + random.int(12) }, () => random.pick(letters)).join('');
}

/** A text of up to `limit` UTF-16 units, often one that programs stumble over. */
export function arbitraryText(random: Random, limit = 40): string {
  const count = random.int(4);
  let text = '';
  for (let part = 0; part < count; part += 1) {
    const more = random.next() < 0.5 ? random.pick(hostileTexts) : arbitraryIdentifier(random);
    if (text.length + more.length <= limit) text += more;
  }
  return text;
}

/**
 * Data that a contract allows, drawn from its JSON Schema: each optional field is there or not,
 * lists and maps are short, numbers lie within their bounds and often on them.
 */
export function arbitraryData(contract: Contract, random: Random): Record<string, unknown> {
  const schema = dataSchema(contract);
  const definitions = (schema['$defs'] ?? {}) as Record<string, JsonSchema>;
  return draw(schema, definitions, random) as Record<string, unknown>;
}

function draw(
  schema: JsonSchema,
  definitions: Record<string, JsonSchema>,
  random: Random,
): unknown {
  const reference = schema['$ref'] as string | undefined;
  if (reference !== undefined) {
    return draw(definitions[reference.slice('#/$defs/'.length)] as JsonSchema, definitions, random);
  }
  if (schema['enum'] !== undefined) return random.pick(schema['enum'] as string[]);
  switch (schema['type']) {
    case 'string':
      return drawText(schema, random);
    case 'boolean':
      return random.next() < 0.5;
    case 'integer':
    case 'number':
      return drawNumber(schema, random);
    case 'array':
      return Array.from({ length: random.int(1 + Math.min(4, schema['maxItems'] as number)) }, () =>
        draw(schema['items'] as JsonSchema, definitions, random),
      );
    case 'object':
      return drawObject(schema, definitions, random);
    default:
      throw new Error(`A schema of type ${String(schema['type'])} cannot be drawn from yet.`);
  }
}

function drawText(schema: JsonSchema, random: Random): string {
  if (schema['pattern'] !== undefined) return arbitraryIdentifier(random);
  if (schema['format'] === 'date-time') {
    return new Date(random.int(4_000_000) * 1_000_000 + random.int(1_000)).toISOString();
  }
  const text = arbitraryText(random, schema['maxLength'] as number);
  return text === '' && schema['minLength'] === 1 ? 'x' : text;
}

function drawNumber(schema: JsonSchema, random: Random): number {
  const least = (schema['minimum'] as number | undefined) ?? -1e6;
  const most = (schema['maximum'] as number | undefined) ?? least + 1e6;
  const edge = random.int(4);
  if (edge === 0) return least;
  if (edge === 1) return most;
  return least + Math.floor(random.next() * Math.min(most - least, 1e9));
}

function drawObject(
  schema: JsonSchema,
  definitions: Record<string, JsonSchema>,
  random: Random,
): Record<string, unknown> {
  const properties = Object.entries((schema['properties'] ?? {}) as Record<string, JsonSchema>);
  const required = new Set((schema['required'] ?? []) as string[]);
  const entries: [string, unknown][] = properties
    .filter(([name]) => required.has(name) || random.next() < 0.6)
    .map(([name, property]) => [name, draw(property, definitions, random)]);
  const values = schema['additionalProperties'];
  if (typeof values === 'object' && values !== null) {
    const count = random.int(1 + Math.min(4, schema['maxProperties'] as number));
    for (let index = 0; index < count; index += 1) {
      entries.push([arbitraryText(random), draw(values as JsonSchema, definitions, random)]);
    }
  }
  return Object.fromEntries(entries);
}
