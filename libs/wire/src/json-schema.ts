import { enumerations, shapes } from './gen/contracts.ts';
import type { Contract, FieldShape } from './contract.ts';
import { sealedLength, sealedPattern } from './sealed.ts';
import { identifierPattern, itemShape } from './validate.ts';

/** A JSON Schema, draft 2020-12. */
export type JsonSchema = { readonly [key: string]: unknown };

function oneSchema(shape: FieldShape, reference: (message: string) => JsonSchema): JsonSchema {
  switch (shape.kind) {
    case 'string':
      return {
        type: 'string',
        ...(shape.required ? { minLength: 1 } : {}),
        ...(shape.identifier ? { pattern: identifierPattern.source } : lengthSchema(shape)),
      };
    case 'boolean':
      return { type: 'boolean' };
    case 'timestamp':
      return { type: 'string', format: 'date-time' };
    case 'enum':
      return { type: 'string', enum: [...(enumerations[shape.of as string] as readonly string[])] };
    case 'message':
      return reference(shape.of as string);
    default:
      return numberSchema(shape);
  }
}

/** A personal text travels sealed, and is longer then. */
function lengthSchema({ personal, maximumLength }: FieldShape): JsonSchema {
  if (!personal) return { maxLength: maximumLength };
  return {
    maxLength: sealedLength(maximumLength),
    anyOf: [{ maxLength: maximumLength }, { pattern: sealedPattern }],
  };
}

function numberSchema({ kind, minimum, maximum }: FieldShape): JsonSchema {
  if (kind === 'double') {
    return {
      type: 'number',
      ...(minimum === undefined ? {} : { minimum }),
      ...(maximum === undefined ? {} : { maximum }),
    };
  }
  const [least, most] = kind === 'uint32' ? [0, 2 ** 32 - 1] : [-(2 ** 31), 2 ** 31 - 1];
  return { type: 'integer', minimum: minimum ?? least, maximum: maximum ?? most };
}

function fieldSchema(shape: FieldShape, reference: (message: string) => JsonSchema): JsonSchema {
  const one = oneSchema(itemShape(shape), reference);
  const personal = shape.personal ? { 'x-personal': true } : {};
  if (shape.map) {
    return {
      type: 'object',
      maxProperties: shape.maximumLength,
      propertyNames: { maxLength: 64, not: { const: '__proto__' } },
      additionalProperties: one,
      ...personal,
    };
  }
  if (shape.repeated) {
    return { type: 'array', maxItems: shape.maximumLength, items: one, ...personal };
  }
  return { ...one, ...personal };
}

/** The schema of a message; nested messages are asked of `reference`. */
export function messageSchema(
  message: string,
  reference: (message: string) => JsonSchema,
): JsonSchema {
  const fields = shapes[message];
  if (fields === undefined) throw new Error(`There is no message ${message} in the contracts.`);
  const required = fields.filter((shape) => shape.required).map((shape) => shape.name);
  return {
    type: 'object',
    properties: Object.fromEntries(
      fields.map((shape) => [shape.name, fieldSchema(shape, reference)]),
    ),
    ...(required.length > 0 ? { required } : {}),
    additionalProperties: false,
  };
}

/** The schema of a contract's `data`, self-contained: nested messages are in `$defs`. */
export function dataSchema(contract: Contract): JsonSchema {
  const definitions: Record<string, JsonSchema> = {};
  const reference = (message: string): JsonSchema => {
    if (!(message in definitions)) {
      definitions[message] = {};
      definitions[message] = messageSchema(message, reference);
    }
    return { $ref: `#/$defs/${message}` };
  };
  const body = messageSchema(contract.message, reference);
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: `urn:meridian:schema:${contract.type}`,
    title: contract.type,
    ...(contract.summary === '' ? {} : { description: contract.summary }),
    ...body,
    ...(Object.keys(definitions).length > 0 ? { $defs: definitions } : {}),
  };
}
