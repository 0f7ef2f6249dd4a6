import { usageFault } from '../fault.ts';
import { readAsterisk } from './asterisk.ts';
import { readConnect } from './connect.ts';
import { readGenesys } from './genesys.ts';
import type { History } from './history.ts';
import { readTwilio } from './twilio.ts';

/** What can be imported. */
export const formats = ['asterisk', 'connect', 'genesys', 'twilio'] as const;

export type Format = (typeof formats)[number];

/** @throws CommandFault (usage) when there is no such format */
export function formatOf(name: string | undefined): Format {
  const format = formats.find((one) => one === name);
  if (format !== undefined) return format;
  throw usageFault(`--format is ${JSON.stringify(name)}; it must be one of ${formats.join(', ')}.`);
}

/**
 * Reads a file of another system. JSON may be one list or one object a line.
 * @throws CommandFault (usage) that names the line that is no JSON
 */
export function readHistory(format: Format, text: string, where: string): History {
  if (format === 'asterisk') return readAsterisk(text.split('\n'));
  const records = recordsOf(text, where);
  if (format === 'connect') return readConnect(records);
  return format === 'genesys' ? readGenesys(records) : readTwilio(records);
}

function recordsOf(text: string, where: string): Readonly<Record<string, unknown>>[] {
  const values: unknown[] = text.trimStart().startsWith('[')
    ? [parse(text, where)].flat()
    : text
        .split('\n')
        .flatMap((line, index) =>
          line.trim() === '' ? [] : [parse(line, `${where}, line ${index + 1}`)],
        );
  return values.map((value) =>
    typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {},
  );
}

function parse(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw usageFault(
      `${where}: it is no JSON (${(error as Error).message}).\nGive a list of events, or one a line.`,
    );
  }
}
