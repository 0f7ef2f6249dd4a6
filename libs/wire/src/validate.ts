import { contracts, enumerations, shapes } from './gen/contracts.ts';
import { isSealed, sealedLength } from './sealed.ts';
import type { Contract, FieldShape, Problem } from './contract.ts';

const contractsByType = new Map(contracts.map((contract) => [contract.type, contract]));

/** The contract of a CloudEvents type; undefined when the type is unknown. */
export function contractOf(type: string): Contract | undefined {
  return contractsByType.get(type);
}

/** What names in subjects and keys look like: 1 to 72 of A-Z a-z 0-9 _ -. */
export const identifierPattern = /^[A-Za-z0-9_-]{1,72}$/;

/** How many problems are listed before the search ends. */
const problemsLimit = 16;
/** How much of a wrong value a problem shows, in characters. */
const shownLimit = 60;
const timestampPattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/;

type Check = (value: unknown, pointer: string, problems: Problem[]) => void;

function show(value: unknown): string {
  const text = Number.isNaN(value) ? 'NaN' : (JSON.stringify(value) ?? String(value));
  return text.length > shownLimit ? `${text.slice(0, shownLimit)}...` : text;
}

/** A key as it stands in a JSON pointer; cut when it is long. */
export function escapePointer(key: string): string {
  const short = key.length > shownLimit ? `${key.slice(0, shownLimit)}...` : key;
  return short.replaceAll('~', '~0').replaceAll('/', '~1');
}

function report(problems: Problem[], pointer: string, code: Problem['code'], detail: string): void {
  if (problems.length < problemsLimit) problems.push({ pointer, code, detail });
}

function checkText(shape: FieldShape): Check {
  return (value, pointer, problems) => {
    if (typeof value !== 'string') {
      report(problems, pointer, 'type', `${pointer} must be a text, not ${show(value)}.`);
    } else if (shape.required && value === '') {
      report(problems, pointer, 'missing', `${pointer} must not be empty.`);
    } else if (shape.identifier && !identifierPattern.test(value)) {
      report(
        problems,
        pointer,
        'identifier',
        `${pointer} must be 1 to 72 of A-Z a-z 0-9 _ -, not ${show(value)}.`,
      );
    } else if (
      value.length > shape.maximumLength &&
      !(shape.personal && fitsSealed(shape, value))
    ) {
      report(
        problems,
        pointer,
        'too_long',
        `${pointer} has ${value.length} characters; at most ${shape.maximumLength} are allowed.`,
      );
    }
  };
}

/** Whether a personal text is the sealed form of one that is not too long. */
function fitsSealed({ maximumLength }: FieldShape, value: string): boolean {
  return value.length <= sealedLength(maximumLength) && isSealed(value);
}

function checkNumber(shape: FieldShape): Check {
  const whole = shape.kind !== 'double';
  const least =
    shape.minimum ??
    (shape.kind === 'uint32' ? 0 : shape.kind === 'int32' ? -(2 ** 31) : -Number.MAX_VALUE);
  const most =
    shape.maximum ??
    (shape.kind === 'uint32'
      ? 2 ** 32 - 1
      : shape.kind === 'int32'
        ? 2 ** 31 - 1
        : Number.MAX_VALUE);
  return (value, pointer, problems) => {
    if (typeof value !== 'number' || Number.isNaN(value) || (whole && !Number.isInteger(value))) {
      report(
        problems,
        pointer,
        'type',
        `${pointer} must be a ${whole ? 'whole number' : 'number'}, not ${show(value)}.`,
      );
    } else if (value < least) {
      report(
        problems,
        pointer,
        'too_small',
        `${pointer} is ${value}; at least ${least} is needed.`,
      );
    } else if (value > most) {
      report(problems, pointer, 'too_large', `${pointer} is ${value}; at most ${most} is allowed.`);
    }
  };
}

function checkEnumeration(shape: FieldShape): Check {
  const values = enumerations[shape.of as string] as readonly string[];
  const allowed = new Set(values);
  return (value, pointer, problems) => {
    if (typeof value === 'string' && allowed.has(value)) return;
    report(
      problems,
      pointer,
      'not_allowed',
      `${pointer} is ${show(value)}; allowed are ${values.join(', ')}.`,
    );
  };
}

const checkBoolean: Check = (value, pointer, problems) => {
  if (typeof value === 'boolean') return;
  report(problems, pointer, 'type', `${pointer} must be true or false, not ${show(value)}.`);
};

const checkTimestamp: Check = (value, pointer, problems) => {
  if (
    typeof value === 'string' &&
    timestampPattern.test(value) &&
    !Number.isNaN(Date.parse(value))
  ) {
    return;
  }
  report(
    problems,
    pointer,
    'type',
    `${pointer} must be an RFC 3339 timestamp such as 2026-01-31T08:15:00.000Z, not ${show(value)}.`,
  );
};

function checkOne(shape: FieldShape): Check {
  switch (shape.kind) {
    case 'string':
      return checkText(shape);
    case 'boolean':
      return checkBoolean;
    case 'timestamp':
      return checkTimestamp;
    case 'enum':
      return checkEnumeration(shape);
    case 'message': {
      const name = shape.of as string;
      return (value, pointer, problems) => messageCheck(name)(value, pointer, problems);
    }
    default:
      return checkNumber(shape);
  }
}

function checkList(shape: FieldShape, item: Check): Check {
  return (value, pointer, problems) => {
    if (!Array.isArray(value)) {
      report(problems, pointer, 'type', `${pointer} must be a list, not ${show(value)}.`);
      return;
    }
    if (value.length > shape.maximumLength) {
      report(
        problems,
        pointer,
        'too_long',
        `${pointer} has ${value.length} items; at most ${shape.maximumLength} are allowed.`,
      );
      return;
    }
    for (let index = 0; index < value.length; index += 1) {
      item(value[index], `${pointer}/${index}`, problems);
    }
  };
}

function checkMap(shape: FieldShape, item: Check): Check {
  return (value, pointer, problems) => {
    if (!isObject(value)) {
      report(problems, pointer, 'type', `${pointer} must be an object, not ${show(value)}.`);
      return;
    }
    const entries = Object.entries(value);
    if (entries.length > shape.maximumLength) {
      report(
        problems,
        pointer,
        'too_long',
        `${pointer} has ${entries.length} entries; at most ${shape.maximumLength} are allowed.`,
      );
      return;
    }
    for (const [key, entry] of entries) {
      if (key.length > 64) {
        report(
          problems,
          `${pointer}/${escapePointer(key)}`,
          'too_long',
          `A key of ${pointer} has ${key.length} characters; at most 64 are allowed.`,
        );
      }
      if (key === '__proto__') {
        report(problems, `${pointer}/__proto__`, 'not_allowed', 'The key __proto__ is not taken.');
      }
      item(entry, `${pointer}/${escapePointer(key)}`, problems);
    }
  };
}

/** The rules of one value; that a list or map must be there says nothing of what is in it. */
export function itemShape(shape: FieldShape): FieldShape {
  if (!shape.map && !shape.repeated) return shape;
  const { required: _, ...item } = shape;
  return item;
}

function checkField(shape: FieldShape): Check {
  const one = checkOne(itemShape(shape));
  if (shape.map) return checkMap(shape, one);
  return shape.repeated ? checkList(shape, one) : one;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const messageChecks = new Map<string, Check>();

/** The check of a message, compiled at first use. */
function messageCheck(name: string): Check {
  const known = messageChecks.get(name);
  if (known !== undefined) return known;
  const fields = shapes[name] as readonly FieldShape[];
  const checks = new Map(fields.map((shape) => [shape.name, checkField(shape)]));
  const required = fields.filter((shape) => shape.required).map((shape) => shape.name);
  const check: Check = (value, pointer, problems) => {
    if (!isObject(value)) {
      report(problems, pointer, 'type', `${pointer} must be an object, not ${show(value)}.`);
      return;
    }
    for (const key in value) {
      const checkValue = checks.get(key);
      if (checkValue !== undefined) checkValue(value[key], `${pointer}/${key}`, problems);
      else {
        const at = `${pointer}/${escapePointer(key)}`;
        report(problems, at, 'unknown', `${at} is not a field of ${name}.`);
      }
    }
    for (const field of required) {
      if (value[field] === undefined) {
        report(problems, `${pointer}/${field}`, 'missing', `${pointer}/${field} is missing.`);
      }
    }
  };
  messageChecks.set(name, check);
  return check;
}

/**
 * Checks the data of an event or command against its contract.
 * @param contract what the type promises; see `contractOf`
 * @param data the proto3 JSON form, canonical: names in lowerCamelCase, enums by name
 * @returns what is wrong, at most 16 problems; empty when all is well
 */
export function validateData(contract: Contract, data: unknown): Problem[] {
  const problems: Problem[] = [];
  messageCheck(contract.message)(data, '/data', problems);
  return problems;
}
