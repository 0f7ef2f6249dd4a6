import { Refusal, shown } from './problem.ts';

/** The parameters of a query, each with all of its values. */
export interface QueryValues {
  /** The value; undefined when absent. */
  one(name: string): string | undefined;
  /** All values; empty when absent. */
  all(name: string): readonly string[];
}

/** How a parameter may occur. */
export interface Allowed {
  readonly many?: true;
}

/**
 * Reads a parsed query string and refuses what is not declared.
 * @param given name to value, or to values where it was repeated
 * @throws Refusal when a name is unknown, or repeated where it may not be
 */
export function readQuery(
  given: Readonly<Record<string, unknown>>,
  declared: Readonly<Record<string, Allowed>>,
): QueryValues {
  const values = new Map<string, readonly string[]>();
  for (const name of Object.keys(given)) {
    const allowed = Object.hasOwn(declared, name) ? declared[name] : undefined;
    if (allowed === undefined) {
      const names = Object.keys(declared);
      throw new Refusal(
        'unknown-parameter',
        `The query parameter ${shown(name)} is not known here; ` +
          (names.length === 0 ? 'there are none.' : `known are ${names.join(', ')}.`),
        {
          errors: [
            { pointer: `/query/${escape(name)}`, code: 'unknown', detail: 'Not known here.' },
          ],
        },
      );
    }
    const value = given[name];
    const texts = (Array.isArray(value) ? value : [value]).map(String);
    if (texts.length > 1 && allowed.many !== true) {
      throw invalidParameter(name, `is given ${texts.length} times; once is enough`);
    }
    values.set(name, allowed.many === true ? texts.flatMap((text) => text.split(',')) : texts);
  }
  return {
    one: (name) => values.get(name)?.[0],
    all: (name) => values.get(name) ?? [],
  };
}

/** A refusal of a parameter's value. @param what follows the parameter's name */
export function invalidParameter(name: string, what: string): Refusal {
  return new Refusal('invalid-parameter', `The parameter ${name} ${what}.`, {
    errors: [
      { pointer: `/query/${escape(name)}`, code: 'not_allowed', detail: `${name} ${what}.` },
    ],
  });
}

/** A whole number from `least` to `most`. @throws Refusal when it is none */
export function wholeNumber(
  name: string,
  text: string | undefined,
  limits: { readonly least: number; readonly most: number },
): number | undefined {
  if (text === undefined) return undefined;
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(value) && value >= limits.least && value <= limits.most) return value;
  throw invalidParameter(
    name,
    `is ${shown(text)}; it must be a whole number from ${limits.least} to ${limits.most}`,
  );
}

/** One of some words. @throws Refusal when it is none of them */
export function oneOf<Word extends string>(
  name: string,
  text: string,
  words: readonly Word[],
): Word {
  if (words.includes(text as Word)) return text as Word;
  throw invalidParameter(name, `is ${shown(text)}; it must be one of ${words.join(', ')}`);
}

function escape(name: string): string {
  return name.slice(0, 60).replaceAll('~', '~0').replaceAll('/', '~1');
}
