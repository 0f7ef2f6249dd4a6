/** How deep lists and objects may lie within each other. Contracts need 6. */
export const nestingLimit = 32;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/**
 * Whether a JSON text nests at most `limit` deep. Looks at the bytes alone, so that neither a
 * parser nor whoever walks the value meets a nesting that exhausts the stack.
 */
export function nestsWithin(bytes: Uint8Array, limit: number = nestingLimit): boolean {
  let depth = 0;
  const { length } = bytes;
  for (let index = 0; index < length; index += 1) {
    const byte = bytes[index];
    if (byte === QUOTE) {
      index += 1;
      while (index < length && bytes[index] !== QUOTE) index += bytes[index] === BACKSLASH ? 2 : 1;
    } else if (byte === OPEN_OBJECT || byte === OPEN_LIST) {
      depth += 1;
      if (depth > limit) return false;
    } else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) {
      depth -= 1;
    }
  }
  return true;
}

/**
 * Where a parsed JSON value holds the key `__proto__`, as a JSON pointer: whoever copies such a
 * value carelessly changes the prototype of every object. Undefined when it is nowhere.
 */
export function prototypeKey(value: unknown, pointer = ''): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [key, inner] of Object.entries(value)) {
    if (key === '__proto__') return `${pointer}/__proto__`;
    const found = prototypeKey(
      inner,
      `${pointer}/${key.slice(0, 64).replaceAll('~', '~0').replaceAll('/', '~1')}`,
    );
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Whether a JSON text can hold the key `__proto__` at all, written plainly or with escapes. */
export function mayHoldPrototypeKey(text: string): boolean {
  return text.includes('__proto__') || (text.includes('\\u00') && /\\u00[0-9a-f]{2}/i.test(text));
}

/**
 * Whether two messages in proto3 JSON say the same. The order of keys does not matter, and an
 * empty list or map is as good as none: protobuf knows no difference.
 */
export function sameJson(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (left === undefined || right === undefined) return isEmpty(left ?? right);
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) {
    return false;
  }
  if (Array.isArray(left) !== Array.isArray(right)) return false;
  if (Array.isArray(left) && left.length !== (right as unknown[]).length) return false;
  const own = (value: object, key: string): unknown =>
    Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined;
  return [...new Set([...Object.keys(left), ...Object.keys(right)])].every((key) =>
    sameJson(own(left, key), own(right, key)),
  );
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}
