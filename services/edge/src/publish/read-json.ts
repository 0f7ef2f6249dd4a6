import { isUtf8 } from 'node:buffer';
import { mayHoldPrototypeKey, nestingLimit, nestsWithin, prototypeKey } from '../domain/json.ts';
import { Refusal } from '../domain/problem.ts';

/**
 * Parses a body that came from outside.
 * @throws Refusal 400 when it is not UTF-8, not JSON, nested too deep or holds the key `__proto__`
 */
export function readJson(body: Buffer): unknown {
  if (body.length === 0) throw invalid('The body is empty; JSON is needed.');
  if (!isUtf8(body)) throw invalid('The body is not UTF-8.');
  if (!nestsWithin(body)) {
    throw invalid(`The body nests deeper than ${nestingLimit} lists and objects.`);
  }
  const text = body.toString('utf8');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw invalid(`The body is not JSON: ${(error as Error).message}.`);
  }
  if (mayHoldPrototypeKey(text)) {
    const pointer = prototypeKey(value);
    if (pointer !== undefined) throw invalid('The key __proto__ is not taken.', pointer);
  }
  return value;
}

function invalid(detail: string, pointer = ''): Refusal {
  return new Refusal('invalid-json', detail, { errors: [{ pointer, code: 'json', detail }] });
}
