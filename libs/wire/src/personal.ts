import { shapes } from './gen/contracts.ts';
import { isSealed } from './sealed.ts';
import { escapePointer } from './validate.ts';
import type { Contract, FieldShape } from './contract.ts';

/** The fields of a message that are personal, or are messages in which something is. */
type Plan = ReadonlyMap<string, FieldShape>;

const plans = new Map<string, Plan>();

function planOf(message: string): Plan {
  const known = plans.get(message);
  if (known !== undefined) return known;
  const plan = new Map<string, FieldShape>();
  // Set before it is filled: a message may hold itself.
  plans.set(message, plan);
  for (const shape of shapes[message] ?? []) {
    const isPersonal = shape.personal === true;
    if (isPersonal && shape.kind !== 'string') {
      throw new Error(`${message}.${shape.name} is personal and no text: it cannot be sealed.`);
    }
    if (isPersonal || (shape.kind === 'message' && planOf(shape.of as string).size > 0)) {
      plan.set(shape.name, shape);
    }
  }
  return plan;
}

/** Whether data of this contract can hold personal texts. */
export function holdsPersonal(contract: Contract): boolean {
  return planOf(contract.message).size > 0;
}

/** What is put in place of a text; the same text leaves it as it is. */
export type ReplaceText = (text: string, pointer: string) => string;

/**
 * Valid data of a contract with each personal text replaced, in lists and maps too. Names of a map's
 * entries are not personal. What holds none is not copied.
 * @param replace is called with each text and its JSON pointer, such as `/data/customer`
 */
export function replacePersonal(contract: Contract, data: unknown, replace: ReplaceText): unknown {
  if (!holdsPersonal(contract)) return data;
  return inMessage(contract.message, data, '/data', replace);
}

/** Where personal texts stand in the clear, as JSON pointers; an empty text tells nothing. */
export function clearPersonal(contract: Contract, data: unknown): string[] {
  const found: string[] = [];
  replacePersonal(contract, data, (text, pointer) => {
    if (text !== '' && !isSealed(text)) found.push(pointer);
    return text;
  });
  return found;
}

function inMessage(
  message: string,
  value: unknown,
  pointer: string,
  replace: ReplaceText,
): unknown {
  const data = value as Readonly<Record<string, unknown>>;
  const changed: Record<string, unknown> = {};
  for (const [name, shape] of planOf(message)) {
    if (data[name] === undefined) continue;
    changed[name] = inField(shape, data[name], `${pointer}/${name}`, replace);
  }
  return { ...data, ...changed };
}

function inField(
  shape: FieldShape,
  value: unknown,
  pointer: string,
  replace: ReplaceText,
): unknown {
  const one = (item: unknown, at: string): unknown =>
    shape.personal === true
      ? replace(item as string, at)
      : inMessage(shape.of as string, item, at, replace);
  if (shape.repeated) {
    return (value as unknown[]).map((item, index) => one(item, `${pointer}/${index}`));
  }
  if (!shape.map) return one(value, pointer);
  const entries = Object.entries(value as object);
  return Object.fromEntries(
    entries.map(([key, item]) => [key, one(item, `${pointer}/${escapePointer(key)}`)]),
  );
}
