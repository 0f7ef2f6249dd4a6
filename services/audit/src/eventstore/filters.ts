import { RE2JS } from 're2js';
import { invalidArgument } from './faults.ts';
import type { FilterExpression, FilterOptions } from './protocol/messages.ts';
import type { Recorded } from './recorded.ts';

/** Whether an event is wanted. */
export type EventFilter = (event: Pick<Recorded, 'stream' | 'type'>) => boolean;

const expressionLimit = 1_000;
/** Of the compiled expression: what a character of the text may cost. Counts such as {900} make it long. */
const stepsLimit = 512;
const prefixesLimit = 256;
/** How many verdicts are kept: types are few and come again and again. */
const rememberedLimit = 1_024;

/**
 * What a client's filter wants. Expressions run here and come from outside: their engine takes time
 * in proportion to the text (RE2), so that none can keep the gateway busy; it has no look-around and
 * no back-references.
 * @throws CallRefused (INVALID_ARGUMENT) for an expression that is none
 */
export function compileFilter({ streamIdentifier, eventType }: FilterOptions): EventFilter {
  if (streamIdentifier !== undefined) {
    const matches = compileExpression(streamIdentifier);
    return ({ stream }) => matches(stream);
  }
  if (eventType !== undefined) {
    const matches = remembering(compileExpression(eventType));
    return ({ type }) => matches(type);
  }
  return () => true;
}

function compileExpression({ regex, prefix = [] }: FilterExpression): (text: string) => boolean {
  if (prefix.length > prefixesLimit) {
    throw invalidArgument(
      `The filter has ${prefix.length} prefixes; at most ${prefixesLimit} are taken.`,
    );
  }
  if (prefix.length > 0) return (text) => prefix.some((one) => text.startsWith(one));
  if (regex === undefined || regex === '') return () => true;
  if (regex.length > expressionLimit) {
    throw invalidArgument(
      `The filter's expression has ${regex.length} characters; at most ${expressionLimit} are taken.`,
    );
  }
  let expression: RE2JS;
  try {
    expression = RE2JS.compile(regex);
  } catch (error) {
    throw invalidArgument(
      `The filter's expression cannot be used: ${(error as Error).message}. ` +
        'Expressions are of RE2: without look-around and back-references.',
    );
  }
  const steps = expression.programSize();
  if (steps > stepsLimit) {
    throw invalidArgument(
      `The filter's expression has ${steps} steps when compiled; at most ${stepsLimit} are taken: ` +
        'use smaller counts.',
    );
  }
  return (text) => expression.test(text);
}

function remembering(matches: (text: string) => boolean): (text: string) => boolean {
  const known = new Map<string, boolean>();
  return (text) => {
    let verdict = known.get(text);
    if (verdict === undefined) {
      verdict = matches(text);
      if (known.size >= rememberedLimit) known.clear();
      known.set(text, verdict);
    }
    return verdict;
  };
}
