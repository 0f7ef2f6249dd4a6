import { contracts, messageSchema, type JsonSchema } from '@meridian/wire';

/** A reference to the schema of a message within a document's `components`. */
export function dataSchemaOf(message: string): JsonSchema {
  return { $ref: `#/components/schemas/data.${message}` };
}

/** The schemas of all messages, each once and under the name that `dataSchemaOf` refers to. */
export function dataSchemas(): Record<string, JsonSchema> {
  const schemas: Record<string, JsonSchema> = {};
  const reference = (message: string): JsonSchema => {
    const name = `data.${message}`;
    if (!(name in schemas)) {
      schemas[name] = {};
      schemas[name] = messageSchema(message, reference);
    }
    return dataSchemaOf(message);
  };
  for (const { message } of contracts) reference(message);
  return schemas;
}
