import { hash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';

interface Line {
  readonly sequence: number;
  readonly subject: string;
  readonly data: string;
}

/** Changes one line of an export; undefined leaves it out. */
type Change = (text: string, sequence: number) => string | undefined;

/** What is done to a copy, by its short name: each must be found, and named. */
export const tamperings = {
  flip: 'a flipped bit',
  drop: 'a dropped event',
  swap: 'two swapped',
  forge: 'one forged with a chain that holds',
} as const;
export type Tampering = keyof typeof tamperings;

const parse = (text: string): Line => JSON.parse(text) as Line;
const withData = (text: string, data: string): string => JSON.stringify({ ...parse(text), data });

/** The number that called is another one: one bit. */
const flipped = (text: string): string =>
  withData(text, parse(text).data.replace('"49301234"', '"49301235"'));

/**
 * Writes a copy of an export of `EV_` in which somebody had a hand.
 * @param at the sequence that is changed: the first entry of a contact
 * @param other another one, for two that are swapped
 */
export async function tamper(
  tampering: Tampering,
  {
    from,
    to,
    at,
    other,
    lines,
  }: {
    readonly from: string;
    readonly to: string;
    readonly at: number;
    readonly other: number;
    /** The lines at both sequences. */
    readonly lines: ReadonlyMap<number, string>;
  },
): Promise<void> {
  const change = changeOf(tampering, at, other, lines);
  const file = createWriteStream(to);
  let sequence = 0;
  for await (const line of createInterface({
    input: createReadStream(from),
    crlfDelay: Infinity,
  })) {
    sequence += 1;
    const text = change(line, sequence);
    if (text !== undefined && !file.write(`${text}\n`)) await once(file, 'drain');
  }
  file.end();
  await once(file, 'close');
}

function changeOf(
  tampering: Tampering,
  at: number,
  other: number,
  lines: ReadonlyMap<number, string>,
): Change {
  const lineAt = (sequence: number): string => lines.get(sequence) as string;
  const moved = (from: number, to: number): string =>
    JSON.stringify({ ...parse(lineAt(from)), sequence: to });
  switch (tampering) {
    case 'flip':
      return (text, sequence) => (sequence === at ? flipped(text) : text);
    case 'drop':
      return (text, sequence) => (sequence === at ? undefined : text);
    case 'swap':
      return (text, sequence) => {
        if (sequence === at) return moved(other, at);
        return sequence === other ? moved(at, other) : text;
      };
    case 'forge':
      return forging(parse(lineAt(at)).subject);
    default:
      throw new RangeError(`There is no tampering ${String(tampering)}.`);
  }
}

/** Another first event of an aggregate, and every later one with the hash that then fits. */
function forging(subject: string): Change {
  const marked = JSON.stringify(subject);
  let previous: string | undefined;
  return (text) => {
    if (!text.includes(marked)) return text;
    const { data } = parse(text);
    const events = data
      .slice(1, -1)
      .split(',\n')
      .map((event) => {
        const changed =
          previous === undefined
            ? event.replace('"49301234"', '"49301235"')
            : event.replace(/"prevhash":"[^"]*"/, `"prevhash":"${previous}"`);
        previous = hash('sha256', changed, 'base64url');
        return changed;
      });
    return withData(text, `[${events.join(',\n')}]`);
  };
}

/** The lines of an export at some sequences. */
export async function linesAt(
  file: string,
  sequences: readonly number[],
): Promise<Map<number, string>> {
  const wanted = new Set(sequences);
  const found = new Map<number, string>();
  let sequence = 0;
  for await (const line of createInterface({
    input: createReadStream(file),
    crlfDelay: Infinity,
  })) {
    sequence += 1;
    if (wanted.has(sequence)) found.set(sequence, line);
    if (found.size === wanted.size) break;
  }
  return found;
}
