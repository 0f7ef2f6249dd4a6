import { identifierPattern } from '@meridian/wire';
import { shown } from '../domain/problem.ts';
import { invalidParameter, wholeNumber } from '../domain/query.ts';
import type { Call } from '../http/route.ts';
import type { Page } from './queries.ts';

const limits = { default: 50, most: 500 } as const;

/** The page that a request asks for. @throws Refusal when `limit` or `after` is not what it must be */
export function pageOf({ key: { tenant }, query }: Call): Page {
  const limit =
    wholeNumber('limit', query.one('limit'), { least: 1, most: limits.most }) ?? limits.default;
  const after = identifier('after', query.one('after'));
  return { tenant, limit, ...(after === undefined ? {} : { after }) };
}

/** An id in a query. @throws Refusal when it cannot be one */
export function identifier(name: string, text: string | undefined): string | undefined {
  if (text === undefined || identifierPattern.test(text)) return text;
  throw invalidParameter(name, `is ${shown(text)}; it must be an id: letters, digits, _ and -`);
}
