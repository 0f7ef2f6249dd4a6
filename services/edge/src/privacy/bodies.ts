import { Refusal, type ProblemError } from '../domain/problem.ts';

/** A body that is a JSON object of these fields at most. @throws Refusal 400 */
function fieldsOf(value: unknown, known: readonly string[]): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw wrong('', 'type', 'The body must be a JSON object.');
  }
  for (const name of Object.keys(value)) {
    if (known.includes(name)) continue;
    const pointer = `/${name.slice(0, 60).replaceAll('~', '~0').replaceAll('/', '~1')}`;
    throw wrong(pointer, 'unknown', `${pointer} is not known; known are ${known.join(', ')}.`);
  }
  return value as Record<string, unknown>;
}

function wrong(pointer: string, code: string, detail: string): Refusal {
  const errors: ProblemError[] = [{ pointer, code, detail }];
  return new Refusal('bad-request', detail, { errors });
}

const identityLimit = 1_024;
const listLimit = 1_000;
const idPattern = /^[A-Za-z0-9_-]{1,72}$/;

/** Who is asked for. @throws Refusal 400 */
export function readIdentity(value: unknown): string {
  const { identity } = fieldsOf(value, ['identity']);
  return checkedIdentity(identity);
}

function checkedIdentity(identity: unknown): string {
  if (typeof identity === 'string' && identity.trim() !== '' && identity.length <= identityLimit) {
    return identity;
  }
  throw wrong(
    '/identity',
    identity === undefined ? 'missing' : 'type',
    `/identity must be a text of 1 to ${identityLimit} characters.`,
  );
}

function readIds(name: string, value: unknown): string[] {
  const isList =
    Array.isArray(value) &&
    value.length > 0 &&
    value.length <= listLimit &&
    value.every((one) => typeof one === 'string' && idPattern.test(one));
  if (isList) return [...new Set(value as string[])];
  throw wrong(`/${name}`, 'type', `/${name} must be a list of 1 to ${listLimit} ids.`);
}

function readId(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'string' && idPattern.test(value)) return value;
  throw wrong('/id', 'identifier', '/id must be 1 to 72 of A-Z a-z 0-9 _ -.');
}

/** @throws Refusal 400 */
function readReason(value: unknown): string {
  if (typeof value === 'string' && value.trim() !== '' && value.length <= 1_000) return value;
  throw wrong(
    '/reason',
    value === undefined ? 'missing' : 'type',
    '/reason must be a text of 1 to 1000 characters.',
  );
}

export interface ErasureBody {
  readonly id?: string;
  readonly keyIds: readonly string[];
  readonly reason: string;
}

/** @throws Refusal 400 */
export function readErasure(value: unknown): ErasureBody {
  const { id: given, keyIds, reason } = fieldsOf(value, ['id', 'keyIds', 'reason']);
  const id = readId(given);
  return {
    ...(id === undefined ? {} : { id }),
    keyIds: readIds('keyIds', keyIds),
    reason: readReason(reason),
  };
}

export interface HoldBody {
  readonly id?: string;
  readonly keyIds: readonly string[];
  readonly contactIds: readonly string[];
  readonly identity?: string;
  readonly reason: string;
}

/** @throws Refusal 400 */
export function readHold(value: unknown): HoldBody {
  const known = ['id', 'keyIds', 'contactIds', 'identity', 'reason'];
  const { id: given, keyIds, contactIds, identity, reason } = fieldsOf(value, known);
  if (keyIds === undefined && contactIds === undefined && identity === undefined) {
    throw wrong('', 'missing', 'Name what is to be held: identity, contactIds or keyIds.');
  }
  const id = readId(given);
  return {
    ...(id === undefined ? {} : { id }),
    keyIds: keyIds === undefined ? [] : readIds('keyIds', keyIds),
    contactIds: contactIds === undefined ? [] : readIds('contactIds', contactIds),
    ...(identity === undefined ? {} : { identity: checkedIdentity(identity) }),
    reason: readReason(reason),
  };
}

/** @param regions those there are @throws Refusal 400 */
export function readResidency(value: unknown, regions: readonly string[]): string[] {
  const { regions: given } = fieldsOf(value, ['regions']);
  const isSet = Array.isArray(given) && given.every((one) => regions.includes(one as string));
  if (isSet) return [...new Set(given as string[])].toSorted();
  throw wrong(
    '/regions',
    given === undefined ? 'missing' : 'not_allowed',
    `/regions must be a list of ${regions.join(', ')}; an empty one means all of them.`,
  );
}

/** Refuses a reason in which the identity itself would get to the log. @throws Refusal 400 */
export function checkReason(reason: string, identity: string): void {
  const [text, name] = [reason, identity].map((one) => one.normalize('NFKC').toLowerCase());
  if (text?.includes(name?.trim() ?? '') !== true) return;
  throw wrong('/reason', 'not_allowed', '/reason names the person; it would stay on the log.');
}
