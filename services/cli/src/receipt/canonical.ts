/**
 * A JSON value as RFC 8785 (JSON Canonicalization Scheme) writes it: no blanks, the keys of objects
 * in the order of their UTF-16 code units, numbers and texts as ECMAScript writes them. The same
 * value has the same bytes everywhere, so that a signature over them can be checked.
 * @throws TypeError naming the place of what has no canonical form: a number that is not finite, a
 *   lone surrogate, undefined, a function
 */
export function canonicalJson(value: unknown): string {
  return write(value, '');
}

function write(value: unknown, place: string): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'number' && Number.isFinite(value)) return JSON.stringify(value);
  if (typeof value === 'string' && value.isWellFormed()) return JSON.stringify(value);
  if (Array.isArray(value)) {
    return `[${value.map((one, index) => write(one, `${place}/${index}`)).join(',')}]`;
  }
  if (typeof value === 'object') {
    const members = Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, one]) => `${write(key, place)}:${write(one, `${place}/${key}`)}`);
    return `{${members.join(',')}}`;
  }
  throw new TypeError(`The value at ${place || '/'} (${shown(value)}) has no canonical JSON form.`);
}

const shown = (value: unknown): string =>
  typeof value === 'number'
    ? `${value}`
    : typeof value === 'string'
      ? JSON.stringify(value)
      : typeof value;
