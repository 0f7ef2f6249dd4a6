import { identifierPattern, type ContactState } from '@meridian/wire';
import { shown, type Refusal } from '../domain/problem.ts';
import { invalidParameter, oneOf, wholeNumber } from '../domain/query.ts';
import type { Call } from '../http/route.ts';
import { contactStates } from './documented.ts';
import type { ContactsFilter, Page } from './queries.ts';

const limits = { default: 50, most: 500 } as const;

/** The page that a request asks for. @throws Refusal when `limit` or `after` is not what it must be */
export function pageOf({ key: { tenant }, query }: Call): Page {
  const limit =
    wholeNumber('limit', query.one('limit'), { least: 1, most: limits.most }) ?? limits.default;
  const after = identifier('after', query.one('after'));
  return { tenant, limit, ...(after === undefined ? {} : { after }) };
}

/** The homes that a request asks for. @throws Refusal when one is none of the regions */
export function homesOf({ query }: Call, regions: readonly string[]): string[] {
  return query.all('home').map((home) => oneOf('home', home, regions));
}

/** The states of contacts that a request asks for. @throws Refusal when one is none */
export function statesOf({ query }: Call): ContactState[] {
  return query.all('state').map((state) => oneOf<ContactState>('state', state, contactStates));
}

/** Which contacts a request asks for. @throws Refusal when any of it is not what it must be */
export function wantedContacts(
  call: Call,
  regions: readonly string[],
): Pick<ContactsFilter, 'states' | 'homes' | 'queueId'> {
  const queueId = identifier('queue', call.query.one('queue'));
  return {
    states: statesOf(call),
    homes: homesOf(call, regions),
    ...(queueId === undefined ? {} : { queueId }),
  };
}

/** What is said of an `after` that is no contact of the list. */
export const noSuchContact = ({ after = '' }: Page): Refusal =>
  invalidParameter(
    'after',
    `is ${shown(after)}; it must be the id of a contact, as \`next\` gives it`,
  );

/** An id in a query. @throws Refusal when it cannot be one */
export function identifier(name: string, text: string | undefined): string | undefined {
  if (text === undefined || identifierPattern.test(text)) return text;
  throw invalidParameter(name, `is ${shown(text)}; it must be an id: letters, digits, _ and -`);
}
